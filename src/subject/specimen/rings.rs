//! The two rings of the specimen.

use super::Defect;
use crate::scenario::Setup;
use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// `VIRTQ_AVAIL_F_NO_INTERRUPT` (2.7.6).
const F_NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 1;

/// An element of the used ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    /// Its slot in the used ring.
    pub(super) slot: u16,
    pub(super) id: u32,
    pub(super) length: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Rings {
    defect: Option<Defect>,
    geometry: Geometry,
    memory: Rc<WatchedMemory>,
    /// The available index as the device sees it.
    available: u16,
    /// The index of the next used element to take.
    used: u16,
    /// Whether event indexes are negotiated. Otherwise both sides use the flags (2.7.10).
    event_index: bool,
    /// Whether used-buffer notifications are on.
    used_notifications: bool,
    /// The device's notification flags or `avail_event`, if a defect keeps an old value.
    request: Option<u16>,
    /// The chains since the last notification of the device, modulo 2^16. Only a defect uses it.
    unnotified: u16,
}

impl Rings {
    /// Hashes the state that decides what the rings will do. Absolute indexes are included, because some defects show
    /// only when an index wraps around.
    pub(super) fn fingerprint(&self, state: &mut impl Hasher) {
        (self.available, self.used, self.used_notifications, self.request, self.unnotified).hash(state);
    }

    pub(super) fn new(
        defect: Option<Defect>,
        geometry: Geometry,
        memory: Rc<WatchedMemory>,
        setup: &Setup,
    ) -> Self {
        let (first, event_index) = (setup.first_index.get(), setup.event_index);
        let (available, used, used_notifications, request, unnotified) = (first, first, true, None, 0);
        let mut rings = Self {
            defect,
            geometry,
            memory,
            available,
            used,
            event_index,
            used_notifications,
            request,
            unnotified,
        };
        rings.restart(first);
        rings
    }

    /// Empties both rings. The device must be stopped.
    pub(super) fn restart(&mut self, first_index: u16) {
        let Geometry { size, available, used, .. } = self.geometry;
        // Zeroed, so that a used index that jumps cannot cover old elements.
        self.memory.zero(used + 4, 8 * usize::from(size));
        // A reset keeps what the caller last asked for.
        self.used_notifications |= self.has(Defect::ResetForgetsWish);
        let flags = if self.used_notifications || self.event_index { 0 } else { F_NO_INTERRUPT };
        self.memory.store_ordered(OrderedStore::AvailableFlags, available, flags);
        self.memory.store_ordered(OrderedStore::AvailableIndex, available + 2, first_index);
        self.memory.store_ordered(OrderedStore::UsedFlags, used, 0);
        self.memory.store_ordered(OrderedStore::UsedIndex, used + 2, first_index);
        if self.event_index {
            let event = if self.used_notifications { first_index } else { first_index.wrapping_sub(1) };
            self.memory.store_ordered(OrderedStore::UsedEvent, self.used_event(), event);
            self.memory.store_ordered(OrderedStore::AvailableEvent, self.available_event(), first_index);
        }
        (self.available, self.request, self.unnotified) = (first_index, None, 0);
        if !self.has(Defect::ResetKeepsUsedIndex) {
            self.used = first_index;
        }
    }

    /// Adds chains to the available ring. Returns whether the device must be notified.
    pub(super) fn publish(&mut self, heads: impl ExactSizeIterator<Item = u16>) -> bool {
        let Geometry { size, available, .. } = self.geometry;
        let (before, count) = (self.available, heads.len() as u16);
        if self.has(Defect::WishReadBeforeIndex) {
            self.request = Some(self.request());
        }
        if self.has(Defect::IndexBeforeEntry) {
            self.store_available(self.available.wrapping_add(count));
        }
        for head in heads {
            self.memory.store_u16(available + 4 + 2 * usize::from(self.available % size), head);
            self.available = match self.defect {
                Some(Defect::AvailableIndexFolded) => self.available.wrapping_add(1) % size,
                Some(Defect::AvailableIndexSaturates) => self.available.saturating_add(1),
                _ => self.available.wrapping_add(1),
            };
        }
        if !self.has(Defect::IndexBeforeEntry) {
            self.store_available(self.available);
        }
        if !self.has(Defect::NoBarrierBeforeWish) {
            self.memory.barrier(FullBarrier::PublishedThenSuppression);
        }
        let request = match self.defect {
            Some(Defect::WishRemembered | Defect::WishReadTooEarly | Defect::WishReadBeforeIndex) => {
                self.request.unwrap_or_else(|| self.request())
            }
            _ => self.request(),
        };
        if self.has(Defect::WishRemembered) {
            self.request = Some(request);
        }
        if self.has(Defect::UnnotifiedCutTo16Bits) {
            return self.must_notify_since_last(request, count);
        }
        match self.event_index {
            true => self.is_event_passed(request, before),
            false => (request & F_NO_NOTIFY == 0) != self.has(Defect::WishInverted),
        }
    }

    /// Decides by all chains since the last notification.
    fn must_notify_since_last(&mut self, request: u16, count: u16) -> bool {
        self.unnotified = self.unnotified.wrapping_add(count);
        let notify = match self.event_index {
            true => self.is_event_passed(request, self.available.wrapping_sub(self.unnotified)),
            false => request & F_NO_NOTIFY == 0 && self.unnotified > 0,
        };
        if notify {
            self.unnotified = 0;
        }
        notify
    }

