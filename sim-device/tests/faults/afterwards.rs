//! What follows a fault: what the device holds, knows, and does next.

use crate::scenes::{ALL_WRITTEN, NOTHING_WRITTEN, answered, full, idle, single, waiting};
use crate::support::vast::Vast;
use crate::support::{BUFFERS, GEOMETRY, Memory, NEXT, RINGS, WRITE, effects};
use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{AddressSpace, Change, Device, Effect, Fault};

#[test]
fn a_chain_is_returned_again() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.return_chain(1, NOTHING_WRITTEN));
    let _ = effects(&mut device);
    for place in 1..4 {
        let before = device.in_flight_count();
        assert!(device.misbehave(Fault::DuplicateId, 0, 77));
        assert_eq!(memory.element(place), (2, 77));
        let told = [Effect::UsedElement { index: place as u16, id: 2, length: 77 }];
        assert_eq!(effects(&mut device), [told[0], Effect::UsedIndex(place as u16 + 1)]);
        assert_eq!(device.in_flight_count(), before, "nothing else was returned");
    }
    device.reset(0);
    assert!(!device.misbehave(Fault::DuplicateId, 0, 77), "a reset forgets what was returned");
}

#[test]
fn a_length_too_long_returns_the_chain() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::LengthTooLong, 1, 1));
    assert_eq!((device.in_flight_count(), device.returnable()), (1, 1));
    assert!(device.misbehave(Fault::DuplicateId, 0, 0));
    assert_eq!(memory.element(1).0, 2);
    assert!(device.misbehave(Fault::FreeId, 0, 2), "its descriptors are not held any more");
    assert_eq!(memory.element(2), (2, 0));
}

/// A length has 32 bits: a chain with room for more cannot be overstated.
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
fn a_withheld_chain_comes_back_when_the_device_repents() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::NeverReturned, 1, 0));
    assert!(!device.misbehave(Fault::NeverReturned, 1, 0), "it is withheld already");
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

/// While something is available, the device cannot know which descriptors are free.
#[test]
fn a_free_descriptor_is_known_once_everything_was_taken() {
    let memory = Memory::new();
    let mut device = idle(&memory);
    memory.describe(0, BUFFERS, 1, 0, 0);
    memory.offer(0);
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
    // Half way around is far enough; a reset begins anew.
    assert!(!device.misbehave(Fault::IndexJump, 0, 0));
    assert!(!device.misbehave(Fault::ChangedBetweenReads, 0, 0), "the used index would jump too");
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 2));
    assert_eq!((memory.element(0), memory.used_index()), ((6, 0), 0x8001));
    device.reset(0);
    assert!(device.misbehave(Fault::IndexJump, 0, 0x7ffe));
}

#[test]
fn an_old_id_is_one_of_the_last_eight_but_the_newest() {
    let memory = Memory::new();
    let mut device = memory.device_now();
    let heads: Vec<u16> = [0, 1, 2, 3, 3, 2, 1, 1, 0, 2].to_vec();
    for (count, head) in heads.iter().enumerate() {
        assert_eq!(device.misbehave(Fault::StaleId, 0, 0), count > 1, "after {count}");
        memory.describe((*head).into(), BUFFERS, 1, 0, 0);
        memory.offer(*head);
        assert!(device.take().is_some() && device.return_chain(0, NOTHING_WRITTEN));
    }
    for pick in 0..16 {
        let _ = effects(&mut device);
        assert!(device.misbehave(Fault::StaleId, pick, 5));
        let id = heads[2 + usize::from(pick) % 7].into();
        assert!(
            matches!(effects(&mut device)[0], Effect::UsedElement { id: told, length: 5, .. } if told == id)
        );
    }
    device.reset(0);
    assert!(!device.misbehave(Fault::StaleId, 0, 0), "a reset forgets what was returned");
}

/// An index that went back stands in memory alone.
#[test]
fn an_index_comes_forward_again() {
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
            assert_eq!(effects(&mut device), [], "there is nothing left to put right");
        } else {
            assert!(device.misbehave(Fault::DuplicateId, 0, 0));
            assert_eq!((memory.element(2), memory.used_index()), ((2, 0), 3));
        }
    }
}

/// The element that the index was moved over is there after whatever the device does next.
#[test]
fn a_late_element_follows_with_the_next_act() {
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
        assert_eq!(memory.element(0), (0, 0), "these are no acts on the ring of elements");
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
    assert!(device.take().is_some(), "what the driver offered is still in memory");
    assert_eq!(memory.element(0), (0, 0), "a reset forgets the element");
}

