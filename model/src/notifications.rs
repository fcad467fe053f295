//! Judging who is to be notified, and says so (2.7.7, 2.7.10).

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;

impl Model {
    pub(crate) fn publish(&mut self, notify: bool) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        let waiting = std::mem::take(&mut self.unannounced);
        if self.broken {
            return Ok(());
        }
        let before = self.asked_for;
        self.asked_for = before.wrapping_add(waiting);
        let wanted = match self.setup.event_index {
            // Entries up to the one that is asked for, from the first new one on.
            true => self.available_event.wrapping_sub(before) < waiting,
            false => self.notifications_wanted && waiting > 0,
        };
        require!(
            notify || !wanted,
            Notified,
            "{waiting} chains were published from {before} on, the device wants to be notified{}, and the driver says it need not be",
            if self.setup.event_index { format!(" of {}", self.available_event) } else { String::new() }
        );
        Ok(())
    }

    pub(crate) fn used_event(&self, index: u16) -> Result<(), Violation> {
        let next = self.used.next;
        // A driver that saw more elements than there are in the end had no reason to ask anew.
        let excused = !self.interrupts_wanted || self.went_back || self.broken;
        require!(
            index == next || excused || self.used.claimed() > 0,
            Notified,
            "all used elements before {next} were taken, but the driver's event is {index}: nobody would wake it"
        );
        Ok(())
    }

    pub(crate) fn interrupts(
        &mut self,
        wanted: bool,
        flags: u16,
        used_event: u16,
        waiting: Option<bool>,
    ) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        self.interrupts_wanted = wanted;
        if self.setup.event_index {
            self.used_event(used_event)?;
        }
        require!(
            flags == u16::from(!wanted && !self.setup.event_index),
            Notified,
            "the available flags are {flags:#x} when notifications are {}",
            if wanted { "wanted" } else { "not wanted" }
        );
        let claimed = self.used.claimed();
        require!(
            waiting.is_none_or(|waiting| waiting == (claimed > 0)),
            Notified,
            "the driver says that used chains are {} when {claimed} are",
            if waiting == Some(true) { "waiting" } else { "not waiting" }
        );
        Ok(())
    }
}
