//! The descriptor table: which descriptors are free, which form chains, and the buffers behind them.
//!
//! What decides stands in private memory: the free list and every chain's shape, lengths and places. The
//! table in shared memory is written for the device and never read back, but by [`DescriptorTable::verify`].

mod create;
mod fingerprint;
mod names;
mod record;
mod recycle;
mod verify;

pub use create::ChainWriter;
pub use record::Buffer;
pub use verify::Tampering;

pub(crate) use record::{Chain, Stage};

use crate::layout::DESCRIPTOR;
use crate::{
    Areas, DeviceAddress, DeviceStopped, Error, Head, Misuse, QueueId, QueueSize, Refused, Region, RegionId,
    Regions, SharedMemory, SystemError, WritableBuffers,
};
use alloc::vec::Vec;
use record::Descriptor;

/// A descriptor table (2.7.5) with one buffer for each descriptor, all of them in one region.
///
/// ```
/// use ringstorm_core::{DescriptorTable, HeapMemory, QueueSize, Refused, Region, WritableBuffers};
///
/// let size = QueueSize::new(8)?;
/// let table = Region::new(HeapMemory::new(16 * 8)?);
/// let buffers = Region::new(HeapMemory::new(4096 * 8)?);
/// let made = DescriptorTable::new(size, 4096, WritableBuffers::AsTheyAre, table, buffers);
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
/// Exclusive access is by type: a method that changes something takes `&mut self`. Several threads put the
/// table behind a mutex. A clone is a snapshot for tests and model checking: where cloning the memory's handle
/// shares the memory, the two must not both go on.
///
/// Dropped with live chains, the table does not give its memory back, since a device may still access it: the memory stays
/// [abandoned](SharedMemory::abandon), which leaks it. [`release`](Self::release) refuses instead, and
/// [`release_stopped`](Self::release_stopped) is for when the device is known to have stopped. Without live chains the
/// table gives its memory back: a device follows no descriptor that is in no chain. (Rings are different: see
/// [`SplitQueue`](crate::SplitQueue).)
///
/// If the caller's own memory panics in a call, the table's private state is as before the call, or after it for
/// [`free`](Self::free) and [`reset`](Self::reset). What was written to shared memory until then stays there:
/// [`verify`](Self::verify) reports it until the descriptors are used again.
#[derive(Debug)]
pub struct DescriptorTable<M: SharedMemory> {
    id: QueueId,
    areas: Areas<M>,
    /// A device may access the areas as long as it was not stopped, whether or not chains are live: there are rings in them.
    holds_rings: bool,
    /// The region that was last named, and its length: zero if no segment is inside it.
    known_region: RegionId,
    known_length: usize,
    /// At 0 the table's own buffers, behind it what the caller registered.
    regions: Vec<Region<M>>,
    buffer_size: u32,
    writable_buffers: WritableBuffers,
    descriptors: Vec<Descriptor>,
    chains: Vec<Chain>,
    free_head: u16,
    free: u16,
    /// From here on, no descriptor was used since the table was made or reset: they stand in order at the end of the
    /// free list, which takes from its beginning what was freed last, and are zero in the table. As wide as it is loaded.
    touched: u32,
    last_serial: u64,
}

impl<M: SharedMemory> DescriptorTable<M> {
    /// Makes a table of `size` descriptors at the beginning of `table`, with `buffer_size` bytes for each in
    /// `buffers`. All descriptors are free afterwards; whatever stood in `table` is overwritten.
    ///
    /// The memory may come from anywhere: [`HeapMemory`](crate::HeapMemory), `MappedMemory`,
    /// or the caller's own. Its alignment must be 16 bytes for the table (2.7); `table` may be longer than needed.
    ///
    /// # Errors
    /// [`Misuse`] if a size is zero or absurd, or a region too small, misaligned, wrapping or overlapping;
    /// [`SystemError::OutOfMemory`] if there is no room for the private copy. The regions come back with the error.
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

