//! Freeing chains: whole in private memory, whatever the shared memory does.

use super::DescriptorTable;
use super::record::{Descriptor, Stage};
use crate::memory::Descriptors;
use crate::{Head, Misuse, SharedMemory};

impl<M: SharedMemory> DescriptorTable<M> {
    /// Frees a live chain: its descriptors are the next to be used again. In the table their lengths and
    /// flags are cleared, so that a device that still looks there finds nothing to read or write.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, found in constant time.
    #[inline(always)]
    pub fn free(&mut self, head: Head) -> Result<(), Misuse> {
        let id = self.id;
        match self.chains.get_mut(usize::from(head.index())) {
            Some(chain)
                if chain.serial == head.serial() && id.is(head.queue()) && chain.stage != Stage::NotHead =>
            {
                chain.stage = Stage::NotHead;
                let count = chain.count;
                self.recycle(head.index(), count);
                Ok(())
            }
            _ => Err(self.why_not(head)),
        }
    }

    /// Frees a chain that the device has given back.
    #[inline(always)]
    pub(crate) fn free_returned(&mut self, head: Head) -> Result<(), Misuse> {
        let id = self.id;
        match self.chains.get_mut(usize::from(head.index())) {
            Some(chain)
                if chain.serial == head.serial() && id.is(head.queue()) && chain.stage == Stage::Returned =>
            {
                chain.stage = Stage::NotHead;
                let count = chain.count;
                self.recycle(head.index(), count);
                Ok(())
            }
            _ => Err(self.why_not_returned(head)),
        }
    }

    /// Puts the descriptors of a chain, which is none any more, on the free list.
    #[inline(always)]
    fn recycle(&mut self, head: u16, count: u16) {
        let table = self.areas.descriptors();
        let free_head = core::mem::replace(&mut self.free_head, head);
        self.free += count;
        Recycling { table, descriptors: &mut self.descriptors, next: head, left: count, free_head }.finish();
    }
}

/// A chain that is being freed, descriptor by descriptor: in the private copy, and in the table.
struct Recycling<'t, M: SharedMemory> {
    table: Descriptors<'t, M>,
    descriptors: &'t mut [Descriptor],
    /// The next descriptor.
    next: u16,
    /// Descriptors still to be freed.
    left: u16,
    /// What the last one is linked to.
    free_head: u16,
}

impl<M: SharedMemory> Recycling<'_, M> {
    #[inline(always)]
    fn finish(mut self) {
        while self.left > 0 {
            let index = self.free_next();
            self.table.write_shape(index, 0);
        }
        // Nothing is left for `drop`.
        core::mem::forget(self);
    }

    /// Frees the next descriptor in private.
    #[inline(always)]
    fn free_next(&mut self) -> usize {
        let index = self.table.cut(self.next);
        let descriptor = &mut self.descriptors[index];
        descriptor.length = 0;
        self.left -= 1;
        if self.left == 0 {
            descriptor.next = self.free_head;
        } else {
            self.next = descriptor.next;
        }
        index
    }
}

/// The caller's own memory panicked: what is left is freed in private all the same, so that no descriptor is lost.
impl<M: SharedMemory> Drop for Recycling<'_, M> {
    #[inline(always)]
    fn drop(&mut self) {
        while self.left > 0 {
            self.free_next();
        }
    }
}
