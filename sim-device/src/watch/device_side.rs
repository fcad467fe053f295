//! The device's handle to watched memory.

use super::WatchedMemory;
use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use std::rc::Rc;

/// The device's handle to [`WatchedMemory`]. Accesses by it are never the driver's, so nothing about them is recorded.
#[derive(Debug, Clone)]
pub struct DeviceSide(Rc<WatchedMemory>);

impl DeviceSide {
    /// A handle to this memory.
    pub const fn new(memory: Rc<WatchedMemory>) -> Self {
        Self(memory)
    }

    /// The memory.
    pub fn memory(&self) -> &WatchedMemory {
        &self.0
    }

    #[inline(always)]
    fn touch_integer(&self, offset: usize, size: usize) {
        self.0.check(offset, size);
        self.0.pages.touch_integer(offset);
    }
}

impl SharedMemory for DeviceSide {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    fn host_address(&self) -> u64 {
        self.0.host_address()
    }

    #[inline(always)]
    fn load_u16(&self, offset: usize) -> u16 {
        self.0.check(offset, 2);
        self.0.memory.load_u16(offset)
    }

    #[inline(always)]
    fn load_u32(&self, offset: usize) -> u32 {
        self.0.check(offset, 4);
        self.0.memory.load_u32(offset)
    }

    #[inline(always)]
    fn load_u64(&self, offset: usize) -> u64 {
        self.0.check(offset, 8);
        self.0.memory.load_u64(offset)
    }

    #[inline(always)]
    fn store_u16(&self, offset: usize, value: u16) {
        self.touch_integer(offset, 2);
        self.0.memory.store_u16(offset, value);
    }

    #[inline(always)]
    fn store_u32(&self, offset: usize, value: u32) {
        self.touch_integer(offset, 4);
        self.0.memory.store_u32(offset, value);
    }

    #[inline(always)]
    fn store_u64(&self, offset: usize, value: u64) {
        self.touch_integer(offset, 8);
        self.0.memory.store_u64(offset, value);
    }

    #[inline(always)]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.0.check(offset, 2);
        self.0.memory.load_ordered(access, offset)
    }

    #[inline(always)]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.touch_integer(offset, 2);
        self.0.memory.store_ordered(access, offset, value);
    }

    #[inline(always)]
    fn barrier(&self, _: FullBarrier) {
        // Driver and device take turns in one thread, so a barrier has nothing to do.
    }

    #[inline(always)]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.0.copy_in_for_caller(offset, bytes);
    }

    #[inline(always)]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.0.copy_out_for_caller(offset, out);
    }

    fn zero(&self, offset: usize, length: usize) {
        self.0.check(offset, length);
        for part in self.0.pages.touched_in(offset..offset + length) {
            self.0.memory.zero(part.start, part.len());
        }
    }

    fn abandon(&self) {
        self.0.abandon();
    }

    fn reclaim(&self) {
        self.0.reclaim();
    }
}
