//! Memory of a kind that is chosen at run time.
#![allow(unsafe_code)]

use super::{
    Fixed, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, RawMemory, Sealed, SharedMemory, pass_on,
};
use alloc::boxed::Box;
use core::fmt;

/// Memory of any kind that owns what it lends, for where the kind is not known before the program runs.
///
/// An access costs as much as one of the kind itself: it does not go through a table of functions.
pub struct AnyMemory {
    raw: RawMemory,
    /// Gives the memory back on drop.
    owner: Box<dyn SharedMemory + Send>,
}

impl AnyMemory {
    /// # Safety
    /// `raw` must stay valid for as long as `owner` lives, wherever it is moved, and for ever once that is abandoned.
    unsafe fn new(raw: RawMemory, owner: impl SharedMemory + Send + 'static) -> Self {
        Self { raw, owner: Box::new(owner) }
    }
}

impl From<HeapMemory> for AnyMemory {
    fn from(memory: HeapMemory) -> Self {
        // SAFETY: the allocation is apart from the value that owns it, which goes along.
        unsafe { Self::new(memory.raw.again(), memory) }
    }
}

#[cfg(feature = "std")]
impl From<super::MappedMemory> for AnyMemory {
    fn from(memory: super::MappedMemory) -> Self {
        // SAFETY: the mapping is apart from the value that owns it, which goes along.
        unsafe { Self::new(memory.raw.again(), memory) }
    }
}

#[cfg(all(feature = "std", unix))]
impl From<super::GuardedMemory> for AnyMemory {
    fn from(memory: super::GuardedMemory) -> Self {
        // SAFETY: the mapping is apart from the value that owns it, which goes along.
        unsafe { Self::new(memory.raw.again(), memory) }
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
