//! The available ring and the used ring.
//!
//! Both keep their position in private memory. They take the shared memory as an argument, because the queue owns it. They
//! are parts of the queue and do not check their arguments: the caller must do that, as the queue does.

use crate::layout::{NO_INTERRUPT, NO_NOTIFY};
use crate::{Areas, FullBarrier, OrderedLoad, OrderedStore, QueueSize, RingIndex, SharedMemory};
use core::hash::{Hash, Hasher};

/// The available ring (2.7.6): the driver writes it, the device reads it.
///
/// This is a part of [`SplitQueue`](crate::SplitQueue). It does not check which heads are pushed, or how many.
#[derive(Debug, Clone)]
pub(crate) struct AvailableRing {
    /// The index of the next entry to write.
    next: RingIndex,
    /// The value of `avail.idx` in shared memory.
    published: RingIndex,
    /// Whether `used_event`, and not a flag, enables used-buffer notifications.
    event_index: bool,
    /// Whether the driver enables used-buffer notifications.
    used_notifications: bool,
}

impl AvailableRing {
    /// Initializes the ring in shared memory, with used-buffer notifications enabled. The index is `first`, and so is
    /// `used_event` if `event_index` is set. All other bytes are zero.
    pub(crate) fn new<M: SharedMemory>(areas: &Areas<M>, first: RingIndex, event_index: bool) -> Self {
        let mut ring = Self { next: first, published: first, event_index, used_notifications: true };
        ring.restart(areas, first);
        ring
    }

    /// Initializes the ring again, while the device is stopped. Notifications stay enabled or suppressed.
    pub(crate) fn restart<M: SharedMemory>(&mut self, areas: &Areas<M>, first: RingIndex) {
        (self.next, self.published) = (first, first);
        let entries =
            areas.layout().available_entry(0)..areas.layout().available_entry(areas.size().as_usize());
        areas.memory().zero(entries.start, entries.len());
        let (event, flags) = self.request(self.used_notifications, first);
        areas.store(OrderedStore::UsedEvent, event);
        areas.store(OrderedStore::AvailableFlags, flags);
        areas.store(OrderedStore::AvailableIndex, first.get());
    }

    /// Writes a head to the next entry. The device sees it after [`publish`](Self::publish).
    ///
    /// The caller must not push more heads than the queue has descriptors before the device returns some. This is always so
    /// if each head is of a live chain of a table of that size.
    #[inline]
    pub(crate) fn push<M: SharedMemory>(&mut self, areas: &Areas<M>, head: u16) {
        areas.store_entry(self.next, head);
        self.next = self.next.advanced(1);
    }

    /// Removes one unpublished entry. The caller must move the later entries by one.
    pub(crate) fn take_back_one(&mut self) {
        self.next = self.next.back_by_one();
    }

    /// The number of entries written and not yet published.
    #[inline]
    pub(crate) const fn pending(&self) -> u16 {
        self.next.ahead_of(self.published)
    }

    /// The index of the next entry.
    pub(crate) const fn next(&self) -> &RingIndex {
        &self.next
    }

    /// The index up to which entries are published.
    #[inline]
    pub(crate) const fn published(&self) -> RingIndex {
        self.published
    }

    /// Publishes all entries written so far (2.7.13.3). The index is stored with release ordering: a device that loads it
    /// with acquire ordering sees the entries, the descriptors and the payload.
    #[inline]
    pub(crate) fn publish<M: SharedMemory>(&mut self, areas: &Areas<M>) {
        areas.store(OrderedStore::AvailableIndex, self.next.get());
        self.published = self.next;
    }

    /// Hashes the number of pending entries and the distance to the used ring. The used ring hashes its own position.
    pub(crate) fn fingerprint(&self, used: RingIndex, state: &mut impl Hasher) {
        let Self { next, published, event_index, used_notifications } = self;
        (next.ahead_of(*published), next.ahead_of(used)).hash(state);
        // The next reset writes this setting to the ring again.
        (*event_index, *used_notifications).hash(state);
    }

    /// Enables used-buffer notifications from the element `next_used` on, or suppresses them (2.7.7). The device may notify
    /// although they are suppressed.
    ///
    /// With event indexes the flags stay zero (2.7.7.1). To suppress notifications, `used_event` is set to the most distant
    /// element, which the device reaches after 65,535 others.
    pub(crate) fn set_used_notifications<M: SharedMemory>(
        &mut self,
        areas: &Areas<M>,
        wanted: bool,
        next_used: RingIndex,
    ) {
        self.used_notifications = wanted;
        let (event, flags) = self.request(wanted, next_used);
        if self.event_index {
            areas.store(OrderedStore::UsedEvent, event);
        } else {
            areas.store(OrderedStore::AvailableFlags, flags);
        }
    }

