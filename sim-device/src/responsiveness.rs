//! Whether the device wants to be notified, and whether it reacts.

use crate::device::Device;
use crate::effect::Effect;
use crate::silence::{NotificationLoss, Silence};
use ringstorm_core::{OrderedStore, SharedMemory};

/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 0x1;

impl<M: SharedMemory> Device<M> {
    /// Switches available-buffer notifications on or off (2.7.10): by the flags of the used ring, or by `avail_event` with
    /// event indexes, where the flags stay zero.
    pub fn set_notifications(&mut self, wanted: bool) {
        if self.event_index {
            self.event_ahead = wanted.then_some(0);
            return self.write_avail_event();
        }
        let flags = if wanted { 0 } else { F_NO_NOTIFY };
        self.rings.store_ordered(OrderedStore::UsedFlags, self.geometry.used, flags);
        self.effects.push(Effect::AvailableNotifications(wanted));
    }

    /// From now on, asks for a notification of the entry that is `ahead` entries after the next one (2.7.10). Only with
    /// event indexes; otherwise it does nothing and returns false.
    pub fn set_event(&mut self, ahead: u16) -> bool {
        if self.event_index {
            self.event_ahead = Some(ahead);
            self.write_avail_event();
        }
        self.event_index
    }

    /// Receives an available-buffer notification.
    pub fn notified(&mut self) {
        self.notification_loss = match self.notification_loss {
            NotificationLoss::LosesNext => NotificationLoss::Lost,
            NotificationLoss::None | NotificationLoss::Lost => NotificationLoss::None,
        };
    }

    /// Whether the device does nothing until it is reset (`DEVICE_NEEDS_RESET`).
    pub fn needs_reset(&self) -> bool {
        self.silence == Some(Silence::NeedsReset)
    }

    pub(crate) const fn is_silent(&self) -> bool {
        self.silence.is_some()
    }

    pub(crate) fn fall_silent(&mut self, silence: Silence) -> Option<()> {
        self.silence = Some(silence);
        self.effects.push(Effect::Silent);
        Some(())
    }

    pub(crate) fn lose_notification(&mut self) -> Option<()> {
        if self.notification_loss != NotificationLoss::None {
            return None;
        }
        self.notification_loss = NotificationLoss::LosesNext;
        self.effects.push(Effect::Silent);
        Some(())
    }

    /// Asks for notifications as a device does after it was made or reset.
    pub(crate) fn restart_event(&mut self) {
        self.event_ahead = Some(0);
        if self.event_index {
            self.write_avail_event();
        }
    }

    pub(crate) fn write_avail_event(&mut self) {
        // A device that wants no notification asks for the entry that is furthest away.
        self.store_event(self.next_available.wrapping_add(self.event_ahead.unwrap_or(u16::MAX)));
    }

    pub(crate) fn store_event(&mut self, event: u16) {
        self.rings.store_ordered(OrderedStore::AvailableEvent, self.geometry.available_event(), event);
        self.effects.push(Effect::AvailableEvent(event));
    }
}
