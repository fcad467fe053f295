//! The specimen's descriptor table.
//!
//! What decides stands in private memory, but for what a [`Defect`] takes from the table in shared memory.

use super::{Defect, Provided};
use crate::scenario::Setup;
use ringstorm_core::SharedMemory;
use ringstorm_model::{Answer, DeviceRefusal, MisuseKind, Refusal};
use ringstorm_sim_device::WatchedMemory;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// Bytes of a descriptor (2.7.5).
pub(super) const DESCRIPTOR_BYTES: usize = 16;
/// `VIRTQ_DESC_F_NEXT` (2.7.5).
const F_NEXT: u16 = 1;
/// `VIRTQ_DESC_F_WRITE` (2.7.5).
const F_WRITE: u16 = 2;

/// The table in shared memory does not link a chain as it was made. The queue is broken then: whoever refuses
/// to free a chain for ever must say so.
const TAMPERED: Refusal = Refusal::Device(DeviceRefusal { consumed: false, broken: true, returned: None });

/// How far a chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Submitted,
    Published,
    Returned,
}

#[derive(Debug, Clone, Hash)]
pub(super) struct Chain {
    /// Its descriptors, the head first.
    indexes: Vec<u16>,
    pub(super) stage: Stage,
    /// Bytes in device-writable buffers.
    pub(super) writable: u64,
    /// Bytes that can be read.
    pub(super) written: u32,
}

/// The private copy of a descriptor.
#[derive(Debug, Clone, Copy, Default, Hash)]
struct Descriptor {
    /// The head of the chain that has it.
    owner: Option<u16>,
    length: u32,
    writable: bool,
}

/// A descriptor's length, flags and next, as they stand in shared memory.
struct Shared {
    length: u32,
    flags: u16,
    next: u16,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    defect: Option<Defect>,
    size: u16,
    buffer_size: u32,
    /// The table is at its beginning.
    memory: Rc<WatchedMemory>,
    buffers: Rc<WatchedMemory>,
    buffers_address: u64,
    /// The one to take next is the last.
    free: Vec<u16>,
    descriptors: Vec<Descriptor>,
    /// By head.
    chains: Vec<Option<Chain>>,
}

impl Table {
    pub(super) fn new(defect: Option<Defect>, setup: &Setup, provided: &Provided) -> Self {
        let mut table = Self {
            defect,
            size: setup.queue_size.get(),
            buffer_size: setup.buffer_size.into(),
            memory: Rc::clone(&provided.rings),
            buffers: Rc::clone(&provided.buffers),
            buffers_address: provided.buffers_address.get(),
            free: Vec::new(),
            descriptors: Vec::new(),
            chains: Vec::new(),
        };
        table.restart();
        table
    }

    /// Makes every descriptor free.
    pub(super) fn restart(&mut self) {
        self.free = (0..self.size).rev().collect();
        self.descriptors = vec![Descriptor::default(); self.size.into()];
        self.chains = (0..self.size).map(|_| None).collect();
        (0..self.size).for_each(|index| self.clear(index));
    }

    /// Folds in what decides what the table will do.
    pub(super) fn fingerprint(&self, state: &mut impl Hasher) {
        (&self.free, &self.descriptors, &self.chains).hash(state);
    }

    pub(super) fn free_count(&self) -> usize {
        self.free.len()
    }

    /// The chain that an id from the used ring names, if the device has it.
    pub(super) fn in_flight(&mut self, id: u32) -> Option<&mut Chain> {
        let chain = self.chains.get_mut(usize::try_from(id).ok()?)?.as_mut()?;
        (chain.stage == Stage::Published).then_some(chain)
    }

    pub(super) fn publish(&mut self, head: u16) {
        if let Some(chain) = &mut self.chains[usize::from(head)] {
            chain.stage = Stage::Published;
        }
    }

