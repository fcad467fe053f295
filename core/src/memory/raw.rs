//! Memory given by pointer and length. The other kinds access their bytes through this one.
#![allow(unsafe_code)]

use super::{FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory, UncheckedAccess, copy};
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

/// Memory given by pointer and length, which this value does not own.
///
/// It is for kernels, unikernels and RTOSes that have their own allocator of memory for devices. The *plain* integer accesses
/// of the trait are relaxed atomics here. They cost the same as ordinary accesses, and they do not race with a device in
/// another thread that also uses atomics.
#[derive(Debug)]
pub struct RawMemory {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: by the contract of `new`, the memory is valid in every thread, and all access is by value.
unsafe impl Send for RawMemory {}
// SAFETY: the caller of `new` guarantees that threads sharing the value follow the rules of `ThreadShared::new`.
unsafe impl Sync for RawMemory {}

impl RawMemory {
    /// Makes a value from the address and the length in bytes.
    ///
    /// # Safety
    /// - `start..start + length` must be valid for reads and writes while the value lives. `length` must not exceed
    ///   `isize::MAX`. No Rust reference may cover these bytes during that time.
    /// - The value does not own the memory, so [`SharedMemory::abandon`] cannot keep it. If a queue over the memory is
    ///   dropped or forgotten, the memory must stay allocated and unused until the device has confirmed its reset, even if
    ///   the value no longer exists.
    /// - Threads of this process that share the value, or use other values over the same bytes, must follow the rules of
    ///   [`ThreadShared::new`](super::ThreadShared::new).
    pub const unsafe fn new(start: NonNull<u8>, length: usize) -> Self {
        Self { start, length }
    }

    /// Makes a second value for the same memory.
    ///
    /// # Safety
    /// The contract of [`new`](Self::new), for the lifetime of the second value.
    pub(super) const unsafe fn alias(&self) -> Self {
        Self { start: self.start, length: self.length }
    }

    /// Checks bounds and alignment of `size` bytes at `offset`, and returns their address.
    #[inline(always)]
    fn checked_pointer(&self, offset: usize, size: usize, align: usize) -> *mut u8 {
        // A saturated sum exceeds every length, so one comparison is enough.
        assert!(offset.saturating_add(size) <= self.length, "shared memory: the access is out of bounds");
        // SAFETY: the range is inside the memory, so the sum stays inside one allocation.
        let pointer = unsafe { self.start.as_ptr().add(offset) };
        assert!(pointer.addr() & (align - 1) == 0, "shared memory: the access is misaligned");
        pointer
    }

    /// Checks bounds and alignment of `count` integers of `size` bytes, and returns the memory for unchecked access.
    #[inline(always)]
    fn integers(&self, offset: usize, count: usize, size: usize) -> UncheckedAccess<'_> {
        self.checked_pointer(offset, count * size, size);
        self.unchecked()
    }

    #[inline(always)]
    fn unchecked(&self) -> UncheckedAccess<'_> {
        // SAFETY: by the contract of `new`, the memory is valid while `self` lives.
        unsafe { UncheckedAccess::new::<Self>(self.start) }
    }
}

impl SharedMemory for RawMemory {
    #[inline(always)]
    fn len(&self) -> usize {
        self.length
    }

    fn host_address(&self) -> u64 {
        // A device, also a simulated one, may access the memory by this address, so its provenance is exposed.
        self.start.as_ptr().expose_provenance() as u64
    }

    #[inline(always)]
    fn load_u16(&self, offset: usize) -> u16 {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 2).load_u16(offset) }
    }

    #[inline(always)]
    fn load_u32(&self, offset: usize) -> u32 {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 4).load_u32(offset) }
    }

    #[inline(always)]
    fn load_u64(&self, offset: usize) -> u64 {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 8).load_u64(offset) }
    }

    #[inline(always)]
    fn store_u16(&self, offset: usize, value: u16) {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 2).store_u16(offset, value) }
    }

    #[inline(always)]
    fn store_u32(&self, offset: usize, value: u32) {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 4).store_u32(offset, value) }
    }

    #[inline(always)]
    fn store_u64(&self, offset: usize, value: u64) {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 8).store_u64(offset, value) }
    }

    #[inline(always)]
    fn store_u64_pair(&self, offset: usize, values: [u64; 2]) {
        // SAFETY: `integers` checked the bounds of both and their alignment.
        unsafe { self.integers(offset, 2, 8).store_u64_pair(offset, values) }
    }

    #[inline(always)]
    fn load_u32_pair(&self, offset: usize) -> [u32; 2] {
        // SAFETY: `integers` checked the bounds of both and their alignment.
        unsafe { self.integers(offset, 2, 4).load_u32_pair(offset) }
    }

    #[inline(always)]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 2).load_ordered(access, offset) }
    }

    #[inline(always)]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        // SAFETY: `integers` checked bounds and alignment.
        unsafe { self.integers(offset, 1, 2).store_ordered(access, offset, value) }
    }

    #[inline(always)]
    fn barrier(&self, _: FullBarrier) {
        fence(Ordering::SeqCst);
    }

    #[inline(always)]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        let pointer = self.checked_pointer(offset, bytes.len(), 1);
        // SAFETY: `checked_pointer` checked the bounds. `bytes` is a Rust slice, so by the contract of `new` it does not
        // overlap the shared memory.
        unsafe { copy::to_shared(pointer, bytes) }
    }

    #[inline(always)]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let pointer = self.checked_pointer(offset, out.len(), 1);
        // SAFETY: `checked_pointer` checked the bounds. `out` is a Rust slice, so by the contract of `new` it does not overlap
        // the shared memory.
        unsafe { copy::from_shared(pointer, out) }
    }

    #[inline(always)]
    fn zero(&self, offset: usize, length: usize) {
        let pointer = self.checked_pointer(offset, length, 1);
        // SAFETY: `checked_pointer` checked the bounds, and zero is valid for every byte.
        unsafe { copy::zero(pointer, length) }
    }

    /// Does nothing, because the value does not own the memory: see [`new`](Self::new).
    fn abandon(&self) {}

    /// Does nothing.
    fn reclaim(&self) {}

    #[inline(always)]
    fn unchecked_access(&self, _: Sealed) -> Option<UncheckedAccess<'_>> {
        Some(self.unchecked())
    }
}
