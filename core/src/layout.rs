//! Where things stand in memory (2.7): the one place that knows.

use crate::{OrderedLoad, OrderedStore, QueueSize};

/// Size of a descriptor in bytes (2.7.5): a 64-bit address, then length, flags and next in 32, 16 and 16 bits.
pub(crate) const DESCRIPTOR: usize = 16;
/// Alignment of the descriptor table (2.7).
pub(crate) const TABLE_ALIGN: u64 = 16;
/// `VIRTQ_DESC_F_NEXT` (2.7.5).
pub(crate) const NEXT: u16 = 1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
pub(crate) const WRITE: u16 = 2;
/// `VIRTQ_AVAIL_F_NO_INTERRUPT` (2.7.6).
pub(crate) const NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
pub(crate) const NO_NOTIFY: u16 = 1;
/// Flags and index in front of either ring's entries.
const RING_HEADER: usize = 4;
/// An entry of the available ring: the index of a head.
const AVAILABLE_ENTRY: usize = 2;
/// An entry of the used ring: id and length, 32 bits each.
const USED_ENTRY: usize = 8;

/// Where descriptor table, available ring and used ring stand in the one region that holds them, in bytes
/// from its beginning. Both rings end with the field for event indexes, used or not (2.7.6, 2.7.8).
///
/// Either ring has its flags at +0, its index at +2 and its entries from +4, of 2 bytes in the available ring and 8 in the
/// used ring. `used_event` is behind the entries of the available ring, `avail_event` behind those of the used ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// In 32 bits, so that sums of these and what a ring is long provably do not wrap.
    available: u32,
    used: u32,
    end: u32,
}

impl Layout {
    /// The layout for a queue size: table, available ring, padding to 4 bytes, used ring.
    pub const fn new(size: QueueSize) -> Self {
        let size = size.as_usize();
        let available = DESCRIPTOR * size;
        let used = (available + RING_HEADER + AVAILABLE_ENTRY * size + 2).next_multiple_of(4);
        let end = (used + RING_HEADER + USED_ENTRY * size + 2).next_multiple_of(8);
        Self { available: available as u32, used: used as u32, end: end as u32 }
    }

    /// A table without rings. Where theirs would be said to be is inside of the table, at any size.
    pub(crate) const fn of_table(size: QueueSize) -> Self {
        Self { available: 0, used: 0, end: (DESCRIPTOR * size.as_usize()) as u32 }
    }

    /// Offset of the descriptor table: 0.
    pub const fn descriptors(&self) -> usize {
        0
    }

    /// Offset of the available ring.
    pub const fn available(&self) -> usize {
        self.available as usize
    }

    /// Offset of the used ring.
    pub const fn used(&self) -> usize {
        self.used as usize
    }

    /// Bytes needed in all, a multiple of 8.
    pub const fn len(&self) -> usize {
        self.end as usize
    }

    /// Never: the smallest queue needs some bytes too.
    pub const fn is_empty(&self) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) const fn available_entry(&self, slot: usize) -> usize {
        self.available as usize + RING_HEADER + AVAILABLE_ENTRY * slot
    }

    #[inline(always)]
    pub(crate) const fn used_entry(&self, slot: usize) -> usize {
        self.used as usize + RING_HEADER + USED_ENTRY * slot
    }

    /// Where what `access` loads stands.
    #[inline(always)]
    pub(crate) const fn loaded(&self, access: OrderedLoad, size: QueueSize) -> usize {
        match access {
            OrderedLoad::AvailableFlags => self.available_flags(),
            OrderedLoad::AvailableIndex => self.available_index(),
            OrderedLoad::UsedEvent => self.used_event(size),
            OrderedLoad::UsedFlags => self.used_flags(),
            OrderedLoad::UsedIndex => self.used_index(),
            OrderedLoad::AvailableEvent => self.available_event(size),
        }
    }

    /// Where `access` stores to.
    #[inline(always)]
    pub(crate) const fn stored(&self, access: OrderedStore, size: QueueSize) -> usize {
        match access {
            OrderedStore::AvailableFlags => self.available_flags(),
            OrderedStore::AvailableIndex => self.available_index(),
            OrderedStore::UsedEvent => self.used_event(size),
            OrderedStore::UsedFlags => self.used_flags(),
            OrderedStore::UsedIndex => self.used_index(),
            OrderedStore::AvailableEvent => self.available_event(size),
        }
    }

    const fn available_flags(&self) -> usize {
        self.available as usize
    }

    const fn available_index(&self) -> usize {
        self.available as usize + 2
    }

    /// `used_event`, behind the last entry (2.7.6).
    const fn used_event(&self, size: QueueSize) -> usize {
        self.available_entry(size.as_usize())
    }

    const fn used_flags(&self) -> usize {
        self.used as usize
    }

    const fn used_index(&self) -> usize {
        self.used as usize + 2
    }

    /// `avail_event`, behind the last element (2.7.8).
    const fn available_event(&self, size: QueueSize) -> usize {
        self.used_entry(size.as_usize())
    }
}

/// The word of a descriptor that holds its address (2.7.5).
#[inline(always)]
pub(crate) const fn address_offset(index: usize) -> usize {
    DESCRIPTOR * index
}

/// The word of a descriptor that holds length, flags and next (2.7.5).
#[inline(always)]
pub(crate) const fn shape_offset(index: usize) -> usize {
    DESCRIPTOR * index + 8
}
