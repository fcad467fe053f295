//! The descriptor table: free descriptors, chains, and their buffers.
//!
//! All decisions use the private copy: the free list, and the links, lengths and buffer addresses of every chain. The table in
//! shared memory is written for the device. Only [`DescriptorTable::verify`] reads it.

mod chain_writer;
mod create;
mod fingerprint;
mod free;
mod lookup;
mod new_chain;
mod record;
mod verify;

pub use chain_writer::ChainWriter;
pub use record::Buffer;
pub use verify::Tampering;

pub(crate) use record::{Chain, Stage};

use crate::layout::DESCRIPTOR;
use crate::{
    Areas, DeviceAddress, DeviceStopped, Error, Head, Misuse, QueueId, QueueSize, Refused, Region, RegionId,
    Regions, SharedMemory, SystemError, WritableBuffers,
};
use alloc::vec::Vec;
use record::{Descriptor, KnownRegion};

/// A descriptor table (2.7.5) with one buffer for each descriptor. All these buffers are in one region.
///
/// This is a part of [`SplitQueue`](crate::SplitQueue). It can also be used alone, for example with rings of another kind.
///
/// ```
/// use ringstorm_core::{DescriptorTable, HeapMemory, QueueSize, Refused, Region, WritableBuffers};
///
/// let size = QueueSize::new(8)?;
/// let table = Region::new(HeapMemory::new(16 * 8)?);
/// let buffers = Region::new(HeapMemory::new(4096 * 8)?);
/// let made = DescriptorTable::new(size, 4096, WritableBuffers::Unchanged, table, buffers);
/// let mut table = made.map_err(Refused::into_error)?;
///
/// let head = table.create(&[b"a request"], &[512])?;
/// assert_eq!(table.free_count(), 6);
/// let lengths: Vec<u32> = table.buffers(head)?.map(|buffer| buffer.length).collect();
/// assert_eq!(lengths, [9, 512]);
/// table.free(head)?;
/// assert!(table.free(head).is_err());
/// table.release().map_err(Refused::into_error)?;
/// # Ok::<(), ringstorm_core::Error>(())
/// ```
///
/// Every method that changes the table takes `&mut self`. To use a table from several threads, put it into a mutex.
///
/// # The memory
/// If the table is dropped with live chains, it leaks its memory, because a device may still access it: the memory stays
/// [abandoned](SharedMemory::abandon). [`release`](Self::release) returns an error instead. After the device has stopped,
/// [`release_stopped`](Self::release_stopped) releases the memory. A table without live chains releases its memory on drop,
/// because a device follows no free descriptor. (A [`SplitQueue`](crate::SplitQueue) has rings, so it leaks its memory also
/// without live chains.)
///
/// # If the caller's memory panics
/// If the caller's own memory panics during a call, the same chains are live and the same descriptors are free as before the
/// call. For [`free`](Self::free) and [`reset`](Self::reset), they are as after the call. Bytes that were written to shared memory before
/// the panic stay there. [`verify`](Self::verify) reports them until the descriptors are used again.
///
/// # Clones
/// A clone is a snapshot for tests and model checking. If a clone of `M` shares the memory, use only one of the two tables
/// from then on.
#[derive(Debug)]
pub struct DescriptorTable<M: SharedMemory> {
    id: QueueId,
    areas: Areas<M>,
    /// Whether the areas contain rings. If so, the device may access the areas until it is stopped, even without live chains.
    holds_rings: bool,
    /// A cache: the region of the last checked segment.
    known_region: KnownRegion,
    /// At 0 the region of the table's own buffers, then the registered regions.
    regions: Vec<Region<M>>,
    buffer_size: u32,
    writable_buffers: WritableBuffers,
    descriptors: Vec<Descriptor>,
    chains: Vec<Chain>,
    free_head: u16,
    free: u16,
    /// The first descriptor that was not used since the table was made or reset. This one and all later ones are zero in
    /// shared memory. They are in order at the end of the free list, because freed descriptors go to its beginning. The field
    /// has 32 bits for speed, because a load must not be wider than the store before it.
    touched: u32,
    last_serial: u64,
}

impl<M: SharedMemory> DescriptorTable<M> {
    /// Makes a table of `size` descriptors, all free, at the beginning of `table`. Each descriptor has a buffer of
    /// `buffer_size` bytes in `buffers`. The call overwrites the descriptors in shared memory with zeros.
    ///
    /// `table` must begin at a multiple of 16 (2.7), both at its device address and in this process. It needs 16 bytes for
    /// each descriptor, and may be longer. `buffers` needs `buffer_size` times `size` bytes.
    ///
    /// # Errors
    /// [`Misuse`] if the buffer size is zero or too large, or if a region is too small, misaligned, overlaps the other one or
    /// reaches the end of the address space; [`SystemError::OutOfMemory`] if allocating the private copy fails. The error
    /// contains both regions.
    pub fn new(
        size: QueueSize,
        buffer_size: u32,
        writable_buffers: WritableBuffers,
        table: Region<M>,
        buffers: Region<M>,
    ) -> Result<Self, Refused<Regions<M>>> {
        match Areas::of_table(size, table) {
            Ok(areas) => Self::over(areas, buffer_size, writable_buffers, buffers),
            Err(Refused { error, value }) => Err(Refused { error, value: (value, buffers) }),
        }
    }

