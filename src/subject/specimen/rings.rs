//! The specimen's two rings.

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
    /// Where it stands.
    pub(super) slot: u16,
    pub(super) id: u32,
    pub(super) length: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Rings {
    defect: Option<Defect>,
    geometry: Geometry,
    memory: Rc<WatchedMemory>,
    /// The available index as the device knows it.
    available: u16,
    /// The first used element not taken.
    used: u16,
    /// Whether both sides tell their wishes by event index and not by flags (2.7.10).
    event_index: bool,
    /// Whether the driver wants to be notified.
    interrupts: bool,
    /// The device's wish, where a defect remembers it.
    wish: Option<u16>,
}

impl Rings {
    /// Folds in what decides what the rings will do. Where they stand counts: some defects are wrong at the wrap alone.
    pub(super) fn fingerprint(&self, state: &mut impl Hasher) {
        (self.available, self.used, self.interrupts, self.wish).hash(state);
    }

    pub(super) fn new(
        defect: Option<Defect>,
        geometry: Geometry,
        memory: Rc<WatchedMemory>,
        setup: &Setup,
    ) -> Self {
        let (first, event_index) = (setup.first_index.get(), setup.event_index);
        let (available, used, interrupts, wish) = (first, first, true, None);
        let mut rings = Self { defect, geometry, memory, available, used, event_index, interrupts, wish };
        rings.restart(first);
        rings
    }

    /// Makes both rings empty, while the device is stopped.
    pub(super) fn restart(&mut self, first_index: u16) {
        let Geometry { size, available, used, .. } = self.geometry;
        // An index that jumps must not bring back what was used before.
        self.memory.zero(used + 4, 8 * usize::from(size));
        // What the caller last asked for still holds.
        self.interrupts |= self.has(Defect::ResetForgetsWish);
        let flags = if self.interrupts || self.event_index { 0 } else { F_NO_INTERRUPT };
        self.memory.store_ordered(OrderedStore::AvailableFlags, available, flags);
        self.memory.store_ordered(OrderedStore::AvailableIndex, available + 2, first_index);
        self.memory.store_ordered(OrderedStore::UsedFlags, used, 0);
        self.memory.store_ordered(OrderedStore::UsedIndex, used + 2, first_index);
        if self.event_index {
            let event = if self.interrupts { first_index } else { first_index.wrapping_sub(1) };
            self.memory.store_ordered(OrderedStore::UsedEvent, self.used_event(), event);
            self.memory.store_ordered(OrderedStore::AvailableEvent, self.available_event(), first_index);
        }
        (self.available, self.wish) = (first_index, None);
        if !self.has(Defect::ResetKeepsUsedIndex) {
            self.used = first_index;
        }
    }

