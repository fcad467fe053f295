//! Memory from the global allocator.
#![allow(unsafe_code)]

use super::abandon_count::AbandonCount;
use super::{
    FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, UncheckedAccess,
    forward_unchecked_access,
};
use crate::{Error, Misuse, SystemError};
use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

/// Alignment of every allocation in bytes: a page, so that buffers of whole pages are page-aligned for the device.
const PAGE: usize = 4096;

/// Zeroed memory from the global allocator, aligned to 4096 bytes. It suits a device in the same process, and hosts without
/// an operating system.
#[derive(Debug)]
pub struct HeapMemory {
    pub(super) raw: RawMemory,
    start: NonNull<u8>,
    layout: Layout,
    /// While this is not zero, drop leaks the allocation.
    abandon_count: AbandonCount,
}

// SAFETY: the value owns the allocation, and uses the pointer only to free it. Not `Sync`: see `ThreadShared`.
unsafe impl Send for HeapMemory {}

impl HeapMemory {
    /// Allocates `length` bytes, all zero.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::OutOfMemory`] if the allocation fails.
    pub fn new(length: usize) -> Result<Self, Error> {
        if length == 0 {
            return Err(Misuse::MemoryEmpty.into());
        }
        let out_of_memory = || SystemError::OutOfMemory { bytes: length };
        let layout = Layout::from_size_align(length, PAGE).map_err(|_| out_of_memory())?;
        // SAFETY: the layout's size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(out_of_memory)?;
        // SAFETY: this is a new allocation of `length` bytes. The returned value owns both it and `raw`.
        let raw = unsafe { RawMemory::new(start, length) };
        Ok(Self { raw, start, layout, abandon_count: AbandonCount::new() })
    }
}

impl SharedMemory for HeapMemory {
    forward_accesses!(self => self.raw);

    fn abandon(&self) {
        self.abandon_count.add();
    }

    fn reclaim(&self) {
        self.abandon_count.remove();
    }
}

impl Drop for HeapMemory {
    fn drop(&mut self) {
        if !self.abandon_count.is_abandoned() {
            // SAFETY: `new` allocated the memory with this layout, and nothing else frees it.
            unsafe { dealloc(self.start.as_ptr(), self.layout) }
        }
    }
}
