//! Memory that records every access in order.

use super::heap;
use ringstorm_core::{FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Length,
    HostAddress,
    Load { offset: usize, width: usize },
    Store { offset: usize, width: usize },
    LoadOrdered(OrderedLoad, usize),
    StoreOrdered(OrderedStore, usize),
    Barrier(FullBarrier),
    CopyIn { offset: usize, length: usize },
    CopyOut { offset: usize, length: usize },
    Zero { offset: usize, length: usize },
    Abandon,
    Reclaim,
}

#[derive(Debug)]
pub struct Recorder {
    real: HeapMemory,
    log: Arc<Mutex<Vec<Access>>>,
    /// The number of accesses until one panics.
    left: AtomicUsize,
}

impl Recorder {
    pub fn new(length: usize) -> Self {
        Self { real: heap(length), log: Arc::default(), left: AtomicUsize::new(usize::MAX) }
    }

    /// Lets this number of accesses succeed. The next access panics and does not take place.
    pub fn fail_after(&self, accesses: usize) {
        self.left.store(accesses, Relaxed);
    }

    /// Removes the recorded accesses and returns them, without calls of `len` and `host_address`.
    pub fn take_log(&self) -> Vec<Access> {
        let mut log = self.take_full_log();
        log.retain(|access| !matches!(access, Access::Length | Access::HostAddress));
        log
    }

    pub fn take_full_log(&self) -> Vec<Access> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// The log itself, which outlives the memory.
    pub fn log(&self) -> Arc<Mutex<Vec<Access>>> {
        Arc::clone(&self.log)
    }

    fn note(&self, access: Access) -> &HeapMemory {
        // After the access that panics, all accesses succeed.
        assert!(self.left.fetch_sub(1, Relaxed) > 0, "this access fails as requested");
        self.log.lock().unwrap().push(access);
        &self.real
    }
}

impl SharedMemory for Recorder {
    fn len(&self) -> usize {
        self.note(Access::Length).len()
    }
    fn host_address(&self) -> u64 {
        self.note(Access::HostAddress).host_address()
    }
    fn load_u16(&self, offset: usize) -> u16 {
        self.note(Access::Load { offset, width: 2 }).load_u16(offset)
    }
    fn load_u32(&self, offset: usize) -> u32 {
        self.note(Access::Load { offset, width: 4 }).load_u32(offset)
    }
    fn load_u64(&self, offset: usize) -> u64 {
        self.note(Access::Load { offset, width: 8 }).load_u64(offset)
    }
    fn store_u16(&self, offset: usize, value: u16) {
        self.note(Access::Store { offset, width: 2 }).store_u16(offset, value)
    }
    fn store_u32(&self, offset: usize, value: u32) {
        self.note(Access::Store { offset, width: 4 }).store_u32(offset, value)
    }
    fn store_u64(&self, offset: usize, value: u64) {
        self.note(Access::Store { offset, width: 8 }).store_u64(offset, value)
    }
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.note(Access::LoadOrdered(access, offset)).load_ordered(access, offset)
    }
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.note(Access::StoreOrdered(access, offset)).store_ordered(access, offset, value)
    }
    fn barrier(&self, barrier: FullBarrier) {
        self.note(Access::Barrier(barrier)).barrier(barrier)
    }
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.note(Access::CopyIn { offset, length: bytes.len() }).copy_in(offset, bytes)
    }
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.note(Access::CopyOut { offset, length: out.len() }).copy_out(offset, out)
    }
    fn zero(&self, offset: usize, length: usize) {
        self.note(Access::Zero { offset, length }).zero(offset, length)
    }
    fn abandon(&self) {
        self.note(Access::Abandon);
    }
    fn reclaim(&self) {
        self.note(Access::Reclaim);
    }
}