    pub(super) fn create(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let count = self.count(readable, writable)?;
        let taken = self.free.split_off(self.free.len() - count);
        let indexes: Vec<u16> = taken.into_iter().rev().collect();
        let readable = readable.iter().map(|bytes| (bytes.len() as u32, Some(*bytes)));
        let buffers = readable.chain(writable.iter().map(|length| (*length, None)));
        for (position, (length, payload)) in buffers.take(count).enumerate() {
            assert!(length <= self.buffer_size, "a buffer of {length} bytes exceeds {}", self.buffer_size);
            self.fill(&indexes, position, length, payload);
        }
        if self.has(Defect::ZeroMeansUnused) {
            let unused = |index: &&u16| self.descriptors[usize::from(**index)].length == 0;
            self.free.extend(indexes.iter().filter(unused));
        }
        let head = indexes[0];
        let writable = writable.iter().map(|length| u64::from(*length)).sum();
        let chain = Chain { indexes, stage: Stage::Submitted, writable, written: 0 };
        self.chains[usize::from(head)] = Some(chain);
        Ok(head)
    }

    /// How many descriptors a chain takes, if it can be made.
    fn count(&self, readable: &[&[u8]], writable: &[u32]) -> Answer<usize> {
        let mut count = readable.len() + writable.len();
        if self.has(Defect::CountCutTo16Bits) {
            count = usize::from(count as u16);
        }
        let over = |length: usize| length > self.buffer_size as usize;
        let lengths = || {
            let readable = readable.iter().map(|bytes| bytes.len());
            readable.chain(writable.iter().map(|length| *length as usize))
        };
        if count == 0 {
            Err(Refusal::Misuse(MisuseKind::EmptyChain))
        } else if count > self.free.len() {
            Err(Refusal::Misuse(MisuseKind::NotEnoughFree))
        } else if !self.has(Defect::ZeroMeansUnused) && lengths().any(|length| length == 0) {
            Err(Refusal::Misuse(MisuseKind::EmptyBuffer))
        } else if !self.has(Defect::OversizedBufferHalfway) && lengths().any(over) {
            Err(Refusal::Misuse(MisuseKind::BufferTooLarge))
        } else {
            Ok(count)
        }
    }

    /// Writes one descriptor of a new chain, and the payload behind it; without payload it is device-writable.
    fn fill(&mut self, indexes: &[u16], position: usize, length: u32, payload: Option<&[u8]>) {
        let index = indexes[position];
        if self.has(Defect::FreeLengthTripwire) {
            let length = self.shared(index).length;
            assert!(length == 0, "descriptor {index} is free, but has a length of {length}");
        }
        let offset = self.buffer(index);
        let writable = payload.is_none();
        if let Some(bytes) = payload {
            self.buffers.copy_in(offset, bytes);
        }
        let next = indexes.get(position + 1).copied();
        let flags = next.map_or(0, |_| F_NEXT) | if writable { F_WRITE } else { 0 };
        let next = next.unwrap_or(0);
        let at = DESCRIPTOR_BYTES * usize::from(index);
        self.memory.store_u64(at, self.buffers_address + offset as u64);
        let rest = u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48;
        self.memory.store_u64(at + 8, rest);
        self.descriptors[usize::from(index)] = Descriptor { owner: Some(indexes[0]), length, writable };
    }

    /// Copies what the device wrote to a returned chain.
    pub(super) fn read(&self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let chain = self.returned(head)?;
        let count = out.len().min(chain.written as usize);
        let out = &mut out[..count];
        match self.defect {
            Some(Defect::LoopDetectedAtHeadOnly | Defect::NextUnchecked) => {
                Ok(self.copy(&self.follow(head, chain)?, out))
            }
            Some(Defect::ContentsFromTail) => {
                let tail = chain.indexes.len() - 1;
                let copied = self.copy(&chain.indexes[tail..], out);
                assert!(copied == count, "{count} bytes were to be copied, {copied} were");
                Ok(copied)
            }
            _ => Ok(self.copy(&chain.indexes, out)),
        }
    }

    /// Fills `out` from the device-writable ones of these descriptors' buffers. Says how far.
    fn copy(&self, indexes: &[u16], out: &mut [u8]) -> usize {
        let mut copied = 0;
        for index in indexes {
            let descriptor = self.descriptors[usize::from(*index)];
            if copied == out.len() {
                break;
            }
            if !descriptor.writable {
                continue;
            }
            let length = match self.has(Defect::LengthReadBack) {
                true => self.shared(*index).length,
                false => descriptor.length,
            };
            let end = out.len().min(copied + length as usize);
            self.buffers.copy_out(self.buffer(*index), &mut out[copied..end]);
            copied = end;
        }
        copied
    }