    /// Whether the available index has passed `avail_event` since it was `before` (2.7.10).
    fn is_event_passed(&self, event: u16, before: u16) -> bool {
        let after = self.available;
        match self.defect {
            Some(Defect::EventWindowCompared) => before <= event && event < after,
            Some(Defect::EventMatchedExactly) => event == after.wrapping_sub(1),
            _ => event.wrapping_sub(before) < after.wrapping_sub(before),
        }
    }

    fn store_available(&self, index: u16) {
        let place = self.geometry.available + 2;
        match self.defect {
            Some(Defect::IndexNotReleased) => self.memory.store_u16(place, index),
            _ => self.memory.store_ordered(OrderedStore::AvailableIndex, place, index),
        }
    }

    /// The device's `avail_event`, or its flags.
    fn request(&self) -> u16 {
        match self.event_index {
            true => self.memory.load_ordered(OrderedLoad::AvailableEvent, self.available_event()),
            false => self.memory.load_ordered(OrderedLoad::UsedFlags, self.geometry.used),
        }
    }

    /// The offset of `used_event`, which follows the available ring.
    fn used_event(&self) -> usize {
        self.geometry.available + 4 + 2 * usize::from(self.geometry.size)
    }

    /// The offset of `avail_event`, which follows the used ring.
    fn available_event(&self) -> usize {
        self.element(self.geometry.size)
    }

    /// Called when a chain was submitted that is published later.
    pub(super) fn submitted(&mut self) {
        if self.has(Defect::WishReadTooEarly) {
            self.request = Some(self.request());
        }
    }

    /// The used index. The device writes it, so a call must read it only once.
    pub(super) fn used_index(&self) -> u16 {
        let place = self.geometry.used + 2;
        match self.defect {
            Some(Defect::UsedIndexNotAcquired) => self.memory.load_u16(place),
            _ => self.memory.load_ordered(OrderedLoad::UsedIndex, place),
        }
    }

    /// The number of elements that a used index covers and the driver has not taken.
    pub(super) fn claimed(&self, index: u16) -> u16 {
        match self.defect {
            Some(Defect::UsedIndexCompared) => index.saturating_sub(self.used),
            Some(Defect::FullRingLooksEmpty) => index.wrapping_sub(self.used) % self.geometry.size,
            _ => index.wrapping_sub(self.used),
        }
    }

    /// Whether a used index has wrapped around at 16 bits.
    pub(super) const fn wrapped(&self, index: u16) -> bool {
        index < self.used
    }

    /// The next used element, which the used index covers.
    pub(super) fn next(&mut self, index: u16) -> Element {
        if self.has(Defect::NewestElementOnly) {
            self.used = index.wrapping_sub(1);
        }
        let slot = self.used % self.geometry.size;
        Element { slot, id: self.id(slot), length: self.length(slot) }
    }

    /// Moves to the element after the one in this slot.
    pub(super) fn step_over(&mut self, slot: u16) {
        self.used = self.used.wrapping_add(1);
        // `used_event` must be set again for each element.
        if self.event_index && self.used_notifications && !self.has(Defect::UsedEventStale) {
            self.set_used_event(self.used);
        }
        if self.has(Defect::UsedElementCleared) {
            self.memory.store_u32(self.element(slot), 0);
        }
    }

    fn element(&self, slot: u16) -> usize {
        self.geometry.used + 4 + 8 * usize::from(slot)
    }

    /// The id in a slot. The device writes it, so a call must read it only once.
    pub(super) fn id(&self, slot: u16) -> u32 {
        self.memory.load_u32(self.element(slot))
    }

    /// The length in a slot. The device writes it, so a call must read it only once.
    pub(super) fn length(&self, slot: u16) -> u32 {
        self.memory.load_u32(self.element(slot) + 4)
    }

    /// Turns used-buffer notifications on or off. Returns whether used elements may already be waiting, for which the
    /// device did not notify.
    pub(super) fn ask_for_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.used_notifications = wanted;
        if self.event_index {
            // To turn notifications off, set `used_event` to the index that is reached last.
            self.set_used_event(if wanted { self.used } else { self.used.wrapping_sub(1) });
        } else {
            let flag = wanted == self.has(Defect::InterruptFlagInverted);
            let flags = if flag { F_NO_INTERRUPT } else { 0 };
            self.memory.store_ordered(OrderedStore::AvailableFlags, self.geometry.available, flags);
            self.barrier_after_wish();
        }
        if !wanted {
            return None;
        }
        Some(!self.has(Defect::LostWakeUp) && self.claimed(self.used_index()) > 0)
    }

    /// Sets `used_event`.
    fn set_used_event(&self, index: u16) {
        self.memory.store_ordered(OrderedStore::UsedEvent, self.used_event(), index);
        self.barrier_after_wish();
    }

    fn barrier_after_wish(&self) {
        if !self.has(Defect::NoBarrierBeforeUsedIndex) {
            self.memory.barrier(FullBarrier::EnabledThenUsed);
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