    /// Makes a table in areas that were looked at.
    pub(crate) fn over(
        areas: Areas<M>,
        buffer_size: u32,
        writable_buffers: WritableBuffers,
        buffers: Region<M>,
    ) -> Result<Self, Refused<Regions<M>>> {
        let size = areas.size();
        let room = || {
            let bytes = buffer_bytes(size, buffer_size)?;
            buffers.check(bytes, 1)?;
            buffers.check_apart(areas.region())?;
            Ok((room(1)?, room(size.as_usize())?, room(size.as_usize())?))
        };
        let (mut regions, mut descriptors, mut chains) = match room() {
            Ok(room) => room,
            Err(error) => return Err(Refused { error, value: (areas.into_region(), buffers) }),
        };
        regions.push(buffers);
        descriptors.extend((1..=size.get()).map(|next| Descriptor { next, ..Descriptor::NONE }));
        chains.resize(size.as_usize(), Chain::NONE);
        let mut table = Self {
            id: QueueId::new(),
            areas,
            holds_rings: false,
            known_region: RegionId::BUFFERS,
            known_length: 0,
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

    /// What the names of its chains and regions begin with.
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// From now on, the areas hold rings, which are the device's until it is stopped.
    pub(crate) const fn hold_rings(&mut self) {
        self.holds_rings = true;
    }

    /// Number of descriptors.
    pub const fn size(&self) -> QueueSize {
        self.areas.size()
    }

    /// Bytes in each of the table's own buffers.
    pub const fn buffer_size(&self) -> u32 {
        self.buffer_size
    }

    /// Number of free descriptors.
    #[inline]
    pub const fn free_count(&self) -> u16 {
        self.free
    }

    /// Number of descriptors in live chains.
    pub const fn live_count(&self) -> u16 {
        self.size().get() - self.free
    }

    /// Where the device sees the table.
    pub const fn address(&self) -> DeviceAddress {
        self.areas.region().address()
    }

    /// The region that the table stands in, to be registered with the device.
    pub const fn table_region(&self) -> &Region<M> {
        self.areas.region()
    }

    /// The regions that buffers lie in, to be registered with the device: first the table's own buffers,
    /// then those of [`register`](Self::register).
    pub fn buffer_regions(&self) -> &[Region<M>] {
        &self.regions
    }

    #[inline(always)]
    pub(crate) const fn areas(&self) -> &Areas<M> {
        &self.areas
    }

    /// Registers a region of the caller's, for chains over buffers in it.
    ///
    /// # Errors
    /// [`Misuse`] if it wraps, overlaps another region or is the same memory, or is one too many;
    /// [`SystemError::OutOfMemory`] if there is no room to remember it. The region comes back with the error.
    pub fn register(&mut self, region: Region<M>) -> Result<RegionId, Refused<Region<M>>> {
        match self.admit_region(&region) {
            Ok(id) => {
                region.memory.abandon();
                self.regions.push(region);
                Ok(id)
            }
            Err(error) => Err(Refused { error, value: region }),
        }
    }

    /// The name of a region that can be registered. There is room for it then.
    fn admit_region(&mut self, region: &Region<M>) -> Result<RegionId, Error> {
        region.check(1, 1)?;
        let number = u16::try_from(self.regions.len()).map_err(|_| Misuse::TooManyRegions)?;
        region.check_apart(self.areas.region())?;
        self.regions.iter().try_for_each(|other| region.check_apart(other))?;
        self.regions
            .try_reserve(1)
            .map_err(|_| SystemError::OutOfMemory { bytes: size_of::<Region<M>>() })?;
        Ok(RegionId::new(self.id, number))
    }

    /// The buffers of a live chain, in order, from the private copy.
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

    /// Copies the bytes of a live chain of device-writable buffers out, from its beginning, as many as there
    /// are and fit into `out`. Returns how many.
    ///
    /// # Errors
    /// [`Misuse`] if `head` is not the head of a live chain, or the chain has a device-readable buffer.
    pub fn contents(&self, head: Head, out: &mut [u8]) -> Result<usize, Misuse> {
        if self.chain(head)?.readable_count > 0 {
            return Err(Misuse::ReadableInChain(head));
        }
        self.copy_writable(head, u64::MAX, out)
    }

    /// Copies from the chain's device-writable buffers, at most `limit` bytes and as many as fit into `out`.
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

    /// Frees every chain and writes the whole table anew. Names of chains from before stay invalid.
    pub fn reset(&mut self, _: DeviceStopped) {
        self.free_all();
    }

    /// Gives the memory back: what the table owns of it is unmapped or deallocated before this returns.
    ///
    /// # Errors
    /// [`Misuse::ChainsLive`] if there are live chains, since a device may still reach their memory. The
    /// table comes back with the error and is as it was.
    #[expect(clippy::result_large_err, reason = "the table comes back with the error; a box could fail")]
    pub fn release(self) -> Result<(), Refused<Self>> {
        match self.live_count() {
            0 => Ok(()),
            descriptors => Err(Refused { error: Misuse::ChainsLive { descriptors }.into(), value: self }),
        }
    }

    /// Gives the memory back although chains may be live: the caller knows that the device has stopped.
    pub fn release_stopped(mut self, _: DeviceStopped) {
        // Nothing is the device's any more, so that dropping gives the memory back.
        (self.free, self.holds_rings) = (self.size().get(), false);
    }

    /// The serial number of the newest chain.
    #[inline(always)]
    pub(crate) const fn last_serial(&self) -> u64 {
        self.last_serial
    }

    /// Private memory first, so that it is whole whatever the shared memory does. Descriptors that were never used are
    /// as they were; in the table, which a device may have scribbled on, all become zero.
    fn free_all(&mut self) {
        for index in 0..self.touched as u16 {
            // The last link is never followed: the number of free descriptors says where the list ends.
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

/// A clone holds the memory too.
impl<M: SharedMemory + Clone> Clone for DescriptorTable<M> {
    fn clone(&self) -> Self {
        let clone = Self {
            id: self.id,
            areas: self.areas.clone(),
            holds_rings: self.holds_rings,
            known_region: self.known_region,
            known_length: self.known_length,
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

/// What a device may still access stays abandoned.
impl<M: SharedMemory> Drop for DescriptorTable<M> {
    fn drop(&mut self) {
        if !self.holds_rings && self.live_count() == 0 {
            self.memories().for_each(M::reclaim);
        }
    }
}

/// Bytes of the buffers of a queue.
pub(crate) fn buffer_bytes(size: QueueSize, buffer_size: u32) -> Result<usize, Misuse> {
    let bytes = (buffer_size as usize).checked_mul(size.as_usize());
    bytes.filter(|bytes| *bytes > 0).ok_or(Misuse::BufferSize(buffer_size))
}

/// An empty vector with room for `count`.
fn room<T>(count: usize) -> Result<Vec<T>, SystemError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(count)
        .map_err(|_| SystemError::OutOfMemory { bytes: count.saturating_mul(size_of::<T>()) })?;
    Ok(vec)
}
