//! The descriptor table of the specimen, and how it makes chains.
//!
//! All decisions use private copies, except those that a [`Defect`] takes from the table in shared memory.

use super::chain::{Chain, Descriptor, Stage};
use super::shared::{DESCRIPTOR_BYTES, F_NEXT, F_WRITE};
use super::{Defect, Provided};
use crate::scenario::Setup;
use ringstorm_core::SharedMemory;
use ringstorm_model::{Answer, MisuseKind, Refusal};
use ringstorm_sim_device::WatchedMemory;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) defect: Option<Defect>,
    pub(super) size: u16,
    buffer_size: u32,
    /// The memory of the rings. The table is at offset 0.
    pub(super) memory: Rc<WatchedMemory>,
    pub(super) buffers: Rc<WatchedMemory>,
    buffers_address: u64,
    /// The free descriptors. The last one is taken next.
    pub(super) free: Vec<u16>,
    /// The first free descriptor, if a defect links the free list through the table in shared memory.
    pub(super) first_free: u16,
    pub(super) descriptors: Vec<Descriptor>,
    /// The chains by head.
    pub(super) chains: Vec<Chain>,
    /// The next buffer, if a defect uses the buffers in turn.
    next_buffer: u16,
    published_count: u64,
}

impl Table {
    pub(super) fn new(defect: Option<Defect>, setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.get();
        let mut table = Self {
            defect,
            size,
            buffer_size: setup.buffer_size.into(),
            memory: Rc::clone(&provided.rings),
            buffers: Rc::clone(&provided.buffers),
            buffers_address: provided.buffers_address.get(),
            free: Vec::new(),
            first_free: 0,
            descriptors: vec![Descriptor::default(); size.into()],
            chains: vec![Chain::default(); size.into()],
            next_buffer: 0,
            published_count: 0,
        };
        table.restart();
        table
    }

    /// Frees all descriptors.
    pub(super) fn restart(&mut self) {
        self.free = (0..self.size).rev().collect();
        if self.has(Defect::ResetLosesLiveDescriptors) {
            self.free.retain(|index| self.descriptors[usize::from(*index)].owner.is_none());
        }
        self.descriptors.fill(Descriptor::default());
        if !self.has(Defect::ResetKeepsChains) {
            self.chains.fill(Chain::default());
        }
        for index in (0..self.size).rev() {
            self.clear(index);
            self.first_free = index;
        }
    }

    /// Hashes the state that decides what the table will do.
    pub(super) fn fingerprint(&self, state: &mut impl Hasher) {
        (&self.free, self.first_free, &self.descriptors, &self.chains).hash(state);
        (self.next_buffer, self.published_count).hash(state);
    }

    pub(super) fn free_count(&self) -> usize {
        self.free.len()
    }

    /// The head of the chain that a used id identifies, if the chain is in flight.
    pub(super) fn completed_by(&self, id: u32) -> Option<u16> {
        let index = match self.defect {
            Some(Defect::IdFolded) => id as usize % usize::from(self.size),
            Some(Defect::IdTruncated) => usize::from(id as u16),
            Some(Defect::MidChainIdTaken) => usize::from(self.descriptors.get(id as usize)?.owner?),
            Some(Defect::CompletionOrderAssumed) => self.oldest_in_flight()?,
            _ => id as usize,
        };
        let chain = match self.has(Defect::IdUnchecked) {
            true => &self.chains[index],
            false => self.chains.get(index)?,
        };
        let good = match chain.stage {
            Stage::Published => true,
            Stage::Returned => self.has(Defect::DuplicateCompletionTaken),
            Stage::Free => self.has(Defect::StaleCompletionTaken) && chain.was_freed(),
            Stage::Submitted => false,
        };
        // The index of an existing chain fits into 16 bits.
        good.then_some(index as u16)
    }

