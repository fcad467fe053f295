//! Memory from the global allocator.
#![allow(unsafe_code)]

use super::holds::Holds;
use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, pass_on};
use crate::{Error, Misuse, SystemError};
use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

/// Alignment of every allocation: a page, so that buffers of whole pages are page-aligned for the device.
const PAGE: usize = 4096;

/// Zeroed, page-aligned memory from the global allocator: for a device in the same process, and for hosts
/// without an operating system.
#[derive(Debug)]
pub struct HeapMemory {
    pub(super) raw: RawMemory,
    start: NonNull<u8>,
    layout: Layout,
    /// While there are any, it is not given back on drop.
    holds: Holds,
}

// SAFETY: the pointer is only used to give the allocation back, once, by whoever owns the value. Not `Sync`: see
// `ThreadShared`.
unsafe impl Send for HeapMemory {}

impl HeapMemory {
    /// Allocates `length` bytes, all zero.
    ///
    /// # Errors
    /// [`Misuse::MemoryEmpty`] if `length` is zero; [`SystemError::OutOfMemory`] if the allocator has not that much.
    pub fn new(length: usize) -> Result<Self, Error> {
        if length == 0 {
            return Err(Misuse::MemoryEmpty.into());
        }
        let out_of_memory = || SystemError::OutOfMemory { bytes: length };
        let layout = Layout::from_size_align(length, PAGE).map_err(|_| out_of_memory())?;
        // SAFETY: the layout's size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(out_of_memory)?;
        // SAFETY: a fresh allocation of `length` bytes, owned by the value that owns this one.
        let raw = unsafe { RawMemory::new(start, length) };
        Ok(Self { raw, start, layout, holds: Holds::new() })
    }
}

impl SharedMemory for HeapMemory {
    forward_accesses!(self => self.raw);

    fn abandon(&self) {
        self.holds.add();
    }

    fn reclaim(&self) {
        self.holds.remove();
    }
}

impl Drop for HeapMemory {
    fn drop(&mut self) {
        if !self.holds.any() {
            // SAFETY: allocated in `new` with this layout, and given back only here.
            unsafe { dealloc(self.start.as_ptr(), self.layout) }
        }
    }
}
