//! What the device does after a fault.

use crate::scenes::{ALL_WRITTEN, NOTHING_WRITTEN, answered, full, idle, single, waiting};
use crate::support::vast::Vast;
use crate::support::{BUFFERS, GEOMETRY, Memory, NEXT, RINGS, WRITE, effects};
use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{AddressSpace, Change, Device, Effect, Fault};

#[test]
fn a_duplicate_returns_a_chain_again() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.return_chain(1, NOTHING_WRITTEN));
    let _ = effects(&mut device);
    for place in 1..4 {
        let before = device.in_flight_count();
        assert!(device.misbehave(Fault::DuplicateId, 0, 77));
        assert_eq!(memory.element(place), (2, 77));
        let reported = [Effect::UsedElement { index: place as u16, id: 2, length: 77 }];
        assert_eq!(effects(&mut device), [reported[0], Effect::UsedIndex(place as u16 + 1)]);
        assert_eq!(device.in_flight_count(), before, "nothing else was returned");
    }
    device.reset(0);
    assert!(!device.misbehave(Fault::DuplicateId, 0, 77), "a reset forgets the returned chains");
}

#[test]
fn a_chain_returned_with_a_length_too_long_is_no_longer_in_flight() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::LengthTooLong, 1, 1));
    assert_eq!((device.in_flight_count(), device.returnable()), (1, 1));
    assert!(device.misbehave(Fault::DuplicateId, 0, 0));
    assert_eq!(memory.element(1).0, 2);
    assert!(device.misbehave(Fault::FreeId, 0, 2), "its descriptors are not in flight any more");
    assert_eq!(memory.element(2), (2, 0));
}

/// A length has 32 bits: for a chain of 2^32 - 1 bytes or more, no length is too long.
#[test]
fn no_length_is_too_long_for_the_longest_chain() {
    let vast = |first: u32, second: u32| {
        let rings = HeapMemory::new(RINGS).unwrap();
        let space = AddressSpace::new([(0, Vast(&rings))]);
        for (index, length, flags) in [(0, first, NEXT | WRITE), (1, second, WRITE)] {
            rings.store_u64(16 * index, 0);
            rings.store_u64(16 * index + 8, u64::from(length) | u64::from(flags) << 32 | 1 << 48);
        }
        rings.store_u16(66, 1);
        let mut device = Device::new(Vast(&rings), GEOMETRY, space, 0);
        assert!(device.take().is_some_and(|taken| taken.error.is_none()));
        let could = device.misbehave(Fault::LengthTooLong, 0, 5);
        (could, rings.load_u32(88), effects(&mut device).len(), device.in_flight_count())
    };
    assert_eq!(vast(1 << 31, 1 << 31), (false, 0, 0, 1));
    assert_eq!(vast(u32::MAX - 1, 1), (false, 0, 0, 1));
    assert_eq!(vast(u32::MAX - 1, 0), (true, u32::MAX, 2, 0));
    assert_eq!(vast(u32::MAX - 9, 0), (true, u32::MAX - 4, 2, 0));
}

#[test]
fn a_withheld_chain_is_returned_after_the_faults_stop() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::NeverReturned, 1, 0));
    assert!(!device.misbehave(Fault::NeverReturned, 1, 0), "it is already withheld");
    assert_eq!((device.in_flight_count(), device.returnable()), (2, 1));
    let before = memory.all();
    assert!(!device.return_chain(1, ALL_WRITTEN));
    assert_eq!(memory.all(), before);
    assert!(device.return_chain(0, ALL_WRITTEN));
    device.stop_faults();
    assert_eq!(device.returnable(), 1);
    assert!(device.return_chain(0, ALL_WRITTEN));
    assert_eq!((memory.element(0), memory.element(1)), ((1, 0), (2, 12)));
}

/// While a chain is available, the device does not know which descriptors are free.
#[test]
fn faults_with_free_descriptors_need_an_empty_available_ring() {
    let memory = Memory::new();
    let mut device = idle(&memory);
    memory.describe(0, BUFFERS, 1, 0, 0);
    memory.make_available(0);
    let before = memory.all();
    assert!(!device.misbehave(Fault::FreeId, 0, 0));
    assert_eq!((memory.all(), effects(&mut device)), (before, vec![]));
    assert!(device.take().is_some());
    assert!(device.misbehave(Fault::FreeId, 0, 0));
    assert_eq!(memory.element(0), (1, 0));
}

#[test]
fn faults_follow_the_index_around_the_ring() {
    let memory = Memory::new();
    let mut device = memory.device(65_535);
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 0));
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 1));
    assert_eq!((memory.element(3), memory.element(0), memory.used_index()), ((4, 0), (5, 0), 1));
    for (value, index) in [(0x7ffd, 0x7fff), (0, 0x8000)] {
        assert!(device.misbehave(Fault::IndexJump, 0, value));
        assert_eq!(memory.used_index(), index);
    }
    // The sum of all jumps stays below half of 2^16; a reset starts again at zero.
    assert!(!device.misbehave(Fault::IndexJump, 0, 0));
    assert!(
        !device.misbehave(Fault::ChangedBetweenReads, 0, 0),
        "this trap would be a jump of the used index"
    );
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 2));
    assert_eq!((memory.element(0), memory.used_index()), ((6, 0), 0x8001));
    device.reset(0);
    assert!(device.misbehave(Fault::IndexJump, 0, 0x7ffe));
}

