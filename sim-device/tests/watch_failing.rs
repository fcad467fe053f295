//! Watched memory can make an access of the driver fail.

use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{EndlessCall, FailingAccess, MemoryFailed, WatchedMemory};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

const PAGE: usize = 4096;

fn memory() -> WatchedMemory {
    let memory = WatchedMemory::new(PAGE).unwrap();
    memory.restart(PAGE);
    memory
}

fn failing(after: u32, memories: &[&WatchedMemory]) -> FailingAccess {
    let access = FailingAccess::default();
    access.set(Some(after));
    memories.iter().for_each(|memory| memory.fail_at(Some(access.clone())));
    access
}

fn caught(call: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(call)).err()
}

type Access = fn(&WatchedMemory);

const ACCESSES: [Access; 14] = [
    |memory| {
        let _ = memory.load_u16(0);
    },
    |memory| {
        let _ = memory.load_u32(0);
    },
    |memory| {
        let _ = memory.load_u64(0);
    },
    |memory| {
        let _ = memory.load_u32_pair(0);
    },
    |memory| {
        let _ = memory.load_ordered(OrderedLoad::UsedIndex, 0);
    },
    |memory| memory.copy_out(0, &mut [0; 8]),
    |memory| memory.store_u16(0, 1),
    |memory| memory.store_u32(0, 1),
    |memory| memory.store_u64(0, 1),
    |memory| memory.store_u64_pair(0, [1, 1]),
    |memory| memory.store_ordered(OrderedStore::AvailableIndex, 0, 1),
    |memory| memory.copy_in(0, &[1; 8]),
    |memory| memory.zero(0, 8),
    |memory| memory.barrier(FullBarrier::PublishedThenSuppression),
];

#[test]
fn every_access_of_a_call_can_fail_and_then_has_no_effect() {
    for access in ACCESSES {
        let memory = memory();
        memory.copy_in(0, &[7; 16]);
        failing(0, &[&memory]);
        memory.begin_call(100);
        let payload = caught(|| access(&memory)).expect("it fails");
        assert!(payload.is::<MemoryFailed>());
        memory.end_call();
        let mut content = [0; 16];
        memory.copy_out(0, &mut content);
        assert_eq!(content, [7; 16]);
        // Only one access fails.
        memory.begin_call(100);
        access(&memory);
        memory.end_call();
    }
}

#[test]
fn accesses_are_counted_across_calls_and_memories() {
    let (rings, buffers) = (memory(), memory());
    let access = failing(3, &[&rings, &buffers]);
    for (number, memory) in [&rings, &buffers, &rings].into_iter().enumerate() {
        memory.begin_call(100);
        memory.store_u16(0, 1);
        assert_eq!(memory.end_call().stores, 1);
        assert_eq!(access.left(), Some(2 - number as u32));
        // An access outside of a call does not count.
        memory.store_u16(0, 1);
    }
    buffers.begin_call(100);
    assert!(caught(|| buffers.store_u16(0, 1)).is_some());
    assert_eq!(access.left(), None);
}

#[test]
fn a_call_in_which_memory_may_fail_is_watched_like_any_other() {
    let memory = memory();
    memory.reserve_for_device(64..128);
    failing(1000, &[&memory]);
    for _ in 0..2 {
        memory.begin_call(4);
        memory.store_u16(64, 1);
        memory.copy_in(0, &[]);
        let _ = memory.load_u32(0) + memory.load_u32(0);
        let report = memory.end_call();
        assert_eq!((report.stores, report.device_area_store, report.double_fetch), (1, Some(64), Some(0)));
        // The limit of accesses holds, too.
        memory.begin_call(1);
        memory.store_u16(0, 1);
        let payload = caught(|| memory.store_u16(0, 1)).expect("one too many");
        assert!(payload.is::<EndlessCall>());
    }
    assert_eq!(memory.end_call().stores, 1);
}

#[test]
fn no_access_fails_after_a_restart() {
    let memory = memory();
    let access = failing(0, &[&memory]);
    memory.restart(PAGE);
    memory.begin_call(1);
    memory.store_u16(0, 1);
    assert_eq!(memory.end_call().stores, 1);
    assert_eq!(access.left(), Some(0));
}