/// A driver that took something else for the late element still gets its chain.
#[test]
fn a_chain_of_a_late_element_is_held_until_it_is_returned() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::IndexBeforeElement, 1, 0));
    assert!(device.return_chain(1, ALL_WRITTEN));
    assert_eq!((memory.element(0), memory.element(1), device.in_flight_count()), ((2, 0), (2, 12), 1));
}

#[test]
fn a_device_that_overwrote_the_available_ring_knows_what_stood_there() {
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
    // What the driver adds itself is believed.
    memory.rings.store_u16(66, 2);
    memory.describe(2, BUFFERS, 1, 0, 0);
    memory.offer(2);
    assert_eq!(device.available_index(), 3);
    for head in [3, 1, 2] {
        assert!(device.take().is_some_and(|taken| taken.head == head));
    }
    assert!(device.take().is_none());
    // One lap later the places are the driver's again.
    for head in [0, 1, 2, 3, 0] {
        memory.offer(head);
        assert!(device.take().is_some_and(|taken| taken.head == head));
    }
}

#[test]
fn an_entry_is_not_overwritten_with_what_stands_there() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    for (value, could) in [(9, true), (9, false), (8, true), (9, true)] {
        assert_eq!(device.misbehave(Fault::AvailableEntryOverwritten, 0, value), could);
    }
    assert_eq!((device.available_entry(0), device.available_entry(4)), (3, 3), "the slot is the same");
    // What the driver writes over the lie is the truth, before the same lie too.
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
fn an_index_that_the_driver_moved_is_its_own_even_where_the_lie_was() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    let truth = device.available_index();
    assert!(device.misbehave(Fault::AvailableIndexOverwritten, 0, 0));
    assert_eq!(device.available_index(), truth);
    memory.rings.store_u16(66, truth + 1);
    assert_eq!(device.available_index(), truth + 1);
    device.available_index_moved();
    memory.rings.store_u16(66, truth.wrapping_add(0x4000));
    assert_eq!(device.available_index(), truth.wrapping_add(0x4000));
}

#[test]
fn a_reset_forgets_what_was_overwritten() {
    let memory = Memory::new();
    let mut device = waiting(&memory);
    assert!(device.misbehave(Fault::AvailableEntryOverwritten, 0, 2));
    assert!(device.misbehave(Fault::AvailableIndexOverwritten, 0, 0));
    device.reset(0);
    assert_eq!(device.available_index(), 0x4002);
    assert!(device.take().is_some_and(|taken| taken.head == 6 && taken.error.is_some()));
}

/// At most as many entries wait as the ring has.
#[test]
fn only_entries_of_the_ring_are_overwritten() {
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
fn a_buffer_is_written_after_its_chain_came_back() {
    let memory = Memory::new();
    let mut device = single(&memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN));
    assert!(!device.misbehave(Fault::WrittenAfterReturn, 0, 0), "it has nothing writable");
    for (length, could) in [(0, false), (8, true)] {
        let memory = Memory::new();
        let mut device = idle(&memory);
        memory.describe(0, BUFFERS, length, WRITE, 0);
        memory.offer(0);
        assert!(device.take().is_some() && device.return_chain(0, NOTHING_WRITTEN));
        let _ = effects(&mut device);
        assert_eq!(device.misbehave(Fault::WrittenAfterReturn, 0, 0), could);
        assert_eq!(effects(&mut device).len(), usize::from(could), "nothing is told of an empty buffer");
    }
    // A chain that the device could make nothing of is left alone.
    let memory = Memory::new();
    let mut device = crate::scenes::senseless(&memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN));
    assert!(!device.misbehave(Fault::WrittenAfterReturn, 0, 0));
}

/// The trap itself is set by whoever watches the memory, who says when it was sprung.
#[test]
fn a_device_goes_on_from_what_a_trap_changed() {
    let memory = Memory::new();
    let mut device = answered(&memory);
    let before = memory.all();
    device.trap_triggered(Change::UsedIndex(9));
    assert_eq!(effects(&mut device), [Effect::UsedIndex(9)]);
    device.trap_triggered(Change::Descriptor { index: 3 });
    assert_eq!(effects(&mut device), [Effect::Descriptor { index: 3 }]);
    device.trap_triggered(Change::UsedElement { index: 5 });
    assert_eq!(effects(&mut device), [Effect::UsedElement { index: 5, id: 2, length: 12 }]);
    assert_eq!(memory.all(), before, "it was changed already");
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 0));
    assert_eq!((memory.element(1), memory.used_index()), ((4, 0), 10));
}