    /// Makes a table in checked areas.
    pub(crate) fn over(
        areas: Areas<M>,
        buffer_size: u32,
        writable_buffers: WritableBuffers,
        buffers: Region<M>,
    ) -> Result<Self, Refused<Regions<M>>> {
        let size = areas.size();
        let checked = || {
            let bytes = buffer_bytes(size, buffer_size)?;
            buffers.check(bytes, 1)?;
            buffers.check_apart(areas.region())?;
            Ok((reserve(1)?, reserve(size.as_usize())?, reserve(size.as_usize())?))
        };
        let (mut regions, mut descriptors, mut chains) = match checked() {
            Ok(vectors) => vectors,
            Err(error) => return Err(Refused { error, value: (areas.into_region(), buffers) }),
        };
        regions.push(buffers);
        descriptors.extend((1..=size.get()).map(|next| Descriptor { next, ..Descriptor::NONE }));
        chains.resize(size.as_usize(), Chain::NONE);
        let mut table = Self {
            id: QueueId::new(),
            areas,
            holds_rings: false,
            known_region: KnownRegion::NONE,
            regions,
            buffer_size,
            writable_buffers,
            descriptors,
            chains,
            free_head: 0,
            free: 0,
            touched: 0,
            last_serial: 0,
        };
        table.memories().for_each(M::abandon);
        table.free_all();
        Ok(table)
    }

    /// The id of this table, which is part of every handle of its chains and regions.
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// Records that the areas contain rings, which the device may access until it is stopped.
    pub(crate) const fn hold_rings(&mut self) {
        self.holds_rings = true;
    }

    /// The number of descriptors.
    pub const fn size(&self) -> QueueSize {
        self.areas.size()
    }

    /// The size of each of the table's own buffers in bytes.
    pub const fn buffer_size(&self) -> u32 {
        self.buffer_size
    }

    /// The number of free descriptors.
    #[inline]
    pub const fn free_count(&self) -> u16 {
        self.free
    }

    /// The number of descriptors in live chains.
    pub const fn live_count(&self) -> u16 {
        self.size().get() - self.free
    }

    /// The device address of the table.
    pub const fn address(&self) -> DeviceAddress {
        self.areas.region().address()
    }

    /// The region of the table. The caller makes it accessible to the device.
    pub const fn table_region(&self) -> &Region<M> {
        self.areas.region()
    }

    /// The regions of the buffers: first the table's own buffers, then the regions of [`register`](Self::register). The caller
    /// makes them accessible to the device.
    pub fn buffer_regions(&self) -> &[Region<M>] {
        &self.regions
    }

    #[inline(always)]
    pub(crate) const fn areas(&self) -> &Areas<M> {
        &self.areas
    }

    /// Registers a region of the caller, for [`create_over`](Self::create_over). The region stays registered until the table
    /// is released.
    ///
    /// # Errors
    /// [`Misuse`] if the region is empty, reaches the end of the address space, or overlaps another region of the table, or if
    /// the table has the maximum number of regions; [`SystemError::OutOfMemory`] if allocating its record fails. The error
    /// contains the region.
    pub fn register(&mut self, region: Region<M>) -> Result<RegionId, Refused<Region<M>>> {
        match self.check_new_region(&region) {
            Ok(id) => {
                region.memory.abandon();
                self.regions.push(region);
                Ok(id)
            }
            Err(error) => Err(Refused { error, value: region }),
        }
    }

    /// Checks that a region can be registered, reserves room for it in `regions`, and returns its handle.
    fn check_new_region(&mut self, region: &Region<M>) -> Result<RegionId, Error> {
        region.check(1, 1)?;
        let number = u16::try_from(self.regions.len()).map_err(|_| Misuse::TooManyRegions)?;
        region.check_apart(self.areas.region())?;
        self.regions.iter().try_for_each(|other| region.check_apart(other))?;
        self.regions
            .try_reserve(1)
            .map_err(|_| SystemError::OutOfMemory { bytes: size_of::<Region<M>>() })?;
        Ok(RegionId::new(self.id, number))
    }

