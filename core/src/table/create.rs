//! Creating chains: by copy, by writing in place, and over registered regions.

use super::DescriptorTable;
use super::chain_writer::ChainWriter;
use super::new_chain::{Extent, NewChain};
use super::record::{KnownRegion, Stage};
use crate::{DeviceAddress, Head, Misuse, RegionId, RingIndex, Segment, SharedMemory, WritableBuffers};

/// The maximum length of a chain in bytes (2.7.5.2).
const CHAIN_BYTES: u64 = 1 << 32;

impl<M: SharedMemory> DescriptorTable<M> {
    /// Creates a chain in the table's own buffers. Each slice of `readable` is copied into a device-readable buffer. Each
    /// length of `writable`, in bytes, adds a device-writable buffer after those.
    ///
    /// # Errors
    /// [`Misuse`] if the chain has no buffer, an empty buffer, a buffer larger than the buffer size, more than 2^32 bytes, or
    /// more buffers than descriptors are free. The call has changed nothing then.
    #[inline(always)]
    pub fn create(&mut self, readable: &[&[u8]], writable: &[u32]) -> Result<Head, Misuse> {
        self.create_for(&RingIndex::new(0), readable, writable)
    }

    /// As [`create`](Self::create), for the available entry with the index `entry`. (A reference, because a value would occupy a
    /// register while the buffers are written.)
    #[inline(always)]
    pub(crate) fn create_for(
        &mut self,
        entry: &RingIndex,
        readable: &[&[u8]],
        writable: &[u32],
    ) -> Result<Head, Misuse> {
        self.check_count(readable.len(), writable.len())?;
        let mut total = 0;
        for (position, bytes) in readable.iter().enumerate() {
            total += self.check_length(position, bytes.len())?;
        }
        let writable_bytes = self.check_lengths(readable.len(), writable)?;
        if total + writable_bytes > CHAIN_BYTES {
            return Err(Misuse::ChainTooLong);
        }
        if self.writable_buffers == WritableBuffers::Zeroed {
            self.zero_free_buffers(readable.len(), writable);
        }
        let mut chain =
            self.begin(readable.len() + writable.len(), RegionId::BUFFERS, self.regions[0].address());
        for bytes in readable {
            let offset = chain.own_offset();
            chain.copy_in(offset, bytes);
            chain.readable(0, offset, bytes.len() as u32);
        }
        for length in writable {
            chain.writable(0, chain.own_offset(), *length);
        }
        let rest = chain.descriptor;
        Ok(self.finish(entry, rest, (readable.len(), writable.len()), writable_bytes))
    }

