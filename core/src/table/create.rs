//! Creating chains: by copy, by writing in place, and over registered regions.

use super::DescriptorTable;
use super::record::{Chain, Descriptor, Stage, shape};
use crate::memory::Descriptors;
use crate::{
    DeviceAddress, Head, Misuse, Region, RegionId, RingIndex, Segment, SharedMemory, WritableBuffers,
};
use core::cell::Cell;

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
        self.create_for(RingIndex::new(0), readable, writable)
    }

    /// As [`create`](Self::create), for the available entry with the index `entry`.
    #[inline(always)]
    pub(crate) fn create_for(
        &mut self,
        entry: RingIndex,
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
        let (mut chain, unwinding) = self.begin(readable.len() + writable.len());
        for bytes in readable {
            let offset = chain.own_offset();
            chain.regions[0].memory.copy_in(offset, bytes);
            chain.readable(0, offset, bytes.len() as u32);
        }
        for length in writable {
            chain.writable(0, chain.own_offset(), *length);
        }
        core::mem::forget(unwinding);
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
        self.create_with_for(RingIndex::new(0), readable, writable, fill)
    }

    /// As [`create_with`](Self::create_with), for the available entry with the index `entry`.
    pub(crate) fn create_with_for(
        &mut self,
        entry: RingIndex,
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
        let mut writer =
            ChainWriter { table: self, lengths: readable, descriptor, filled: 0, left: readable_bytes };
        fill(&mut writer)?;
        writer.zero_rest();
        if self.writable_buffers == WritableBuffers::Zeroed {
            self.zero_free_buffers(readable.len(), writable);
        }
        let (mut chain, unwinding) = self.begin(readable.len() + writable.len());
        for length in readable {
            chain.readable(0, chain.own_offset(), *length);
        }
        for length in writable {
            chain.writable(0, chain.own_offset(), *length);
        }
        core::mem::forget(unwinding);
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
        self.create_over_for(RingIndex::new(0), readable, writable)
    }

    /// As [`create_over`](Self::create_over), for the available entry with the index `entry`.
    #[inline(always)]
    pub(crate) fn create_over_for(
        &mut self,
        entry: RingIndex,
        readable: &[Segment],
        writable: &[Segment],
    ) -> Result<Head, Misuse> {
        self.check_count(readable.len(), writable.len())?;
        let readable_bytes = self.check_segments(0, readable)?;
        let writable_bytes = self.check_segments(readable.len(), writable)?;
        if readable_bytes + writable_bytes > CHAIN_BYTES {
            return Err(Misuse::ChainTooLong);
        }
        if self.writable_buffers == WritableBuffers::Zeroed {
            self.zero_segments(writable);
        }
        let (mut chain, unwinding) = self.begin(readable.len() + writable.len());
        for Segment { region, offset, length } in readable {
            chain.readable(region.get(), *offset, *length);
        }
        for Segment { region, offset, length } in writable {
            chain.writable(region.get(), *offset, *length);
        }
        core::mem::forget(unwinding);
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
    fn check_segments(&mut self, first: usize, segments: &[Segment]) -> Result<u64, Misuse> {
        let mut total = 0;
        for (position, segment) in segments.iter().enumerate() {
            // Usually a segment is in the same region as the one before.
            if segment.region != self.known_region {
                (self.known_region, self.known_length) = (segment.region, self.length_of(segment.region));
            }
            // The end is not after the beginning if the buffer is empty or the sum has wrapped.
            let end = segment.offset.wrapping_add(segment.length as usize);
            // Both at once: one branch.
            if (segment.offset >= end) | (end > self.known_length) {
                return Err(self.segment_error(first + position, segment));
            }
            total += u64::from(segment.length);
        }
        Ok(total)
    }

    /// The length of a registered region in bytes; zero if the handle is not of a registered region of this table.
    #[cold]
    #[inline(never)]
    fn length_of(&self, region: RegionId) -> usize {
        match self.regions.get(usize::from(region.get())) {
            Some(known) if region == RegionId::new(self.id, region.get()) && region != RegionId::BUFFERS => {
                known.len()
            }
            _ => 0,
        }
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
    /// The caller forgets the second value when the chain is complete.
    #[inline(always)]
    fn begin(&mut self, count: usize) -> (NewChain<'_, M>, Option<FreedIfUnwound<'_>>) {
        let descriptors = Cell::from_mut(&mut *self.descriptors).as_slice_of_cells();
        let (table, first) = (self.areas.descriptors(), self.free_head);
        let unwinding = if table.has_unchecked_access() {
            None
        } else {
            Some(FreedIfUnwound { descriptors, first, count, touched: self.touched })
        };
        let (buffer_size, base) = (self.buffer_size, self.regions[0].address());
        let regions = &*self.regions;
        (
            NewChain {
                table,
                regions,
                region: 0,
                base,
                descriptors,
                buffer_size,
                descriptor: first,
                left: count,
            },
            unwinding,
        )
    }

    /// Removes the descriptors of a written chain from the free list and records the chain. `rest` becomes the head of the free
    /// list.
    #[inline(always)]
    fn finish(
        &mut self,
        entry: RingIndex,
        rest: u16,
        (readable, writable): (usize, usize),
        writable_bytes: u64,
    ) -> Head {
        let (head, count) = (self.free_head, (readable + writable) as u16);
        self.free_head = rest;
        self.free -= count;
        self.touched = self.touched.max(u32::from(rest));
        self.last_serial += 1;
        self.chains[usize::from(head)] = Chain {
            serial: self.last_serial,
            writable: writable_bytes,
            written: 0,
            count,
            readable_count: readable as u16,
            entry,
            stage: Stage::Created,
        };
        Head::from_parts(self.id, head, self.last_serial)
    }

    #[inline(always)]
    pub(super) fn own_offset(&self, index: u16) -> usize {
        usize::from(index) * self.buffer_size as usize
    }
}

/// A chain that is being written buffer by buffer, to shared memory and to the private copy. The links of the free list
/// already form the chain, so the private links do not change.
///
/// It has what it needs of the table as values of its own: the compiler must assume that a store to shared memory changes
/// everything behind a reference.
struct NewChain<'t, M: SharedMemory> {
    table: Descriptors<'t, M>,
    regions: &'t [Region<M>],
    /// The region of the last buffer, and its device address.
    region: u16,
    base: DeviceAddress,
    descriptors: &'t [Cell<Descriptor>],
    buffer_size: u32,
    /// The next descriptor.
    descriptor: u16,
    /// The number of buffers not yet added.
    left: usize,
}

