//! Numbers that must not be confused with one another.

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

    /// The number of descriptors, to compute lengths with.
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

/// The free-running 16-bit index of a ring (2.7.6, 2.7.8). Its arithmetic wraps, and only here.
///
/// Kept in 32 bits, because a compiler may load 16 bits as 32, and a load that is wider than the store before it waits
/// until that has left the store buffer: an index is stored and loaded all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RingIndex(u32);

impl RingIndex {
    /// An index as it stands in memory.
    #[inline(always)]
    pub const fn new(value: u16) -> Self {
        Self(value as u32)
    }

    /// The index as it stands in memory.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0 as u16
    }

    /// The index `count` entries further on.
    #[inline(always)]
    #[must_use]
    pub const fn advanced(self, count: u16) -> Self {
        Self::new(self.get().wrapping_add(count))
    }

    /// The index one entry before.
    #[inline(always)]
    pub(crate) const fn back_by_one(self) -> Self {
        self.advanced(u16::MAX)
    }

    /// How many entries `self` is ahead of `earlier`.
    #[inline(always)]
    pub const fn ahead_of(self, earlier: Self) -> u16 {
        self.get().wrapping_sub(earlier.get())
    }

    /// Whether the entry at `event` is among those that were added in moving from `earlier` to `self`: the windowed
    /// comparison of event indexes (2.7.7.2, 2.7.10.1), right across the wrap.
    #[inline(always)]
    pub const fn passed(self, event: Self, earlier: Self) -> bool {
        self.ahead_of(event).wrapping_sub(1) < self.ahead_of(earlier)
    }

    /// The ring entry that the index stands for.
    #[inline(always)]
    pub const fn slot(self, size: QueueSize) -> usize {
        self.0 as usize & (size.as_usize() - 1)
    }
}

/// Tells the queues and tables of a process from one another. Nothing else depends on its value. A clone has the same one.
///
/// It is unique until 2^32 queues were made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueId(u32);

impl QueueId {
    /// The next one.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    #[inline(always)]
    pub(crate) const fn is(self, other: Self) -> bool {
        self.0 == other.0
    }

    /// As the upper half of a word.
    #[inline(always)]
    pub(crate) const fn upper(self) -> u64 {
        (self.0 as u64) << 32
    }

    #[inline(always)]
    pub(crate) const fn from_upper(word: u64) -> Self {
        Self((word >> 32) as u32)
    }
}

/// Without the number, which differs from run to run.
impl fmt::Debug for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueId")
    }
}

/// The name of one chain: its queue, the index of its first descriptor, and a serial number that no other chain of the
/// same queue has or will have.
///
/// The device knows the index alone. The serial is what lets the queue refuse a name that was valid once:
/// after the chain was freed, and also after its descriptors became another chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The queue in the upper half, the index in the lower. One word, because a load that is wider than the store before it
    /// waits until that has left the store buffer.
    place: u64,
    serial: u64,
}

impl Head {
    /// A name from its parts, as when it was kept in a foreign structure. One that its queue never gave, or gave to a
    /// chain that is no more, is refused wherever it is used, and so is every name at another queue.
    #[inline(always)]
    pub const fn from_parts(queue: QueueId, index: u16, serial: u64) -> Self {
        Self { place: queue.upper() | index as u64, serial }
    }

    /// The queue, or the table, that the chain belongs to.
    #[inline(always)]
    pub const fn queue(self) -> QueueId {
        QueueId::from_upper(self.place)
    }

    /// The index of the chain's first descriptor, which is what the rings carry.
    #[inline(always)]
    pub const fn index(self) -> u16 {
        self.place as u16
    }

    /// The serial number of the chain, from 1.
    #[inline(always)]
    pub const fn serial(self) -> u64 {
        self.serial
    }
}

/// As it is displayed.
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
