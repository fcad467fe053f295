//! Writing the payload of a chain in place.

use super::DescriptorTable;
use crate::{Misuse, SharedMemory};

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

impl<'t, M: SharedMemory> ChainWriter<'t, M> {
    /// A writer for buffers of these lengths, `left` bytes in all, at `descriptor` and those that follow it in the free list.
    pub(super) const fn new(
        table: &'t DescriptorTable<M>,
        lengths: &'t [u32],
        descriptor: u16,
        left: u64,
    ) -> Self {
        Self { table, lengths, descriptor, filled: 0, left }
    }

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

    pub(super) fn zero_rest(&mut self) {
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
