//! A hash of the table's private state.

use super::{DescriptorTable, Stage};
use crate::{RingIndex, SharedMemory};
use core::hash::{Hash, Hasher};

impl<M: SharedMemory> DescriptorTable<M> {
    /// Hashes the private state that affects later calls. Of a serial number it hashes only whether it exceeds `published`. Of
    /// an unpublished entry it hashes only its distance to `next_entry`.
    pub(crate) fn fingerprint(&self, published: u64, next_entry: RingIndex, state: &mut impl Hasher) {
        let Self {
            id: _,
            holds_rings: _,
            known_region: _,
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
                (chain.writable, chain.serial > published).hash(state);
                if chain.stage == Stage::Returned {
                    chain.written.hash(state);
                }
                if chain.serial > published {
                    chain.entry.ahead_of(next_entry).hash(state);
                }
                self.walk(head, chain.count, state);
            }
        }
    }

    /// Hashes `count` descriptors of the private list from `first` on. The link of the last one has no meaning.
    fn walk(&self, first: u16, count: u16, state: &mut impl Hasher) {
        let mut index = first;
        for _ in 0..count {
            let descriptor = &self.descriptors[usize::from(index)];
            // `verify` compares the address also of a free descriptor. The direction of a buffer follows from its chain.
            (index, descriptor.region, descriptor.offset as u64, descriptor.length).hash(state);
            index = descriptor.next;
        }
    }
}
