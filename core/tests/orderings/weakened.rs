//! A wrapper of memory that makes one access weaker than required.

use crate::memory::LoomMemory;
use loom::sync::atomic::{Ordering, fence};
use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};

/// The access to weaken, by one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakening {
    /// No access is weaker.
    None,
    /// Acquire becomes relaxed; relaxed becomes plain.
    Load(OrderedLoad),
    /// Release becomes relaxed; relaxed becomes plain.
    Store(OrderedStore),
    /// Sequentially consistent becomes acquire and release, which does not order a store before a later load.
    Barrier(FullBarrier),
    /// The barrier is omitted.
    NoBarrier(FullBarrier),
}

/// Memory that forwards every access to the inner memory, except for the weakened one.
#[derive(Clone)]
pub struct Weakened {
    inner: LoomMemory,
    what: Weakening,
}

impl Weakened {
    pub fn new(inner: LoomMemory, what: Weakening) -> Self {
        Self { inner, what }
    }
}

impl SharedMemory for Weakened {
    #[track_caller]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        if self.what != Weakening::Load(access) {
            return self.inner.load_ordered(access, offset);
        }
        match access.ordering() {
            Ordering::Acquire => self.inner.load_as(Ordering::Relaxed, offset),
            Ordering::Relaxed => self.inner.load_plain(offset),
            other => panic!("there is no weaker load than {other:?} here"),
        }
    }
    #[track_caller]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        if self.what != Weakening::Store(access) {
            return self.inner.store_ordered(access, offset, value);
        }
        match access.ordering() {
            Ordering::Release => self.inner.store_as(Ordering::Relaxed, offset, value),
            Ordering::Relaxed => self.inner.store_plain(offset, value),
            other => panic!("there is no weaker store than {other:?} here"),
        }
    }
    fn barrier(&self, barrier: FullBarrier) {
        if self.what == Weakening::Barrier(barrier) {
            fence(Ordering::AcqRel);
        } else if self.what != Weakening::NoBarrier(barrier) {
            self.inner.barrier(barrier);
        }
    }

    fn len(&self) -> usize {
        self.inner.len()
    }
    fn host_address(&self) -> u64 {
        self.inner.host_address()
    }
    #[track_caller]
    fn load_u16(&self, offset: usize) -> u16 {
        self.inner.load_u16(offset)
    }
    #[track_caller]
    fn load_u32(&self, offset: usize) -> u32 {
        self.inner.load_u32(offset)
    }
    #[track_caller]
    fn load_u64(&self, offset: usize) -> u64 {
        self.inner.load_u64(offset)
    }
    #[track_caller]
    fn store_u16(&self, offset: usize, value: u16) {
        self.inner.store_u16(offset, value);
    }
    #[track_caller]
    fn store_u32(&self, offset: usize, value: u32) {
        self.inner.store_u32(offset, value);
    }
    #[track_caller]
    fn store_u64(&self, offset: usize, value: u64) {
        self.inner.store_u64(offset, value);
    }
    #[track_caller]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.inner.copy_in(offset, bytes);
    }
    #[track_caller]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.inner.copy_out(offset, out);
    }
    #[track_caller]
    fn zero(&self, offset: usize, length: usize) {
        self.inner.zero(offset, length);
    }
    fn abandon(&self) {
        self.inner.abandon();
    }
    fn reclaim(&self) {
        self.inner.reclaim();
    }
}
