//! Memory that claims more bytes than a test can allocate, for the limit of 2^32 bytes (2.7.5.2).

use super::{BUFFERS_AT, RINGS_AT, heap};
use ringstorm_core::{
    Config, DescriptorTable, DeviceAddress, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, QueueSize,
    Region, SharedMemory, SplitQueue, WritableBuffers,
};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub struct Vast {
    real: HeapMemory,
    claimed: usize,
    /// The address, which is different for each memory, because a queue refuses regions that overlap in this process.
    host_address: u64,
}

impl Vast {
    const BUFFERS: usize = (u32::MAX as usize).saturating_mul(4);

    pub fn new(real: usize, claimed: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
        Self { real: heap(real), claimed, host_address: NEXT.fetch_add(1 << 40, Ordering::Relaxed) }
    }

    /// A table of 4 descriptors whose buffers have the maximum length.
    pub fn table() -> DescriptorTable<Self> {
        let table = Region::at(Self::new(64, 64), DeviceAddress::new(RINGS_AT));
        let buffers = Region::at(Self::new(64, Self::BUFFERS), DeviceAddress::new(BUFFERS_AT));
        let size = QueueSize::new(4).unwrap();
        DescriptorTable::new(size, u32::MAX, WritableBuffers::Unchanged, table, buffers).unwrap()
    }

    /// A queue of 4 descriptors whose buffers have the maximum length, over rings that the test owns.
    pub fn queue<'m>(rings: &'m Self, buffers: &'m Self) -> SplitQueue<&'m Self> {
        let config = Config { buffer_size: u32::MAX, ..Config::new(QueueSize::new(4).unwrap()) };
        let rings = Region::at(rings, DeviceAddress::new(RINGS_AT));
        SplitQueue::new(config, rings, Region::at(buffers, DeviceAddress::new(BUFFERS_AT))).unwrap()
    }

    pub fn rings_and_buffers() -> (Self, Self) {
        (Self::new(120, 120), Self::new(64, Self::BUFFERS))
    }
}

impl SharedMemory for Vast {
    fn len(&self) -> usize {
        self.claimed
    }
    fn host_address(&self) -> u64 {
        self.host_address
    }
    fn load_u16(&self, offset: usize) -> u16 {
        self.real.load_u16(offset)
    }
    fn load_u32(&self, offset: usize) -> u32 {
        self.real.load_u32(offset)
    }
    fn load_u64(&self, offset: usize) -> u64 {
        self.real.load_u64(offset)
    }
    fn store_u16(&self, offset: usize, value: u16) {
        self.real.store_u16(offset, value)
    }
    fn store_u32(&self, offset: usize, value: u32) {
        self.real.store_u32(offset, value)
    }
    fn store_u64(&self, offset: usize, value: u64) {
        self.real.store_u64(offset, value)
    }
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.real.load_ordered(access, offset)
    }
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.real.store_ordered(access, offset, value)
    }
    fn barrier(&self, barrier: FullBarrier) {
        self.real.barrier(barrier)
    }
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.real.copy_in(offset, bytes)
    }
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.real.copy_out(offset, out)
    }
    fn zero(&self, offset: usize, length: usize) {
        self.real.zero(offset, length)
    }
    fn abandon(&self) {
        self.real.abandon()
    }
    fn reclaim(&self) {
        self.real.reclaim()
    }
}
