//! Reads from the device what is in memory, without an act of the device.

use crate::chain::{AddressSpace, ChainError, Descriptor, walk};
use crate::device::Device;
use crate::geometry::{Geometry, Part};
use ringstorm_core::{OrderedLoad, SharedMemory};

impl<M: SharedMemory> Device<M> {
    /// The memory of table and rings.
    pub const fn rings(&self) -> &M {
        &self.rings
    }

    /// Size and layout of the queue.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The registered memory.
    pub const fn space(&self) -> &AddressSpace<M> {
        &self.space
    }

    /// The available index as the driver wrote it: if the device has overwritten it, the value before that.
    pub fn available_index(&self) -> u16 {
        let index = self.rings.load_ordered(OrderedLoad::AvailableIndex, self.geometry.available + 2);
        match self.overwritten_index {
            Some((forged, original)) if forged == index => original,
            _ => index,
        }
    }

    /// The available flags in memory.
    pub fn available_flags(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableFlags, self.geometry.available)
    }

    /// Number of descriptors.
    pub const fn size(&self) -> u16 {
        self.geometry.size
    }

    /// The descriptor or available entry at an offset, if there is one.
    pub fn driver_part_at(&self, offset: usize) -> Option<Part> {
        self.geometry.part(offset)
    }

    /// `used_event` in memory (2.7.7).
    pub fn used_event(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::UsedEvent, self.geometry.used_event())
    }

    /// The entry of the available ring at a free-running index, as the driver wrote it.
    pub fn available_entry(&self, index: u16) -> u16 {
        let (slot, entry) = (self.geometry.slot(index), self.entry_in_memory(index));
        let mut overwritten = self.overwritten_entries.iter();
        overwritten
            .find(|(other, forged, _)| (*other, *forged) == (slot, entry))
            .map_or(entry, |(_, _, original)| *original)
    }

    pub(crate) fn entry_in_memory(&self, index: u16) -> u16 {
        self.rings.load_u16(self.geometry.available_entry(index))
    }

    /// Reads a chain in memory without taking it.
    ///
    /// # Errors
    /// [`ChainError`], as for [`walk`].
    pub fn peek_chain(&self, head: u16, out: &mut Vec<Descriptor>) -> Result<(), ChainError> {
        walk(&self.rings, &self.geometry, &self.space, head, out)
    }

    /// The used index in memory.
    pub fn used_index(&self) -> u16 {
        self.rings.load_u16(self.geometry.used + 2)
    }

    /// The used flags in memory.
    pub fn used_flags(&self) -> u16 {
        self.rings.load_u16(self.geometry.used)
    }

    /// Id and length of the used element at a free-running index in memory.
    pub fn used_element(&self, index: u16) -> (u32, u32) {
        let at = self.geometry.used_element(index);
        (self.rings.load_u32(at), self.rings.load_u32(at + 4))
    }

    /// `avail_event` in memory (2.7.10).
    pub fn available_event(&self) -> u16 {
        self.rings.load_u16(self.geometry.available_event())
    }
}
