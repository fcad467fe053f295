//! Code that several tests share: memory, queues over it, and a device that follows the specification.
#![allow(dead_code, reason = "each test binary uses a part of this")]

mod device;
#[cfg(target_os = "linux")]
pub mod maps;
pub mod recorder;
pub mod vast;

pub use device::Device;

use ringstorm_core::{
    Buffer, Config, DescriptorTable, HeapMemory, Layout, Policies, QueueSize, Region, RingIndex,
    SharedMemory, SplitQueue, WritableBuffers,
};
use ringstorm_core::{DeviceAddress, Head, Misuse};

pub type Queue<'m> = SplitQueue<&'m HeapMemory>;
pub type Table<'m> = DescriptorTable<&'m HeapMemory>;

/// Device addresses that differ from all host addresses, so that a test fails if the code confuses the two.
pub const RINGS_AT: u64 = 0x4000_0000;
pub const BUFFERS_AT: u64 = 0x8_0000_0000;

/// Every queue size that 2.7 allows.
pub const SIZES: [u32; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/// The memory of one queue, owned by the test.
pub struct Memory {
    pub config: Config,
    pub rings: HeapMemory,
    pub buffers: HeapMemory,
}

impl Memory {
    pub fn new(size: u32, buffer_size: u32) -> Self {
        let size = QueueSize::new(size).unwrap();
        Self {
            config: Config { buffer_size, ..Config::new(size) },
            rings: heap(Layout::new(size).len()),
            buffers: heap(buffer_size as usize * size.as_usize()),
        }
    }

    pub fn with(mut self, policies: Policies) -> Self {
        self.config.policies = policies;
        self
    }

    pub fn starting_at(mut self, first: u16) -> Self {
        self.config.first_index = RingIndex::new(first);
        self
    }

    pub fn queue(&self) -> Queue<'_> {
        SplitQueue::new(self.config, self.ring_region(), self.buffer_region()).unwrap()
    }

    pub fn table(&self) -> Table<'_> {
        self.table_with(WritableBuffers::Unchanged)
    }

    pub fn table_with(&self, writable: WritableBuffers) -> Table<'_> {
        let Config { size, buffer_size, .. } = self.config;
        DescriptorTable::new(size, buffer_size, writable, self.ring_region(), self.buffer_region()).unwrap()
    }

    pub fn device(&self) -> Device<'_, HeapMemory> {
        let regions = vec![(BUFFERS_AT, &self.buffers)];
        Device::new(self.config.size.get(), &self.rings, regions, self.config.first_index.get())
    }

    pub fn ring_region(&self) -> Region<&HeapMemory> {
        region(&self.rings, RINGS_AT)
    }

    pub fn buffer_region(&self) -> Region<&HeapMemory> {
        region(&self.buffers, BUFFERS_AT)
    }

    /// All bytes that the device can access.
    pub fn snapshot(&self) -> (Vec<u8>, Vec<u8>) {
        (bytes(&self.rings), bytes(&self.buffers))
    }

    /// Overwrites a descriptor's length, flags and next, as a malicious device can (2.7.5).
    pub fn tamper(&self, descriptor: u16, length: u32, flags: u16, next: u16) {
        let at = 16 * usize::from(descriptor);
        self.rings.store_u64(at + 8, shape(length, flags, next));
    }

    /// Changes a descriptor's `next` and sets `VIRTQ_DESC_F_NEXT`. Its length and `VIRTQ_DESC_F_WRITE` do not change.
    pub fn redirect(&self, descriptor: u16, next: u16) {
        let now = self.rings.load_u64(16 * usize::from(descriptor) + 8);
        self.tamper(descriptor, now as u32, (now >> 32) as u16 | 1, next);
    }
}

/// The second word of a descriptor (2.7.5).
pub fn shape(length: u32, flags: u16, next: u16) -> u64 {
    u64::from(length) | u64::from(flags) << 32 | u64::from(next) << 48
}

pub fn heap(length: usize) -> HeapMemory {
    HeapMemory::new(length).unwrap()
}

pub fn region(memory: &HeapMemory, at: u64) -> Region<&HeapMemory> {
    Region::at(memory, DeviceAddress::new(at))
}

pub fn bytes(memory: &impl SharedMemory) -> Vec<u8> {
    let mut all = vec![0; memory.len()];
    memory.copy_out(0, &mut all);
    all
}

/// Bytes that differ by position and by seed.
pub fn pattern(seed: u32, length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (seed.wrapping_mul(31) + at.wrapping_mul(7) + 1) as u8).collect()
}

/// The descriptors of a chain, in chain order.
pub fn descriptors<M: SharedMemory>(table: &DescriptorTable<M>, head: Head) -> Result<Vec<u16>, Misuse> {
    Ok(table.buffers(head)?.map(|buffer: Buffer| buffer.descriptor).collect())
}

/// Creates a chain for each free descriptor and returns the order of the free list.
pub fn drain<M: SharedMemory>(table: &mut DescriptorTable<M>) -> Vec<u16> {
    (0..table.free_count()).map(|_| table.create(&[], &[1]).unwrap().index()).collect()
}

pub fn descriptors_of_queue<M: SharedMemory>(queue: &SplitQueue<M>, head: Head) -> Vec<u16> {
    queue.buffers(head).unwrap().map(|buffer| buffer.descriptor).collect()
}