#[test]
fn a_stale_id_is_one_of_the_last_eight_without_the_newest() {
    let memory = Memory::new();
    let mut device = memory.device_now();
    let heads: Vec<u16> = [0, 1, 2, 3, 3, 2, 1, 1, 0, 2].to_vec();
    for (count, head) in heads.iter().enumerate() {
        assert_eq!(device.misbehave(Fault::StaleId, 0, 0), count > 1, "after {count}");
        memory.describe((*head).into(), BUFFERS, 1, 0, 0);
        memory.make_available(*head);
        assert!(device.take().is_some() && device.return_chain(0, NOTHING_WRITTEN));
    }
    for pick in 0..16 {
        let _ = effects(&mut device);
        assert!(device.misbehave(Fault::StaleId, pick, 5));
        let id = heads[2 + usize::from(pick) % 7].into();
        assert!(
            matches!(effects(&mut device)[0], Effect::UsedElement { id: reported, length: 5, .. } if reported == id)
        );
    }
    device.reset(0);
    assert!(!device.misbehave(Fault::StaleId, 0, 0), "a reset forgets the returned chains");
}

/// The device keeps its own index when it moves the one in memory back.
#[test]
fn an_index_that_went_back_moves_forward_with_the_next_publish() {
    for pick in [0, 1] {
        let memory = Memory::new();
        let mut device = answered(&memory);
        assert!(device.misbehave(Fault::IndexBackwards, 0, 4));
        assert_eq!(memory.used_index(), 0xfffd);
        let _ = effects(&mut device);
        if pick == 0 {
            device.stop_faults();
            assert_eq!(effects(&mut device), [Effect::UsedIndex(2)]);
            assert_eq!(memory.used_index(), 2);
            device.stop_faults();
            assert_eq!(effects(&mut device), [], "the index in memory is already right");
        } else {
            assert!(device.misbehave(Fault::DuplicateId, 0, 0));
            assert_eq!((memory.element(2), memory.used_index()), ((2, 0), 3));
        }
    }
}

/// The missing used element is written at the next act of the device.
#[test]
fn a_late_element_is_written_at_the_next_act() {
    type Act = for<'m> fn(&mut Device<&'m HeapMemory>);
    let acts: [Act; 5] = [
        |device| assert!(device.take().is_none()),
        |device| assert!(device.return_chain(2, NOTHING_WRITTEN)),
        |device| assert!(!device.misbehave(Fault::DuplicateId, 0, 0)),
        |device| assert!(device.misbehave(Fault::NeedsReset, 0, 0)),
        |device| device.stop_faults(),
    ];
    for (number, act) in acts.into_iter().enumerate() {
        let memory = Memory::new();
        let mut device = full(&memory);
        assert!(device.misbehave(Fault::IndexBeforeElement, 1, 0));
        assert_eq!((memory.element(0), memory.used_index(), device.in_flight_count()), ((0, 0), 1, 2));
        device.publish();
        device.set_notifications(true);
        assert_eq!(memory.element(0), (0, 0), "these acts do not write it");
        let _ = effects(&mut device);
        act(&mut device);
        assert_eq!(memory.element(0), (2, 0), "{number}");
        assert_eq!(effects(&mut device)[0], Effect::UsedElement { index: 0, id: 2, length: 0 }, "{number}");
        let _ = device.take();
        assert_eq!(effects(&mut device), [], "{number}: it is written once");
    }
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::IndexBeforeElement, 1, 0));
    device.reset(0);
    assert!(device.take().is_some(), "the available ring in memory is unchanged");
    assert_eq!(memory.element(0), (0, 0), "a reset forgets the element");
}

/// A driver that took another element instead of the late one still gets the chain.
#[test]
fn the_chain_of_a_late_element_stays_in_flight_until_it_is_returned() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::IndexBeforeElement, 1, 0));
    assert!(device.return_chain(1, ALL_WRITTEN));
    assert_eq!((memory.element(0), memory.element(1), device.in_flight_count()), ((2, 0), (2, 12), 1));
}

#[test]
fn a_device_knows_what_it_overwrote_in_the_available_ring() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    for (fault, pick, value) in [
        (Fault::AvailableEntryOverwritten, 0, 2),
        (Fault::AvailableEntryOverwritten, 0, 700),
        (Fault::AvailableIndexOverwritten, 0, 9),
        (Fault::AvailableIndexOverwritten, 0, 10),
        (Fault::AvailableEntryOverwritten, 1, 701),
    ] {
        assert!(device.misbehave(fault, pick, value));
    }
    assert_eq!((device.available_index(), memory.rings.load_u16(66)), (2, 2 + 0x4000 + 10));
    assert_eq!((memory.rings.load_u16(68), memory.rings.load_u16(70)), (704, 705));
    assert_eq!((device.available_entry(0), device.available_entry(1)), (3, 1));
    assert!(device.has_available());
    // Entries that the driver adds later are read from memory.
    memory.rings.store_u16(66, 2);
    memory.describe(2, BUFFERS, 1, 0, 0);
    memory.make_available(2);
    assert_eq!(device.available_index(), 3);
    for head in [3, 1, 2] {
        assert!(device.take().is_some_and(|taken| taken.head == head));
    }
    assert!(device.take().is_none());
    // One lap later the driver has written the slots again.
    for head in [0, 1, 2, 3, 0] {
        memory.make_available(head);
        assert!(device.take().is_some_and(|taken| taken.head == head));
    }
}

