//! The driver's side of one queue, written byte by byte at offsets from section 2.7.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

pub mod vast;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{AddressSpace, Device, Effect, Geometry};

pub const NEXT: u16 = 1;
pub const WRITE: u16 = 2;
pub const INDIRECT: u16 = 4;

/// A queue of four descriptors: the table at 0 (16 bytes each), the available ring at 64 (6 + 2 * 4 bytes), and the used
/// ring at the next multiple of four (6 + 8 * 4 bytes).
pub const GEOMETRY: Geometry = Geometry { size: 4, table: 0, available: 64, used: 80 };
pub const RINGS: usize = 118;

/// Two regions: 256 bytes at 0x1_0000, 64 at 0x2_0000.
pub const BUFFERS: u64 = 0x1_0000;
pub const OTHERS: u64 = 0x2_0000;

pub struct Memory {
    pub rings: HeapMemory,
    pub buffers: HeapMemory,
    pub others: HeapMemory,
}

impl Memory {
    pub fn new() -> Self {
        let heap = |length| HeapMemory::new(length).unwrap();
        Self { rings: heap(RINGS), buffers: heap(256), others: heap(64) }
    }

    pub fn space(&self) -> AddressSpace<&HeapMemory> {
        AddressSpace::new([(BUFFERS, &self.buffers), (OTHERS, &self.others)])
    }

    /// A device on the queue, of which both rings begin at this index.
    pub fn device(&self, first_index: u16) -> Device<&HeapMemory> {
        self.rings.store_u16(66, first_index);
        self.rings.store_u16(82, first_index);
        Device::new(&self.rings, GEOMETRY, self.space(), first_index)
    }

    /// A device on the queue as it is in memory, from index 0 on.
    pub fn device_now(&self) -> Device<&HeapMemory> {
        Device::new(&self.rings, GEOMETRY, self.space(), 0)
    }

    /// Writes a descriptor (2.7.5).
    pub fn describe(&self, index: usize, address: u64, length: u32, flags: u16, next: u16) {
        let mut bytes = address.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(next.to_le_bytes());
        self.rings.copy_in(16 * index, &bytes);
    }

    /// Makes a chain available (2.7.6): the entry, then the index.
    pub fn make_available(&self, head: u16) {
        let index = self.rings.load_u16(66);
        self.rings.store_u16(68 + 2 * usize::from(index % 4), head);
        self.rings.store_u16(66, index.wrapping_add(1));
    }

    pub fn all(&self) -> Vec<u8> {
        [bytes(&self.rings), bytes(&self.buffers), bytes(&self.others)].concat()
    }

    /// Id and length at a slot of the used ring (2.7.8).
    pub fn element(&self, slot: usize) -> (u32, u32) {
        (self.rings.load_u32(84 + 8 * slot), self.rings.load_u32(88 + 8 * slot))
    }

    pub fn used_index(&self) -> u16 {
        self.rings.load_u16(82)
    }
}

pub fn bytes(memory: &impl SharedMemory) -> Vec<u8> {
    let mut bytes = vec![0; memory.len()];
    memory.copy_out(0, &mut bytes);
    bytes
}

pub fn effects<M: SharedMemory>(device: &mut Device<M>) -> Vec<Effect> {
    let mut effects = Vec::new();
    device.take_effects(&mut effects);
    effects
}
