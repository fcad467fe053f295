//! Memory whose kind is chosen at run time.
#![allow(unsafe_code)]

use super::{
    FullBarrier, HeapMemory, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, UncheckedAccess,
    forward_unchecked_access,
};
use alloc::boxed::Box;
use core::fmt;

/// Memory of any owning kind of this crate, for programs that choose the kind at run time.
///
/// An access is as fast as one to the kind itself, without dynamic dispatch.
pub struct AnyMemory {
    raw: RawMemory,
    /// Owns the memory and frees it on drop.
    owner: Box<dyn SharedMemory + Send>,
}

impl AnyMemory {
    /// # Safety
    /// `raw` must stay valid while `owner` lives, even if `owner` moves. If `owner` is dropped while it is abandoned, `raw`
    /// must stay valid forever.
    unsafe fn new(raw: RawMemory, owner: impl SharedMemory + Send + 'static) -> Self {
        Self { raw, owner: Box::new(owner) }
    }
}

impl From<HeapMemory> for AnyMemory {
    fn from(memory: HeapMemory) -> Self {
        // SAFETY: moving `memory` does not move its allocation, and `memory` becomes the owner.
        unsafe { Self::new(memory.raw.alias(), memory) }
    }
}

#[cfg(feature = "std")]
impl From<super::MappedMemory> for AnyMemory {
    fn from(memory: super::MappedMemory) -> Self {
        // SAFETY: moving `memory` does not move its mapping, and `memory` becomes the owner.
        unsafe { Self::new(memory.raw.alias(), memory) }
    }
}

#[cfg(all(feature = "std", unix))]
impl From<super::GuardedMemory> for AnyMemory {
    fn from(memory: super::GuardedMemory) -> Self {
        // SAFETY: moving `memory` does not move its mapping, and `memory` becomes the owner.
        unsafe { Self::new(memory.raw.alias(), memory) }
    }
}

impl fmt::Debug for AnyMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnyMemory").field("raw", &self.raw).finish_non_exhaustive()
    }
}

impl SharedMemory for AnyMemory {
    forward_accesses!(self => self.raw);

    fn abandon(&self) {
        self.owner.abandon();
    }

    fn reclaim(&self) {
        self.owner.reclaim();
    }
}
