//! The table's private state, as a hash.

use super::{DescriptorTable, Stage};
use crate::{RingIndex, SharedMemory};
use core::hash::{Hash, Hasher};

impl<M: SharedMemory> DescriptorTable<M> {
    /// Folds in what decides what the table will do. Of serial numbers that is whether they are above `published`, and of
    /// entries that are not published how far they are from the next one.
    pub(crate) fn fingerprint(&self, published: u64, next_entry: RingIndex, state: &mut impl Hasher) {
        let Self {
            id: _,
            holds_rings: _,
            known_region: _,
            known_length: _,
            areas,
            regions,
            buffer_size,
            writable_buffers,
            descriptors: _,
            chains,
            free_head,
            free,
            touched,
            last_serial: _,
        } = self;
        (regions.len() as u64, areas.size(), buffer_size, writable_buffers, free, touched).hash(state);
        self.walk(*free_head, *free, state);
        for (chain, head) in chains.iter().zip(0_u16..) {
            if chain.stage != Stage::NotHead {
                (head, chain.stage, chain.readable_count, chain.count).hash(state);
                (chain.writable, chain.written, chain.serial > published).hash(state);
                if chain.serial > published {
                    chain.entry.ahead_of(next_entry).hash(state);
                }
                self.walk(head, chain.count, state);
            }
        }
    }

    /// Folds in `count` descriptors that are linked in private. What links the last one to means nothing.
    fn walk(&self, first: u16, count: u16, state: &mut impl Hasher) {
        let mut index = first;
        for _ in 0..count {
            let descriptor = &self.descriptors[usize::from(index)];
            // Where it points is looked at by `verify`, also of a free one. Which way a buffer goes, its chain says.
            (index, descriptor.region, descriptor.offset as u64, descriptor.length).hash(state);
            index = descriptor.next;
        }
    }
}
