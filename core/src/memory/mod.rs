//! Memory that driver and device share.
//!
//! All access to shared memory goes through [`SharedMemory`], by value and never by reference. The device may change the
//! bytes at any time, so a value that was read is an *allegation* until it is checked. It may be out of range. A second read
//! may give another value. A correct device may never have written it.
//!
//! Plain accesses transfer descriptors, ring entries and payload. The few accesses that order the others are listed in
//! [`OrderedLoad`], [`OrderedStore`] and [`FullBarrier`].

/// Implements every access by forwarding it to `$target`, an expression of `self`.
macro_rules! forward_accesses {
    ($self:ident => $target:expr) => {
        #[inline(always)]
        fn len(&$self) -> usize {
            ($target).len()
        }
        fn host_address(&$self) -> u64 {
            ($target).host_address()
        }
        #[inline(always)]
        fn load_u16(&$self, offset: usize) -> u16 {
            ($target).load_u16(offset)
        }
        #[inline(always)]
        fn load_u32(&$self, offset: usize) -> u32 {
            ($target).load_u32(offset)
        }
        #[inline(always)]
        fn load_u64(&$self, offset: usize) -> u64 {
            ($target).load_u64(offset)
        }
        #[inline(always)]
        fn store_u16(&$self, offset: usize, value: u16) {
            ($target).store_u16(offset, value)
        }
        #[inline(always)]
        fn store_u32(&$self, offset: usize, value: u32) {
            ($target).store_u32(offset, value)
        }
        #[inline(always)]
        fn store_u64(&$self, offset: usize, value: u64) {
            ($target).store_u64(offset, value)
        }
        #[inline(always)]
        fn store_u64_pair(&$self, offset: usize, values: [u64; 2]) {
            ($target).store_u64_pair(offset, values)
        }
        #[inline(always)]
        fn load_u32_pair(&$self, offset: usize) -> [u32; 2] {
            ($target).load_u32_pair(offset)
        }
        #[inline(always)]
        fn load_ordered(&$self, access: OrderedLoad, offset: usize) -> u16 {
            ($target).load_ordered(access, offset)
        }
        #[inline(always)]
        fn store_ordered(&$self, access: OrderedStore, offset: usize, value: u16) {
            ($target).store_ordered(access, offset, value)
        }
        #[inline(always)]
        fn barrier(&$self, barrier: FullBarrier) {
            ($target).barrier(barrier)
        }
        #[inline(always)]
        fn copy_in(&$self, offset: usize, bytes: &[u8]) {
            ($target).copy_in(offset, bytes)
        }
        #[inline(always)]
        fn copy_out(&$self, offset: usize, out: &mut [u8]) {
            ($target).copy_out(offset, out)
        }
        #[inline(always)]
        fn zero(&$self, offset: usize, length: usize) {
            ($target).zero(offset, length)
        }
        #[inline(always)]
        fn unchecked_access(&$self, _: Sealed) -> Option<UncheckedAccess<'_>> {
            forward_unchecked_access::<Self>(&$target)
        }
    };
}

/// Implements every method by forwarding it to `$target`, `abandon` and `reclaim` included.
macro_rules! forward_all {
    ($self:ident => $target:expr) => {
        forward_accesses!($self => $target);
        fn abandon(&$self) {
            ($target).abandon()
        }
        fn reclaim(&$self) {
            ($target).reclaim()
        }
    };
}

mod abandon_count;
mod any;
mod areas;
mod copy;
#[cfg(all(feature = "std", unix))]
mod guarded;
mod heap;
#[cfg(feature = "std")]
mod mapped;
mod raw;
mod thread_shared;
mod unchecked;

pub use any::AnyMemory;
pub(crate) use areas::{Areas, Descriptors};
#[cfg(all(feature = "std", unix))]
pub use guarded::GuardedMemory;
pub use heap::HeapMemory;
#[cfg(feature = "std")]
pub use mapped::MappedMemory;
pub use raw::RawMemory;
pub use thread_shared::ThreadShared;

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use unchecked::{Sealed, UncheckedAccess, forward_unchecked_access};

