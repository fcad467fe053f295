//! Where table and rings stand in shared memory: looked at once, so that no access to them has to be checked again.
#![allow(unsafe_code)]

use super::{Fixed, FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory};
use crate::layout::{Layout, TABLE_ALIGN, address_offset, shape_offset};
use crate::{QueueSize, Refused, Region, RingIndex, UsedElement};

/// Descriptor table, available ring and used ring (2.7) in a region that was found to hold them. They are a part: on drop
/// they give the memory back, and whoever shows it to a device keeps it, as queue and table do.
///
/// Every index is reduced to the queue size before it becomes an offset, so no offset is outside. Accesses to memory of this
/// crate's kinds therefore need no check of their own; memory of other types sees each access, and checks what it likes.
#[derive(Debug, Clone)]
pub struct Areas<M> {
    region: Region<M>,
    size: QueueSize,
    /// The last index. The size is a power of two, so all bits of this that an index can have are set.
    last: usize,
    layout: Layout,
}

/// An access at a place of the areas: by the trait, or without its check.
macro_rules! access {
    ($memory:expr, $fixed:expr, $access:ident($($argument:expr),*)) => {
        match $fixed {
            // SAFETY: `Areas::over` found the region to hold its layout, at the alignment of a table. `Areas::fixed` found that
            // the memory is of a kind that keeps its place and length. The offset is one of the layout's, with an index that
            // was cut.
            Some(memory) => unsafe { memory.$access($($argument),*) },
            None => $memory.$access($($argument),*),
        }
    };
}

impl<M: SharedMemory> Areas<M> {
    /// Looks whether `region` holds the areas of a queue of `size`, at the places of [`Layout`].
    ///
    /// # Errors
    /// [`Misuse`](crate::Misuse) if it is too small, not aligned, or reaches past the end of the address space. The region
    /// comes back with the error.
    pub fn new(size: QueueSize, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        Self::over(size, Layout::new(size), region)
    }

    /// A table without rings.
    pub(crate) fn of_table(size: QueueSize, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        Self::over(size, Layout::of_table(size), region)
    }

    fn over(size: QueueSize, layout: Layout, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        match region.check(layout.len(), TABLE_ALIGN) {
            Ok(()) => Ok(Self { region, size, last: size.as_usize() - 1, layout }),
            Err(misuse) => Err(Refused { error: misuse.into(), value: region }),
        }
    }

    pub(crate) fn into_region(self) -> Region<M> {
        self.region
    }

    /// Number of descriptors.
    #[inline(always)]
    pub const fn size(&self) -> QueueSize {
        self.size
    }

    /// The region.
    #[inline(always)]
    pub const fn region(&self) -> &Region<M> {
        &self.region
    }

    #[inline(always)]
    pub(crate) const fn memory(&self) -> &M {
        &self.region.memory
    }

    #[inline(always)]
    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The memory without its checks, if it is of this crate's kinds.
    #[inline(always)]
    fn fixed(&self) -> Option<Fixed<'_>> {
        self.memory().fixed(Sealed).filter(Fixed::is_of::<M>)
    }

    /// As [`RingIndex::slot`], of what is computed already.
    #[inline(always)]
    const fn slot(&self, index: RingIndex) -> usize {
        index.get() as usize & self.last
    }

    /// The descriptors, for a loop.
    #[inline(always)]
    pub(crate) fn descriptors(&self) -> Descriptors<'_, M> {
        let memory = self.memory();
        Descriptors { memory, fixed: self.fixed(), last: self.last }
    }

    /// Writes the available entry (2.7.6) that `index` stands for.
    #[inline(always)]
    pub(crate) fn store_entry(&self, index: RingIndex, head: u16) {
        let (memory, offset) = (self.memory(), self.layout.available_entry(self.slot(index)));
        access!(memory, self.fixed(), store_u16(offset, head));
    }

    /// Reads the used element (2.7.8) that `index` stands for: both halves once.
    #[inline(always)]
    pub(crate) fn load_element(&self, index: RingIndex) -> UsedElement {
        let (memory, offset) = (self.memory(), self.layout.used_entry(self.slot(index)));
        let [id, length] = access!(memory, self.fixed(), load_u32_pair(offset));
        UsedElement { id, length }
    }

    /// Loads an index, flags or an event of a ring.
    #[inline(always)]
    pub(crate) fn load(&self, access: OrderedLoad) -> u16 {
        let (memory, offset) = (self.memory(), self.layout.loaded(access, self.size));
        access!(memory, self.fixed(), load_ordered(access, offset))
    }

    /// Stores an index, flags or an event of a ring.
    #[inline(always)]
    pub(crate) fn store(&self, access: OrderedStore, value: u16) {
        let (memory, offset) = (self.memory(), self.layout.stored(access, self.size));
        access!(memory, self.fixed(), store_ordered(access, offset, value));
    }

    #[inline(always)]
    pub(crate) fn barrier(&self, barrier: FullBarrier) {
        self.memory().barrier(barrier);
    }
}

/// The descriptors of a table in shared memory.
///
/// What is needed for an access is at hand here. Of what stands behind a reference, a compiler must assume that a store to
/// shared memory may have changed it.
pub(crate) struct Descriptors<'m, M> {
    memory: &'m M,
    fixed: Option<Fixed<'m>>,
    last: usize,
}

impl<M: SharedMemory> Descriptors<'_, M> {
    /// An index cut to the queue size, as every access cuts it: done before by a caller that has more use for the index, it
    /// is not done again.
    #[inline(always)]
    pub(crate) const fn cut(&self, index: u16) -> usize {
        index as usize & self.last
    }

    /// Whether the memory is of this crate's kinds, so that no access panics.
    #[inline(always)]
    pub(crate) const fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Writes a descriptor: its address, then its shape (2.7.5).
    #[inline(always)]
    pub(crate) fn write(&self, index: usize, words: [u64; 2]) {
        let offset = address_offset(index & self.last);
        access!(self.memory, self.fixed, store_u64_pair(offset, words));
    }

    /// Writes a descriptor's length, flags and next as one word.
    #[inline(always)]
    pub(crate) fn write_shape(&self, index: usize, shape: u64) {
        let offset = shape_offset(index & self.last);
        access!(self.memory, self.fixed, store_u64(offset, shape));
    }
}
