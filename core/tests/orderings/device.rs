//! The notifications of the device, added to the device of the other tests.

use crate::support::{BUFFERS_AT, Device};
use crate::weakened::Weakened;
use ringstorm_core::FullBarrier::{EnabledThenAvailable, ReturnedThenSuppression};
use ringstorm_core::{OrderedLoad, OrderedStore, SharedMemory};

/// Whether each entry caused a notification, from the first entry on: by the driver for an available entry, by the
/// device for a used element.
pub type Notified = Vec<bool>;

/// A device that sleeps when no chain is available, and respects the driver's notification suppression.
pub struct SleepingDevice<'m> {
    pub device: Device<'m, Weakened>,
    rings: &'m Weakened,
    size: u16,
    event_index: bool,
    /// The indexes of the next available entry and of the next used element.
    seen: u16,
    used: u16,
}

impl<'m> SleepingDevice<'m> {
    pub fn new(rings: &'m Weakened, buffers: &'m Weakened, size: u16, first: u16, event_index: bool) -> Self {
        let device = Device::new(size, rings, vec![(BUFFERS_AT, buffers)], first);
        Self { device, rings, size, event_index, seen: first, used: first }
    }

    pub fn poll(&mut self) -> Option<u16> {
        let head = self.device.poll()?;
        self.seen = self.seen.wrapping_add(1);
        Some(head)
    }

    /// 2.7.6: `used_event` follows the last entry of the available ring.
    fn used_event(&self) -> u16 {
        let at = 16 * usize::from(self.size) + 4 + 2 * usize::from(self.size);
        self.rings.load_ordered(OrderedLoad::UsedEvent, at)
    }

    /// 2.7.8: `avail_event` follows the last element of the used ring.
    fn set_available_event(&self, event: u16) {
        let used = (16 * usize::from(self.size) + 6 + 2 * usize::from(self.size) + 3) & !3;
        let at = used + 4 + 8 * usize::from(self.size);
        self.rings.store_ordered(OrderedStore::AvailableEvent, at, event);
    }

    /// Enables or suppresses notifications of the entries that the device has not seen (2.7.10).
    pub fn set_notifications(&self, wanted: bool) {
        match (self.event_index, wanted) {
            (false, _) => self.device.set_used_flags(u16::from(!wanted)),
            (true, true) => self.set_available_event(self.seen),
            // The most distant entry is the one before.
            (true, false) => self.set_available_event(self.seen.wrapping_sub(1)),
        }
    }

    /// Takes chains until none is available, enables notifications, checks once more, and sleeps. With `suppressing`,
    /// notifications are suppressed while the device is awake, and the caller has already suppressed them.
    pub fn take_until_asleep(&mut self, suppressing: bool, mut each: impl FnMut(&mut Self, u16)) {
        loop {
            while let Some(head) = self.poll() {
                each(self, head);
            }
            self.set_notifications(true);
            self.rings.barrier(EnabledThenAvailable);
            if self.device.available_index() == self.seen {
                return;
            }
            if suppressing {
                self.set_notifications(false);
            }
        }
    }

    /// Returns a chain, and returns whether the device must notify the driver (2.7.7).
    pub fn return_chain(&mut self, head: u16, answer: &[u8]) -> bool {
        self.device.answer(head, answer);
        let before = self.used;
        self.used = before.wrapping_add(1);
        self.rings.barrier(ReturnedThenSuppression);
        if self.event_index {
            // 2.7.7.1: the comparison `vring_need_event`.
            let (new, old, event) = (self.used, before, self.used_event());
            new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
        } else {
            self.device.available_flags() & 1 == 0
        }
    }
}
