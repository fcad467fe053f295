//! Watched memory reports double fetches, triggered traps, and stores after the available index.

use ringstorm_core::{OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_sim_device::{LateStore, Trap, WatchedMemory};

const PAGE: usize = 4096;

fn memory() -> WatchedMemory {
    let memory = WatchedMemory::new(PAGE).unwrap();
    memory.restart(PAGE);
    memory
}

type Load = fn(&WatchedMemory, usize) -> u64;

/// Every way to load, with the number of bytes loaded.
const LOADS: [(usize, Load); 5] = [
    (2, |memory, offset| memory.load_u16(offset).into()),
    (4, |memory, offset| memory.load_u32(offset).into()),
    (8, |memory, offset| memory.load_u64(offset)),
    (2, |memory, offset| memory.load_ordered(OrderedLoad::UsedIndex, offset).into()),
    (24, |memory, offset| {
        memory.copy_out(offset, &mut [0; 24]);
        0
    }),
];

fn refetched(memory: &WatchedMemory, loads: impl FnOnce(&WatchedMemory)) -> Option<usize> {
    memory.begin_call(100);
    loads(memory);
    memory.end_call().double_fetch
}

#[test]
fn a_byte_that_is_loaded_twice_in_a_call_is_reported() {
    let memory = memory();
    for (first_size, first) in LOADS {
        for (second_size, second) in LOADS {
            for at in (64..160).step_by(8) {
                let expected = (at < 104 + first_size && 104 < at + second_size).then_some(at.max(104));
                let seen = refetched(&memory, |memory| {
                    first(memory, 104);
                    second(memory, at);
                });
                assert_eq!(seen, expected, "{first_size} at 104, {second_size} at {at}");
            }
        }
    }
}

#[test]
fn loads_and_accesses_of_zero_bytes_are_not_counted_as_stores() {
    let memory = memory();
    for loads in [0, 1, 20] {
        memory.begin_call(100);
        memory.store_u16(8, 1);
        memory.copy_in(16, &[]);
        memory.copy_out(16, &mut []);
        memory.zero(16, 0);
        for number in 0..loads {
            memory.load_u16(100 + 2 * number);
        }
        memory.store_u64_pair(32, [1, 2]);
        assert_eq!(memory.end_call().stores, 3, "{loads} loads");
        memory.begin_call(100);
        memory.copy_in(16, &[]);
        assert_eq!(memory.end_call().stores, 0, "after {loads} loads");
    }
}

#[test]
fn a_new_call_clears_the_state_of_one_that_was_not_ended() {
    let memory = memory();
    memory.begin_call(100);
    (0..20).for_each(|_| _ = memory.load_u16(100));
    memory.copy_in(16, &[]);
    memory.begin_call(100);
    memory.store_u16(8, 1);
    let report = memory.end_call();
    assert_eq!((report.stores, report.double_fetch), (1, None));
}

#[test]
fn the_lowest_offset_that_is_loaded_twice_is_reported() {
    let memory = memory();
    let order = |offsets: &[usize]| {
        refetched(&memory, |memory| {
            for offset in offsets {
                memory.load_u16(*offset);
            }
        })
    };
    assert_eq!(order(&[0, 2, 4, 6]), None);
    assert_eq!(order(&[6, 4, 2, 0]), None);
    assert_eq!(order(&[8, 0, 6, 8]), Some(8));
    assert_eq!(order(&[8, 0, 8, 0]), Some(0), "the lower one");
    assert_eq!(order(&[8]), None);
    assert_eq!(order(&[]), None);
    let within = refetched(&memory, |memory| {
        memory.copy_out(0, &mut [0; 24]);
        memory.load_u16(30);
        memory.load_u16(22);
    });
    assert_eq!(within, Some(22));
}

#[test]
fn loads_in_two_calls_are_not_a_double_fetch() {
    let memory = memory();
    for _ in 0..2 {
        memory.load_u32(0);
        let seen = refetched(&memory, |memory| {
            memory.load_u32(0);
        });
        assert_eq!(seen, None, "a load before the call does not count");
    }
    assert_eq!(refetched(&memory, |_| ()), None);
}

#[test]
fn loads_of_zero_bytes_and_stores_are_no_double_fetch() {
    let memory = memory();
    let none = refetched(&memory, |memory| {
        memory.copy_out(8, &mut []);
        memory.load_u64(8);
        memory.copy_out(8, &mut []);
        memory.copy_out(10, &mut []);
        memory.store_u64(8, 1);
        memory.copy_in(8, &[1; 8]);
        memory.zero(8, 8);
        memory.store_ordered(OrderedStore::UsedIndex, 8, 1);
    });
    assert_eq!(none, None);
}

/// The loads are as wide as the value of the trap.
#[test]
fn a_trap_changes_a_value_after_the_driver_has_loaded_it() {
    let old = 0x1122_3344_5566_7788_u64;
    let new = 0xaabb_ccdd_eeff_0123_u64;
    for (width, load) in &LOADS[..4] {
        let mask = u64::MAX >> (64 - 8 * width);
        for offset in [64, PAGE - 8] {
            let memory = memory();
            memory.store_u64(offset, old);
            memory.set_trap(Some(Trap { offset, width: *width, value: new }));
            assert_eq!(load(&memory, offset), old & mask, "a load outside of a call triggers no trap");
            assert_eq!(memory.load_u64(offset), old);
            memory.begin_call(100);
            LOADS[0].1(&memory, offset - 2);
            assert_eq!(load(&memory, offset), old & mask, "the load returns the old value");
            assert_eq!(load(&memory, offset), new & mask);
            let report = memory.end_call();
            assert!(report.trap_triggered && report.trap_seen);
            assert_eq!(memory.load_u64(offset), old & !mask | new & mask, "no other byte is changed");
            // It triggers once.
            memory.store_u64(offset, old);
            memory.begin_call(100);
            assert_eq!((load(&memory, offset), load(&memory, offset)), (old & mask, old & mask));
            let report = memory.end_call();
            assert!(!report.trap_triggered && report.stores == 0 && report.device_area_store.is_none());
            memory.restart(PAGE);
            assert_eq!(memory.load_u64(offset), 0, "a restart clears what the trap wrote");
        }
    }
}

#[test]
fn the_store_of_a_trap_does_not_count_as_the_drivers() {
    let memory = memory();
    memory.reserve_for_device(0..128);
    memory.record_places();
    memory.watch_available_index(256);
    memory.set_trap(Some(Trap { offset: 64, width: 2, value: 9 }));
    memory.begin_call(2);
    memory.store_u16(256, 1);
    memory.load_u16(64);
    let report = memory.end_call();
    assert_eq!((report.stores, report.device_area_store, report.trap_triggered), (1, None, true));
    let (mut places, mut late) = (Vec::new(), Vec::new());
    memory.take_places(&mut places);
    memory.take_late_stores(&mut late);
    assert_eq!((places, late), (vec![(256, 2)], vec![]));
    assert!(!report.trap_seen, "there was one load");
    memory.begin_call(1);
    memory.load_u16(64);
    let report = memory.end_call();
    assert!(!report.trap_triggered && !report.trap_seen, "it triggered in the call before");
}

/// Nothing else wrote to the page.
#[test]
fn a_restart_clears_a_page_that_only_a_trap_wrote_to() {
    for (width, load) in &LOADS[..3] {
        let memory = memory();
        memory.set_trap(Some(Trap { offset: 128, width: *width, value: u64::MAX }));
        memory.begin_call(1);
        assert_eq!(load(&memory, 128), 0);
        memory.end_call();
        assert_eq!(load(&memory, 128), u64::MAX >> (64 - 8 * width));
        memory.restart(PAGE);
        assert_eq!(memory.load_u64(128), 0);
    }
}

#[test]
fn a_trap_stays_set_until_it_triggers_or_is_removed() {
    let trap = Trap { offset: 64, width: 2, value: 9 };
    let triggered = |memory: &WatchedMemory| {
        memory.begin_call(100);
        memory.load_u16(64);
        memory.end_call().trap_triggered
    };
    let memory = memory();
    memory.set_trap(Some(trap));
    memory.begin_call(100);
    memory.load_u16(66);
    memory.store_u16(64, 1);
    assert!(!memory.end_call().trap_triggered);
    assert!(triggered(&memory));
    memory.set_trap(Some(trap));
    memory.set_trap(None);
    assert!(!triggered(&memory));
    memory.set_trap(Some(trap));
    memory.restart(PAGE);
    assert!(!triggered(&memory), "a restart removes it");
    memory.set_trap(Some(trap));
    memory.set_trap(Some(Trap { offset: 72, ..trap }));
    assert!(!triggered(&memory), "another trap replaces it");
}

fn late(memory: &WatchedMemory, stores: &[usize]) -> Vec<usize> {
    memory.begin_call(100);
    stores.iter().for_each(|offset| memory.store_u16(*offset, 1));
    memory.end_call();
    let mut late = vec![LateStore { offset: 77, published: None }];
    memory.take_late_stores(&mut late);
    late.iter().map(|store| store.offset).collect()
}

#[test]
fn stores_after_the_available_index_are_late() {
    let memory = memory();
    assert_eq!(late(&memory, &[66, 68, 0]), [], "the offset of the index is not set");
    memory.watch_available_index(66);
    assert_eq!(late(&memory, &[0, 68, 66]), []);
    assert_eq!(late(&memory, &[0, 66, 68, 8, 68]), [68, 8, 68]);
    assert_eq!(late(&memory, &[66, 66]), [], "the index itself may move again");
    assert_eq!(late(&memory, &[66, 70, 66, 72]), [70, 72]);
    assert_eq!(late(&memory, &[68]), [], "the index moved in the call before");
    memory.store_u16(66, 2);
    memory.store_u16(68, 2);
    assert_eq!(late(&memory, &[]), [], "the device's stores are not watched");
    memory.begin_call(100);
    memory.store_ordered(OrderedStore::AvailableIndex, 66, 3);
    memory.load_u16(68);
    memory.copy_in(200, &[]);
    memory.copy_in(128, &[1; 5]);
    memory.store_u64(0, 1);
    memory.end_call();
    let mut out = Vec::new();
    memory.take_late_stores(&mut out);
    assert_eq!(out, [128, 0].map(|offset| LateStore { offset, published: None }));
    memory.take_late_stores(&mut out);
    assert_eq!(out, [], "each one is reported once");
    assert_eq!(late(&memory, &[66, 68]), [68]);
    memory.restart(PAGE);
    assert_eq!(late(&memory, &[66, 68]), [], "a restart removes the offset of the index");
}

#[test]
fn a_new_call_clears_the_late_stores_of_the_last_one() {
    let memory = memory();
    memory.watch_available_index(66);
    memory.begin_call(100);
    memory.store_u16(66, 1);
    memory.store_u16(68, 1);
    memory.end_call();
    assert_eq!(late(&memory, &[0]), []);
}

#[test]
fn a_double_fetch_is_found_however_many_loads_are_in_between() {
    let memory = memory();
    for count in [1_usize, 7, 8, 9, 20] {
        let place = |number: usize| 8 * (count - number);
        assert_eq!(refetched(&memory, |memory| (0..count).for_each(|n| _ = memory.load_u64(place(n)))), None);
        for again in 0..count {
            let seen = refetched(&memory, |memory| {
                (0..count).for_each(|number| _ = memory.load_u64(place(number)));
                memory.load_u16(place(again) + 2);
            });
            assert_eq!(seen, Some(place(again) + 2), "load {again} of {count}");
        }
    }
}

#[test]
fn only_stores_that_begin_in_the_recorded_part_are_recorded() {
    let memory = memory();
    let places_of = |offsets: [usize; 4]| {
        memory.begin_call(4);
        offsets.into_iter().for_each(|offset| memory.store_u64(offset, 1));
        assert_eq!(memory.end_call().stores, 4, "every store counts");
        let mut places = Vec::new();
        memory.take_places(&mut places);
        places
    };
    let offsets = [56, 64, 120, 128];
    assert_eq!(places_of(offsets), []);
    memory.record_places_in(64..128);
    memory.watch_available_index(512);
    memory.reserve_for_device(1024..2048);
    assert_eq!(places_of(offsets), [(64, 8), (120, 8)]);
    memory.stop_recording_places();
    assert_eq!(places_of(offsets), []);
    memory.record_places();
    assert_eq!(places_of(offsets), offsets.map(|offset| (offset, 8)));
    memory.restart(PAGE);
    assert_eq!(places_of(offsets), [], "a restart ends the recording");
}

#[test]
fn a_call_is_quiet_if_it_stored_nothing_and_loaded_in_order() {
    let memory = memory();
    let is_quiet = |call: &dyn Fn()| {
        memory.begin_call(4);
        call();
        let report = memory.end_call();
        report.stores == 0 && !report.unusual
    };
    assert!(is_quiet(&|| {}));
    assert!(is_quiet(&|| _ = (memory.load_u16(0), memory.load_u16(2))));
    assert!(!is_quiet(&|| memory.store_u16(0, 1)));
    assert!(!is_quiet(&|| _ = (memory.load_u16(0), memory.load_u16(0))));
    memory.set_trap(Some(Trap { offset: 0, width: 2, value: 9 }));
    assert!(!is_quiet(&|| _ = memory.load_u16(0)));
}