    pub(super) fn free(&mut self, head: u16) -> Answer<()> {
        if self.has(Defect::MidChainFreed) && self.free_tail(head).is_some() {
            return Ok(());
        }
        let chain = self.returned(head)?;
        match self.defect {
            Some(Defect::LoopDetectedAtHeadOnly | Defect::NextUnchecked) => {
                let followed = self.follow(head, chain)?;
                assert!(followed.len() <= self.size.into(), "chain {head} has no tail");
            }
            Some(Defect::FreeMutatesBeforeCheck) => {
                for index in self.follow(head, chain)? {
                    let Shared { flags, next, .. } = self.shared(index);
                    self.clear(index);
                    if flags & F_NEXT != 0 && next == head {
                        return Err(TAMPERED);
                    }
                }
            }
            _ => {}
        }
        for index in self.chains[usize::from(head)].take().map_or_else(Vec::new, |chain| chain.indexes) {
            self.clear(index);
            self.descriptors[usize::from(index)] = Descriptor::default();
            self.free.push(index);
        }
        Ok(())
    }

    /// Frees the descriptors from one inside a chain on, and leaves the chain as it is; `None` if it is inside none.
    fn free_tail(&mut self, index: u16) -> Option<()> {
        let head = self.descriptors.get(usize::from(index))?.owner.filter(|head| *head != index)?;
        let chain = self.chains[usize::from(head)].as_ref()?;
        let tail = chain.indexes.iter().copied().skip_while(|inside| *inside != index);
        self.free.extend(tail);
        Some(())
    }

    /// The chain at `head`, if the device gave it back.
    fn returned(&self, head: u16) -> Answer<&Chain> {
        let last = if self.has(Defect::HeadAtSize) { self.size } else { self.size - 1 };
        if head > last {
            return Err(Refusal::Misuse(MisuseKind::BadHead));
        }
        match &self.chains[usize::from(head)] {
            Some(chain) if chain.stage == Stage::Returned => Ok(chain),
            Some(_) => Err(Refusal::Misuse(MisuseKind::NotReturned)),
            None => Err(Refusal::Misuse(MisuseKind::BadHead)),
        }
    }

    /// Follows a chain through the table in shared memory, to its tail or for as many links as the queue has
    /// descriptors. Whether it is the chain that was made is known in private; each defect that follows chains is
    /// one check that is left out.
    fn follow(&self, head: u16, chain: &Chain) -> Answer<Vec<u16>> {
        let mut followed = vec![head];
        let mut index = head;
        for _ in 0..self.size {
            let Shared { flags, next, .. } = self.shared(index);
            if flags & F_NEXT == 0 {
                return if followed == chain.indexes { Ok(followed) } else { Err(TAMPERED) };
            }
            if next == head && self.has(Defect::FreeMutatesBeforeCheck) {
                return Ok(followed);
            }
            if next >= self.size && !self.has(Defect::NextUnchecked) {
                return Err(TAMPERED);
            }
            let foreign = self.descriptors[usize::from(next)].owner != Some(head);
            let unmade = chain.indexes.get(followed.len()) != Some(&next);
            if foreign || next == head || unmade && !self.has(Defect::LoopDetectedAtHeadOnly) {
                return Err(TAMPERED);
            }
            followed.push(next);
            index = next;
        }
        Ok(followed)
    }

    fn shared(&self, index: u16) -> Shared {
        let rest = self.memory.load_u64(DESCRIPTOR_BYTES * usize::from(index) + 8);
        Shared { length: rest as u32, flags: (rest >> 32) as u16, next: (rest >> 48) as u16 }
    }

    /// Zeroes length, flags and next of a descriptor in shared memory.
    fn clear(&self, index: u16) {
        self.memory.store_u64(DESCRIPTOR_BYTES * usize::from(index) + 8, 0);
    }

    /// Where the buffer of a descriptor begins.
    fn buffer(&self, index: u16) -> usize {
        self.buffer_size as usize * usize::from(index)
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
