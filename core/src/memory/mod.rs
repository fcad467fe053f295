//! Memory that a device can reach.
//!
//! Everything that driver and device share goes through [`SharedMemory`]: by value, never by reference.
//! The bytes may change at any moment, so a value read from here is an *allegation* until it is checked.
//! What is *not* known of it: that it is in range, that reading it again gives the same, that anybody
//! meant it.
//!
//! Plain accesses carry descriptors, ring entries and payload. The few accesses that order the others are
//! named, one by one, in [`OrderedLoad`], [`OrderedStore`] and [`FullBarrier`].

/// Hands every access on to another memory, which `$target` finds from `self`.
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
        fn fixed(&$self, _: Sealed) -> Option<Fixed<'_>> {
            pass_on::<Self>(&$target)
        }
    };
}

/// Passes every access on, and who may access the memory.
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

mod any;
mod areas;
mod copy;
mod fixed;
#[cfg(all(feature = "std", unix))]
mod guarded;
mod heap;
mod holds;
#[cfg(feature = "std")]
mod mapped;
mod raw;
mod thread_shared;

pub use any::AnyMemory;
pub use areas::Areas;
pub(crate) use areas::Descriptors;
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
use fixed::{Fixed, Sealed, pass_on};

/// A load that orders what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderedLoad {
    /// Driver, `used.idx`: everything the device wrote before it is visible after it (2.7.14).
    UsedIndex,
    /// Driver, `used.flags`: the device's wish not to be notified (2.7.10). Ordered by the barrier before it.
    UsedFlags,
    /// Driver, `avail_event`: up to which entry the device need not be notified (2.7.10). Ordered by the barrier
    /// before it.
    AvailableEvent,
    /// Device, `avail.idx`: the entries and descriptors behind it are visible after it (2.7.13).
    AvailableIndex,
    /// Device, `avail.flags`: the driver's wish not to be notified (2.7.7). Ordered by the barrier before it.
    AvailableFlags,
    /// Device, `used_event`: up to which element the driver need not be notified (2.7.7). Ordered by the barrier
    /// before it.
    UsedEvent,
}

impl OrderedLoad {
    /// The ordering that this access needs.
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

/// A store that orders what comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderedStore {
    /// Driver, `avail.idx`: publishes the entries and descriptors written before it (2.7.13.3.1).
    AvailableIndex,
    /// Driver, `avail.flags`: asks the device not to notify (2.7.7). Ordered by the barrier after it.
    AvailableFlags,
    /// Driver, `used_event`: asks to be notified of the element there (2.7.7). Ordered by the barrier after it.
    UsedEvent,
    /// Device, `used.idx`: publishes the used elements and payload written before it (2.7.8.2).
    UsedIndex,
    /// Device, `used.flags`: asks the driver not to notify (2.7.10). Ordered by the barrier after it.
    UsedFlags,
    /// Device, `avail_event`: asks to be notified of the entry there (2.7.10). Ordered by the barrier after it.
    AvailableEvent,
}

impl OrderedStore {
    /// The ordering that this access needs.
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

/// A barrier between a store and a later load of another location, which acquire and release cannot order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FullBarrier {
    /// Driver: between storing `avail.idx` and loading the device's wish (2.7.13.4.1).
    PublishedThenWish,
    /// Driver: between asking for notifications again and looking for used elements that came meanwhile.
    EnabledThenUsed,
    /// Device: between storing `used.idx` and loading the driver's wish (2.7.7.2).
    ReturnedThenWish,
    /// Device: between asking for notifications again and looking for chains that came meanwhile.
    EnabledThenAvailable,
}

/// A run of memory that driver and device share.
///
/// Offsets are in bytes from its beginning. Integers are little-endian in memory (1.4) and host-endian in
/// arguments and results. A location is always accessed at one width: a descriptor as two 64-bit words, a
/// used element as two 32-bit halves, ring entries, indexes and flags as 16 bits, payload as bytes.
///
/// The queue checks every value before it uses it as an offset, so an access outside the memory or off its
/// natural alignment is a bug of the caller of this trait, never something a device can bring about:
/// implementations panic on it. The trait is safe to implement, since the queue relies on no answer of memory but this
/// crate's own kinds, which it looks at once ([`Areas`]) and then accesses without their checks.
pub trait SharedMemory {
    /// Length in bytes.
    fn len(&self) -> usize;

