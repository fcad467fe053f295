//! The oracle of `table`: what a descriptor table must return, and what memory must contain.
//!
//! It knows chains as lists of buffers. The table chooses the descriptors of a chain; the oracle checks that they
//! were free. It keeps a copy of everything that either side wrote to memory and compares all of memory with it.

use super::table_calls::BUFFERS_AT;
use ringstorm_core::{
    Buffer, DescriptorTable, DeviceAddress, Head, Misuse, QueueId, QueueSize, RegionId, Segment,
    SharedMemory, Tampering,
};
use ringstorm_sim_device::WatchedMemory;
use std::collections::HashSet;
use std::rc::Rc;

/// The region of the buffers that belong to the table.
const OWN: RegionId = RegionId::BUFFERS;
const NEXT: u64 = 1 << 32;
const WRITE: u64 = 2 << 32;

type Table = DescriptorTable<Rc<WatchedMemory>>;

pub(super) struct Oracle {
    id: QueueId,
    queue_size: QueueSize,
    size: u16,
    buffer_size: u32,
    zeroed: bool,
    /// Live chains, oldest first.
    chains: Vec<(Head, Vec<Buffer>)>,
    not_live: Vec<Head>,
    /// The two words of each descriptor as the driver wrote them, and as memory has them after tampering.
    words: Vec<[u64; 2]>,
    in_memory: Vec<[u64; 2]>,
    /// Id, address and contents of each region. The buffers of the table are the first.
    regions: Vec<(RegionId, u64, Vec<u8>)>,
    created_any: bool,
}

impl Oracle {
    pub(super) fn new(id: QueueId, queue_size: QueueSize, buffer_size: u32, zeroed: bool) -> Self {
        let size = queue_size.get();
        Self {
            id,
            queue_size,
            size,
            buffer_size,
            zeroed,
            chains: Vec::new(),
            not_live: Vec::new(),
            words: vec![[0; 2]; size.into()],
            in_memory: vec![[0; 2]; size.into()],
            regions: vec![(OWN, BUFFERS_AT, vec![0; usize::from(size) * buffer_size as usize])],
            created_any: false,
        }
    }

    pub(super) fn live(&self, pick: u8) -> Head {
        let heads: Vec<Head> = self.chains.iter().map(|(head, _)| *head).collect();
        self.choose(&heads, pick)
    }

    pub(super) fn not_live(&self, pick: u8) -> Head {
        self.choose(&self.not_live, pick)
    }

    fn choose(&self, heads: &[Head], pick: u8) -> Head {
        let none = Head::from_parts(self.id, 0, 0);
        heads.get(usize::from(pick) % heads.len().max(1)).copied().unwrap_or(none)
    }

    pub(super) fn ids(&self) -> Vec<RegionId> {
        self.regions.iter().map(|(id, ..)| *id).collect()
    }

    pub(super) fn registered(&mut self, id: RegionId, address: u64, length: usize) {
        self.regions.push((id, address, vec![0; length]));
    }

    pub(super) const fn created_any(&self) -> bool {
        self.created_any
    }

    pub(super) fn live_descriptors(&self) -> u16 {
        self.chains.iter().map(|(_, buffers)| buffers.len() as u16).sum()
    }

    fn refused_count(&self, needed: usize) -> Option<Misuse> {
        let free = self.size - self.live_descriptors();
        match needed {
            0 => Some(Misuse::EmptyChain),
            needed if needed > usize::from(self.size) => {
                Some(Misuse::ChainExceedsQueue { needed, size: self.queue_size })
            }
            needed if needed > usize::from(free) => Some(Misuse::NotEnoughFree { needed, free }),
            _ => None,
        }
    }

    /// The error that creating a chain over the table's own buffers must return.
    pub(super) fn refusal(&self, readable: &[u32], writable: &[u32]) -> Option<Misuse> {
        let limit = self.buffer_size;
        let buffer = |(position, length): (usize, &u32)| match *length {
            0 => Some(Misuse::EmptyBuffer { position }),
            length if length > limit => {
                Some(Misuse::BufferTooLarge { position, length: length as usize, limit })
            }
            _ => None,
        };
        self.refused_count(readable.len() + writable.len())
            .or_else(|| readable.iter().chain(writable).enumerate().find_map(buffer))
    }

