//! Requests to the global allocator, and the behaviour when it fails.

mod support;

use ringstorm_core::{
    Blame, DescriptorTable, Error, HeapMemory, Refused, Region, SharedMemory, SystemError, WritableBuffers,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::{Memory, drain, heap, region};

thread_local! {
    /// The number of page-aligned allocations of this thread that are not freed.
    static PAGES: Cell<i64> = const { Cell::new(0) };
    /// Whether every allocation of this thread fails.
    static REFUSING: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, with a count for each thread, and failures on request.
struct Counting;

// SAFETY: forwards every request to the system's allocator, or returns null, which the trait allows.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSING.get() {
            return std::ptr::null_mut();
        }
        PAGES.set(PAGES.get() + i64::from(layout.align() == 4096));
        // SAFETY: the caller guarantees the contract of the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        PAGES.set(PAGES.get() - i64::from(layout.align() == 4096));
        // SAFETY: the caller guarantees that this allocator returned the pointer for this layout.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn refusing<T>(call: impl FnOnce() -> T) -> T {
    REFUSING.set(true);
    let result = call();
    REFUSING.set(false);
    result
}

#[test]
fn heap_memory_is_freed_unless_abandoned() {
    let before = PAGES.get();
    let memory = HeapMemory::new(100).unwrap();
    assert_eq!(PAGES.get(), before + 1);
    drop(memory);
    assert_eq!(PAGES.get(), before);

    let memory = HeapMemory::new(100).unwrap();
    let start = memory.host_address() as *mut u8;
    memory.abandon();
    drop(memory);
    assert_eq!(PAGES.get(), before + 1);
    let layout = Layout::from_size_align(100, 4096).unwrap();
    // SAFETY: the memory was abandoned, so nothing else frees it. Freeing it here keeps the test from leaking.
    unsafe { std::alloc::dealloc(start, layout) }
}

/// The owner of borrowed memory may drop it while a device can still access it, after its queue was dropped or
/// forgotten.
#[test]
fn borrowed_memory_outlives_its_owner_until_the_device_has_stopped() {
    type Leave = fn(ringstorm_core::SplitQueue<&HeapMemory>);
    let leaves: [(Leave, i64); 3] = [
        (|queue| drop(queue), 2),
        (|queue| std::mem::forget(queue), 2),
        (|queue| queue.release(ringstorm_core::DeviceStopped::confirmed()), 0),
    ];
    for (leave, kept) in leaves {
        let before = PAGES.get();
        let memory = Memory::new(4, 16);
        leave(memory.queue());
        drop(memory);
        assert_eq!(PAGES.get(), before + kept);
    }
}

#[test]
fn a_failed_allocation_of_heap_memory_is_an_error() {
    let refused = refusing(|| HeapMemory::new(100)).unwrap_err();
    let expected = matches!(refused, Error::System(SystemError::OutOfMemory { bytes: 100 }));
    assert!(expected, "{refused}");
}

#[test]
fn a_failed_allocation_of_the_private_copy_is_an_error() {
    let memory = Memory::new(4, 16);
    let (table, buffers) = (memory.ring_region(), memory.buffer_region());
    let choice = WritableBuffers::Unchanged;
    let before = memory.snapshot();
    let refused = refusing(|| DescriptorTable::new(memory.config.size, 16, choice, table, buffers));
    let Refused { error, value: (table, buffers) } = refused.unwrap_err();
    assert_eq!((table.len(), buffers.len()), (memory.rings.len(), memory.buffers.len()));
    assert!(matches!(error, Error::System(SystemError::OutOfMemory { .. })), "{error}");
    assert_eq!(error.blame(), Blame::System);
    assert_eq!(memory.snapshot(), before);
}

#[test]
fn a_region_is_not_registered_if_its_record_cannot_be_allocated() {
    let (memory, own) = (Memory::new(4, 16), heap(16));
    let mut table = memory.table();
    let before = memory.snapshot();
    let error = refusing(|| table.register(region(&own, 0))).unwrap_err().into_error();
    let expected = size_of::<Region<&HeapMemory>>();
    assert!(
        matches!(error, Error::System(SystemError::OutOfMemory { bytes }) if bytes == expected),
        "{error}"
    );
    assert_eq!((table.buffer_regions().len(), memory.snapshot()), (1, before));
    assert_eq!(table.register(region(&own, 0)).unwrap().get(), 1);
    assert_eq!(drain(&mut table), [0, 1, 2, 3]);
}

/// Calls on the data path allocate nothing: the queue uses what it allocated when it was made.
#[test]
fn submitting_taking_and_freeing_allocate_nothing() {
    let memory = Memory::new(8, 16);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let mut out = [0; 16];
    for _ in 0..3 {
        let head = refusing(|| queue.submit(&[b"request"], &[16, 16])).unwrap();
        let _ = refusing(|| queue.publish());
        device.serve(|request| request);
        let done = refusing(|| queue.take()).unwrap().unwrap();
        assert_eq!(done.head, head);
        assert_eq!(refusing(|| queue.read(head, &mut out)), Ok(7));
        assert_eq!(refusing(|| queue.free(head)), Ok(()));
        assert!(refusing(|| queue.free(head)).is_err());
    }
}
