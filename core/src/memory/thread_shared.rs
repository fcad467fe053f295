//! Memory that several threads access.
#![allow(unsafe_code)]

use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory, pass_on};

/// Memory of one of this crate's kinds that several threads of this process access at once: for a device that runs in a
/// thread.
///
/// The kinds themselves are not [`Sync`]. Rust forbids two threads to access overlapping bytes at the same time unless both
/// accesses are atomic and of the same width, and a safe call can name any offset at any width.
#[derive(Debug)]
pub struct ThreadShared<M>(M);

// SAFETY: the constructor's caller promises that no two threads race in a way that Rust forbids.
unsafe impl<M: Send> Sync for ThreadShared<M> {}

impl<M: SharedMemory> ThreadShared<M> {
    /// Lets threads share `memory`.
    ///
    /// # Safety
    /// - `M` is one of this crate's kinds, or a type whose calls may run in several threads at once under the rules below.
    /// - Where two threads access overlapping bytes, and one of them stores, the two accesses have the same offset and the
    ///   same width of 16, 32 or 64 bits; or something orders them: the publication of a ring index that the other thread
    ///   has loaded, a lock, or the end of a thread. A queue and a device that keep to the rings (2.7) do so.
    ///   [`SharedMemory::copy_in`], [`copy_out`](SharedMemory::copy_out) and [`zero`](SharedMemory::zero) have no
    ///   width: they must always be ordered. A queue that is made or reset zeroes its rings.
    pub const unsafe fn new(memory: M) -> Self {
        Self(memory)
    }
}

impl<M: SharedMemory> SharedMemory for ThreadShared<M> {
    forward_all!(self => self.0);
}