    /// The error that creating a chain over the caller's regions must return.
    pub(super) fn refusal_over(&self, readable: &[Segment], writable: &[Segment]) -> Option<Misuse> {
        let segment = |(position, segment): (usize, &Segment)| {
            let (_, _, bytes) = &self.regions[usize::from(segment.region.get())];
            if segment.region == OWN {
                return Some(Misuse::UnknownRegion(OWN));
            }
            if segment.length == 0 {
                return Some(Misuse::EmptyBuffer { position });
            }
            let inside = segment.offset + segment.length as usize <= bytes.len();
            (!inside).then_some(Misuse::OutsideRegion { position })
        };
        self.refused_count(readable.len() + writable.len())
            .or_else(|| readable.iter().chain(writable).enumerate().find_map(segment))
    }

    /// Records a new chain over the table's own buffers, with this payload.
    pub(super) fn created(&mut self, table: &Table, answer: Result<Head, Misuse>, payload: &[u8]) {
        let mut rest = payload;
        let buffers = self.record(table, answer);
        for buffer in &buffers {
            let offset = usize::from(buffer.descriptor) * self.buffer_size as usize;
            assert_eq!((buffer.region, buffer.offset), (OWN, offset), "a buffer of another descriptor");
            let place = &mut self.regions[0].2[offset..offset + buffer.length as usize];
            if buffer.writable {
                if self.zeroed {
                    place.fill(0);
                }
            } else {
                let (now, later) = rest.split_at(place.len());
                place.copy_from_slice(now);
                rest = later;
            }
        }
        assert!(rest.is_empty(), "{} bytes have no buffer", rest.len());
    }

    /// Records a new chain over the caller's regions.
    pub(super) fn created_over(
        &mut self,
        table: &Table,
        answer: Result<Head, Misuse>,
        readable: &[Segment],
        writable: &[Segment],
    ) {
        let buffers = self.record(table, answer);
        let asked = readable.iter().map(|one| (one, false)).chain(writable.iter().map(|one| (one, true)));
        assert_eq!(buffers.len(), readable.len() + writable.len());
        for (buffer, (segment, is_writable)) in buffers.iter().zip(asked) {
            let found = (buffer.region, buffer.offset, buffer.length, buffer.writable);
            assert_eq!(found, (segment.region, segment.offset, segment.length, is_writable));
            if is_writable && self.zeroed {
                let bytes = &mut self.regions[usize::from(segment.region.get())].2;
                bytes[segment.offset..segment.offset + segment.length as usize].fill(0);
            }
        }
    }

    /// Records a new chain: checks that its descriptors were free and sets their words.
    fn record(&mut self, table: &Table, answer: Result<Head, Misuse>) -> Vec<Buffer> {
        let head = answer.expect("a chain was created");
        let buffers: Vec<Buffer> = table.buffers(head).expect("a live chain").collect();
        assert_eq!(buffers[0].descriptor, head.index(), "a chain begins at its head");
        for (position, buffer) in buffers.iter().enumerate() {
            assert!(!self.owns(buffer.descriptor), "descriptor {} is in two chains", buffer.descriptor);
            let base = self.regions[usize::from(buffer.region.get())].1;
            assert_eq!(buffer.address, DeviceAddress::new(base + buffer.offset as u64));
            let next = buffers.get(position + 1).map_or(0, |next| NEXT | u64::from(next.descriptor) << 48);
            let write = if buffer.writable { WRITE } else { 0 };
            self.write(buffer.descriptor, [buffer.address.get(), u64::from(buffer.length) | write | next]);
        }
        self.chains.push((head, buffers.clone()));
        self.created_any = true;
        buffers
    }

    /// Payload was written, but no chain was created: free buffers may contain anything, so copy them.
    pub(super) fn writing_was_refused(&mut self, own: &WatchedMemory) {
        let free: Vec<u16> = (0..self.size).filter(|descriptor| !self.owns(*descriptor)).collect();
        for descriptor in free {
            let start = usize::from(descriptor) * self.buffer_size as usize;
            own.copy_out(start, &mut self.regions[0].2[start..start + self.buffer_size as usize]);
        }
    }

    fn owns(&self, descriptor: u16) -> bool {
        self.chains.iter().any(|(_, buffers)| buffers.iter().any(|buffer| buffer.descriptor == descriptor))
    }

    fn write(&mut self, descriptor: u16, words: [u64; 2]) {
        self.words[usize::from(descriptor)] = words;
        self.in_memory[usize::from(descriptor)] = words;
    }

