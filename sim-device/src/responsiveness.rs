//! When the device wants to be notified, and whether it pays attention at all.

use crate::device::Device;
use crate::effect::Effect;
use ringstorm_core::{OrderedStore, SharedMemory};

/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 0x1;

/// Why a device does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Silence {
    /// It will answer when the faults stop.
    UntilFaultsStop,
    /// It will answer after a reset.
    NeedsReset,
}

/// Whether the device hears of what is made available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NotificationLoss {
    Good,
    /// The next notification will be lost.
    LosesNext,
    /// It was; until another one comes, the device does not look.
    Lost,
}

impl<M: SharedMemory> Device<M> {
    /// Tells the driver whether to notify of what it makes available (2.7.10). With event indexes the flags stay zero.
    pub fn set_notifications(&mut self, wanted: bool) {
        if self.event_index {
            self.event_ahead = wanted.then_some(0);
            return self.tell_event();
        }
        let flags = if wanted { 0 } else { F_NO_NOTIFY };
        self.rings.store_ordered(OrderedStore::UsedFlags, self.geometry.used, flags);
        self.effects.push(Effect::AvailableNotifications(wanted));
    }

    /// Tells the driver to notify when it makes the entry `ahead` of the next one available, from now on (2.7.10).
    /// Says whether it could: only with event indexes.
    pub fn set_event(&mut self, ahead: u16) -> bool {
        if self.event_index {
            self.event_ahead = Some(ahead);
            self.tell_event();
        }
        self.event_index
    }

    /// The driver notifies of what it made available.
    pub fn notified(&mut self) {
        self.hearing = match self.hearing {
            NotificationLoss::LosesNext => NotificationLoss::Lost,
            NotificationLoss::Good | NotificationLoss::Lost => NotificationLoss::Good,
        };
    }

    /// Whether nothing but a reset helps.
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
        if self.hearing != NotificationLoss::Good {
            return None;
        }
        self.hearing = NotificationLoss::LosesNext;
        self.effects.push(Effect::Silent);
        Some(())
    }

    pub(crate) fn restart_event(&mut self) {
        self.event_ahead = Some(0);
        if self.event_index {
            self.tell_event();
        }
    }

    pub(crate) fn tell_event(&mut self) {
        // The furthest entry is asked for where none is.
        self.store_event(self.next_available.wrapping_add(self.event_ahead.unwrap_or(u16::MAX)));
    }

    pub(crate) fn store_event(&mut self, event: u16) {
        self.rings.store_ordered(OrderedStore::AvailableEvent, self.geometry.available_event(), event);
        self.effects.push(Effect::AvailableEvent(event));
    }
}
