//! Memory that claims more bytes than it has, for tests of the limit of 2^32 bytes (2.7.5.2).

use ringstorm_core::{FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory};

#[derive(Debug)]
pub struct Vast<'m>(pub &'m HeapMemory);

impl SharedMemory for Vast<'_> {
    fn len(&self) -> usize {
        1 << 40
    }
    fn host_address(&self) -> u64 {
        self.0.host_address()
    }
    fn load_u16(&self, offset: usize) -> u16 {
        self.0.load_u16(offset)
    }
    fn load_u32(&self, offset: usize) -> u32 {
        self.0.load_u32(offset)
    }
    fn load_u64(&self, offset: usize) -> u64 {
        self.0.load_u64(offset)
    }
    fn store_u16(&self, offset: usize, value: u16) {
        self.0.store_u16(offset, value);
    }
    fn store_u32(&self, offset: usize, value: u32) {
        self.0.store_u32(offset, value);
    }
    fn store_u64(&self, offset: usize, value: u64) {
        self.0.store_u64(offset, value);
    }
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.0.load_ordered(access, offset)
    }
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.0.store_ordered(access, offset, value);
    }
    fn barrier(&self, barrier: FullBarrier) {
        self.0.barrier(barrier);
    }
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.0.copy_in(offset, bytes);
    }
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.0.copy_out(offset, out);
    }
    fn zero(&self, offset: usize, length: usize) {
        self.0.zero(offset, length);
    }
    fn abandon(&self) {}
    fn reclaim(&self) {}
}
