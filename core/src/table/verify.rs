//! Comparing the table in shared memory with the private copy.

use super::DescriptorTable;
use super::record::{Stage, shape};
use crate::layout::{NEXT, address_offset, shape_offset};
use crate::{Head, SharedMemory};
use alloc::vec::Vec;

/// One difference between the table and the private copy. The queue does not mind any: it never reads the
/// table back. But somebody wrote to memory that is the driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tampering {
    /// A descriptor's address was changed.
    Address {
        /// The descriptor.
        descriptor: u16,
        /// What the driver wrote.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// A descriptor's length, flags or next were changed: the word of all three (2.7.5).
    Shape {
        /// The descriptor.
        descriptor: u16,
        /// What the driver wrote: length in the low 32 bits, then flags and next of 16 bits each.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// Following the table from the head of this live chain never ends.
    Loop {
        /// The chain.
        head: Head,
    },
}

impl<M: SharedMemory> DescriptorTable<M> {
    /// Compares the whole table with the private copy and reports every difference: first addresses, and shapes of free
    /// descriptors, by index; then chain by chain the shapes, and whether it has become a loop. Takes time in proportion to the table (and to its square at the very worst, if the device made
    /// every chain a loop); for tests, logs and post-mortems, not for the data path.
    pub fn verify(&self) -> Vec<Tampering> {
        let mut found = Vec::new();
        for index in 0..self.size().get() {
            let own = &self.descriptors[usize::from(index)];
            let expected = if u32::from(index) < self.touched { self.address_of(own).get() } else { 0 };
            let address = self.areas.memory().load_u64(address_offset(usize::from(index)));
            if address != expected {
                found.push(Tampering::Address { descriptor: index, expected, found: address });
            }
            if own.is_free() {
                self.verify_shape(index, 0, &mut found);
            }
        }
        for index in 0..self.size().get() {
            let chain = &self.chains[usize::from(index)];
            if chain.stage != Stage::NotHead {
                self.verify_chain(Head::from_parts(self.id, index, chain.serial), &mut found);
            }
        }
        found
    }

    fn verify_chain(&self, head: Head, found: &mut Vec<Tampering>) {
        let chain = &self.chains[usize::from(head.index())];
        let before = found.len();
        let mut index = head.index();
        for position in 1..=chain.count {
            let own = &self.descriptors[usize::from(index)];
            let next = (position < chain.count).then_some(own.next);
            let writable = position > chain.readable_count;
            self.verify_shape(index, shape(own.length, writable, next), found);
            index = own.next;
        }
        if found.len() != before && self.loops(head.index()) {
            found.push(Tampering::Loop { head });
        }
    }

    fn verify_shape(&self, descriptor: u16, expected: u64, found: &mut Vec<Tampering>) {
        let shape = self.areas.memory().load_u64(shape_offset(usize::from(descriptor)));
        if shape != expected {
            found.push(Tampering::Shape { descriptor, expected, found: shape });
        }
    }

    /// Whether the chain, as it stands in the table, is longer than the table without leaving it.
    fn loops(&self, head: u16) -> bool {
        let mut index = head;
        for _ in 0..self.size().get() {
            let shape = self.areas.memory().load_u64(shape_offset(usize::from(index)));
            let (flags, next) = ((shape >> 32) as u16, (shape >> 48) as u16);
            if flags & NEXT == 0 || next >= self.size().get() {
                return false;
            }
            index = next;
        }
        true
    }
}
