//! Memory of another crate's type that delegates `unchecked_access` to one of core's kinds, by the nightly feature
//! `fn_delegation`. The queue must not access bytes outside that memory.
//!
//! This needs a nightly compiler. `.ci/sanitizers` runs it with AddressSanitizer.
#![cfg(function_delegation)]
#![feature(fn_delegation)]
#![expect(incomplete_features)]

use ringstorm_core::{
    Config, DeviceStopped, FullBarrier, HeapMemory, Layout, OrderedLoad, OrderedStore, QueueSize, RawMemory,
    Region, SharedMemory, SplitQueue,
};
use std::ptr::NonNull;
use std::rc::Rc;

/// Memory that is long enough for the rings by all calls except one, which refers to other memory.
struct Delegating<F> {
    long: HeapMemory,
    delegate: F,
}

/// A macro, because neither a stable compiler nor rustfmt can parse `reuse`.
macro_rules! unparsed {
    ($($code:tt)*) => { $($code)* };
}

unparsed! {
impl<F: SharedMemory> SharedMemory for Delegating<F> {
    reuse SharedMemory::unchecked_access { &self.delegate }

    fn len(&self) -> usize {
        self.long.len()
    }
    fn host_address(&self) -> u64 {
        self.long.host_address()
    }
    fn load_u16(&self, offset: usize) -> u16 {
        self.long.load_u16(offset)
    }
    fn load_u32(&self, offset: usize) -> u32 {
        self.long.load_u32(offset)
    }
    fn load_u64(&self, offset: usize) -> u64 {
        self.long.load_u64(offset)
    }
    fn store_u16(&self, offset: usize, value: u16) {
        self.long.store_u16(offset, value)
    }
    fn store_u32(&self, offset: usize, value: u32) {
        self.long.store_u32(offset, value)
    }
    fn store_u64(&self, offset: usize, value: u64) {
        self.long.store_u64(offset, value)
    }
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.long.load_ordered(access, offset)
    }
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.long.store_ordered(access, offset, value)
    }
    fn barrier(&self, barrier: FullBarrier) {
        self.long.barrier(barrier)
    }
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.long.copy_in(offset, bytes)
    }
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.long.copy_out(offset, out)
    }
    fn zero(&self, offset: usize, length: usize) {
        self.long.zero(offset, length)
    }
    fn abandon(&self) {
        self.long.abandon();
    }
    fn reclaim(&self) {
        self.long.reclaim();
    }
}
}

const SIZE: u32 = 256;
const BUFFER: u32 = 64;

/// Checks a queue whose rings are in the long memory, although the other memory is shorter. The memory is used as its
/// own type, borrowed, reference-counted, and as `dyn`.
fn runs_over_the_long_memory<F: SharedMemory>(delegate: impl Fn() -> F) {
    let layout = Layout::new(QueueSize::new(SIZE).unwrap());
    let memory = |length| Delegating { long: HeapMemory::new(length).unwrap(), delegate: delegate() };
    let both = || (memory(layout.len()), memory((SIZE * BUFFER) as usize));
    let (rings, buffers) = both();
    runs(rings, buffers);
    let (rings, buffers) = both();
    runs(&rings, &buffers);
    runs(&&rings, &&buffers);
    let (rings, buffers) = both();
    runs(Rc::new(rings), Rc::new(buffers));
    let (rings, buffers) = both();
    runs::<&dyn SharedMemory>(&rings, &buffers);
}

fn runs<M: SharedMemory>(rings: M, buffers: M) {
    let config = Config { buffer_size: BUFFER, ..Config::new(QueueSize::new(SIZE).unwrap()) };
    let layout = Layout::new(config.size);
    let mut queue = SplitQueue::new(config, Region::new(rings), Region::new(buffers)).unwrap();
    for _ in 0..SIZE {
        queue.submit(&[b"all of the table"], &[]).unwrap();
    }
    let _ = queue.publish();
    let rings = queue.rings().memory();
    assert_eq!(rings.load_u16(layout.available() + 2), 256);
    rings.store_ordered(OrderedStore::UsedIndex, layout.used() + 2, 1);
    assert_eq!(queue.take().unwrap().unwrap().head.index(), 0);
    assert_eq!(queue.verify(), []);
    queue.release(DeviceStopped::confirmed());
}

#[test]
fn shorter_memory_is_not_accessed() {
    runs_over_the_long_memory(|| HeapMemory::new(8).unwrap());
    runs_over_the_long_memory(|| Rc::new(HeapMemory::new(8).unwrap()));
}

#[test]
fn misaligned_memory_is_not_accessed() {
    let length = Layout::new(QueueSize::new(256).unwrap()).len();
    let words = HeapMemory::new(length + 8).unwrap();
    let start = NonNull::new(words.host_address() as *mut u8).unwrap();
    // SAFETY: the words outlive the queue. They begin at a page.
    runs_over_the_long_memory(|| unsafe { RawMemory::new(start.add(8), length) });
    drop(words);
}
