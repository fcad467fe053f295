//! Memory that several threads access at once.
#![allow(unsafe_code)]

use super::{
    FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory, UncheckedAccess, forward_unchecked_access,
};

/// Memory that several threads of this process access at once, for a device that runs in a thread.
///
/// The owning kinds of this crate are not [`Sync`]. If two threads access overlapping bytes at the same time, and one of them
/// stores, Rust requires that both accesses are atomic and of the same width. The safe calls of [`SharedMemory`] accept any
/// offset at any width, so they cannot guarantee this.
#[derive(Debug)]
pub struct ThreadShared<M>(M);

// SAFETY: the caller of `new` guarantees that concurrent accesses follow the rules there, which exclude data races.
unsafe impl<M: Send> Sync for ThreadShared<M> {}

impl<M: SharedMemory> ThreadShared<M> {
    /// Wraps `memory` so that threads can share it.
    ///
    /// # Safety
    /// - `M` must be one of this crate's kinds, or a type whose calls may run in several threads at once under the rules
    ///   below.
    /// - If two threads access overlapping bytes, and one of them stores, then one of these must hold: the two accesses have
    ///   the same offset and the same width of 16, 32 or 64 bits; or a happens-before relation orders them, by a published
    ///   ring index that the other thread has loaded, by a lock, or by joining a thread. A queue and a device that follow the
    ///   specification of the rings (2.7) fulfil this.
    /// - [`SharedMemory::copy_in`], [`copy_out`](SharedMemory::copy_out) and [`zero`](SharedMemory::zero) have no width, so
    ///   they must always be ordered. Making or resetting a queue zeroes its rings.
    pub const unsafe fn new(memory: M) -> Self {
        Self(memory)
    }
}

impl<M: SharedMemory> SharedMemory for ThreadShared<M> {
    forward_all!(self => self.0);
}