    pub(super) fn tamper(&mut self, word: usize, value: u64) {
        self.in_memory[word / 2][word % 2] = value;
    }

    pub(super) fn reset(&mut self) {
        self.not_live.extend(self.chains.drain(..).map(|(head, _)| head));
        self.words.fill([0; 2]);
        self.in_memory.fill([0; 2]);
    }

    fn position(&self, head: Head) -> Result<usize, Misuse> {
        let begins = |index| self.chains.iter().any(|(other, _)| other.index() == index);
        self.chains.iter().position(|(other, _)| *other == head).ok_or_else(|| match head.index() {
            index if index >= self.size => Misuse::HeadOutOfRange(head),
            index if begins(index) => Misuse::HeadStale(head),
            index if self.owns(index) => Misuse::HeadInsideChain(head),
            _ => Misuse::HeadFree(head),
        })
    }

    pub(super) fn buffers(&self, head: Head) -> Result<&[Buffer], Misuse> {
        Ok(&self.chains[self.position(head)?].1)
    }

    pub(super) fn contents(&self, head: Head, limit: usize) -> Result<Vec<u8>, Misuse> {
        let buffers = self.buffers(head)?;
        if buffers.iter().any(|buffer| !buffer.writable) {
            return Err(Misuse::ReadableInChain(head));
        }
        let bytes = |buffer: &Buffer| {
            let (_, _, bytes) = &self.regions[usize::from(buffer.region.get())];
            bytes[buffer.offset..buffer.offset + buffer.length as usize].to_vec()
        };
        let mut all = buffers.iter().map(bytes).collect::<Vec<_>>().concat();
        all.truncate(limit);
        Ok(all)
    }

    pub(super) fn free(&mut self, head: Head) -> Result<(), Misuse> {
        let (_, buffers) = self.chains.remove(self.position(head)?);
        for buffer in buffers {
            // Freeing does not write the address.
            let index = usize::from(buffer.descriptor);
            (self.words[index][1], self.in_memory[index][1]) = (0, 0);
        }
        self.not_live.push(head);
        Ok(())
    }

    /// Whether following the descriptors in memory never ends.
    fn loops(&self, head: Head) -> bool {
        let mut index = usize::from(head.index());
        for _ in 0..self.size {
            let shape = self.in_memory[index][1];
            index = (shape >> 48) as usize;
            if shape & NEXT == 0 || index >= self.in_memory.len() {
                return false;
            }
        }
        true
    }

    fn tampering(&self) -> HashSet<Tampering> {
        let mut all = HashSet::new();
        for (descriptor, (own, found)) in (0..).zip(self.words.iter().zip(&self.in_memory)) {
            if own[0] != found[0] {
                all.insert(Tampering::Address { descriptor, expected: own[0], found: found[0] });
            }
            if own[1] != found[1] {
                all.insert(Tampering::Shape { descriptor, expected: own[1], found: found[1] });
            }
        }
        let heads = self.chains.iter().map(|(head, _)| *head);
        all.extend(heads.filter(|head| self.loops(*head)).map(|head| Tampering::Loop { head }));
        all
    }

    /// Compares everything that can be observed.
    pub(super) fn check(&self, table: &Table, memory: &WatchedMemory, regions: &[(u64, Rc<WatchedMemory>)]) {
        assert_eq!(table.live_count(), self.live_descriptors(), "live descriptors");
        assert_eq!(table.free_count(), self.size - self.live_descriptors(), "free descriptors");
        for (head, buffers) in &self.chains {
            assert!(
                table.buffers(*head).expect("a live chain").eq(buffers.iter().copied()),
                "{head} changed"
            );
        }
        for (index, words) in self.in_memory.iter().enumerate() {
            let found = [memory.load_u64(16 * index), memory.load_u64(16 * index + 8)];
            assert_eq!(found, *words, "descriptor {index} in memory");
        }
        for ((_, memory), (id, _, bytes)) in regions.iter().zip(&self.regions) {
            let mut found = vec![0; bytes.len()];
            memory.copy_out(0, &mut found);
            assert!(found == *bytes, "bytes of region {}", id.get());
        }
        let (found, expected) = (table.verify(), self.tampering());
        assert_eq!(found.len(), expected.len(), "verify reports {found:?}, expected {expected:?}");
        assert_eq!(
            found.into_iter().collect::<HashSet<_>>(),
            expected,
            "the differences that verify reports"
        );
    }
}
