//! Lets a used-buffer notification arrive.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;

impl Rig {
    pub(super) fn used_notification_arrives(
        &mut self,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        if !self.run.can.offered_calls().used_notification_handler {
            return Ok(Some(Skip::Incapable("used_notification_handler")));
        }
        let on = self.call(Call::InterruptArrived, |subject| subject.used_notification_arrived());
        self.observe_seen_trap(listener)?;
        let device = self.run.device.observer();
        let (flags, used_event) = (device.available_flags(), device.used_event());
        self.sink.emit(&Event::Interrupted { on, flags, used_event }, listener)?;
        self.run.effective = true;
        if self.run.can.submits_itself {
            self.check_self_submitted(listener)?;
        } else {
            self.observe_call(listener)?;
        }
        Ok(None)
    }
}