    fn oldest_in_flight(&self) -> Option<usize> {
        let chains = self.chains.iter().enumerate();
        let in_flight = chains.filter(|(_, chain)| chain.stage == Stage::Published);
        in_flight.min_by_key(|(_, chain)| chain.publish_number).map(|(head, _)| head)
    }

    /// The most bytes that the device may have written to a chain.
    pub(super) fn bound(&self, head: u16) -> u64 {
        let chain = &self.chains[usize::from(head)];
        match self.defect {
            Some(Defect::BoundReadBack) => {
                let shared = chain.indexes.iter().map(|index| self.shared(*index));
                shared.filter(|shared| shared.is_writable()).map(|shared| u64::from(shared.length)).sum()
            }
            Some(Defect::BoundCutTo16Bits) => u64::from(chain.writable as u16),
            _ => chain.writable,
        }
    }

    pub(super) fn chain_mut(&mut self, head: u16) -> &mut Chain {
        &mut self.chains[usize::from(head)]
    }

    pub(super) fn publish(&mut self, head: u16) {
        self.published_count += 1;
        let publish_number = self.published_count;
        let chain = self.chain_mut(head);
        (chain.stage, chain.publish_number) = (Stage::Published, publish_number);
    }

    pub(super) fn create(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let count = self.count(readable, writable)?;
        if !self.has(Defect::DescriptorsTakenFirst) {
            self.check_lengths(readable, writable)?;
        }
        let indexes = self.take_free(count);
        if self.has(Defect::DescriptorsTakenFirst) {
            self.check_lengths(readable, writable)?;
        }
        let payloads = readable.iter().map(|bytes| (bytes.len() as u32, Some(*bytes)));
        let rooms = writable.iter().map(|length| (*length, None));
        let mut buffers: Vec<(u32, Option<&[u8]>)> = payloads.chain(rooms).take(count).collect();
        if self.has(Defect::WritableFirst) {
            buffers.rotate_left(readable.len());
        }
        for (position, (length, payload)) in buffers.into_iter().enumerate() {
            if length > self.buffer_size && self.has(Defect::RefusedHalfway) {
                self.free.extend(indexes.iter().rev());
                return Err(Refusal::Misuse(MisuseKind::BufferTooLarge));
            }
            assert!(
                length <= self.buffer_size,
                "a buffer of {length} bytes is longer than the buffer size {}",
                self.buffer_size
            );
            self.fill(&indexes, position, length, payload);
        }
        if self.has(Defect::ZeroMeansUnused) {
            let unused = |index: &&u16| self.descriptors[usize::from(**index)].length == 0;
            self.free.extend(indexes.iter().filter(unused));
        }
        let head = indexes[0];
        let writable = writable.iter().map(|length| u64::from(*length)).sum();
        *self.chain_mut(head) = Chain { stage: Stage::Submitted, indexes, writable, ..Chain::default() };
        Ok(head)
    }

    /// The number of descriptors that a chain needs, if there are enough.
    fn count(&self, readable: &[&[u8]], writable: &[u32]) -> Answer<usize> {
        let mut count = readable.len() + writable.len();
        if self.has(Defect::CountCutTo16Bits) {
            count = usize::from(count as u16);
        }
        if count == 0 {
            Err(Refusal::Misuse(MisuseKind::EmptyChain))
        } else if count > usize::from(self.size)
            || count > self.free.len() && self.has(Defect::TooManyForNowIsForEver)
        {
            Err(Refusal::Misuse(MisuseKind::ChainExceedsQueue))
        } else if count > self.free.len() {
            Err(Refusal::Misuse(MisuseKind::NotEnoughFree))
        } else {
            Ok(count)
        }
    }

