//! Watched memory counts and reports the accesses of one call at a time.

use ringstorm_core::{FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{CallReport, EndlessCall, WatchedMemory};
use std::panic::{AssertUnwindSafe, catch_unwind};

const PAGE: usize = 4096;

fn memory(length: usize) -> WatchedMemory {
    let memory = WatchedMemory::new(4 * PAGE).unwrap();
    memory.restart(length);
    memory
}

/// The report of a call without accesses.
const QUIET: CallReport = CallReport {
    stores: 0,
    unusual: false,
    device_area_store: None,
    double_fetch: None,
    late_stores: false,
    trap_triggered: false,
    trap_seen: false,
    weak: None,
};

type Access = fn(&WatchedMemory, usize);

/// Every way to store.
const STORES: [(usize, Access); 6] = [
    (2, |memory, offset| memory.store_u16(offset, 0xaaaa)),
    (4, |memory, offset| memory.store_u32(offset, 0xaaaa_aaaa)),
    (8, |memory, offset| memory.store_u64(offset, 0xaaaa_aaaa_aaaa_aaaa)),
    (2, |memory, offset| memory.store_ordered(OrderedStore::AvailableIndex, offset, 0xaaaa)),
    (24, |memory, offset| memory.copy_in(offset, &[0xaa; 24])),
    (24, |memory, offset| memory.zero(offset, 24)),
];

/// Every way to load.
const LOADS: [(usize, Access); 5] = [
    (2, |memory, offset| {
        let _ = memory.load_u16(offset);
    }),
    (4, |memory, offset| {
        let _ = memory.load_u32(offset);
    }),
    (8, |memory, offset| {
        let _ = memory.load_u64(offset);
    }),
    (2, |memory, offset| {
        let _ = memory.load_ordered(OrderedLoad::UsedIndex, offset);
    }),
    (24, |memory, offset| memory.copy_out(offset, &mut [0; 24])),
];

fn content(memory: &WatchedMemory) -> Vec<u8> {
    let mut bytes = vec![0; memory.len()];
    memory.copy_out(0, &mut bytes);
    bytes
}

#[test]
fn stores_of_a_call_are_counted_and_loads_are_not() {
    let memory = memory(PAGE);
    assert_eq!(memory.end_call(), CallReport::default());
    for (_, store) in STORES {
        store(&memory, 0);
    }
    memory.begin_call(100);
    for (number, (_, load)) in LOADS.into_iter().enumerate() {
        load(&memory, 64 * number);
    }
    memory.barrier(FullBarrier::PublishedThenSuppression);
    assert_eq!(memory.end_call(), QUIET, "stores before the call are not counted");
    memory.begin_call(100);
    for (number, (_, store)) in STORES.into_iter().enumerate() {
        store(&memory, 0);
        store(&memory, 64);
        assert_eq!(memory.end_call(), CallReport { stores: 2, ..QUIET }, "{number}");
        store(&memory, 0);
        memory.begin_call(100);
    }
    assert_eq!(memory.end_call(), CallReport::default());
}

#[test]
fn the_first_store_to_the_device_area_is_reported() {
    let memory = memory(PAGE);
    memory.reserve_for_device(64..128);
    for (number, (size, store)) in STORES.into_iter().enumerate() {
        for (offset, device_area_store) in [
            (64 - size, None),
            (64, Some(64)),
            (128 - size, Some(128 - size)),
            (128, None),
            (if size > 8 { 56 } else { 72 }, Some(if size > 8 { 56 } else { 72 })),
        ] {
            store(&memory, 64);
            memory.begin_call(100);
            store(&memory, offset);
            assert_eq!(
                memory.end_call(),
                CallReport { stores: 1, unusual: device_area_store.is_some(), device_area_store, ..QUIET },
                "{number} at {offset}"
            );
        }
    }
    memory.begin_call(100);
    for offset in [0, 96, 64] {
        memory.store_u16(offset, 1);
    }
    assert_eq!(
        memory.end_call(),
        CallReport { stores: 3, unusual: true, device_area_store: Some(96), ..QUIET }
    );
    memory.begin_call(100);
    memory.load_u16(64);
    memory.copy_out(66, &mut [0; 24]);
    assert_eq!(memory.end_call(), QUIET);
    memory.restart(PAGE);
    memory.begin_call(100);
    memory.store_u16(64, 1);
    assert_eq!(memory.end_call().device_area_store, None, "after a restart the driver may write everywhere");
}

#[test]
fn a_call_with_too_many_accesses_is_ended() {
    for (number, (_, access)) in STORES.into_iter().chain(LOADS).enumerate() {
        let memory = memory(PAGE);
        memory.begin_call(3);
        for _ in 0..3 {
            access(&memory, 0);
        }
        let payload = catch_unwind(AssertUnwindSafe(|| access(&memory, 64))).unwrap_err();
        assert!(payload.downcast_ref::<EndlessCall>().is_some(), "{number}");
        let stores = if number < STORES.len() { 3 } else { 0 };
        assert_eq!(memory.end_call().stores, stores, "{number}: the last one did not happen");
        assert_eq!(content(&memory)[64..], [0; PAGE - 64], "{number}");
        // The device's accesses are not limited.
        for _ in 0..10 {
            access(&memory, 0);
        }
        memory.begin_call(1);
        access(&memory, 0);
        memory.end_call();
    }
    let memory = memory(PAGE);
    memory.begin_call(0);
    let payload = catch_unwind(AssertUnwindSafe(|| memory.load_u16(0))).unwrap_err();
    assert!(payload.downcast_ref::<EndlessCall>().is_some());
    memory.restart(PAGE);
    assert_eq!(memory.load_u16(0), 0, "a restart ends the call");
}

#[test]
fn a_restart_clears_the_memory_whoever_wrote_to_it() {
    for (number, (size, store)) in STORES.into_iter().enumerate() {
        for in_call in [false, true] {
            let memory = memory(4 * PAGE);
            for offset in [0, PAGE - size, PAGE, 3 * PAGE + 8, 4 * PAGE - size] {
                if in_call {
                    memory.begin_call(1);
                }
                store(&memory, offset);
                memory.end_call();
            }
            assert_eq!(content(&memory).iter().any(|byte| *byte != 0), number != 5, "{number}");
            memory.restart(4 * PAGE);
            assert!(content(&memory).iter().all(|byte| *byte == 0), "{number}");
        }
    }
}

#[test]
fn a_restart_clears_all_pages_that_a_write_touches() {
    let memory = memory(4 * PAGE);
    for (offset, length) in
        [(PAGE - 1, 2), (0, 4 * PAGE), (PAGE, PAGE), (2 * PAGE - 1, PAGE + 2), (4 * PAGE, 0)]
    {
        for turn in 0..2 {
            memory.copy_in(offset, &vec![turn + 1; length]);
            assert_eq!(content(&memory).iter().filter(|byte| **byte == turn + 1).count(), length);
            memory.restart(4 * PAGE);
            assert!(content(&memory).iter().all(|byte| *byte == 0), "{length} at {offset}");
        }
    }
}

#[test]
fn bytes_beyond_a_shorter_length_are_zero_when_the_length_grows() {
    let memory = memory(4 * PAGE);
    memory.copy_in(0, &[7; 4 * PAGE]);
    memory.restart(10);
    assert_eq!((memory.len(), content(&memory)), (10, vec![0; 10]));
    memory.restart(4 * PAGE);
    assert!(content(&memory).iter().all(|byte| *byte == 0));
}

#[test]
fn an_access_past_the_length_panics() {
    let memory = memory(128);
    assert_eq!((memory.len(), memory.capacity()), (128, 4 * PAGE));
    for (number, (size, access)) in STORES.into_iter().chain(LOADS).enumerate() {
        access(&memory, 128 - size);
        for offset in [128, 128 - size + if size > 8 { 1 } else { size }, 4 * PAGE, usize::MAX - 7] {
            let answer = catch_unwind(AssertUnwindSafe(|| access(&memory, offset)));
            let payload = answer.expect_err(&format!("{number} at {offset}"));
            assert!(payload.downcast_ref::<EndlessCall>().is_none());
        }
    }
    memory.restart(4 * PAGE);
    assert!(content(&memory)[128..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_restart_beyond_the_capacity_panics() {
    let memory = memory(0);
    assert!(memory.is_empty());
    memory.restart(memory.capacity());
    assert_eq!(memory.len(), 4 * PAGE);
    assert!(catch_unwind(AssertUnwindSafe(|| memory.restart(4 * PAGE + 1))).is_err());
    assert_eq!(memory.len(), 4 * PAGE);
}

/// Memory of a caller ends at its length, even within a page. A restart must not clear bytes after it.
#[test]
fn memory_of_a_caller_is_watched_up_to_its_end() {
    for length in [1, PAGE - 1, PAGE, PAGE + 1] {
        let lent = HeapMemory::new(length).unwrap();
        let address = lent.host_address();
        let memory = WatchedMemory::over(lent.into());
        assert_eq!((memory.len(), memory.capacity(), memory.host_address()), (length, length, address));
        memory.copy_in(0, &vec![3; length]);
        memory.restart(length);
        assert_eq!(content(&memory), vec![0; length]);
        assert!(catch_unwind(AssertUnwindSafe(|| memory.restart(length + 1))).is_err());
    }
}

#[test]
fn memory_has_at_least_the_requested_capacity() {
    for capacity in [1, PAGE - 1, PAGE, PAGE + 1] {
        let memory = WatchedMemory::new(capacity).unwrap();
        assert_eq!(memory.len(), capacity);
        assert!(memory.capacity() >= capacity);
        memory.copy_in(0, &vec![3; capacity]);
        memory.restart(capacity);
        assert_eq!(content(&memory), vec![0; capacity]);
    }
    assert!(WatchedMemory::new(0).is_err());
    let memory = WatchedMemory::new(PAGE).unwrap();
    assert_eq!(memory.host_address() % PAGE as u64, 0, "the host address is that of the bytes");
    memory.store_u32(12, 0x1234_5678);
    assert_eq!(
        (memory.load_u32(12), memory.load_u16(12), memory.load_u64(8)),
        (0x1234_5678, 0x5678, 0x1234_5678 << 32)
    );
    memory.store_ordered(OrderedStore::AvailableIndex, 2, 9);
    assert_eq!(memory.load_ordered(OrderedLoad::AvailableIndex, 2), 9);
}

#[test]
fn zeroing_clears_exactly_its_range() {
    let memory = memory(4 * PAGE);
    for (start, end) in
        [(0, 4 * PAGE), (1, 4 * PAGE - 1), (PAGE - 1, 3 * PAGE + 1), (PAGE, 2 * PAGE), (5, 9), (7, 7)]
    {
        for touched in [&[(0, 4 * PAGE)][..], &[(0, 1), (2 * PAGE, 2 * PAGE + 3)], &[]] {
            memory.restart(4 * PAGE);
            let mut expected = vec![0; 4 * PAGE];
            for (from, to) in touched {
                memory.copy_in(*from, &vec![7; to - from]);
                expected[*from..*to].fill(7);
            }
            memory.zero(start, end - start);
            expected[start..end].fill(0);
            assert!(content(&memory) == expected, "{start} to {end}");
        }
    }
}

#[test]
fn copies_of_the_caller_are_not_counted_as_the_drivers() {
    let memory = memory(PAGE + 100);
    memory.begin_call(1);
    memory.copy_in_for_caller(PAGE - 2, b"abcd");
    memory.copy_in_for_caller(0, b"");
    let mut out = [0; 4];
    memory.copy_out_for_caller(PAGE - 2, &mut out);
    memory.copy_out_for_caller(PAGE - 2, &mut out);
    assert_eq!((memory.end_call(), &out), (QUIET, b"abcd"));
    memory.restart(PAGE + 100);
    assert!(content(&memory).iter().all(|byte| *byte == 0), "a restart clears it, too");
    for offset in [PAGE + 97, usize::MAX] {
        let outside = |access: &dyn Fn()| catch_unwind(AssertUnwindSafe(access)).is_err();
        assert!(outside(&|| memory.copy_in_for_caller(offset, b"abcd")));
        assert!(outside(&|| memory.copy_out_for_caller(offset, &mut [0; 4])));
    }
}