#[test]
fn an_entry_is_not_overwritten_with_its_own_value() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    for (value, could) in [(9, true), (9, false), (8, true), (9, true)] {
        assert_eq!(device.misbehave(Fault::AvailableEntryOverwritten, 0, value), could);
    }
    assert_eq!((device.available_entry(0), device.available_entry(4)), (3, 3), "the slot is the same");
    // The driver overwrites the forged entry. The device reads the new value, and remembers it when it overwrites it again.
    memory.rings.store_u16(68, 700);
    assert_eq!(device.available_entry(0), 700);
    memory.rings.store_u16(68, 2);
    assert_eq!((device.available_entry(0), device.available_entry(1)), (2, 1));
    for pick in [0, 1] {
        assert!(device.misbehave(Fault::AvailableEntryOverwritten, pick, 9));
        assert_eq!((device.available_entry(0), device.available_entry(1)), (2, 1));
    }
}

#[test]
fn an_index_that_the_driver_moved_counts_even_if_it_equals_the_forged_one() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    let original = device.available_index();
    assert!(device.misbehave(Fault::AvailableIndexOverwritten, 0, 0));
    assert_eq!(device.available_index(), original);
    memory.rings.store_u16(66, original + 1);
    assert_eq!(device.available_index(), original + 1);
    device.available_index_moved();
    memory.rings.store_u16(66, original.wrapping_add(0x4000));
    assert_eq!(device.available_index(), original.wrapping_add(0x4000));
}

#[test]
fn a_reset_forgets_forged_values() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    assert!(device.misbehave(Fault::AvailableEntryOverwritten, 0, 2));
    assert!(device.misbehave(Fault::AvailableIndexOverwritten, 0, 0));
    device.reset(0);
    assert_eq!(device.available_index(), 0x4002);
    assert!(device.take().is_some_and(|taken| taken.head == 6 && taken.error.is_some()));
}

/// At most queue-size entries can wait.
#[test]
fn only_waiting_entries_are_overwritten() {
    for (available, waiting) in [(1, 1), (3, 3), (4, 4), (5, 4), (0xffff, 4)] {
        let memory = Memory::new();
        let mut device = memory.device_now();
        memory.rings.store_u16(66, available);
        for pick in 0..9 {
            let (index, head) = (u16::from(pick) % waiting, 50 + u16::from(pick));
            assert!(device.misbehave(Fault::AvailableEntryOverwritten, pick, u32::from(head) - 4));
            assert_eq!(effects(&mut device), [Effect::AvailableEntry { index, head }], "{available}");
        }
    }
}

#[test]
fn a_buffer_is_written_after_its_chain_was_returned() {
    let memory = Memory::new();
    let mut device = single(&memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN));
    assert!(!device.misbehave(Fault::WrittenAfterReturn, 0, 0), "the chain has no device-writable buffer");
    for (length, could) in [(0, false), (8, true)] {
        let memory = Memory::new();
        let mut device = idle(&memory);
        memory.describe(0, BUFFERS, length, WRITE, 0);
        memory.make_available(0);
        assert!(device.take().is_some() && device.return_chain(0, NOTHING_WRITTEN));
        let _ = effects(&mut device);
        assert_eq!(device.misbehave(Fault::WrittenAfterReturn, 0, 0), could);
        assert_eq!(effects(&mut device).len(), usize::from(could), "an empty buffer has no effect");
    }
    // The buffers of a chain with an error are not written.
    let memory = Memory::new();
    let mut device = crate::scenes::malformed(&memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN));
    assert!(!device.misbehave(Fault::WrittenAfterReturn, 0, 0));
}

/// The owner of the watched memory sets the trap, and notifies the device when it has triggered.
#[test]
fn a_device_continues_with_the_value_that_a_trap_wrote() {
    let memory = Memory::new();
    let mut device = answered(&memory);
    let before = memory.all();
    device.trap_triggered(Change::UsedIndex(9));
    assert_eq!(effects(&mut device), [Effect::UsedIndex(9)]);
    device.trap_triggered(Change::Descriptor { index: 3 });
    assert_eq!(effects(&mut device), [Effect::Descriptor { index: 3 }]);
    device.trap_triggered(Change::UsedElement { index: 5 });
    assert_eq!(effects(&mut device), [Effect::UsedElement { index: 5, id: 2, length: 12 }]);
    assert_eq!(memory.all(), before, "the trap has already changed the memory");
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 0));
    assert_eq!((memory.element(1), memory.used_index()), ((4, 0), 10));
}
