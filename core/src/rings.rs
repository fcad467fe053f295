//! The two rings: what the driver offers, and what the device gives back.
//!
//! Both keep their own position in private memory and take the shared memory as an argument, so that one
//! owner, the queue, holds it. They are parts: what the queue checks before it uses them, their caller checks.

use crate::layout::{NO_INTERRUPT, NO_NOTIFY};
use crate::{Areas, FullBarrier, OrderedLoad, OrderedStore, QueueSize, RingIndex, SharedMemory};
use core::hash::{Hash, Hasher};

/// The available ring (2.7.6): the driver writes, the device reads.
#[derive(Debug, Clone)]
pub struct AvailableRing {
    /// Behind the last entry written.
    next: RingIndex,
    /// What the device was last told.
    published: RingIndex,
    /// Whether the driver's wish is told by `used_event`, not by a flag.
    event_index: bool,
    /// Whether the driver wants to be notified of used elements.
    interrupts: bool,
}

impl AvailableRing {
    /// Sets the ring up at its place: zero but for the index and, with event indexes, the event, so that
    /// notifications are wanted.
    pub fn new<M: SharedMemory>(areas: &Areas<M>, first: RingIndex, event_index: bool) -> Self {
        let mut ring = Self { next: first, published: first, event_index, interrupts: true };
        ring.restart(areas, first);
        ring
    }

    /// Sets the ring up again, while the device is stopped. What the driver last asked for still holds.
    pub fn restart<M: SharedMemory>(&mut self, areas: &Areas<M>, first: RingIndex) {
        (self.next, self.published) = (first, first);
        let entries =
            areas.layout().available_entry(0)..areas.layout().available_entry(areas.size().as_usize());
        areas.memory().zero(entries.start, entries.len());
        let (event, flags) = self.request(self.interrupts, first);
        areas.store(OrderedStore::UsedEvent, event);
        areas.store(OrderedStore::AvailableFlags, flags);
        areas.store(OrderedStore::AvailableIndex, first.get());
    }

    /// Writes a head into the next entry. The device does not see it before [`publish`](Self::publish).
    ///
    /// The caller has at most as many entries outstanding as the queue has descriptors, which holds of
    /// itself where each is a chain of a table of that size.
    #[inline]
    pub fn push<M: SharedMemory>(&mut self, areas: &Areas<M>, head: u16) {
        areas.store_entry(self.next, head);
        self.next = self.next.advanced(1);
    }

    /// One entry fewer is to be published. The caller has moved up those behind it, or does so next.
    pub(crate) fn take_back_one(&mut self) {
        self.next = self.next.back_by_one();
    }

    /// Entries written and not yet published.
    #[inline]
    pub const fn pending(&self) -> u16 {
        self.next.ahead_of(self.published)
    }

    /// Where the next entry goes.
    pub const fn next(&self) -> RingIndex {
        self.next
    }

    /// Up to where the device was told.
    #[inline]
    pub const fn published(&self) -> RingIndex {
        self.published
    }

    /// Tells the device of all entries written so far, however many. A release store: whoever sees the
    /// index sees the entries, the descriptors and the payload behind it.
    #[inline]
    pub fn publish<M: SharedMemory>(&mut self, areas: &Areas<M>) {
        areas.store(OrderedStore::AvailableIndex, self.next.get());
        self.published = self.next;
    }

    /// Folds in where the ring is: what is pending, and how far it is ahead of the used ring, whose slot is known.
    pub(crate) fn fingerprint(&self, used: RingIndex, state: &mut impl Hasher) {
        let Self { next, published, event_index, interrupts } = self;
        (next.ahead_of(*published), next.ahead_of(used)).hash(state);
        // A reset writes the wish again.
        (*event_index, *interrupts).hash(state);
    }

    /// Asks the device to notify of used elements from `next_used` on, or not to (2.7.7). It may notify all the same.
    ///
    /// With event indexes the flags stay zero, and the event of a driver that wants no notification is the element
    /// furthest away: the device gets there after 65,535 others.
    pub fn set_interrupts<M: SharedMemory>(&mut self, areas: &Areas<M>, wanted: bool, next_used: RingIndex) {
        self.interrupts = wanted;
        let (event, flags) = self.request(wanted, next_used);
        if self.event_index {
            areas.store(OrderedStore::UsedEvent, event);
        } else {
            areas.store(OrderedStore::AvailableFlags, flags);
        }
    }

