//! Descriptor table and rings in a checked region, so that later accesses need no check.
#![allow(unsafe_code)]

use super::{FullBarrier, OrderedLoad, OrderedStore, Sealed, SharedMemory, UncheckedAccess};
use crate::layout::{Layout, TABLE_ALIGN, address_offset, shape_offset};
use crate::{QueueSize, Refused, Region, RingIndex, UsedElement};

/// Descriptor table, available ring and used ring (2.7) in a region that was checked to be large enough and aligned.
///
/// Every ring index is reduced modulo the queue size before it becomes an offset, so every offset is inside the region.
/// Therefore accesses to the memory kinds of this crate skip the bounds check. Memory of other types receives each access
/// through [`SharedMemory`], and can check it.
///
/// This type is a part of [`SplitQueue`](crate::SplitQueue) and [`DescriptorTable`](crate::DescriptorTable). It drops the
/// region like any other value. If a device may access the memory, the owner must call [`SharedMemory::abandon`], as queue
/// and table do.
#[derive(Debug, Clone)]
pub(crate) struct Areas<M> {
    region: Region<M>,
    size: QueueSize,
    /// The last index of the table. The size is a power of two, so this is also the mask for an index. It has
    /// 32 bits, so that the compiler knows that adding one does not wrap.
    last: u32,
    layout: Layout,
}

/// Runs one access at an offset of the areas: without a check if the memory is of this crate, otherwise through the trait.
macro_rules! access {
    ($memory:expr, $unchecked:expr, $access:ident($($argument:expr),*)) => {
        match $unchecked {
            // SAFETY: `Areas::over` checked that the region holds the layout and is aligned for a table. `Areas::unchecked_access`
            // checked that the memory never changes its address or length. The offset comes from the layout, with an index
            // that was reduced modulo the queue size.
            Some(memory) => unsafe { memory.$access($($argument),*) },
            None => $memory.$access($($argument),*),
        }
    };
}

impl<M: SharedMemory> Areas<M> {
    /// Checks that `region` can hold the areas of a queue of `size` descriptors, at the offsets of [`Layout`].
    ///
    /// # Errors
    /// [`Misuse`](crate::Misuse) if the region is too small, not aligned to 16 bytes, or reaches the end of the address space.
    /// The error contains the region.
    pub(crate) fn new(size: QueueSize, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        Self::over(size, Layout::new(size), region)
    }

    /// Areas that consist of a descriptor table without rings.
    pub(crate) fn of_table(size: QueueSize, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        Self::over(size, Layout::of_table(size), region)
    }

    fn over(size: QueueSize, layout: Layout, region: Region<M>) -> Result<Self, Refused<Region<M>>> {
        match region.check(layout.len(), TABLE_ALIGN) {
            Ok(()) => Ok(Self { region, size, last: u32::from(size.get()) - 1, layout }),
            Err(misuse) => Err(Refused { error: misuse.into(), value: region }),
        }
    }

    pub(crate) fn into_region(self) -> Region<M> {
        self.region
    }

    /// The number of descriptors.
    #[inline(always)]
    pub(crate) const fn size(&self) -> QueueSize {
        self.size
    }

    /// The region of table and rings.
    #[inline(always)]
    pub(crate) const fn region(&self) -> &Region<M> {
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

    /// The memory for unchecked access, if it is of one of this crate's kinds.
    #[inline(always)]
    fn unchecked_access(&self) -> Option<UncheckedAccess<'_>> {
        self.memory().unchecked_access(Sealed).filter(UncheckedAccess::is_of::<M>)
    }

    /// The same as [`RingIndex::slot`], with the mask that is already computed.
    #[inline(always)]
    const fn slot(&self, index: RingIndex) -> usize {
        index.masked(self.last as usize)
    }

    /// The descriptors of the table, for access in a loop.
    #[inline(always)]
    pub(crate) fn descriptors(&self) -> Descriptors<'_, M> {
        let memory = self.memory();
        Descriptors { memory, unchecked: self.unchecked_access(), last: self.last as usize }
    }

    /// Writes the entry of the available ring (2.7.6) at `index`.
    #[inline(always)]
    pub(crate) fn store_entry(&self, index: RingIndex, head: u16) {
        let (memory, offset) = (self.memory(), self.layout.available_entry(self.slot(index)));
        access!(memory, self.unchecked_access(), store_u16(offset, head));
    }

    /// Reads the used element (2.7.8) at `index`. Reads id and length once each.
    #[inline(always)]
    pub(crate) fn load_element(&self, index: RingIndex) -> UsedElement {
        let (memory, offset) = (self.memory(), self.layout.used_entry(self.slot(index)));
        let [id, length] = access!(memory, self.unchecked_access(), load_u32_pair(offset));
        UsedElement { id, length }
    }

    /// Loads the index, the flags or the event field of a ring.
    #[inline(always)]
    pub(crate) fn load(&self, access: OrderedLoad) -> u16 {
        let (memory, offset) = (self.memory(), self.layout.loaded(access, self.size));
        access!(memory, self.unchecked_access(), load_ordered(access, offset))
    }

    /// Stores the index, the flags or the event field of a ring.
    #[inline(always)]
    pub(crate) fn store(&self, access: OrderedStore, value: u16) {
        let (memory, offset) = (self.memory(), self.layout.stored(access, self.size));
        access!(memory, self.unchecked_access(), store_ordered(access, offset, value));
    }

    #[inline(always)]
    pub(crate) fn barrier(&self, barrier: FullBarrier) {
        self.memory().barrier(barrier);
    }
}

/// The descriptors of a table in shared memory.
///
/// This type copies what an access needs out of [`Areas`]. The compiler must assume that a store to shared memory changes
/// fields behind a reference, and would load them again after each store.
pub(crate) struct Descriptors<'m, M> {
    memory: &'m M,
    unchecked: Option<UncheckedAccess<'m>>,
    last: usize,
}

impl<M: SharedMemory> Descriptors<'_, M> {
    /// Reduces an index modulo the queue size, as every access does. If the caller has reduced the index, the compiler removes
    /// the second reduction.
    #[inline(always)]
    pub(crate) const fn reduce(&self, index: usize) -> usize {
        index & self.last
    }

    /// The last index of the table, which is the greatest reduced index.
    #[inline(always)]
    pub(crate) const fn last(&self) -> usize {
        self.last
    }

    /// Whether the memory is of this crate's kinds, so that no access panics.
    #[inline(always)]
    pub(crate) const fn has_unchecked_access(&self) -> bool {
        self.unchecked.is_some()
    }

    /// Writes a descriptor (2.7.5) as two words: its address, then its length, flags and next.
    #[inline(always)]
    pub(crate) fn write(&self, index: usize, words: [u64; 2]) {
        let offset = address_offset(self.reduce(index));
        access!(self.memory, self.unchecked, store_u64_pair(offset, words));
    }

    /// Writes a descriptor's length, flags and next as one word (2.7.5).
    #[inline(always)]
    pub(crate) fn write_shape(&self, index: usize, shape: u64) {
        let offset = shape_offset(self.reduce(index));
        access!(self.memory, self.unchecked, store_u64(offset, shape));
    }
}