    /// Whether there is no byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the memory begins in this process: the default for its device address. A queue refuses two regions that overlap
    /// here, so memory that is not in this process answers with something that no other has.
    fn host_address(&self) -> u64;

    /// Loads 16 bits; plain.
    fn load_u16(&self, offset: usize) -> u16;
    /// Loads 32 bits; plain.
    fn load_u32(&self, offset: usize) -> u32;
    /// Loads 64 bits; plain.
    fn load_u64(&self, offset: usize) -> u64;
    /// Stores 16 bits; plain.
    fn store_u16(&self, offset: usize, value: u16);
    /// Stores 32 bits; plain.
    fn store_u32(&self, offset: usize, value: u32);
    /// Stores 64 bits; plain.
    fn store_u64(&self, offset: usize, value: u64);
    /// Loads 32 bits at `offset` and 32 bits behind them, each once; plain. Memory that checks its accesses can check these
    /// two at once.
    #[inline(always)]
    fn load_u32_pair(&self, offset: usize) -> [u32; 2] {
        [self.load_u32(offset), self.load_u32(offset + 4)]
    }

    /// Stores 64 bits at `offset` and 64 bits behind them; plain. Memory that checks its accesses can check these two at
    /// once.
    #[inline(always)]
    fn store_u64_pair(&self, offset: usize, values: [u64; 2]) {
        self.store_u64(offset, values[0]);
        self.store_u64(offset + 8, values[1]);
    }

    /// Loads an index or flags with the ordering that belongs to `access`.
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16;
    /// Stores an index or flags with the ordering that belongs to `access`.
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16);
    /// A sequentially consistent fence.
    fn barrier(&self, barrier: FullBarrier);

    /// Copies `bytes` into the memory.
    fn copy_in(&self, offset: usize, bytes: &[u8]);
    /// Copies bytes out of the memory, as many as `out` is long.
    fn copy_out(&self, offset: usize, out: &mut [u8]);
    /// Sets `length` bytes to zero: payload, or rings while the device is stopped.
    fn zero(&self, offset: usize, length: usize);

    /// From now on a device may access the memory: a queue was made over it, or a region registered.
    ///
    /// The memory must stay as it is until [`reclaim`](Self::reclaim) was called as often as this. Dropping its owner before
    /// that must neither unmap nor reuse it, so the memory leaks if a queue is dropped, or forgotten, without
    /// [`DeviceStopped`](crate::DeviceStopped). Accesses work as before. Borrowed and counted memory (`&M`, `Rc<M>`, `Arc<M>`)
    /// passes the call on to `M`.
    ///
    /// [`RawMemory`] is the one exception: it does not own its memory, so it cannot keep it. Whoever made it promised to
    /// ([`RawMemory::new`]).
    fn abandon(&self);

    /// The device has stopped, for one of those who called [`abandon`](Self::abandon): takes that call back.
    fn reclaim(&self);

    /// The bytes that all accesses end up in, for accesses that were checked before; `None` if the memory is not of this
    /// crate's kinds.
    #[doc(hidden)]
    #[inline(always)]
    fn fixed(&self, _: Sealed) -> Option<Fixed<'_>> {
        None
    }
}

/// Borrowed memory. It outlives its owner for as long as a device may access it.
impl<M: SharedMemory + ?Sized> SharedMemory for &M {
    forward_all!(self => **self);
}

/// Memory with several owners in one thread.
impl<M: SharedMemory + ?Sized> SharedMemory for Rc<M> {
    forward_all!(self => **self);
}

/// Memory with several owners; in several threads if the memory itself permits it ([`ThreadShared`]).
impl<M: SharedMemory + ?Sized> SharedMemory for Arc<M> {
    forward_all!(self => **self);
}
