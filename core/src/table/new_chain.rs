//! A chain while it is written to free descriptors.

use super::record::{Descriptor, shape};
use crate::memory::Descriptors;
use crate::{DeviceAddress, Region, SharedMemory};

/// A chain that is being written buffer by buffer, to shared memory and to the private copy. The links of the free list
/// already form the chain, so the private links do not change.
///
/// It has what it needs of the table as values of its own: the compiler must assume that a store to shared memory changes
/// everything behind a reference.
pub(super) struct NewChain<'t, M: SharedMemory> {
    pub(super) table: Descriptors<'t, M>,
    pub(super) regions: &'t [Region<M>],
    /// The region of the last buffer, and its device address.
    pub(super) region: u16,
    pub(super) base: DeviceAddress,
    pub(super) descriptors: &'t mut [Descriptor],
    pub(super) buffer_size: u32,
    pub(super) extent: Extent,
    /// The next descriptor.
    pub(super) descriptor: u16,
    /// The number of buffers not yet added.
    pub(super) left: usize,
}

/// Which descriptors a new chain has.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) first: u16,
    pub(super) count: usize,
    /// Descriptors with this index or a greater one were never used: their fields are zero.
    pub(super) touched: u32,
}

impl<M: SharedMemory> NewChain<'_, M> {
    /// The offset of the next descriptor's own buffer.
    #[inline(always)]
    pub(super) fn own_offset(&self) -> usize {
        usize::from(self.descriptor) * self.buffer_size as usize
    }

    /// Copies `bytes` into the table's own buffers.
    #[inline(always)]
    pub(super) fn copy_in(&mut self, offset: usize, bytes: &[u8]) {
        let memory = &self.regions[0].memory;
        if self.table.has_unchecked_access() {
            memory.copy_in(offset, bytes);
        } else {
            let unwinding = FreedIfUnwound { descriptors: self.descriptors, extent: self.extent };
            memory.copy_in(offset, bytes);
            unwinding.returned();
        }
    }

    #[inline(always)]
    pub(super) fn readable(&mut self, region: u16, offset: usize, length: u32) {
        self.add(region, offset, length, false);
    }

    #[inline(always)]
    pub(super) fn writable(&mut self, region: u16, offset: usize, length: u32) {
        self.add(region, offset, length, true);
    }

    #[inline(always)]
    fn add(&mut self, region: u16, offset: usize, length: u32, writable: bool) {
        let index = self.table.reduce(usize::from(self.descriptor));
        if region != self.region {
            (self.region, self.base) = (region, self.regions[usize::from(region)].address());
        }
        let address = self.base.plus(offset as u64);
        let next = self.descriptors[index].next;
        self.left -= 1;
        let next_in_chain = (self.left > 0).then_some(next);
        // Shared memory first: if the store panics, the private copy still describes what the table contains.
        self.write(index, [address.get(), shape(length, writable, next_in_chain)]);
        let descriptor = &mut self.descriptors[index];
        (descriptor.offset, descriptor.length, descriptor.region) = (offset, length, region);
        self.descriptor = next;
    }

    #[inline(always)]
    fn write(&mut self, index: usize, words: [u64; 2]) {
        if self.table.has_unchecked_access() {
            self.table.write(index, words);
        } else {
            let unwinding = FreedIfUnwound { descriptors: self.descriptors, extent: self.extent };
            self.table.write(index, words);
            unwinding.returned();
        }
    }
}

/// Guards an access to memory that may panic. Memory of this crate's kinds does not, and needs no guard. After a panic, the
/// descriptors of the chain are as free as they were before.
struct FreedIfUnwound<'t> {
    descriptors: &'t mut [Descriptor],
    extent: Extent,
}

impl FreedIfUnwound<'_> {
    /// Call this after the access, when it has not panicked.
    const fn returned(self) {
        core::mem::forget(self);
    }
}

impl Drop for FreedIfUnwound<'_> {
    fn drop(&mut self) {
        let Extent { first: mut index, count, touched } = self.extent;
        for _ in 0..count {
            let descriptor = &mut self.descriptors[usize::from(index)];
            descriptor.length = 0;
            if u32::from(index) >= touched {
                (descriptor.offset, descriptor.region) = (0, 0);
            }
            index = descriptor.next;
        }
    }
}