    /// The buffers of a live chain in chain order, from the private copy.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain.
    pub fn buffers(&self, head: Head) -> Result<impl ExactSizeIterator<Item = Buffer> + '_, Misuse> {
        let chain = self.chain(head)?;
        let mut index = head.index();
        Ok((0..chain.count).map(move |position| {
            let descriptor = &self.descriptors[usize::from(index)];
            let buffer = Buffer {
                descriptor: index,
                region: RegionId::new(self.id, descriptor.region),
                offset: descriptor.offset,
                address: self.address_of(descriptor),
                length: descriptor.length,
                writable: position >= chain.readable_count,
            };
            index = descriptor.next;
            buffer
        }))
    }

    /// Copies bytes of a live chain that has only device-writable buffers, from the beginning of the chain. Returns the number
    /// of bytes: the smaller one of the chain's length and the length of `out`.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or the chain has a device-readable buffer.
    pub fn contents(&self, head: Head, out: &mut [u8]) -> Result<usize, Misuse> {
        if self.chain(head)?.readable_count > 0 {
            return Err(Misuse::ReadableInChain(head));
        }
        self.copy_writable(head, u64::MAX, out)
    }

    /// Copies bytes of the chain's device-writable buffers. The number of bytes is the smallest one of `limit`, their length
    /// and the length of `out`.
    #[inline]
    pub(crate) fn copy_writable(&self, head: Head, limit: u64, out: &mut [u8]) -> Result<usize, Misuse> {
        let chain = self.chain(head)?;
        let wanted = limit.min(chain.writable).min(out.len() as u64) as usize;
        let mut index = head.index();
        for _ in 0..chain.readable_count {
            index = self.descriptors[usize::from(index)].next;
        }
        let mut rest = &mut out[..wanted];
        while !rest.is_empty() {
            let descriptor = &self.descriptors[usize::from(index)];
            let (now, later) = rest.split_at_mut(rest.len().min(descriptor.length as usize));
            self.regions[usize::from(descriptor.region)].memory.copy_out(descriptor.offset, now);
            rest = later;
            index = descriptor.next;
        }
        Ok(wanted)
    }

    /// Frees every chain and writes zeros to the whole table. Earlier handles of chains stay invalid.
    pub fn reset(&mut self, _: DeviceStopped) {
        self.free_all();
    }

    /// Releases the memory. Memory that the table owns is unmapped or freed before this returns.
    ///
    /// # Errors
    /// [`Misuse::ChainsLive`] if chains are live, because a device may still access their memory. The error contains the
    /// unchanged table.
    #[expect(clippy::result_large_err, reason = "the error contains the table; allocating a box could fail")]
    pub fn release(self) -> Result<(), Refused<Self>> {
        match self.live_count() {
            0 => Ok(()),
            descriptors => Err(Refused { error: Misuse::ChainsLive { descriptors }.into(), value: self }),
        }
    }

    /// Releases the memory, even if chains are live. The caller confirms that the device has stopped.
    pub fn release_stopped(mut self, _: DeviceStopped) {
        // With this state, drop releases the memory.
        (self.free, self.holds_rings) = (self.size().get(), false);
    }

    /// The serial number of the newest chain.
    #[inline(always)]
    pub(crate) const fn last_serial(&self) -> u64 {
        self.last_serial
    }

    /// Frees all descriptors. Private memory comes first, so that it is consistent even if the shared memory panics. Private
    /// copies of descriptors that were never used need no change. In shared memory, which a device may have corrupted, all
    /// descriptors become zero.
    fn free_all(&mut self) {
        for index in 0..self.touched as u16 {
            // The last link is never followed, because the number of free descriptors limits the list.
            self.descriptors[usize::from(index)] = Descriptor { next: index + 1, ..Descriptor::NONE };
            self.chains[usize::from(index)].stage = Stage::NotHead;
        }
        (self.free_head, self.free, self.touched) = (0, self.size().get(), 0);
        self.areas.memory().zero(0, DESCRIPTOR * self.size().as_usize());
    }

    fn memories(&self) -> impl Iterator<Item = &M> {
        [self.areas.memory()].into_iter().chain(self.regions.iter().map(Region::memory))
    }

    #[inline(always)]
    fn address_of(&self, descriptor: &Descriptor) -> DeviceAddress {
        self.regions[usize::from(descriptor.region)].address().plus(descriptor.offset as u64)
    }
}

/// The clone abandons the memory as well, because its device may access it.
impl<M: SharedMemory + Clone> Clone for DescriptorTable<M> {
    fn clone(&self) -> Self {
        let clone = Self {
            id: self.id,
            areas: self.areas.clone(),
            holds_rings: self.holds_rings,
            known_region: self.known_region,
            regions: self.regions.clone(),
            buffer_size: self.buffer_size,
            writable_buffers: self.writable_buffers,
            descriptors: self.descriptors.clone(),
            chains: self.chains.clone(),
            free_head: self.free_head,
            free: self.free,
            touched: self.touched,
            last_serial: self.last_serial,
        };
        clone.memories().for_each(M::abandon);
        clone
    }
}

/// Releases the memory, unless a device may still access it.
impl<M: SharedMemory> Drop for DescriptorTable<M> {
    fn drop(&mut self) {
        if !self.holds_rings && self.live_count() == 0 {
            self.memories().for_each(M::reclaim);
        }
    }
}

/// The number of bytes of all own buffers of a queue.
pub(crate) fn buffer_bytes(size: QueueSize, buffer_size: u32) -> Result<usize, Misuse> {
    let bytes = (buffer_size as usize).checked_mul(size.as_usize());
    bytes.filter(|bytes| *bytes > 0).ok_or(Misuse::BufferSize(buffer_size))
}

/// Makes an empty vector with capacity for `count` elements.
fn reserve<T>(count: usize) -> Result<Vec<T>, SystemError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(count)
        .map_err(|_| SystemError::OutOfMemory { bytes: count.saturating_mul(size_of::<T>()) })?;
    Ok(vec)
}
