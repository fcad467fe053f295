//! What watched memory does not count: the device's accesses. And how a call without accesses ends.

use ringstorm_core::{OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{DeviceSide, Trap, WatchedMemory};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

const PAGE: usize = 4096;

fn memory() -> Rc<WatchedMemory> {
    let memory = Rc::new(WatchedMemory::new(2 * PAGE).unwrap());
    memory.restart(PAGE);
    memory
}

/// All accesses of a device. Returns the sum of what it loaded.
fn access(device: &DeviceSide) -> u64 {
    device.store_u16(0, 1);
    device.store_u32(4, 2);
    device.store_u64(8, 3);
    device.store_u64_pair(16, [4, 5]);
    device.store_ordered(OrderedStore::UsedIndex, 32, 6);
    device.copy_in(40, b"\x07");
    let mut byte = [0];
    device.copy_out(40, &mut byte);
    u64::from(device.load_u16(0))
        + u64::from(device.load_u32(4))
        + device.load_u64(8)
        + u64::from(device.load_u32_pair(16)[0])
        + device.load_u64(24)
        + u64::from(device.load_ordered(OrderedLoad::AvailableIndex, 32))
        + u64::from(byte[0])
}

#[test]
fn accesses_of_the_device_are_not_the_drivers_even_during_a_call() {
    let memory = memory();
    let device = DeviceSide::new(Rc::clone(&memory));
    memory.reserve_for_device(0..PAGE);
    memory.watch_available_index(32);
    memory.record_places();
    let trap = Trap { offset: 0, width: 2, value: 9 };
    memory.set_trap(Some(trap));
    // The call may make no access at all.
    memory.begin_call(0);
    assert_eq!(access(&device), 1 + 2 + 3 + 4 + 5 + 6 + 7);
    assert_eq!(memory.trap(), Some(trap));
    assert!(memory.end_call_without_accesses());
    let mut places = Vec::new();
    memory.take_places(&mut places);
    assert_eq!(places, []);
}

#[test]
fn a_restart_clears_what_the_device_wrote() {
    let memory = memory();
    let device = DeviceSide::new(Rc::clone(&memory));
    access(&device);
    device.zero(40, 8);
    assert_eq!(memory.load_u64(40), 0);
    assert_eq!(memory.load_u64(8), 3);
    memory.restart(PAGE);
    let mut bytes = [1; PAGE];
    memory.copy_out(0, &mut bytes);
    assert_eq!(bytes, [0; PAGE]);
}

#[test]
fn the_device_cannot_access_bytes_behind_the_memory() {
    let memory = memory();
    let device = DeviceSide::new(Rc::clone(&memory));
    let panics = |access: &dyn Fn()| catch_unwind(AssertUnwindSafe(access)).is_err();
    // The allocation is longer than the memory of this scenario.
    assert!(panics(&|| _ = device.load_u16(PAGE)));
    assert!(panics(&|| _ = device.load_u32(PAGE)));
    assert!(panics(&|| _ = device.load_u64(PAGE)));
    assert!(panics(&|| _ = device.load_ordered(OrderedLoad::AvailableIndex, PAGE)));
    assert!(panics(&|| device.store_u16(PAGE, 1)));
    assert!(panics(&|| device.store_u32(PAGE, 1)));
    assert!(panics(&|| device.store_u64(PAGE, 1)));
    assert!(panics(&|| device.store_ordered(OrderedStore::UsedIndex, PAGE, 1)));
    assert!(panics(&|| device.copy_in(PAGE - 1, b"ab")));
    assert!(panics(&|| device.copy_out(PAGE - 1, &mut [0; 2])));
    assert!(panics(&|| device.zero(PAGE - 1, 2)));
}

#[test]
fn only_a_call_without_accesses_ends_without_a_report() {
    let memory = memory();
    memory.begin_call(5);
    assert!(memory.end_call_without_accesses());
    memory.begin_call(5);
    memory.store_u16(0, 1);
    assert!(!memory.end_call_without_accesses());
    assert_eq!(memory.end_call().stores, 1);
}

#[test]
fn a_call_that_two_memories_watch_has_its_limit_in_each() {
    let (one, other) = (memory(), memory());
    let exceeds = |memory: &WatchedMemory, accesses: u32| {
        let access = || (0..accesses).for_each(|_| memory.store_u16(0, 1));
        catch_unwind(AssertUnwindSafe(access)).is_err()
    };
    for limit in [3, 3, 2, u64::MAX, u64::MAX - 1, 3] {
        one.begin_call_with(&other, limit);
        let most = limit.min(9) as u32;
        assert!(!exceeds(&one, most) && !exceeds(&other, most), "{limit}");
        assert_eq!(exceeds(&one, 1) && exceeds(&other, 1), limit < 9, "{limit}");
        assert_eq!((one.end_call().stores > 0, other.end_call().stores > 0), (true, true));
    }
}
