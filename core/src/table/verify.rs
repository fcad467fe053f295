//! Comparing the table in shared memory with the private copy.

use super::DescriptorTable;
use super::record::{Stage, shape};
use crate::layout::{NEXT, address_offset, shape_offset};
use crate::{Head, SharedMemory};
use alloc::vec::Vec;

/// One difference between the descriptor table in shared memory and the private copy. It shows that the device, or another
/// part of the system, wrote to memory of the driver. The queue works nevertheless, because it never reads the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tampering {
    /// The address of a descriptor differs.
    Address {
        /// The index of the descriptor.
        descriptor: u16,
        /// The value that the driver wrote.
        expected: u64,
        /// The value in shared memory.
        found: u64,
    },
    /// The word of a descriptor's length, flags and next differs (2.7.5).
    Shape {
        /// The index of the descriptor.
        descriptor: u16,
        /// The value that the driver wrote: the length in the low 32 bits, then flags and next of 16 bits each.
        expected: u64,
        /// The value in shared memory.
        found: u64,
    },
    /// The links in shared memory form a loop that is reachable from the head of this live chain.
    Loop {
        /// The handle of the chain.
        head: Head,
    },
}

impl<M: SharedMemory> DescriptorTable<M> {
    /// Compares the whole table in shared memory with the private copy and returns every difference, in this order:
    /// 1. by index: the address of each descriptor, then its [`Shape`](Tampering::Shape) if it is free;
    /// 2. by chain, in the order of the heads: the shapes of the chain's descriptors, then whether the chain is a loop.
    ///
    /// This is for tests, logs and post-mortem analysis, not for the data path. The time is proportional to the queue size. At
    /// worst it is proportional to its square, if the device made every chain a loop.
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

    /// Whether the chain in shared memory is longer than the table and never links outside the table.
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
