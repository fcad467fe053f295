//! Where table and rings stand, and what their bits mean: from section 2.7, in its own numbers.

use ringstorm_core::SharedMemory;

/// `VIRTQ_DESC_F_NEXT` (2.7.5).
pub(crate) const F_NEXT: u16 = 0x1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
pub(crate) const F_WRITE: u16 = 0x2;
/// `VIRTQ_DESC_F_INDIRECT` (2.7.5).
pub(crate) const F_INDIRECT: u16 = 0x4;

/// Where one queue's table and rings stand, in bytes from the beginning of the memory that holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Number of descriptors: a power of two.
    pub size: u16,
    /// The descriptor table.
    pub table: usize,
    /// The available ring.
    pub available: usize,
    /// The used ring.
    pub used: usize,
}

/// A part of the driver's area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A descriptor, by its index.
    Descriptor(u16),
    /// An entry of the available ring, by its slot.
    AvailableEntry(u16),
}

impl Geometry {
    /// What of the driver's stands at an offset.
    pub(crate) fn part(&self, offset: usize) -> Option<Part> {
        let of = |start: usize, width: usize| {
            let number = offset.checked_sub(start)? / width;
            (number < self.size.into()).then_some(number as u16)
        };
        let entry = || of(self.available + 4, 2).map(Part::AvailableEntry);
        of(self.table, 16).map(Part::Descriptor).or_else(entry)
    }

    /// Bytes of the used ring, its event field included (2.7).
    pub const fn used_bytes(&self) -> usize {
        6 + 8 * self.size as usize
    }

    /// The place of a descriptor's address (2.7.5).
    pub(crate) fn address(&self, index: u16) -> usize {
        self.table + 16 * usize::from(index)
    }

    /// The place of a descriptor's length, flags and next (2.7.5).
    pub(crate) fn shape(&self, index: u16) -> usize {
        self.address(index) + 8
    }

    /// The two 64-bit words of a descriptor (2.7.5): address, then length, flags and next.
    #[inline(always)]
    pub(crate) fn descriptor<M: SharedMemory>(&self, memory: &M, index: u16) -> (u64, u32, u16, u16) {
        let rest = memory.load_u64(self.shape(index));
        (memory.load_u64(self.address(index)), rest as u32, (rest >> 32) as u16, (rest >> 48) as u16)
    }

    /// Overwrites length, flags and next of a descriptor; the device has no business there.
    pub(crate) fn scribble<M: SharedMemory>(
        &self,
        memory: &M,
        index: u16,
        (length, flags, next): (u32, u16, u16),
    ) {
        let rest = u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48;
        memory.store_u64(self.shape(index), rest);
    }

    /// Checks what [`slot`](Self::slot) relies on (2.7).
    ///
    /// # Panics
    /// If the number of descriptors is no power of two.
    pub(crate) fn check_size(&self) {
        assert!(self.size.is_power_of_two(), "{} descriptors are no power of two", self.size);
    }

    /// The slot of both rings that a free-running index stands for.
    pub(crate) const fn slot(&self, index: u16) -> u16 {
        index & (self.size - 1)
    }

    /// The place of an entry of the available ring (2.7.6).
    pub(crate) fn available_entry(&self, index: u16) -> usize {
        self.available + 4 + 2 * usize::from(self.slot(index))
    }

    /// The place of an element of the used ring (2.7.8).
    pub(crate) fn used_element(&self, index: u16) -> usize {
        self.used + 4 + 8 * usize::from(self.slot(index))
    }

    /// The place of `used_event`, behind the available ring (2.7.6).
    pub(crate) fn used_event(&self) -> usize {
        self.available + 4 + 2 * usize::from(self.size)
    }

    /// The place of `avail_event`, behind the used ring (2.7.8).
    pub(crate) fn available_event(&self) -> usize {
        self.used + 4 + 8 * usize::from(self.size)
    }
}