    /// Adds chains to the available ring. Says whether the device must be notified.
    pub(super) fn publish(&mut self, heads: impl ExactSizeIterator<Item = u16>) -> bool {
        let Geometry { size, available, .. } = self.geometry;
        let before = self.available;
        if self.has(Defect::IndexBeforeEntry) {
            self.store_available(self.available.wrapping_add(heads.len() as u16));
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
        self.memory.barrier(FullBarrier::PublishedThenSuppression);
        let wish = match self.defect {
            Some(Defect::WishRemembered | Defect::WishReadTooEarly) => {
                self.wish.unwrap_or_else(|| self.wish())
            }
            _ => self.wish(),
        };
        if self.has(Defect::WishRemembered) {
            self.wish = Some(wish);
        }
        match self.event_index {
            true => self.is_event_passed(wish, before),
            false => (wish & F_NO_NOTIFY == 0) != self.has(Defect::WishInverted),
        }
    }

    /// Whether the entry that the device asked for is among those from `before` on.
    fn is_event_passed(&self, event: u16, before: u16) -> bool {
        let after = self.available;
        match self.defect {
            Some(Defect::EventWindowCompared) => before <= event && event < after,
            Some(Defect::EventMatchedExactly) => event == after.wrapping_sub(1),
            _ => event.wrapping_sub(before) < after.wrapping_sub(before),
        }
    }

    fn store_available(&self, index: u16) {
        self.memory.store_ordered(OrderedStore::AvailableIndex, self.geometry.available + 2, index);
    }

    /// Of what the device wants to be notified: its event, or its flags.
    fn wish(&self) -> u16 {
        match self.event_index {
            true => self.memory.load_ordered(OrderedLoad::AvailableEvent, self.available_event()),
            false => self.memory.load_ordered(OrderedLoad::UsedFlags, self.geometry.used),
        }
    }

    /// Where the driver's event is, behind the available ring.
    fn used_event(&self) -> usize {
        self.geometry.available + 4 + 2 * usize::from(self.geometry.size)
    }

    /// Where the device's event is, behind the used ring.
    fn available_event(&self) -> usize {
        self.element(self.geometry.size)
    }

    /// A chain was submitted, which is to be published later.
    pub(super) fn submitted(&mut self) {
        if self.has(Defect::WishReadTooEarly) {
            self.wish = Some(self.wish());
        }
    }

    /// The used index, which the device writes: to be read once in a call.
    pub(super) fn used_index(&self) -> u16 {
        self.memory.load_ordered(OrderedLoad::UsedIndex, self.geometry.used + 2)
    }

    /// How many elements are there to take, by a used index.
    pub(super) fn claimed(&self, index: u16) -> u16 {
        match self.defect {
            Some(Defect::UsedIndexCompared) => index.saturating_sub(self.used),
            Some(Defect::FullRingLooksEmpty) => index.wrapping_sub(self.used) % self.geometry.size,
            _ => index.wrapping_sub(self.used),
        }
    }

    /// Whether a used index is on the other side of the 16-bit wrap.
    pub(super) const fn wrapped(&self, index: u16) -> bool {
        index < self.used
    }

    /// Takes the next element; the used index says that there is one.
    pub(super) fn next(&mut self, index: u16) -> Element {
        if self.has(Defect::NewestElementOnly) {
            self.used = index.wrapping_sub(1);
        }
        let slot = self.used % self.geometry.size;
        Element { slot, id: self.id(slot), length: self.length(slot) }
    }

    /// Steps over the element in this slot.
    pub(super) fn pass(&mut self, slot: u16) {
        self.used = self.used.wrapping_add(1);
        // A wish holds for one element.
        if self.event_index && self.interrupts && !self.has(Defect::UsedEventStale) {
            self.tell_event(self.used);
        }
        if self.has(Defect::UsedElementCleared) {
            self.memory.store_u32(self.element(slot), 0);
        }
    }

    fn element(&self, slot: u16) -> usize {
        self.geometry.used + 4 + 8 * usize::from(slot)
    }

    /// The id in a slot, which the device writes: to be read once in a call.
    pub(super) fn id(&self, slot: u16) -> u32 {
        self.memory.load_u32(self.element(slot))
    }

    /// The length in a slot, likewise.
    pub(super) fn length(&self, slot: u16) -> u32 {
        self.memory.load_u32(self.element(slot) + 4)
    }

    /// Asks the device to notify, or not to. Says whether used elements came before it could know of a wish.
    pub(super) fn ask_for_interrupts(&mut self, wanted: bool) -> Option<bool> {
        self.interrupts = wanted;
        if self.event_index {
            // The furthest element is asked for where none is.
            self.tell_event(if wanted { self.used } else { self.used.wrapping_sub(1) });
        } else {
            let flag = wanted == self.has(Defect::InterruptFlagInverted);
            let flags = if flag { F_NO_INTERRUPT } else { 0 };
            self.memory.store_ordered(OrderedStore::AvailableFlags, self.geometry.available, flags);
            self.memory.barrier(FullBarrier::EnabledThenUsed);
        }
        if !wanted {
            return None;
        }
        Some(!self.has(Defect::LostWakeUp) && self.claimed(self.used_index()) > 0)
    }

    /// Asks the device to notify of a used element.
    fn tell_event(&self, index: u16) {
        self.memory.store_ordered(OrderedStore::UsedEvent, self.used_event(), index);
        self.memory.barrier(FullBarrier::EnabledThenUsed);
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
