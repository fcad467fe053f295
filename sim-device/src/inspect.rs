//! What stands in memory: looking, without acting.

use crate::chain::{AddressSpace, ChainError, Descriptor, walk};
use crate::device::Device;
use crate::geometry::{Geometry, Part};
use ringstorm_core::{OrderedLoad, SharedMemory};

impl<M: SharedMemory> Device<M> {
    /// The memory of table and rings.
    pub const fn rings(&self) -> &M {
        &self.rings
    }

    /// Where table and rings stand in it.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The memory that the device was told of.
    pub const fn space(&self) -> &AddressSpace<M> {
        &self.space
    }

    /// The available index as it stands in memory, or stood there before the device overwrote it.
    pub fn available_index(&self) -> u16 {
        let index = self.rings.load_ordered(OrderedLoad::AvailableIndex, self.geometry.available + 2);
        match self.overwritten_index {
            Some((lie, truth)) if lie == index => truth,
            _ => index,
        }
    }

    /// The available flags as they stand in memory.
    pub fn available_flags(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableFlags, self.geometry.available)
    }

    /// Number of descriptors.
    pub const fn size(&self) -> u16 {
        self.geometry.size
    }

    /// What of the driver's stands at an offset.
    pub fn driver_part_at(&self, offset: usize) -> Option<Part> {
        self.geometry.part(offset)
    }

    /// The event of the driver as it stands in memory (2.7.7).
    pub fn used_event(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::UsedEvent, self.geometry.used_event())
    }

    /// The entry of the available ring at a free-running index, as the driver wrote it.
    pub fn available_entry(&self, index: u16) -> u16 {
        let (slot, entry) = (self.geometry.slot(index), self.entry_in_memory(index));
        let mut overwritten = self.overwritten_entries.iter();
        overwritten
            .find(|(other, lie, _)| (*other, *lie) == (slot, entry))
            .map_or(entry, |(_, _, truth)| *truth)
    }

    pub(crate) fn entry_in_memory(&self, index: u16) -> u16 {
        self.rings.load_u16(self.geometry.available_entry(index))
    }

    /// Reads a chain as it stands in memory, without taking it.
    ///
    /// # Errors
    /// [`ChainError`], as for [`walk`].
    pub fn peek_chain(&self, head: u16, out: &mut Vec<Descriptor>) -> Result<(), ChainError> {
        walk(&self.rings, &self.geometry, &self.space, head, out)
    }

    /// The used index as it stands in memory.
    pub fn used_index(&self) -> u16 {
        self.rings.load_u16(self.geometry.used + 2)
    }

    /// The used flags as they stand in memory.
    pub fn used_flags(&self) -> u16 {
        self.rings.load_u16(self.geometry.used)
    }

    /// The element of the used ring at a free-running index as it stands in memory: id and length.
    pub fn used_element(&self, index: u16) -> (u32, u32) {
        let at = self.geometry.used_element(index);
        (self.rings.load_u32(at), self.rings.load_u32(at + 4))
    }

    /// The event of the device as it stands in memory (2.7.10).
    pub fn available_event(&self) -> u16 {
        self.rings.load_u16(self.geometry.available_event())
    }
}
