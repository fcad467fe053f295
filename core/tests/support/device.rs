//! A device that follows the specification. It uses literal offsets of 2.7, not the code of the driver.

use ringstorm_core::{OrderedLoad, OrderedStore, SharedMemory};

/// One buffer of a chain, as the device reads it from the table (2.7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub address: u64,
    pub length: u32,
    pub writable: bool,
}

pub struct Device<'m, M> {
    size: u16,
    rings: &'m M,
    regions: Vec<(u64, &'m M)>,
    /// The index of the next available entry to read.
    seen: u16,
    /// The index of the next used element to write.
    used: u16,
}

impl<'m, M: SharedMemory> Device<'m, M> {
    pub fn new(size: u16, rings: &'m M, regions: Vec<(u64, &'m M)>, first: u16) -> Self {
        Self { size, rings, regions, seen: first, used: first }
    }

    /// 2.7: the available ring follows the table, which has 16 bytes for each descriptor.
    fn available(&self) -> usize {
        16 * usize::from(self.size)
    }

    /// 2.7: the used ring begins at the next multiple of 4 after the available ring, which has 6 + 2 * size bytes.
    fn used_ring(&self) -> usize {
        (self.available() + 6 + 2 * usize::from(self.size) + 3) & !3
    }

    pub fn available_flags(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableFlags, self.available())
    }

    pub fn available_index(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableIndex, self.available() + 2)
    }

    pub fn available_entry(&self, slot: u16) -> u16 {
        self.rings.load_u16(self.available() + 4 + 2 * usize::from(slot))
    }

    pub fn used_index(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::UsedIndex, self.used_ring() + 2)
    }

    pub fn set_used_flags(&self, flags: u16) {
        self.rings.store_ordered(OrderedStore::UsedFlags, self.used_ring(), flags);
    }

    pub fn set_used_index(&self, index: u16) {
        self.rings.store_ordered(OrderedStore::UsedIndex, self.used_ring() + 2, index);
    }

    /// Returns the next head that the driver has made available.
    pub fn poll(&mut self) -> Option<u16> {
        if self.available_index() == self.seen {
            return None;
        }
        let head = self.available_entry(self.seen % self.size);
        self.seen = self.seen.wrapping_add(1);
        Some(head)
    }

    pub fn chain(&self, head: u16) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut index = head;
        loop {
            let at = 16 * usize::from(index);
            let (address, shape) = (self.rings.load_u64(at), self.rings.load_u64(at + 8));
            let (flags, next) = ((shape >> 32) as u16, (shape >> 48) as u16);
            parts.push(Part { address, length: shape as u32, writable: flags & 2 != 0 });
            if flags & 1 == 0 {
                return parts;
            }
            assert!(parts.len() <= usize::from(self.size), "the driver made a loop");
            index = next;
        }
    }

    fn place(&self, address: u64) -> (&'m M, usize) {
        let inside = |(base, memory): &&(u64, &M)| (*base..base + memory.len() as u64).contains(&address);
        let (base, memory) = self.regions.iter().find(inside).expect("an address in a known region");
        (memory, (address - base) as usize)
    }

    /// All device-readable bytes of a chain.
    pub fn read(&self, head: u16) -> Vec<u8> {
        let mut all = Vec::new();
        for part in self.chain(head).into_iter().filter(|part| !part.writable) {
            let (memory, offset) = self.place(part.address);
            let from = all.len();
            all.resize(from + part.length as usize, 0);
            memory.copy_out(offset, &mut all[from..]);
        }
        all
    }

    /// Writes to a chain's device-writable buffers, from the beginning of the first one.
    pub fn write(&self, head: u16, mut payload: &[u8]) {
        for part in self.chain(head).into_iter().filter(|part| part.writable) {
            let (now, later) = payload.split_at(payload.len().min(part.length as usize));
            let (memory, offset) = self.place(part.address);
            memory.copy_in(offset, now);
            payload = later;
        }
        assert!(payload.is_empty(), "the answer does not fit");
    }

    /// Writes a used element with any values, and does not move the index (2.7.8).
    pub fn write_used(&mut self, id: u32, length: u32) {
        let at = self.used_ring() + 4 + 8 * usize::from(self.used % self.size);
        self.rings.store_u32(at, id);
        self.rings.store_u32(at + 4, length);
        self.used = self.used.wrapping_add(1);
    }

    /// Moves the used index over all elements written so far.
    pub fn publish_used(&self) {
        self.set_used_index(self.used);
    }

    pub fn return_chain(&mut self, id: u32, length: u32) {
        self.write_used(id, length);
        self.publish_used();
    }

    /// Writes `answer` to a chain and returns the chain with that length.
    pub fn answer(&mut self, head: u16, answer: &[u8]) {
        self.write(head, answer);
        self.return_chain(head.into(), answer.len() as u32);
    }

    /// Answers every available chain with the result of `respond` for its device-readable bytes.
    pub fn serve(&mut self, respond: impl Fn(Vec<u8>) -> Vec<u8>) -> usize {
        let mut served = 0;
        while let Some(head) = self.poll() {
            let answer = respond(self.read(head));
            self.answer(head, &answer);
            served += 1;
        }
        served
    }
}