/// A load of a ring index, flags or an event field. Its ordering depends on the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderedLoad {
    /// Driver, `used.idx`: after it, everything that the device wrote before storing the index is visible (2.7.14).
    UsedIndex,
    /// Driver, `used.flags`: whether the device suppresses available-buffer notifications (2.7.10). The barrier before it
    /// orders it.
    UsedFlags,
    /// Driver, `avail_event`: the entry whose publication the device wants to be notified of (2.7.10). The barrier before it
    /// orders it.
    AvailableEvent,
    /// Device, `avail.idx`: after it, the entries, descriptors and payload that the driver published are visible (2.7.13).
    AvailableIndex,
    /// Device, `avail.flags`: whether the driver suppresses used-buffer notifications (2.7.7). The barrier before it orders
    /// it.
    AvailableFlags,
    /// Device, `used_event`: the used element that the driver wants to be notified of (2.7.7). The barrier before it orders
    /// it.
    UsedEvent,
}

impl OrderedLoad {
    /// The memory ordering that this access needs.
    #[inline(always)]
    pub const fn ordering(self) -> Ordering {
        match self {
            Self::UsedIndex | Self::AvailableIndex => Ordering::Acquire,
            Self::UsedFlags | Self::AvailableEvent | Self::AvailableFlags | Self::UsedEvent => {
                Ordering::Relaxed
            }
        }
    }
}

/// A store of a ring index, flags or an event field. Its ordering depends on the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderedStore {
    /// Driver, `avail.idx`: publishes the entries and descriptors written before it (2.7.13.3.1).
    AvailableIndex,
    /// Driver, `avail.flags`: enables or suppresses used-buffer notifications (2.7.7). The barrier after it orders it.
    AvailableFlags,
    /// Driver, `used_event`: requests a used-buffer notification at this element (2.7.7). The barrier after it orders it.
    UsedEvent,
    /// Device, `used.idx`: publishes the used elements and payload written before it (2.7.8.2).
    UsedIndex,
    /// Device, `used.flags`: enables or suppresses available-buffer notifications (2.7.10). The barrier after it orders it.
    UsedFlags,
    /// Device, `avail_event`: requests an available-buffer notification at this entry (2.7.10). The barrier after it orders
    /// it.
    AvailableEvent,
}

impl OrderedStore {
    /// The memory ordering that this access needs.
    #[inline(always)]
    pub const fn ordering(self) -> Ordering {
        match self {
            Self::AvailableIndex | Self::UsedIndex => Ordering::Release,
            Self::AvailableFlags | Self::UsedEvent | Self::UsedFlags | Self::AvailableEvent => {
                Ordering::Relaxed
            }
        }
    }
}

/// A full barrier between a store and a later load of another location, which acquire and release cannot order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FullBarrier {
    /// Driver: between storing `avail.idx` and loading `used.flags` or `avail_event` (2.7.13.4.1).
    PublishedThenSuppression,
    /// Driver: between enabling used-buffer notifications and loading `used.idx`, so that an element added in between is
    /// either seen or notified (2.7.14).
    EnabledThenUsed,
    /// Device: between storing `used.idx` and loading `avail.flags` or `used_event` (2.7.7.2).
    ReturnedThenSuppression,
    /// Device: between enabling available-buffer notifications and loading `avail.idx`, so that a chain published in between
    /// is either seen or notified.
    EnabledThenAvailable,
}

/// A contiguous range of memory that driver and device share.
///
/// Offsets and lengths are in bytes. Integers are little-endian in memory (1.4) and host-endian in arguments and results. A
/// location is always accessed at one width: a descriptor as two 64-bit words, a used element as two 32-bit halves; ring
/// entries, indexes and flags as 16 bits; payload as bytes.
///
/// # Panics
/// An implementation should panic if an access is out of bounds or not naturally aligned. Such an access is a bug of the
/// caller. A device cannot cause one: the queue checks every value before it uses it as an offset.
///
/// # Implementing it
/// The trait is safe to implement. For memory of other crates, the queue's memory safety depends on no result of these
/// methods. For the kinds of this crate, the queue checks the region once and then skips the checks of single accesses.
pub trait SharedMemory {
    /// Length in bytes.
    fn len(&self) -> usize;