impl<M: SharedMemory> NewChain<'_, M> {
    /// The offset of the next descriptor's own buffer.
    #[inline(always)]
    fn own_offset(&self) -> usize {
        usize::from(self.descriptor) * self.buffer_size as usize
    }

    #[inline(always)]
    fn readable(&mut self, region: u16, offset: usize, length: u32) {
        self.add(region, offset, length, false);
    }

    #[inline(always)]
    fn writable(&mut self, region: u16, offset: usize, length: u32) {
        self.add(region, offset, length, true);
    }

    #[inline(always)]
    fn add(&mut self, region: u16, offset: usize, length: u32, writable: bool) {
        let index = self.table.reduce(self.descriptor);
        if region != self.region {
            (self.region, self.base) = (region, self.regions[usize::from(region)].address());
        }
        let address = self.base.plus(offset as u64);
        let descriptor = &self.descriptors[index];
        let next = descriptor.get().next;
        descriptor.set(Descriptor { offset, length, region, next });
        self.left -= 1;
        let next_in_chain = (self.left > 0).then_some(next);
        let words = [address.get(), shape(length, writable, next_in_chain)];
        self.table.write(index, words);
        self.descriptor = next;
    }
}

/// What a panic of the caller's own memory leaves: the descriptors of the chain are as free as they were before. Memory of
/// this crate's kinds does not panic.
struct FreedIfUnwound<'t> {
    descriptors: &'t [Cell<Descriptor>],
    /// The chain's first descriptor, and how many it has.
    first: u16,
    count: usize,
    /// Descriptors with this index or a greater one were never used: their fields are zero.
    touched: u32,
}

impl Drop for FreedIfUnwound<'_> {
    fn drop(&mut self) {
        let mut index = self.first;
        for _ in 0..self.count {
            let descriptor = &self.descriptors[usize::from(index)];
            let Descriptor { offset, region, next, .. } = descriptor.get();
            let (offset, region) = if u32::from(index) < self.touched { (offset, region) } else { (0, 0) };
            descriptor.set(Descriptor { offset, length: 0, region, next });
            index = next;
        }
    }
}

/// Writes the payload of a new chain in place, from its first device-readable byte to its last, across buffers. See
/// [`DescriptorTable::create_with`].
#[derive(Debug)]
pub struct ChainWriter<'t, M: SharedMemory> {
    table: &'t DescriptorTable<M>,
    /// The lengths of the buffers that are not yet full, the current one first.
    lengths: &'t [u32],
    /// The descriptor of the current buffer.
    descriptor: u16,
    /// The number of bytes written to the current buffer.
    filled: u32,
    /// The number of bytes not yet written, over all buffers.
    left: u64,
}

impl<M: SharedMemory> ChainWriter<'_, M> {
    /// The number of bytes that can still be written.
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Appends `bytes` to the payload.
    ///
    /// # Errors
    /// [`Misuse::PayloadTooLong`] if `bytes` is longer than [`left`](Self::left). The call has written nothing then.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), Misuse> {
        if bytes.len() as u64 > self.left {
            return Err(Misuse::PayloadTooLong { length: bytes.len(), left: self.left });
        }
        while !bytes.is_empty() {
            let (offset, room) = self.rest_of_buffer();
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.table.regions[0].memory.copy_in(offset, now);
            self.advance(now.len());
            bytes = later;
        }
        Ok(())
    }

    fn zero_rest(&mut self) {
        while self.left > 0 {
            let (offset, room) = self.rest_of_buffer();
            self.table.regions[0].memory.zero(offset, room);
            self.advance(room);
        }
    }

    /// The offset of the next byte, and the number of bytes that fit into the current buffer from there.
    fn rest_of_buffer(&self) -> (usize, usize) {
        let offset = self.table.own_offset(self.descriptor) + self.filled as usize;
        (offset, (self.lengths[0] - self.filled) as usize)
    }

    fn advance(&mut self, count: usize) {
        self.filled += count as u32;
        self.left -= count as u64;
        if self.filled == self.lengths[0] {
            self.lengths = &self.lengths[1..];
            self.filled = 0;
            self.descriptor = self.table.descriptors[usize::from(self.descriptor)].next;
        }
    }
}
