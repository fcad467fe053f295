//! Follows chains through the descriptor table in shared memory, which the device may have overwritten. A specimen
//! without a defect never reads this table.

use super::Defect;
use super::chain::Chain;
use super::shared::{DESCRIPTOR_BYTES, F_NEXT, SharedDescriptor, TAMPERED};
use super::table::Table;
use ringstorm_core::SharedMemory;
use ringstorm_model::Answer;

impl Table {
    pub(super) fn shared(&self, index: u16) -> SharedDescriptor {
        let rest = self.memory.load_u64(DESCRIPTOR_BYTES * usize::from(index) + 8);
        SharedDescriptor { length: rest as u32, flags: (rest >> 32) as u16, next: (rest >> 48) as u16 }
    }

    /// Follows a chain through the table to its end, or for as many links as the queue has descriptors. A private
    /// copy shows whether this is still the chain that the specimen made. Each defect that follows chains leaves out
    /// one check.
    pub(super) fn follow(&self, head: u16, chain: &Chain) -> Answer<Vec<u16>> {
        let mut followed = vec![head];
        let mut index = head;
        for _ in 0..self.size {
            let SharedDescriptor { flags, next, .. } = self.shared(index);
            if flags & F_NEXT == 0 {
                return if followed == chain.indexes { Ok(followed) } else { Err(TAMPERED) };
            }
            if next == head && self.has(Defect::FreeMutatesBeforeCheck) {
                followed.push(head);
                return Ok(followed);
            }
            if next >= self.size && !self.has(Defect::NextUnchecked) {
                return Err(TAMPERED);
            }
            let of_other_chain = self.descriptors[usize::from(next)].owner != Some(head);
            let unexpected = chain.indexes.get(followed.len()) != Some(&next);
            if of_other_chain || next == head || unexpected && !self.has(Defect::LoopDetectedAtHeadOnly) {
                return Err(TAMPERED);
            }
            followed.push(next);
            index = next;
        }
        Ok(followed)
    }

    /// Follows a chain through the table without any check.
    pub(super) fn follow_blindly(&self, head: u16) -> Vec<u16> {
        let mut followed = vec![head];
        let mut index = head;
        loop {
            let SharedDescriptor { flags, next, .. } = self.shared(index);
            if flags & F_NEXT == 0 {
                return followed;
            }
            followed.push(next);
            index = next;
        }
    }

    /// Follows links until there are `count` descriptors, whether or not NEXT is set. Reduces each index modulo the
    /// queue size.
    pub(super) fn follow_links(&self, head: u16, count: usize) -> Vec<u16> {
        let mut followed = vec![head];
        while followed.len() < count {
            followed.push(self.shared(followed[followed.len() - 1]).next % self.size);
        }
        followed
    }

    /// Takes descriptors from the free list that a defect keeps in the table. Reduces each index modulo the queue
    /// size.
    pub(super) fn follow_free_list(&mut self, count: usize) -> Vec<u16> {
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            taken.push(self.first_free);
            self.first_free = self.shared(self.first_free).next % self.size;
        }
        taken
    }
}
