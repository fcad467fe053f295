//! Memory that keeps its place: for accesses that somebody has checked already.
#![allow(unsafe_code)]

use super::{OrderedLoad, OrderedStore, RawMemory, SharedMemory};
use core::any::TypeId;
use core::marker::PhantomData;
use core::ptr::NonNull;
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// What nobody but this crate can name: a method of a trait that asks for it cannot be called elsewhere, nor written.
///
/// Another crate's type can still take the method over from one of this crate's kinds, by nightly's delegation of functions
/// (`reuse`). So every answer says which type it is for, and counts for that one only: [`Fixed::is_of`].
#[derive(Debug, Clone, Copy)]
pub struct Sealed;

/// The bytes of a memory that keeps its place and length for as long as it lives, to be accessed without a check.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<'m> {
    start: NonNull<u8>,
    /// Whose bytes these are. After inlining, all that is done with it is done by the compiler.
    owner: TypeId,
    memory: PhantomData<&'m RawMemory>,
}

/// What `inner` answers to `fixed`, for an `Outer` that passes every access on to it.
#[inline(always)]
pub(super) fn pass_on<Outer: ?Sized>(inner: &(impl SharedMemory + ?Sized)) -> Option<Fixed<'_>> {
    #[inline(always)]
    fn of<'m, Inner: SharedMemory + ?Sized>(inner: &'m Inner, outer: TypeId) -> Option<Fixed<'m>> {
        inner.fixed(Sealed).filter(Fixed::is_of::<Inner>).map(|fixed| Fixed { owner: outer, ..fixed })
    }
    of(inner, typeid::of::<Outer>())
}

/// Each access is one atomic access of its width, and no pointer or reference outlives it. The contract is the same for
/// all of them: the bytes named lie inside the memory, at their natural alignment.
///
/// On a target without 64-bit atomics, an access of 64 bits is two of 32: a descriptor need not be written in one access,
/// since the device reads it only after the available index that publishes it (2.7.13).
impl Fixed<'_> {
    /// # Safety
    /// `start` must be where a memory of type `Owner` begins that lives for as long as the value does. No such memory ever
    /// changes its place or length.
    #[inline(always)]
    pub(super) unsafe fn new<Owner>(start: NonNull<u8>) -> Self {
        Self { start, owner: typeid::of::<Owner>(), memory: PhantomData }
    }

    /// Whether these are the bytes of a memory of this type, and not of one that answered in its place.
    #[inline(always)]
    pub(super) fn is_of<M: ?Sized>(&self) -> bool {
        self.owner == typeid::of::<M>()
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    unsafe fn atomic_u16(&self, offset: usize) -> &AtomicU16 {
        // SAFETY: inside the memory and aligned, says the caller; all access to 16-bit locations is atomic, at this width.
        unsafe { AtomicU16::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    unsafe fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: inside the memory and aligned, says the caller; all access to 32-bit locations is atomic, at this width.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`Fixed`].
    #[cfg(target_has_atomic = "64")]
    #[inline(always)]
    unsafe fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: inside the memory and aligned, says the caller; all access to 64-bit locations is atomic, at this width,
        // but where they are set to zero while the device is stopped.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn load_u16(self, offset: usize) -> u16 {
        // SAFETY: as the caller says.
        u16::from_le(unsafe { self.atomic_u16(offset) }.load(Ordering::Relaxed))
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn load_ordered(self, access: OrderedLoad, offset: usize) -> u16 {
        // SAFETY: as the caller says.
        u16::from_le(unsafe { self.atomic_u16(offset) }.load(access.ordering()))
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn load_u32(self, offset: usize) -> u32 {
        // SAFETY: as the caller says.
        u32::from_le(unsafe { self.atomic_u32(offset) }.load(Ordering::Relaxed))
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn load_u64(self, offset: usize) -> u64 {
        #[cfg(target_has_atomic = "64")]
        // SAFETY: as the caller says.
        return u64::from_le(unsafe { self.atomic_u64(offset) }.load(Ordering::Relaxed));
        #[cfg(not(target_has_atomic = "64"))]
        {
            // SAFETY: both halves are inside of what the caller says.
            let [low, high] = unsafe { self.load_u32_pair(offset) };
            u64::from(low) | u64::from(high) << 32
        }
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn store_u16(self, offset: usize, value: u16) {
        // SAFETY: as the caller says.
        unsafe { self.atomic_u16(offset) }.store(value.to_le(), Ordering::Relaxed);
    }

    /// # Safety
    /// 2 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn store_ordered(self, access: OrderedStore, offset: usize, value: u16) {
        // SAFETY: as the caller says.
        unsafe { self.atomic_u16(offset) }.store(value.to_le(), access.ordering());
    }

    /// # Safety
    /// 4 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn store_u32(self, offset: usize, value: u32) {
        // SAFETY: as the caller says.
        unsafe { self.atomic_u32(offset) }.store(value.to_le(), Ordering::Relaxed);
    }

    /// # Safety
    /// 8 bytes at `offset`: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn store_u64(self, offset: usize, value: u64) {
        #[cfg(target_has_atomic = "64")]
        // SAFETY: as the caller says.
        unsafe { self.atomic_u64(offset) }.store(value.to_le(), Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "64"))]
        // SAFETY: both halves are inside of what the caller says.
        unsafe {
            self.store_u32(offset, value as u32);
            self.store_u32(offset + 4, (value >> 32) as u32);
        }
    }

    /// # Safety
    /// 8 bytes at `offset`, at the alignment of 4: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn load_u32_pair(self, offset: usize) -> [u32; 2] {
        // SAFETY: both halves are inside of what the caller says.
        unsafe { [self.load_u32(offset), self.load_u32(offset + 4)] }
    }

    /// # Safety
    /// 16 bytes at `offset`, at the alignment of 8: see [`Fixed`].
    #[inline(always)]
    pub(super) unsafe fn store_u64_pair(self, offset: usize, [first, second]: [u64; 2]) {
        // SAFETY: both words are inside of what the caller says.
        unsafe {
            self.store_u64(offset, first);
            self.store_u64(offset + 8, second);
        }
    }
}
