//! Unchecked access to memory that never changes its address or length.
#![allow(unsafe_code)]

use super::{OrderedLoad, OrderedStore, RawMemory, SharedMemory};
use core::any::TypeId;
use core::marker::PhantomData;
use core::ptr::NonNull;
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// A type that only this crate can name. Other crates can neither call nor implement a trait method with a parameter of
/// this type.
///
/// Another crate's type can still delegate the method to one of this crate's kinds, by the nightly feature `fn_delegation`
/// (`reuse`). Therefore every [`UncheckedAccess`] records the type that it was made for and is valid for that type only: see
/// [`UncheckedAccess::is_of`].
#[derive(Debug, Clone, Copy)]
pub struct Sealed;

/// Unchecked access to memory that keeps its address and length while it lives.
#[derive(Debug, Clone, Copy)]
pub struct UncheckedAccess<'m> {
    start: NonNull<u8>,
    /// The type of the memory. After inlining, the compiler evaluates all comparisons of it.
    owner: TypeId,
    memory: PhantomData<&'m RawMemory>,
}

/// The result of `inner.unchecked_access`, for a type `Outer` that forwards every access to `inner`.
#[inline(always)]
pub(super) fn forward_unchecked_access<Outer: ?Sized>(
    inner: &(impl SharedMemory + ?Sized),
) -> Option<UncheckedAccess<'_>> {
    #[inline(always)]
    fn of<'m, Inner: SharedMemory + ?Sized>(inner: &'m Inner, outer: TypeId) -> Option<UncheckedAccess<'m>> {
        inner
            .unchecked_access(Sealed)
            .filter(UncheckedAccess::is_of::<Inner>)
            .map(|access| UncheckedAccess { owner: outer, ..access })
    }
    of(inner, typeid::of::<Outer>())
}

/// Each access is one atomic access of its width, and no pointer or reference outlives it. All accesses have the same
/// contract: the bytes are inside the memory and naturally aligned.
///
/// On a target without 64-bit atomics, an access of 64 bits is two accesses of 32 bits. That is correct for a descriptor:
/// the device reads it only after the driver has published it by the available index (2.7.13).
impl UncheckedAccess<'_> {
    /// # Safety
    /// `start` must be the beginning of a memory of type `Owner` that outlives the new value. A memory of type `Owner` must
    /// never change its address or length.
    #[inline(always)]
    pub(super) unsafe fn new<Owner>(start: NonNull<u8>) -> Self {
        Self { start, owner: typeid::of::<Owner>(), memory: PhantomData }
    }

    /// Whether this value was made for memory of type `M`, and not for another type that `M` delegates to.
    #[inline(always)]
    pub(super) fn is_of<M: ?Sized>(&self) -> bool {
        self.owner == typeid::of::<M>()
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    unsafe fn atomic_u16(&self, offset: usize) -> &AtomicU16 {
        // SAFETY: the caller guarantees bounds and alignment. All access to 16-bit locations is atomic and of this width.
        unsafe { AtomicU16::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    unsafe fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the caller guarantees bounds and alignment. All access to 32-bit locations is atomic and of this width.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`UncheckedAccess`].
    #[cfg(target_has_atomic = "64")]
    #[inline(always)]
    unsafe fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the caller guarantees bounds and alignment. All access to 64-bit locations is atomic and of this width,
        // except that they are zeroed while the device is stopped.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn load_u16(self, offset: usize) -> u16 {
        // SAFETY: the caller guarantees bounds and alignment.
        u16::from_le(unsafe { self.atomic_u16(offset) }.load(Ordering::Relaxed))
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn load_ordered(self, access: OrderedLoad, offset: usize) -> u16 {
        // SAFETY: the caller guarantees bounds and alignment.
        u16::from_le(unsafe { self.atomic_u16(offset) }.load(access.ordering()))
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn load_u32(self, offset: usize) -> u32 {
        // SAFETY: the caller guarantees bounds and alignment.
        u32::from_le(unsafe { self.atomic_u32(offset) }.load(Ordering::Relaxed))
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn load_u64(self, offset: usize) -> u64 {
        #[cfg(target_has_atomic = "64")]
        // SAFETY: the caller guarantees bounds and alignment.
        return u64::from_le(unsafe { self.atomic_u64(offset) }.load(Ordering::Relaxed));
        #[cfg(not(target_has_atomic = "64"))]
        {
            // SAFETY: both halves are inside the bytes that the caller guarantees.
            let [low, high] = unsafe { self.load_u32_pair(offset) };
            u64::from(low) | u64::from(high) << 32
        }
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn store_u16(self, offset: usize, value: u16) {
        // SAFETY: the caller guarantees bounds and alignment.
        unsafe { self.atomic_u16(offset) }.store(value.to_le(), Ordering::Relaxed);
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn store_ordered(self, access: OrderedStore, offset: usize, value: u16) {
        // SAFETY: the caller guarantees bounds and alignment.
        unsafe { self.atomic_u16(offset) }.store(value.to_le(), access.ordering());
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn store_u32(self, offset: usize, value: u32) {
        // SAFETY: the caller guarantees bounds and alignment.
        unsafe { self.atomic_u32(offset) }.store(value.to_le(), Ordering::Relaxed);
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn store_u64(self, offset: usize, value: u64) {
        #[cfg(target_has_atomic = "64")]
        // SAFETY: the caller guarantees bounds and alignment.
        unsafe { self.atomic_u64(offset) }.store(value.to_le(), Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "64"))]
        // SAFETY: both halves are inside the bytes that the caller guarantees.
        unsafe {
            self.store_u32(offset, value as u32);
            self.store_u32(offset + 4, (value >> 32) as u32);
        }
    }

    /// # Safety
    /// 8 bytes at `offset`, aligned to 4 bytes: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn load_u32_pair(self, offset: usize) -> [u32; 2] {
        // SAFETY: both halves are inside the bytes that the caller guarantees.
        unsafe { [self.load_u32(offset), self.load_u32(offset + 4)] }
    }

    /// # Safety
    /// 16 bytes at `offset`, aligned to 8 bytes: see [`UncheckedAccess`].
    #[inline(always)]
    pub(super) unsafe fn store_u64_pair(self, offset: usize, [first, second]: [u64; 2]) {
        // SAFETY: both words are inside the bytes that the caller guarantees.
        unsafe {
            self.store_u64(offset, first);
            self.store_u64(offset + 8, second);
        }
    }
}