    /// The values of `used_event` and `avail.flags` that enable notifications from `next_used` on, or suppress them.
    #[inline(always)]
    const fn request(&self, wanted: bool, next_used: RingIndex) -> (u16, u16) {
        match (self.event_index, wanted) {
            (true, true) => (next_used.get(), 0),
            (true, false) => (next_used.advanced(u16::MAX).get(), 0),
            (false, true) => (0, 0),
            (false, false) => (0, NO_INTERRUPT),
        }
    }

    /// Moves `used_event` to `next_used` if notifications are enabled by event indexes. The caller calls this after it has
    /// taken all elements before `next_used` that it has seen. `used_event` requests one notification only, so the driver
    /// must move it each time. The barrier is between this store and the next load of the used index.
    #[inline]
    pub(crate) fn taken_up_to<M: SharedMemory>(&mut self, areas: &Areas<M>, next_used: RingIndex) {
        if self.event_index && self.used_notifications {
            self.set_used_notifications(areas, true, next_used);
            areas.barrier(FullBarrier::EnabledThenUsed);
        }
    }
}

/// A used element as the device wrote it (2.7.8). Both values are unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UsedElement {
    /// The index of the head of the used chain, according to the device.
    pub(crate) id: u32,
    /// The number of bytes written to the chain's device-writable buffers, according to the device.
    pub(crate) length: u32,
}

/// The used ring (2.7.8): the device writes it, the driver reads it.
///
/// This is a part of [`SplitQueue`](crate::SplitQueue). It does not check what the device wrote.
#[derive(Debug, Clone)]
pub(crate) struct UsedRing {
    /// The index of the next element to take.
    next: RingIndex,
    /// Whether `avail_event`, and not a flag, enables available-buffer notifications.
    event_index: bool,
}

impl UsedRing {
    /// Initializes the ring in shared memory, while the device is stopped. The index is `first`, and so is `avail_event` if
    /// `event_index` is set, so that available-buffer notifications are enabled. All other bytes are zero.
    pub(crate) fn new<M: SharedMemory>(areas: &Areas<M>, first: RingIndex, event_index: bool) -> Self {
        let elements = areas.layout().used_entry(0)..areas.layout().used_entry(areas.size().as_usize());
        areas.memory().zero(elements.start, elements.len());
        areas.store(OrderedStore::AvailableEvent, if event_index { first.get() } else { 0 });
        areas.store(OrderedStore::UsedFlags, 0);
        areas.store(OrderedStore::UsedIndex, first.get());
        Self { next: first, event_index }
    }

    /// The number of elements that the device claims to have added since the last one taken. The index is loaded with
    /// acquire ordering: what the device wrote before storing it is visible afterwards.
    #[inline]
    pub(crate) fn claimed<M: SharedMemory>(&self, areas: &Areas<M>) -> u16 {
        RingIndex::new(areas.load(OrderedLoad::UsedIndex)).ahead_of(self.next)
    }

    /// Reads the next element and advances. The caller must check before that the device claims it.
    #[inline]
    pub(crate) fn take<M: SharedMemory>(&mut self, areas: &Areas<M>) -> UsedElement {
        let element = areas.load_element(self.next);
        self.next = self.next.advanced(1);
        element
    }

    /// The index of the next element to take.
    pub(crate) const fn next(&self) -> RingIndex {
        self.next
    }

    /// Hashes the position in the ring.
    pub(crate) fn fingerprint(&self, size: QueueSize, state: &mut impl Hasher) {
        let Self { next, event_index: _ } = self;
        (next.slot(size) as u64).hash(state);
    }

    /// Whether the driver must notify the device after it has moved the available index from `before` to `after` (2.7.10).
    /// The barrier is between the store of that index and the load here, so at least one of the two sides sees the store of
    /// the other one.
    #[inline]
    pub(crate) fn wants_notification<M: SharedMemory>(
        &self,
        areas: &Areas<M>,
        before: RingIndex,
        after: RingIndex,
    ) -> bool {
        areas.barrier(FullBarrier::PublishedThenSuppression);
        if self.event_index {
            after.passed(RingIndex::new(areas.load(OrderedLoad::AvailableEvent)), before)
        } else {
            areas.load(OrderedLoad::UsedFlags) & NO_NOTIFY == 0
        }
    }
}