    /// Refuses buffers that are empty or too long.
    fn check_lengths(&self, readable: &[&[u8]], writable: &[u32]) -> Answer<()> {
        let lengths = || {
            let readable = readable.iter().map(|bytes| bytes.len());
            readable.chain(writable.iter().map(|length| *length as usize))
        };
        let late = matches!(self.defect, Some(Defect::OversizedBufferHalfway | Defect::RefusedHalfway));
        if !self.has(Defect::ZeroMeansUnused) && lengths().any(|length| length == 0) {
            Err(Refusal::Misuse(MisuseKind::EmptyBuffer))
        } else if !late && lengths().any(|length| length > self.buffer_size as usize) {
            Err(Refusal::Misuse(MisuseKind::BufferTooLarge))
        } else {
            Ok(())
        }
    }

    /// Takes descriptors from the free list, which has enough.
    fn take_free(&mut self, count: usize) -> Vec<u16> {
        let taken = match self.has(Defect::FreeListInTable) {
            true => self.follow_free_list(count),
            false => self.free.iter().rev().take(count).copied().collect(),
        };
        self.free.truncate(self.free.len() - count);
        if self.has(Defect::FreeListEndsInChain)
            && let (Some(end), Some(tail)) = (self.free.first_mut(), taken.last())
        {
            *end = *tail;
        }
        taken
    }

    /// Writes one descriptor of a new chain, and its payload. Without payload the descriptor is device-writable.
    fn fill(&mut self, indexes: &[u16], position: usize, length: u32, payload: Option<&[u8]>) {
        let index = indexes[position];
        if self.has(Defect::FreeLengthTripwire) {
            let length = self.shared(index).length;
            assert!(length == 0, "the free descriptor {index} has the length {length}, not 0");
        }
        let mut buffer = index;
        if self.has(Defect::BuffersInTurn) {
            buffer = self.next_buffer;
            self.next_buffer = (buffer + 1) % self.size;
        }
        let writable = payload.is_none();
        if let Some(bytes) = payload {
            match self.defect {
                Some(Defect::PayloadMisplaced) if position == 1 => {
                    self.buffers.copy_in(self.offset(indexes[0]), bytes);
                }
                Some(Defect::PayloadCutToWords) => {
                    self.buffers.copy_in(self.offset(buffer), &bytes[..bytes.len() & !3]);
                }
                _ => self.buffers.copy_in(self.offset(buffer), bytes),
            }
        }
        let next = indexes.get(position + 1).copied();
        let linked =
            next.is_some() || matches!(self.defect, Some(Defect::TailKeepsNext | Defect::TailLinksHead));
        let flags = if linked { F_NEXT } else { 0 } | if writable { F_WRITE } else { 0 };
        let after_tail = if self.has(Defect::TailLinksHead) { indexes[0] } else { 0 };
        let next = next.unwrap_or(after_tail);
        let at = DESCRIPTOR_BYTES * usize::from(index);
        self.memory.store_u64(at, self.address(index, buffer));
        let rest = u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48;
        self.memory.store_u64(at + 8, rest);
        self.descriptors[usize::from(index)] =
            Descriptor { owner: Some(indexes[0]), buffer, length, writable };
    }

    /// Zeroes length, flags and next of a free descriptor in shared memory.
    pub(super) fn clear(&self, index: u16) {
        let next = if self.has(Defect::FreeListInTable) { self.first_free } else { 0 };
        self.memory.store_u64(DESCRIPTOR_BYTES * usize::from(index) + 8, u64::from(next) << 48);
    }

    /// The device address of a descriptor's buffer.
    fn address(&self, index: u16, buffer: u16) -> u64 {
        let offset = self.offset(buffer) as u64;
        match self.defect {
            Some(Defect::AddressWithoutBase) => offset,
            Some(Defect::LastBufferOffByOne) if index == self.size - 1 => {
                self.buffers_address + offset + u64::from(self.buffer_size)
            }
            _ => self.buffers_address + offset,
        }
    }

    /// The offset of a buffer.
    pub(super) fn offset(&self, buffer: u16) -> usize {
        self.buffer_size as usize * usize::from(buffer)
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
