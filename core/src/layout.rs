//! The memory layout of a split virtqueue (2.7). No other module of this crate knows an offset.

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
/// Bytes of the flags and the index, which precede the entries of each ring.
const RING_HEADER: usize = 4;
/// Bytes of an entry of the available ring: the index of a head.
const AVAILABLE_ENTRY: usize = 2;
/// Bytes of an element of the used ring: id and length, 32 bits each.
const USED_ENTRY: usize = 8;

/// The layout of descriptor table, available ring and used ring in one region. All offsets and lengths are in bytes.
///
/// Each ring has its flags at +0, its index at +2 and its entries from +4. An entry has 2 bytes in the available ring and 8
/// bytes in the used ring. `used_event` follows the entries of the available ring, `avail_event` those of the used ring
/// (2.7.6, 2.7.8). Both fields are present even if `VIRTIO_F_EVENT_IDX` was not negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The offsets have 32 bits, so that the compiler can prove that adding the length of a ring does not wrap.
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

    /// The layout of a table without rings. The unused offsets of the rings are inside the table at every size.
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

    /// Total length in bytes, a multiple of 8.
    pub const fn len(&self) -> usize {
        self.end as usize
    }

    /// Always `false`.
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

    /// Offset of the field that `access` loads.
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

    /// Offset of the field that `access` stores.
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

    /// Offset of `used_event`, after the last entry (2.7.6).
    const fn used_event(&self, size: QueueSize) -> usize {
        self.available_entry(size.as_usize())
    }

    const fn used_flags(&self) -> usize {
        self.used as usize
    }

    const fn used_index(&self) -> usize {
        self.used as usize + 2
    }

    /// Offset of `avail_event`, after the last element (2.7.8).
    const fn available_event(&self, size: QueueSize) -> usize {
        self.used_entry(size.as_usize())
    }
}

/// Offset of the 64-bit address of a descriptor (2.7.5).
#[inline(always)]
pub(crate) const fn address_offset(index: usize) -> usize {
    DESCRIPTOR * index
}

/// Offset of the 64-bit word that holds length, flags and next of a descriptor (2.7.5).
#[inline(always)]
pub(crate) const fn shape_offset(index: usize) -> usize {
    DESCRIPTOR * index + 8
}