    /// The event and the flags that ask for notifications from `next_used` on, or for none.
    #[inline(always)]
    const fn request(&self, wanted: bool, next_used: RingIndex) -> (u16, u16) {
        match (self.event_index, wanted) {
            (true, true) => (next_used.get(), 0),
            (true, false) => (next_used.advanced(u16::MAX).get(), 0),
            (false, true) => (0, 0),
            (false, false) => (0, NO_INTERRUPT),
        }
    }

    /// The driver has taken all elements before `next_used` that it knows of. With event indexes a wish holds for one
    /// element, so a driver that wants notifications has to ask anew; the barrier lies between this and the next look
    /// at the used index.
    #[inline]
    pub fn taken_up_to<M: SharedMemory>(&mut self, areas: &Areas<M>, next_used: RingIndex) {
        if self.event_index && self.interrupts {
            self.set_interrupts(areas, true, next_used);
            areas.barrier(FullBarrier::EnabledThenUsed);
        }
    }
}

/// A used element as the device wrote it (2.7.8): two allegations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsedElement {
    /// Said to be the head of the chain that was used.
    pub id: u32,
    /// Said to be the number of bytes written to its device-writable buffers.
    pub length: u32,
}

/// The used ring (2.7.8): the device writes, the driver reads.
#[derive(Debug, Clone)]
pub struct UsedRing {
    /// The first element not taken.
    next: RingIndex,
    /// Whether the device's wish is told by `avail_event`, not by a flag.
    event_index: bool,
}

impl UsedRing {
    /// Sets the ring up at its place, before the device owns it: zero but for the index and, with event
    /// indexes, the event, so that a device that says nothing of it is notified.
    pub fn new<M: SharedMemory>(areas: &Areas<M>, first: RingIndex, event_index: bool) -> Self {
        let elements = areas.layout().used_entry(0)..areas.layout().used_entry(areas.size().as_usize());
        areas.memory().zero(elements.start, elements.len());
        areas.store(OrderedStore::AvailableEvent, if event_index { first.get() } else { 0 });
        areas.store(OrderedStore::UsedFlags, 0);
        areas.store(OrderedStore::UsedIndex, first.get());
        Self { next: first, event_index }
    }

    /// How many elements the device claims to have added. An acquire load: what the device wrote before it
    /// moved the index is visible afterwards.
    #[inline]
    pub fn claimed<M: SharedMemory>(&self, areas: &Areas<M>) -> u16 {
        RingIndex::new(areas.load(OrderedLoad::UsedIndex)).ahead_of(self.next)
    }

    /// Reads the next element and steps over it. The caller has checked that it was claimed.
    #[inline]
    pub fn take<M: SharedMemory>(&mut self, areas: &Areas<M>) -> UsedElement {
        let element = areas.load_element(self.next);
        self.next = self.next.advanced(1);
        element
    }

    /// Where the next element is expected.
    pub const fn next(&self) -> RingIndex {
        self.next
    }

    /// Folds in where the ring is: its slot.
    pub(crate) fn fingerprint(&self, size: QueueSize, state: &mut impl Hasher) {
        let Self { next, event_index: _ } = self;
        (next.slot(size) as u64).hash(state);
    }

    /// Whether the device wants to be notified of what was published from `before` to `after` (2.7.10). The barrier
    /// lies between the publication and this look, so that one of the two sides always sees the other's store.
    #[inline]
    pub fn wants_notification<M: SharedMemory>(
        &self,
        areas: &Areas<M>,
        before: RingIndex,
        after: RingIndex,
    ) -> bool {
        areas.barrier(FullBarrier::PublishedThenWish);
        if self.event_index {
            after.passed(RingIndex::new(areas.load(OrderedLoad::AvailableEvent)), before)
        } else {
            areas.load(OrderedLoad::UsedFlags) & NO_NOTIFY == 0
        }
    }
}
