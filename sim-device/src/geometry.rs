//! The layout of table and rings, with offsets and flags taken directly from section 2.7.

use ringstorm_core::SharedMemory;

/// `VIRTQ_DESC_F_NEXT` (2.7.5).
pub(crate) const F_NEXT: u16 = 0x1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
pub(crate) const F_WRITE: u16 = 0x2;
/// `VIRTQ_DESC_F_INDIRECT` (2.7.5).
pub(crate) const F_INDIRECT: u16 = 0x4;

/// Size and layout of one queue. Table and rings are in one memory; offsets are in bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Number of descriptors: a power of two.
    pub size: u16,
    /// Offset of the descriptor table.
    pub table: usize,
    /// Offset of the available ring.
    pub available: usize,
    /// Offset of the used ring.
    pub used: usize,
}

/// A part of the queue that only the driver may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The descriptor with this index.
    Descriptor(u16),
    /// The entry of the available ring in this slot.
    AvailableEntry(u16),
}

impl Geometry {
    /// The descriptor or available entry at an offset, if there is one.
    pub(crate) fn part(&self, offset: usize) -> Option<Part> {
        let of = |start: usize, width: usize| {
            let number = offset.checked_sub(start)? / width;
            (number < self.size.into()).then_some(number as u16)
        };
        let entry = || of(self.available + 4, 2).map(Part::AvailableEntry);
        of(self.table, 16).map(Part::Descriptor).or_else(entry)
    }

    /// The descriptor table, as a range of bytes.
    pub const fn table_part(&self) -> std::ops::Range<usize> {
        self.table..self.table + 16 * self.size as usize
    }

    /// Size of the used ring in bytes, with `avail_event` (2.7).
    pub const fn used_bytes(&self) -> usize {
        6 + 8 * self.size as usize
    }

    /// Offset of a descriptor's address (2.7.5).
    pub(crate) fn address(&self, index: u16) -> usize {
        self.table + 16 * usize::from(index)
    }

    /// Offset of a descriptor's length, flags and next (2.7.5).
    pub(crate) fn shape(&self, index: u16) -> usize {
        self.address(index) + 8
    }

    /// Address, length, flags and next of a descriptor (2.7.5), read as two 64-bit words.
    #[inline(always)]
    pub(crate) fn descriptor<M: SharedMemory>(&self, memory: &M, index: u16) -> (u64, u32, u16, u16) {
        let rest = memory.load_u64(self.shape(index));
        (memory.load_u64(self.address(index)), rest as u32, (rest >> 32) as u16, (rest >> 48) as u16)
    }

    /// Overwrites length, flags and next of a descriptor, which a device must not do (2.7.5.1).
    pub(crate) fn corrupt_shape<M: SharedMemory>(
        &self,
        memory: &M,
        index: u16,
        (length, flags, next): (u32, u16, u16),
    ) {
        let rest = u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48;
        memory.store_u64(self.shape(index), rest);
    }

    /// Checks the queue size, since [`slot`](Self::slot) needs a power of two (2.7).
    ///
    /// # Panics
    /// If the queue size is not a power of two.
    pub(crate) fn check_size(&self) {
        assert!(self.size.is_power_of_two(), "a queue size of {} is not a power of two", self.size);
    }

    /// The slot of a free-running index, in either ring.
    pub(crate) const fn slot(&self, index: u16) -> u16 {
        index & (self.size - 1)
    }

    /// Offset of an entry of the available ring (2.7.6).
    pub(crate) fn available_entry(&self, index: u16) -> usize {
        self.available + 4 + 2 * usize::from(self.slot(index))
    }

    /// Offset of an element of the used ring (2.7.8).
    pub(crate) fn used_element(&self, index: u16) -> usize {
        self.used + 4 + 8 * usize::from(self.slot(index))
    }

    /// Offset of `used_event`, after the entries of the available ring (2.7.6).
    pub(crate) fn used_event(&self) -> usize {
        self.available + 4 + 2 * usize::from(self.size)
    }

    /// Offset of `avail_event`, after the elements of the used ring (2.7.8).
    pub(crate) fn available_event(&self) -> usize {
        self.used + 4 + 8 * usize::from(self.size)
    }
}