    /// Whether the length is zero.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first byte in this process. [`Region::new`](crate::Region::new) uses it as the device address. A
    /// queue refuses regions that overlap by these addresses, so memory outside this process must return a range that no
    /// other memory has.
    fn host_address(&self) -> u64;

    /// Loads 16 bits (plain access).
    fn load_u16(&self, offset: usize) -> u16;
    /// Loads 32 bits (plain access).
    fn load_u32(&self, offset: usize) -> u32;
    /// Loads 64 bits (plain access).
    fn load_u64(&self, offset: usize) -> u64;
    /// Stores 16 bits (plain access).
    fn store_u16(&self, offset: usize, value: u16);
    /// Stores 32 bits (plain access).
    fn store_u32(&self, offset: usize, value: u32);
    /// Stores 64 bits (plain access).
    fn store_u64(&self, offset: usize, value: u64);
    /// Loads two adjacent 32-bit integers at `offset`, each once (plain accesses). An implementation may check both accesses
    /// together.
    #[inline(always)]
    fn load_u32_pair(&self, offset: usize) -> [u32; 2] {
        [self.load_u32(offset), self.load_u32(offset + 4)]
    }

    /// Stores two adjacent 64-bit integers at `offset` (plain accesses). An implementation may check both accesses together.
    #[inline(always)]
    fn store_u64_pair(&self, offset: usize, values: [u64; 2]) {
        self.store_u64(offset, values[0]);
        self.store_u64(offset + 8, values[1]);
    }

    /// Loads an index, flags or an event field with the [ordering](OrderedLoad::ordering) of `access`.
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16;
    /// Stores an index, flags or an event field with the [ordering](OrderedStore::ordering) of `access`.
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16);
    /// Executes a sequentially consistent fence.
    fn barrier(&self, barrier: FullBarrier);

    /// Copies all of `bytes` into the memory.
    fn copy_in(&self, offset: usize, bytes: &[u8]);
    /// Fills `out` with bytes of the memory.
    fn copy_out(&self, offset: usize, out: &mut [u8]);
    /// Sets `length` bytes to zero. The queue calls it for payload, and for table and rings while the device is stopped.
    fn zero(&self, offset: usize, length: usize);

    /// Records that a device may access the memory from now on. The queue calls it when it is made over the memory, and when
    /// the memory is registered.
    ///
    /// The memory must stay valid until [`reclaim`](Self::reclaim) was called as often as `abandon`. If its owner is dropped
    /// earlier, the memory must be neither unmapped nor reused. So the memory leaks if a queue is dropped or forgotten without
    /// [`DeviceStopped`](crate::DeviceStopped). Accesses still work. Borrowed and reference-counted memory (`&M`, `Rc<M>`,
    /// `Arc<M>`) forwards the call to `M`.
    ///
    /// [`RawMemory`] is the only exception: it does not own its memory, so it cannot keep it. The caller of
    /// [`RawMemory::new`] guarantees this instead.
    fn abandon(&self);

    /// Reverts one call of [`abandon`](Self::abandon), because that device has stopped.
    fn reclaim(&self);

    /// The memory for accesses that were already checked; `None` if the memory is not of one of this crate's kinds.
    #[doc(hidden)]
    #[inline(always)]
    fn unchecked_access(&self, _: Sealed) -> Option<UncheckedAccess<'_>> {
        None
    }
}

/// Borrowed memory. If a device may still access it, the memory outlives its owner: see [`SharedMemory::abandon`].
impl<M: SharedMemory + ?Sized> SharedMemory for &M {
    forward_all!(self => **self);
}

/// Memory with several owners in one thread.
impl<M: SharedMemory + ?Sized> SharedMemory for Rc<M> {
    forward_all!(self => **self);
}

/// Memory with several owners, in several threads if `M` is `Sync`, as [`ThreadShared`] is.
impl<M: SharedMemory + ?Sized> SharedMemory for Arc<M> {
    forward_all!(self => **self);
}