    /// Creates a chain in the table's own buffers, whose payload `fill` writes in place. Each length of `readable`, in bytes,
    /// adds a device-readable buffer. Then each length of `writable` adds a device-writable buffer. Device-readable bytes that
    /// `fill` does not write are zero.
    ///
    /// # Errors
    /// [`Misuse`] as for [`create`](Self::create), or the error of `fill`. The call has created no chain then, but it may have
    /// written to buffers of free descriptors.
    pub fn create_with(
        &mut self,
        readable: &[u32],
        writable: &[u32],
        fill: impl FnOnce(&mut ChainWriter<'_, M>) -> Result<(), Misuse>,
    ) -> Result<Head, Misuse> {
        self.create_with_for(&RingIndex::new(0), readable, writable, fill)
    }

    /// As [`create_with`](Self::create_with), for the available entry with the index `entry`.
    pub(crate) fn create_with_for(
        &mut self,
        entry: &RingIndex,
        readable: &[u32],
        writable: &[u32],
        fill: impl FnOnce(&mut ChainWriter<'_, M>) -> Result<(), Misuse>,
    ) -> Result<Head, Misuse> {
        self.check_count(readable.len(), writable.len())?;
        let readable_bytes = self.check_lengths(0, readable)?;
        let writable_bytes = self.check_lengths(readable.len(), writable)?;
        if readable_bytes + writable_bytes > CHAIN_BYTES {
            return Err(Misuse::ChainTooLong);
        }
        let descriptor = self.free_head;
        let mut writer = ChainWriter::new(self, readable, descriptor, readable_bytes);
        fill(&mut writer)?;
        writer.zero_rest();
        if self.writable_buffers == WritableBuffers::Zeroed {
            self.zero_free_buffers(readable.len(), writable);
        }
        let mut chain =
            self.begin(readable.len() + writable.len(), RegionId::BUFFERS, self.regions[0].address());
        for length in readable {
            chain.readable(0, chain.own_offset(), *length);
        }
        for length in writable {
            chain.writable(0, chain.own_offset(), *length);
        }
        let rest = chain.descriptor;
        Ok(self.finish(entry, rest, (readable.len(), writable.len()), writable_bytes))
    }

    /// Creates a chain over buffers in [registered](Self::register) regions, without a copy. The table does not check whether
    /// buffers of live chains overlap. The region of the table's own buffers
    /// ([`RegionId::BUFFERS`](crate::RegionId::BUFFERS)) is not allowed here.
    ///
    /// # Errors
    /// [`Misuse`] if a segment is not inside a registered region, or as for [`create`](Self::create), except that the buffer
    /// size is no limit. The call has changed nothing then.
    #[inline(always)]
    pub fn create_over(&mut self, readable: &[Segment], writable: &[Segment]) -> Result<Head, Misuse> {
        self.create_over_for(&RingIndex::new(0), readable, writable)
    }

    /// As [`create_over`](Self::create_over), for the available entry with the index `entry`.
    #[inline(always)]
    pub(crate) fn create_over_for(
        &mut self,
        entry: &RingIndex,
        readable: &[Segment],
        writable: &[Segment],
    ) -> Result<Head, Misuse> {
        self.check_count(readable.len(), writable.len())?;
        let mut known = self.known_region;
        let readable_bytes = self.check_segments(&mut known, 0, readable)?;
        let writable_bytes = self.check_segments(&mut known, readable.len(), writable)?;
        if readable_bytes + writable_bytes > CHAIN_BYTES {
            return Err(Misuse::ChainTooLong);
        }
        if self.writable_buffers == WritableBuffers::Zeroed && !writable.is_empty() {
            self.zero_segments(writable);
        }
        // The region of the last segment, which has just been looked up, is most often the region of the first one, too.
        let mut chain = self.begin(readable.len() + writable.len(), known.id, known.base);
        for Segment { region, offset, length } in readable {
            chain.readable(region.get(), *offset, *length);
        }
        for Segment { region, offset, length } in writable {
            chain.writable(region.get(), *offset, *length);
        }
        let rest = chain.descriptor;
        Ok(self.finish(entry, rest, (readable.len(), writable.len()), writable_bytes))
    }

    /// Checks the number of buffers, before any buffer is examined. The sum saturates, so it is correct for all slices.
    #[inline(always)]
    fn check_count(&self, readable: usize, writable: usize) -> Result<(), Misuse> {
        let needed = readable.saturating_add(writable);
        if needed == 0 {
            return Err(Misuse::EmptyChain);
        }
        if needed > usize::from(self.free) {
            return Err(self.descriptor_count_error(needed));
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    const fn descriptor_count_error(&self, needed: usize) -> Misuse {
        if needed > self.size().as_usize() {
            return Misuse::ChainExceedsQueue { needed, size: self.size() };
        }
        Misuse::NotEnoughFree { needed, free: self.free }
    }

    #[inline(always)]
    fn check_length(&self, position: usize, length: usize) -> Result<u64, Misuse> {
        // For a length of zero, the subtraction wraps to more than any buffer size.
        if length.wrapping_sub(1) < self.buffer_size as usize {
            Ok(length as u64)
        } else {
            Err(self.buffer_error(position, length))
        }
    }

    #[cold]
    #[inline(never)]
    fn buffer_error(&self, position: usize, length: usize) -> Misuse {
        match length {
            0 => Misuse::EmptyBuffer { position },
            _ => Misuse::BufferTooLarge { position, length, limit: self.buffer_size },
        }
    }

    #[inline(always)]
    fn check_lengths(&self, first: usize, lengths: &[u32]) -> Result<u64, Misuse> {
        let mut total = 0;
        for (position, length) in lengths.iter().enumerate() {
            total += self.check_length(first + position, *length as usize)?;
        }
        Ok(total)
    }

    #[inline(always)]
    fn check_segments(
        &mut self,
        known: &mut KnownRegion,
        first: usize,
        segments: &[Segment],
    ) -> Result<u64, Misuse> {
        let mut total = 0;
        for (position, segment) in segments.iter().enumerate() {
            // Usually a segment is in the same region as the one before.
            if segment.region != known.id {
                let Some(region) = self.look_up(segment.region) else {
                    return Err(self.segment_error(first + position, segment));
                };
                (*known, self.known_region) = (region, region);
            }
            // The end is not after the beginning if the buffer is empty or the sum has wrapped.
            let end = segment.offset.wrapping_add(segment.length as usize);
            // Both at once: one branch.
            if (segment.offset >= end) | (end > known.length) {
                return Err(self.segment_error(first + position, segment));
            }
            total += u64::from(segment.length);
        }
        Ok(total)
    }

    /// What to remember of the region `id`; `None` if it is not a registered region of this table.
    #[cold]
    #[inline(never)]
    fn look_up(&self, id: RegionId) -> Option<KnownRegion> {
        let region = self.regions.get(usize::from(id.get()))?;
        let registered = id == RegionId::new(self.id, id.get()) && id != RegionId::BUFFERS;
        registered.then(|| KnownRegion { id, length: region.len(), base: region.address() })
    }

    #[cold]
    #[inline(never)]
    fn segment_error(&self, position: usize, segment: &Segment) -> Misuse {
        match usize::from(segment.region.get()) {
            0 => Misuse::UnknownRegion(segment.region),
            _ if segment.region.queue() != self.id => Misuse::RegionOfAnotherQueue(segment.region),
            number if number >= self.regions.len() => Misuse::UnknownRegion(segment.region),
            _ if segment.length == 0 => Misuse::EmptyBuffer { position },
            _ => Misuse::OutsideRegion { position },
        }
    }

    /// Zeroes the buffers of the free descriptors that follow the next `readable` ones: one for each length in `writable`.
    ///
    /// Not inlined, so that the loops that write descriptors stay small enough to be unrolled.
    #[inline(never)]
    fn zero_free_buffers(&self, readable: usize, writable: &[u32]) {
        let mut descriptor = self.free_head;
        for _ in 0..readable {
            descriptor = self.descriptors[usize::from(descriptor)].next;
        }
        for length in writable {
            self.regions[0].memory.zero(self.own_offset(descriptor), *length as usize);
            descriptor = self.descriptors[usize::from(descriptor)].next;
        }
    }

    /// Zeroes segments of registered regions.
    #[inline(never)]
    fn zero_segments(&self, writable: &[Segment]) {
        for Segment { region, offset, length } in writable {
            self.regions[usize::from(region.get())].memory.zero(*offset, *length as usize);
        }
    }

    /// Begins a chain of `count` buffers. The caller has checked that `count` is from 1 to the number of free descriptors.
    /// `region` is where the first buffer is expected, and `base` its device address.
    #[inline(always)]
    fn begin(&mut self, count: usize, region: RegionId, base: DeviceAddress) -> NewChain<'_, M> {
        let table = self.areas.descriptors();
        // One check of the length here, so that no reduced index needs one.
        let descriptors = &mut self.descriptors[..=table.last()];
        NewChain {
            table,
            regions: &self.regions,
            region: region.get(),
            base,
            descriptors,
            buffer_size: self.buffer_size,
            extent: Extent { first: self.free_head, count, touched: self.touched },
            descriptor: self.free_head,
            left: count,
        }
    }

    /// Removes the descriptors of a written chain from the free list and records the chain. `rest` becomes the head of the free
    /// list.
    #[inline(always)]
    fn finish(
        &mut self,
        entry: &RingIndex,
        rest: u16,
        (readable, writable): (usize, usize),
        writable_bytes: u64,
    ) -> Head {
        let (head, count) = (self.free_head, (readable + writable) as u16);
        self.free_head = rest;
        self.free -= count;
        self.touched = self.touched.max(u32::from(rest));
        self.last_serial += 1;
        let chain = &mut self.chains[usize::from(head)];
        (chain.serial, chain.entry, chain.stage) = (self.last_serial, *entry, Stage::Created);
        (chain.count, chain.readable_count, chain.writable) = (count, readable as u16, writable_bytes);
        Head::from_parts(self.id, head, self.last_serial)
    }

    #[inline(always)]
    pub(super) fn own_offset(&self, index: u16) -> usize {
        usize::from(index) * self.buffer_size as usize
    }
}
