//! The one place where shared memory is touched through a pointer.
#![allow(unsafe_code)]

use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory, copy};
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

/// Memory given by pointer and length, which somebody else owns.
///
/// For kernels, unikernels and RTOSes that have their own way to get memory for a device. The integer
/// accesses are relaxed atomics where the trait says *plain*: they cost the same as ordinary ones, and a
/// device in another thread that does the same is no data race.
#[derive(Debug)]
pub struct RawMemory {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the constructor's contract makes the memory valid for the whole process, and all access is by value.
unsafe impl Send for RawMemory {}
// SAFETY: the constructor's caller promises that no two threads race in a way that Rust forbids.
unsafe impl Sync for RawMemory {}

impl RawMemory {
    /// Takes memory by pointer and length in bytes.
    ///
    /// # Safety
    /// - `start..start + length` must be valid for reads and writes for as long as the value lives, and `length` must not
    ///   exceed `isize::MAX`. No Rust reference may cover these bytes meanwhile.
    /// - The value does not own the memory, so [`SharedMemory::abandon`] cannot keep it. If a queue over the memory is
    ///   dropped or forgotten, the memory must stay as it is until the device has confirmed its reset, although the value
    ///   may be gone.
    /// - Threads of this process that share the value, or have other values over the same bytes, keep the rules of
    ///   [`ThreadShared::new`](super::ThreadShared::new).
    pub const unsafe fn new(start: NonNull<u8>, length: usize) -> Self {
        Self { start, length }
    }

    /// The same memory once more.
    ///
    /// # Safety
    /// As for [`new`](Self::new), for as long as the new value lives.
    pub(super) const unsafe fn again(&self) -> Self {
        Self { start: self.start, length: self.length }
    }

    /// The address of `size` bytes at `offset`, after checking bounds and alignment.
    #[inline(always)]
    fn place(&self, offset: usize, size: usize, align: usize) -> *mut u8 {
        // A sum that saturates is more than any length, so that one comparison is enough.
        assert!(offset.saturating_add(size) <= self.length, "shared memory: access outside");
        // SAFETY: the range lies inside the memory, so the sum stays inside one allocation.
        let place = unsafe { self.start.as_ptr().add(offset) };
        assert!(place.addr() & (align - 1) == 0, "shared memory: access off its alignment");
        place
    }

    /// The memory for an access to `count` integers of `size` bytes, after checking bounds and alignment.
    #[inline(always)]
    fn integers(&self, offset: usize, count: usize, size: usize) -> Fixed<'_> {
        self.place(offset, count * size, size);
        self.bytes()
    }

    #[inline(always)]
    fn bytes(&self) -> Fixed<'_> {
        // SAFETY: by the constructor's contract the memory is there for as long as `self`.
        unsafe { Fixed::new::<Self>(self.start) }
    }
}

impl SharedMemory for RawMemory {
    #[inline(always)]
    fn len(&self) -> usize {
        self.length
    }

    fn host_address(&self) -> u64 {
        // A device, or whoever stands in for one, reaches the memory by it.
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
        let place = self.place(offset, bytes.len(), 1);
        // SAFETY: `place` checked the bounds; `bytes` is a Rust slice, which by the constructor's contract
        // cannot overlap the shared memory.
        unsafe { copy::to_shared(place, bytes) }
    }

    #[inline(always)]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let place = self.place(offset, out.len(), 1);
        // SAFETY: as in `copy_in`, the other way round.
        unsafe { copy::from_shared(place, out) }
    }

    #[inline(always)]
    fn zero(&self, offset: usize, length: usize) {
        let place = self.place(offset, length, 1);
        // SAFETY: `place` checked the bounds, and any byte may be zero.
        unsafe { copy::zero(place, length) }
    }

    /// Does nothing: see [`new`](Self::new).
    fn abandon(&self) {}

    /// Does nothing.
    fn reclaim(&self) {}

    #[inline(always)]
    fn fixed(&self, _: Sealed) -> Option<Fixed<'_>> {
        Some(self.bytes())
    }
}
