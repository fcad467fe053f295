//! Freeing chains. Private memory stays consistent even if the shared memory panics.

use super::DescriptorTable;
use super::record::{Descriptor, Stage};
use crate::memory::Descriptors;
use crate::{Head, Misuse, SharedMemory};

impl<M: SharedMemory> DescriptorTable<M> {
    /// Frees a live chain. Its descriptors are the next ones to be used again. In shared memory their lengths and flags become
    /// zero, so that a device that still follows them finds nothing to read or write.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain. This check takes constant time.
    #[inline(always)]
    pub fn free(&mut self, head: Head) -> Result<(), Misuse> {
        let place = self.place_of(head);
        match self.chains.get_mut(place) {
            Some(chain) if chain.serial == head.serial() && chain.stage != Stage::NotHead => {
                chain.stage = Stage::NotHead;
                let count = chain.count;
                self.recycle(place, count);
                Ok(())
            }
            _ => Err(self.handle_error(head)),
        }
    }

    /// Frees a completed chain.
    #[inline(always)]
    pub(crate) fn free_returned(&mut self, head: Head) -> Result<(), Misuse> {
        let place = self.place_of(head);
        match self.chains.get_mut(place) {
            Some(chain) if chain.serial == head.serial() && chain.stage == Stage::Returned => {
                chain.stage = Stage::NotHead;
                let count = chain.count;
                self.recycle(place, count);
                Ok(())
            }
            _ => Err(self.not_returned_error(head)),
        }
    }

    /// Puts the descriptors of a freed chain at the beginning of the free list.
    #[inline(always)]
    fn recycle(&mut self, head: usize, count: u16) {
        let table = self.areas.descriptors();
        let free_head = core::mem::replace(&mut self.free_head, head as u16);
        self.free += count;
        // One check of the length here, so that no reduced index needs one.
        let descriptors = &mut self.descriptors[..=table.last()];
        Recycling { table, descriptors, next: head, left: count, free_head }.finish();
    }
}

/// A chain that is being freed descriptor by descriptor, in the private copy and in shared memory.
struct Recycling<'t, M: SharedMemory> {
    table: Descriptors<'t, M>,
    descriptors: &'t mut [Descriptor],
    /// The next descriptor to free.
    next: usize,
    /// The number of descriptors not yet freed.
    left: u16,
    /// The descriptor that the last one is linked to.
    free_head: u16,
}

impl<M: SharedMemory> Recycling<'_, M> {
    #[inline(always)]
    fn finish(mut self) {
        while self.left > 0 {
            let index = self.free_next();
            self.table.write_shape(index, 0);
        }
        // All are freed, so `drop` has nothing to do.
        core::mem::forget(self);
    }

    /// Frees the next descriptor in the private copy and returns its index.
    #[inline(always)]
    fn free_next(&mut self) -> usize {
        let index = self.table.reduce(self.next);
        let descriptor = &mut self.descriptors[index];
        descriptor.length = 0;
        self.left -= 1;
        if self.left == 0 {
            descriptor.next = self.free_head;
        } else {
            self.next = usize::from(descriptor.next);
        }
        index
    }
}

/// Runs if the caller's own memory panics: frees the other descriptors in the private copy, so that none is lost.
impl<M: SharedMemory> Drop for Recycling<'_, M> {
    #[inline(always)]
    fn drop(&mut self) {
        while self.left > 0 {
            self.free_next();
        }
    }
}
