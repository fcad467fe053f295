//! Checks the call that lets the device delay used-buffer notifications (2.7.10).

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wish::{Delay, Wish};
use crate::wording::Count;

/// Whether `index` is behind `next`.
const fn is_behind(index: u16, next: u16) -> bool {
    index.wrapping_sub(next) >= 0x8000
}

impl Model {
    /// Whether the driver may leave `used_event` at this index because its caller lets the device delay the notification: the
    /// device will notify of one of the chains then in flight, or the driver has taken the element that it named.
    pub(crate) fn is_delayed_at(&mut self, index: u16) -> bool {
        let (next, device_lied) = (self.used.next, self.used.device_lied);
        self.delay.as_mut().is_some_and(|delay| {
            delay.passed |= is_behind(delay.armed, next);
            let is_due =
                !is_behind(delay.last, next) && index.wrapping_sub(next) <= delay.last.wrapping_sub(next);
            is_due || delay.passed && index == delay.armed || device_lied
        })
    }

    pub(crate) fn delayed_notifications(
        &mut self,
        flags: u16,
        used_event: u16,
        waiting: Option<bool>,
    ) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        (self.wish, self.wish_precedes_reset, self.unwanted_used_event) = (Wish::Wanted, false, None);
        self.out_of_elements = true;
        let (next, claimed) = (self.used.next, self.used.claimed());
        // The caller may publish the other chains before it waits.
        let can_return = self.chains.in_flight + self.unpublished.len() as u32;
        let last = next.wrapping_add(can_return.saturating_sub(1) as u16);
        self.delay = Some(Delay { armed: used_event, last, passed: false });
        if self.state_unknown {
            return Ok(());
        }
        require!(
            flags == 0,
            Notified,
            "the flags of the available ring are {flags:#x} after the caller asked for delayed notifications; expected 0x0{}",
            if self.setup.event_index { ", as always with event indexes" } else { "" }
        );
        if self.broken || self.used.device_lied || self.used_index_went_back || self.available_ring_corrupted
        {
            return Ok(());
        }
        let ahead = used_event.wrapping_sub(next);
        // The device notifies when it adds the element that `used_event` names, and not if it has already added it.
        let is_added =
            self.setup.event_index && claimed > 0 && (is_behind(used_event, next) || ahead < claimed);
        require!(
            !self.setup.event_index || is_added || ahead == claimed || u32::from(ahead) < can_return,
            Notified,
            "the caller asked for delayed notifications, and used_event is {used_event}, {ahead} after the next element, {next}; the device can return only {} and would not notify",
            Count(can_return.into(), "chain")
        );
        require!(
            waiting != Some(true) || claimed > 0,
            Notified,
            "the driver reports that used elements are waiting, but the device has added none that it did not take"
        );
        require!(
            waiting != Some(false) || claimed == 0 || !is_added && u32::from(claimed) < can_return,
            Notified,
            "the caller asked for delayed notifications, and the driver reports that it can wait for one; but the device has added {} that it did not take, of {} that it can return, and will not notify of them",
            Count(claimed.into(), "used element"),
            can_return
        );
        Ok(())
    }
}
