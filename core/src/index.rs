//! Number types that the compiler keeps apart: sizes, ring indexes, ids and chain handles.

use crate::Misuse;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

/// The number of descriptors of a queue: a power of two from 1 to 32768 (2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueSize(u16);

impl QueueSize {
    /// The largest size that the specification allows.
    pub const MAX: Self = Self(32768);

    /// Checks a queue size.
    ///
    /// # Errors
    /// [`Misuse::QueueSize`] unless `size` is a power of two from 1 to 32768.
    pub const fn new(size: u32) -> Result<Self, Misuse> {
        if size.is_power_of_two() && size <= Self::MAX.0 as u32 {
            Ok(Self(size as u16))
        } else {
            Err(Misuse::QueueSize(size))
        }
    }

    /// The number of descriptors.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number of descriptors, as a `usize`.
    #[inline(always)]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for QueueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The free-running 16-bit index of a ring (2.7.6, 2.7.8). Its arithmetic wraps. All wrapping arithmetic of ring indexes is
/// in this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RingIndex(
    /// Stored in 32 bits for speed. A compiler may load a 16-bit field with a 32-bit instruction. A load that is wider than
    /// the store before it must wait until the store has left the store buffer.
    u32,
);

impl RingIndex {
    /// Makes an index from its value in the ring.
    #[inline(always)]
    pub const fn new(value: u16) -> Self {
        Self(value as u32)
    }

    /// The value of the index in the ring.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0 as u16
    }

    /// The index `count` entries later.
    #[inline(always)]
    #[must_use]
    pub const fn advanced(self, count: u16) -> Self {
        Self::new(self.get().wrapping_add(count))
    }

    /// The index one entry earlier.
    #[inline(always)]
    pub(crate) const fn back_by_one(self) -> Self {
        self.advanced(u16::MAX)
    }

    /// The number of entries from `earlier` to `self`.
    #[inline(always)]
    pub const fn ahead_of(self, earlier: Self) -> u16 {
        self.get().wrapping_sub(earlier.get())
    }

    /// Whether moving the index from `earlier` to `self` added the entry at `event`. This is the comparison that decides
    /// about notifications with event indexes (2.7.7.2, 2.7.10.1). It is correct across the wrap.
    #[inline(always)]
    pub const fn passed(self, event: Self, earlier: Self) -> bool {
        self.ahead_of(event).wrapping_sub(1) < self.ahead_of(earlier)
    }

    /// The position of the index in a ring of `size` entries: the index modulo the queue size.
    #[inline(always)]
    pub const fn slot(self, size: QueueSize) -> usize {
        self.masked(size.as_usize() - 1)
    }

    /// The same as [`slot`](Self::slot), from the last index of the ring.
    #[inline(always)]
    pub(crate) const fn masked(self, last: usize) -> usize {
        self.0 as usize & last
    }
}

/// Identifies a queue or table within this process. A clone has the id of its original.
///
/// Ids repeat after 2^32 queues.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueId(
    /// The number in the upper half of the word, as a handle contains it. The lower half is zero.
    u64,
);

impl QueueId {
    /// Makes the next id.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(u64::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 32)
    }

    /// A word with the id in its upper half and `low` in the lower.
    #[inline(always)]
    pub(crate) const fn with(self, low: u32) -> u64 {
        self.0 ^ low as u64
    }

    /// The id in the upper half of `word`.
    #[inline(always)]
    pub(crate) const fn of(word: u64) -> Self {
        Self(word >> 32 << 32)
    }
}

/// Omits the number, because it differs from run to run.
impl fmt::Debug for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueId")
    }
}

/// The handle of a chain: the queue, the index of the head descriptor, and a serial number that is unique within the queue.
///
/// The device knows only the index. By the serial number, the queue detects a stale handle: one of a chain that was freed,
/// even if another chain now begins at the same descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The queue in the upper half, the index in the lower. Both are in one word for speed: a load that is wider than the
    /// store before it must wait until the store has left the store buffer.
    queue_and_index: u64,
    serial: u64,
}

impl Head {
    /// Makes a handle from its parts, for a caller that stores handles in another form. Every call refuses a handle that its
    /// queue never returned, a handle of a freed chain, and a handle of another queue.
    #[inline(always)]
    pub const fn from_parts(queue: QueueId, index: u16, serial: u64) -> Self {
        Self::at(queue, index as u32, serial)
    }

    /// As [`from_parts`](Self::from_parts), with an index that the caller has checked to be below 2^16.
    #[inline(always)]
    pub(crate) const fn at(queue: QueueId, index: u32, serial: u64) -> Self {
        Self { queue_and_index: queue.with(index), serial }
    }

    /// The index if the chain belongs to `queue`, otherwise at least 2^32. So a check of the bounds checks the queue, too.
    #[inline(always)]
    pub(crate) const fn index_in(self, queue: QueueId) -> u64 {
        self.queue_and_index ^ queue.0
    }

    /// The id of the queue or table that the chain belongs to.
    #[inline(always)]
    pub const fn queue(self) -> QueueId {
        QueueId::of(self.queue_and_index)
    }

    /// The index of the head descriptor, as it appears in the rings.
    #[inline(always)]
    pub const fn index(self) -> u16 {
        self.queue_and_index as u16
    }

    /// The serial number of the chain, from 1.
    #[inline(always)]
    pub const fn serial(self) -> u64 {
        self.serial
    }
}

/// Prints the index and the serial number, as `Display` does.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({self})")
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index(), self.serial)
    }
}
