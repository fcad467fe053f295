//! Asks for used-buffer notifications that may be delayed.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;

impl Rig {
    pub(super) fn delay_used_notifications(
        &mut self,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        if !self.run.can.offered_calls().delayed_used_notifications {
            return Ok(Some(Skip::Incapable("delayed_used_notifications")));
        }
        let waiting = self.call(Call::DelayInterrupts, |subject| subject.delay_used_notifications());
        self.observe_seen_trap(listener)?;
        let device = self.run.device.observer();
        let (flags, used_event) = (device.available_flags(), device.used_event());
        self.sink.emit(&Event::DelayedNotifications { flags, used_event, waiting }, listener)?;
        self.observe_call(listener)?;
        self.run.effective = true;
        Ok(None)
    }
}
