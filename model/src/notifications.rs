//! Checks used-buffer notifications (2.7.7).

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wish::{NamedUsedElement, Wish};
use crate::wording::Count;

impl Model {
    /// Whether the driver promised to prevent notifications that its caller does not want: always, or only after a reset.
    const fn promised_no_unwanted_notifications(&self) -> bool {
        self.setup.exact_notifications
            || self.setup.reset_keeps_used_notifications && self.wish_precedes_reset
    }

    /// How many used elements the device can add next. At least one: a chain may become available later.
    fn elements_to_come(&self) -> u32 {
        self.chains.in_flight.max(1)
    }

    /// Whether the device would notify of one of the next used elements if `used_event` has this value (2.7.7).
    ///
    /// It would not if the device had already added the element when the driver stored its index: the used index reaches the
    /// element again only after it has wrapped around. A driver need not store another value before that.
    fn device_would_notify(&mut self, index: u16) -> bool {
        let ahead = index.wrapping_sub(self.used.next);
        let passed = match self.unwanted_used_event {
            Some(named) if named.index == index => named.passed,
            _ => ahead >= 0x8000 || ahead < self.used.claimed(),
        };
        self.unwanted_used_event = Some(NamedUsedElement { index, passed });
        !passed && u32::from(ahead) < self.elements_to_come()
    }

    pub(crate) fn used_event(&mut self, index: u16) -> Result<(), Violation> {
        if self.state_unknown {
            return Ok(());
        }
        let next = self.used.next;
        let elsewhere = self.may_be_elsewhere();
        let unwanted = self.wish == Wish::Unwanted;
        let would_notify = unwanted && self.device_would_notify(index);
        require!(
            !would_notify
                || elsewhere
                || self.available_ring_corrupted
                || !self.promised_no_unwanted_notifications(),
            Notified,
            "the caller wants no notifications, but used_event is {index}: the device can add {} from index {next} on, and would notify of that one",
            Count(self.elements_to_come().into(), "used element")
        );
        // A driver that had seen more elements, before the used index went back, had no reason to re-arm `used_event`.
        let excused = unwanted
            || elsewhere
            || self.wish == Wish::Unknown
            || self.used_index_went_back
            || self.broken
            || self.is_delayed_at(index)
            || !(self.out_of_elements || self.setup.rearms_each_take);
        require!(
            index == next || excused || self.used.claimed() > 0,
            Notified,
            "the driver has taken all used elements, but used_event is {index}; expected {next}, the next element, or the device will not notify of it"
        );
        Ok(())
    }

    pub(crate) fn used_notifications(
        &mut self,
        wanted: bool,
        flags: u16,
        used_event: u16,
        waiting: Option<bool>,
    ) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        self.wish = if wanted { Wish::Wanted } else { Wish::Unwanted };
        (self.wish_precedes_reset, self.unwanted_used_event, self.delay) = (false, None, None);
        self.out_of_elements = true;
        if self.state_unknown {
            return Ok(());
        }
        if self.setup.event_index {
            self.used_event(used_event)?;
        }
        let expected = u16::from(!wanted && !self.setup.event_index);
        require!(
            flags == expected,
            Notified,
            "the flags of the available ring are {flags:#x} after the caller asked for {}; expected {expected:#x}{}",
            if wanted { "notifications" } else { "no notifications" },
            if self.setup.event_index { ", as always with event indexes" } else { "" }
        );
        let claimed = self.used.claimed();
        // A bad element is no used chain: the driver may count it or not.
        let right = match waiting {
            None => true,
            Some(true) => claimed > 0,
            Some(false) => self.used.first_good(&self.chains).is_none(),
        };
        require!(
            right || self.may_be_elsewhere(),
            Notified,
            "the driver reports that {} waiting, but the device has added {} that it did not take",
            if waiting == Some(true) { "used elements are" } else { "no used element is" },
            Count(claimed.into(), "used element")
        );
        Ok(())
    }

    /// Checks the flags after the queue was made or reset. A reset keeps what the caller last asked for.
    pub(crate) fn available_flags(&mut self, flags: u16) -> Result<(), Violation> {
        if self.state_unknown {
            return Ok(());
        }
        let first = *self.initial_flags.get_or_insert(flags);
        let (right, why) = match self.wish {
            Wish::Default => (first, "as when the queue was made"),
            Wish::Wanted => (0, "the caller last asked for notifications"),
            Wish::Unknown => return Ok(()),
            Wish::Unwanted => (1, "the caller last asked for no notifications"),
        };
        require!(
            flags == right || !(self.setup.exact_notifications || self.setup.reset_keeps_used_notifications),
            Notified,
            "the flags of the available ring are {flags:#x} after a reset; expected {right:#x}: {why}"
        );
        Ok(())
    }
}
