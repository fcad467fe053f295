//! Turns used-buffer notifications on and off.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;

impl Rig {
    pub(super) fn set_used_notifications(
        &mut self,
        wanted: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        if !self.run.can.used_notifications {
            return Ok(Some(Skip::Incapable("used_notifications")));
        }
        let waiting = self.call(Call::Interrupts, |subject| subject.set_used_notifications(wanted));
        self.observe_seen_trap(listener)?;
        let device = self.run.device.observer();
        let (flags, used_event) = (device.available_flags(), device.used_event());
        self.sink.emit(&Event::UsedNotifications { wanted, flags, used_event, waiting }, listener)?;
        self.observe_call(listener)?;
        self.observe_look(wanted && waiting == Some(false), listener)?;
        if !wanted {
            self.provided.rings.forget_request();
        }
        self.run.effective = true;
        Ok(None)
    }
}
