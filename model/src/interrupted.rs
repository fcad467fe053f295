//! Checks what a driver does when a used-buffer notification arrives (2.7.7).

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wish::Wish;

impl Model {
    /// The notification may have no reason. The driver may have read used elements, as without the promise that each take reads
    /// them again; it has completed nothing.
    pub(crate) fn interrupted(
        &mut self,
        on: Option<bool>,
        flags: u16,
        used_event: u16,
    ) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        if let Some(on) = on {
            self.wish = if on { Wish::Wanted } else { Wish::Unwanted };
            (self.wish_precedes_reset, self.unwanted_used_event, self.delay) = (false, None, None);
            self.out_of_elements = true;
        }
        if self.state_unknown || self.broken {
            return Ok(());
        }
        if self.setup.event_index {
            self.used_event(used_event)?;
        }
        let off = u16::from(!self.setup.event_index);
        let (expected, why) = match self.wish {
            Wish::Default => (self.initial_flags, "as when the queue was made"),
            Wish::Wanted => (Some(0), "notifications are on"),
            // A driver that turned them on again by itself has reported it in no call.
            Wish::Unwanted if on.is_some() || self.setup.exact_notifications => {
                (Some(off), "notifications are off")
            }
            Wish::Unwanted | Wish::Unknown => (None, ""),
        };
        require!(
            expected.is_none_or(|expected| flags == expected),
            Notified,
            "the flags of the available ring are {flags:#x} after the driver handled a notification; expected {:#x}: {why}",
            expected.unwrap_or_default()
        );
        Ok(())
    }
}
