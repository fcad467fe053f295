//! Judging who is to be notified, and says so (2.7.7, 2.7.10).

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;

/// What a driver's caller last said of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Wish {
    /// Nothing: they are wanted.
    #[default]
    Unsaid,
    Wanted,
    Unwanted,
    /// What a call that was cut short may have said, or may not.
    Unknown,
}

/// The used element that a driver named while its caller wants no notification, with event indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedElement {
    pub(crate) index: u16,
    /// Whether the used index was behind it already when it was named.
    pub(crate) passed: bool,
}

impl Model {
    pub(crate) fn publish(&mut self, notify: bool) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        let waiting = std::mem::take(&mut self.unannounced);
        if self.broken {
            require!(
                !(notify && self.setup.exact_notifications),
                Notified,
                "the queue is broken, and the driver says that the device must be notified"
            );
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
        require!(
            wanted || !(notify && self.setup.exact_notifications),
            Notified,
            "{waiting} chains were published from {before} on, the device does not want to be notified, and the driver says it must be"
        );
        Ok(())
    }

    /// Whether the driver promised to let the device ask for no notification that its caller does not want: at all, or since a
    /// reset.
    const fn promised_silence(&self) -> bool {
        self.setup.exact_notifications || self.setup.reset_keeps_interrupts && self.wish_carried
    }

    /// How many elements the device can add from the next one on: one, if it has no chain, as soon as it gets one.
    fn elements_to_come(&self) -> u32 {
        self.chains.in_flight.max(1)
    }

    /// Whether a device notifies of an element that can come next if the driver names this one (2.7.7).
    ///
    /// An element behind the used index when it was named has to wait until the index has wrapped around. A driver need not name
    /// another one for that.
    fn event_wakes(&mut self, index: u16) -> bool {
        let ahead = index.wrapping_sub(self.used.next);
        let passed = match self.unwanted_event {
            Some(named) if named.index == index => named.passed,
            _ => ahead >= 0x8000 || ahead < self.used.claimed(),
        };
        self.unwanted_event = Some(NamedElement { index, passed });
        !passed && u32::from(ahead) < self.elements_to_come()
    }

    pub(crate) fn used_event(&mut self, index: u16) -> Result<(), Violation> {
        if self.halfway {
            return Ok(());
        }
        let next = self.used.next;
        let unwanted = self.wish == Wish::Unwanted;
        let wakes = unwanted && self.event_wakes(index);
        require!(
            !wakes || self.ring_tampered || !self.promised_silence(),
            Notified,
            "notifications are not wanted, but `used_event` is {index}: of the used elements that can come next, {} from {next} on, the device would notify of that one",
            self.elements_to_come()
        );
        // A driver that saw more elements than there are in the end had no reason to ask anew.
        let excused = unwanted || self.wish == Wish::Unknown || self.went_back || self.broken;
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
        self.wish = if wanted { Wish::Wanted } else { Wish::Unwanted };
        (self.wish_carried, self.unwanted_event) = (false, None);
        if self.halfway {
            return Ok(());
        }
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

    /// A reset makes a queue what it was when it was made, but for what its caller said since that it wants.
    pub(crate) fn available_flags(&mut self, flags: u16) -> Result<(), Violation> {
        if self.halfway {
            return Ok(());
        }
        let first = *self.first_flags.get_or_insert(flags);
        let (right, why) = match self.wish {
            Wish::Unsaid => (first, "as when the queue was made"),
            Wish::Wanted => (0, "its caller last wanted notifications"),
            Wish::Unknown => return Ok(()),
            Wish::Unwanted => (1, "its caller last wanted no notifications"),
        };
        require!(
            flags == right || !(self.setup.exact_notifications || self.setup.reset_keeps_interrupts),
            Notified,
            "the available flags are {flags:#x} after a reset, not {right:#x}: {why}"
        );
        Ok(())
    }
}
