//! The device, byte for byte: what it takes, what it returns, and which effects it reports.

mod support;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{
    AddressSpace, BufferPlace, ChainError, Descriptor, Device, Effect, Geometry, Part, Reply, fill_pattern,
};
use support::{BUFFERS, GEOMETRY, Memory, NEXT, OTHERS, WRITE, bytes, effects};

const SHORT: fn(u64) -> Reply = |_| Reply { written: 0, beyond: false };

fn exactly(written: u32) -> impl Fn(u64) -> Reply {
    move |_| Reply { written, beyond: false }
}

/// A device that has taken chains 0 to 3, each with one device-writable buffer of eight bytes.
fn four(memory: &Memory, first_index: u16) -> Device<&HeapMemory> {
    let mut device = memory.device(first_index);
    for head in 0..4 {
        memory.describe(usize::from(head), BUFFERS + 8 * u64::from(head), 8, WRITE, 0);
        memory.make_available(head);
    }
    for head in 0..4 {
        assert!(device.take().is_some_and(|taken| taken.head == head));
    }
    device
}

#[test]
fn a_chain_is_taken_once_and_as_it_is_in_memory() {
    let memory = Memory::new();
    let mut device = memory.device(0);
    assert!(!device.has_available() && device.take().is_none());
    memory.describe(3, BUFFERS + 5, 7, NEXT, 1);
    memory.describe(1, OTHERS + 60, 4, WRITE | 0x8000, 9);
    memory.make_available(3);
    assert!(device.has_available());
    assert_eq!((device.available_index(), device.available_entry(0), device.available_entry(4)), (1, 3, 3));
    let before = memory.all();
    let parts = [
        Descriptor {
            index: 3,
            address: BUFFERS + 5,
            place: Some(BufferPlace { region: 0, offset: 5 }),
            length: 7,
            flags: NEXT,
            next: 1,
        },
        Descriptor {
            index: 1,
            address: OTHERS + 60,
            place: Some(BufferPlace { region: 1, offset: 60 }),
            length: 4,
            flags: WRITE | 0x8000,
            next: 9,
        },
    ];
    let mut seen = Vec::new();
    assert_eq!((device.peek_chain(3, &mut seen), &seen[..]), (Ok(()), &parts[..]));
    let taken = device.take().unwrap();
    assert_eq!((taken.head, taken.descriptors, taken.error), (3, &parts[..], None));
    assert!(parts[0].has_next() && !parts[0].is_writable() && !parts[1].has_next() && parts[1].is_writable());
    assert!(device.take().is_none());
    assert_eq!((device.in_flight_count(), device.returnable()), (1, 1));
    assert_eq!((memory.all(), effects(&mut device)), (before, vec![]), "taking a chain writes nothing");
}

/// 2.7.8: the device writes the used element and then the used index.
#[test]
fn a_chain_is_returned_with_the_number_of_bytes_written() {
    let memory = Memory::new();
    let mut device = memory.device(0);
    memory.describe(0, BUFFERS, 4, NEXT, 1);
    memory.describe(1, BUFFERS + 16, 3, NEXT | WRITE, 2);
    memory.describe(2, OTHERS, 8, WRITE, 0);
    memory.make_available(0);
    assert!(device.take().is_some());
    let mut room = 0;
    assert!(device.return_chain(0, |bytes| {
        room = bytes;
        Reply { written: 5, beyond: false }
    }));
    assert_eq!(room, 11);
    assert_eq!((memory.element(0), memory.used_index()), ((0, 5), 0));
    assert_eq!(device.in_flight_count(), 0);
    device.publish();
    assert_eq!(memory.used_index(), 1);
    let reported = [
        Effect::BufferWritten { place: BufferPlace { region: 0, offset: 16 }, length: 3 },
        Effect::BufferWritten { place: BufferPlace { region: 1, offset: 0 }, length: 2 },
        Effect::UsedElement { index: 0, id: 0, length: 5 },
        Effect::UsedIndex(1),
    ];
    assert_eq!(effects(&mut device), reported);
    assert_eq!(effects(&mut device), [], "an effect is reported once");
    assert_eq!((device.used_index(), device.used_element(0)), (1, (0, 5)), "and it is in memory");
    let (buffers, others) = (bytes(&memory.buffers), bytes(&memory.others));
    assert!(buffers[16..19].iter().chain(&others[..2]).all(|byte| *byte != 0));
    assert!(buffers[..16].iter().chain(&buffers[19..]).chain(&others[2..]).all(|byte| *byte == 0));
}

/// 2.7.8.2 allows the device to write more bytes than it reports, within the chain.
#[test]
fn a_reply_stays_within_the_buffers_but_may_exceed_the_reported_length() {
    for (written, beyond, reported, filled) in [
        (0, false, 0, 0),
        (8, false, 8, 8),
        (9, false, 8, 8),
        (u32::MAX, true, 8, 8),
        (3, true, 3, 8),
        (0, true, 0, 8),
    ] {
        let memory = Memory::new();
        let mut device = four(&memory, 0);
        assert!(device.return_chain(2, |_| Reply { written, beyond }));
        assert_eq!(memory.element(0), (1, reported));
        let buffers = bytes(&memory.buffers);
        let touched: Vec<usize> = (0..256).filter(|place| buffers[*place] != 0).collect();
        assert_eq!(touched, (8..8 + filled).collect::<Vec<_>>());
    }
}

#[test]
fn two_replies_differ() {
    let memory = Memory::new();
    let mut device = four(&memory, 0);
    (0..4).for_each(|_| assert!(device.return_chain(1, exactly(8))));
    let buffers = bytes(&memory.buffers);
    let mut replies: Vec<&[u8]> = buffers[..32].chunks(8).collect();
    replies.sort_unstable();
    replies.dedup();
    assert_eq!(replies.len(), 4);
}

/// 0 is the newest, 1 the oldest, and so on. The newest takes the position of one that is removed from the middle.
#[test]
fn a_pick_of_0_chooses_the_newest_and_others_count_from_the_oldest() {
    for (picks, order) in [
        ([1, 1, 1, 1], [0, 1, 2, 3]),
        ([0, 0, 0, 0], [3, 2, 1, 0]),
        ([4, 3, 2, 1], [3, 2, 1, 0]),
        ([5, 4, 255, 3], [0, 1, 2, 3]),
        ([2, 2, 2, 2], [1, 3, 2, 0]),
        ([3, 0, 1, 0], [2, 3, 0, 1]),
    ] {
        let memory = Memory::new();
        let mut device = four(&memory, 0);
        for pick in picks {
            assert!(device.return_chain(pick, SHORT));
        }
        assert_eq!([0, 1, 2, 3].map(|slot| memory.element(slot).0), order, "{picks:?}");
        assert!(!device.return_chain(0, SHORT) && !device.return_chain(1, SHORT));
    }
}

#[test]
fn a_batch_is_published_at_once_and_indexes_wrap() {
    let memory = Memory::new();
    let mut device = four(&memory, 65_534);
    assert_eq!(device.available_index(), 2);
    for head in 0..4 {
        assert_eq!(memory.used_index(), 65_534);
        assert!(device.return_chain(1, exactly(head)));
    }
    device.publish();
    assert_eq!(memory.used_index(), 2);
    let ids = [2, 3, 0, 1].map(|slot: usize| memory.element(slot));
    assert_eq!(ids, [(0, 0), (1, 1), (2, 2), (3, 3)]);
    memory.make_available(2);
    assert!(device.take().is_some_and(|taken| taken.head == 2));
    assert!(device.return_chain(1, SHORT));
    let reported = effects(&mut device);
    let elements = [(65_534, 0, 0), (65_535, 1, 1), (0, 2, 2), (1, 3, 3), (2, 2, 0)];
    let elements = elements.map(|(index, id, length)| Effect::UsedElement { index, id, length });
    let written = |effect: &&Effect| matches!(effect, Effect::UsedElement { .. });
    assert!(reported.iter().filter(written).eq(&elements));
    assert_eq!(
        reported[reported.len() - 2..],
        [Effect::UsedIndex(2), elements[4]],
        "the last element is not published yet"
    );
}

#[test]
fn a_reset_forgets_the_chains_in_flight() {
    let memory = Memory::new();
    let mut device = four(&memory, 0);
    assert!(device.return_chain(1, SHORT));
    let before = memory.all();
    device.reset(9);
    assert_eq!(memory.all(), before, "the device does not write to the rings in a reset");
    assert_eq!((device.in_flight_count(), device.returnable()), (0, 0));
    assert!(!device.return_chain(0, SHORT));
    memory.rings.store_u16(66, 9);
    assert!(!device.has_available());
    memory.make_available(2);
    assert!(device.take().is_some_and(|taken| taken.head == 2 && taken.descriptors.len() == 1));
    assert!(device.return_chain(0, exactly(1)));
    device.publish();
    assert_eq!((memory.element(1), memory.used_index()), ((2, 1), 10));
}

/// 2.7.10: flag 1 of the used ring suppresses notifications.
#[test]
fn notifications_are_switched_by_a_flag() {
    let memory = Memory::new();
    let mut device = memory.device(0);
    for (wanted, flags) in [(false, 1), (true, 0), (false, 1)] {
        let mut expected = memory.all();
        expected[80..82].copy_from_slice(&[flags, 0]);
        device.set_notifications(wanted);
        assert_eq!(memory.all(), expected);
        assert_eq!(effects(&mut device), [Effect::AvailableNotifications(wanted)]);
    }
}

#[test]
fn the_buffers_of_a_chain_with_an_error_are_not_touched() {
    let memory = Memory::new();
    let mut device = memory.device(0);
    memory.describe(0, BUFFERS, 8, WRITE | NEXT, 0);
    memory.make_available(0);
    memory.make_available(700);
    for (head, error) in [(0, ChainError::Loop), (700, ChainError::HeadOutOfRange(700))] {
        assert!(device.take().is_some_and(|taken| taken.head == head && taken.error == Some(error)));
    }
    for (slot, head) in [(0, 0), (1, 700)] {
        assert!(device.return_chain(1, exactly(8)));
        assert_eq!(memory.element(slot), (head, 0));
    }
    assert!(bytes(&memory.buffers).iter().all(|byte| *byte == 0));
}

#[test]
fn a_pattern_has_no_zero_byte_and_depends_on_its_seed() {
    let pattern = |seed, length| {
        let mut bytes = vec![0; length];
        fill_pattern(&mut bytes, seed);
        bytes
    };
    for length in [0, 1, 7, 8, 9, 64] {
        assert!(pattern(5, length).iter().all(|byte| *byte != 0));
        assert_eq!(pattern(5, length), pattern(5, 64)[..length]);
    }
    let mut all: Vec<Vec<u8>> = (0..1000).map(|seed| pattern(seed, 16)).collect();
    all.extend((0..8).map(|place| pattern(7, 160)[16 * place + 16..16 * place + 32].to_vec()));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1008);
}

/// Descriptors are in the table, and entries between the available index and `used_event` (2.7.5, 2.7.6).
#[test]
fn the_descriptor_or_entry_at_an_offset_is_found() {
    let memory = Memory::new();
    let device = memory.device(0);
    for offset in 0..120 {
        let expected = match offset {
            0..64 => Some(Part::Descriptor((offset / 16) as u16)),
            68..76 => Some(Part::AvailableEntry((offset - 68) as u16 / 2)),
            _ => None,
        };
        assert_eq!(device.driver_part_at(offset), expected, "{offset}");
    }
    let geometry = Geometry { size: 4, table: 64, available: 0, used: 128 };
    let device = Device::new(&memory.rings, geometry, memory.space(), 0);
    for (offset, expected) in [
        (3, None),
        (4, Some(Part::AvailableEntry(0))),
        (63, None),
        (64, Some(Part::Descriptor(0))),
        (127, Some(Part::Descriptor(3))),
        (128, None),
    ] {
        assert_eq!(device.driver_part_at(offset), expected, "{offset}");
    }
}

/// The used ring with `avail_event`: 6 + 8 * size bytes (2.7).
#[test]
fn a_used_ring_has_eight_bytes_for_each_descriptor() {
    for (size, expected) in [(1, 14), (4, 38), (32_768, 262_150)] {
        assert_eq!(Geometry { size, ..GEOMETRY }.used_bytes(), expected);
    }
}

/// Indexes wrap at 2^16 and slots at the queue size (2.7.6). In the largest queue, both wrap at once here.
#[test]
fn the_largest_queue_has_a_slot_for_every_index() {
    let size: u16 = 32_768;
    let available = 16 * usize::from(size);
    let geometry = Geometry { size, table: 0, available, used: available + 2 * usize::from(size) + 8 };
    let rings = HeapMemory::new(geometry.used + geometry.used_bytes()).unwrap();
    let space = AddressSpace::new([(BUFFERS, &rings)]);
    let last = 16 * usize::from(size - 1);
    rings.store_u64(last, BUFFERS);
    rings.store_u64(last + 8, 1);
    rings.store_u16(geometry.available + 4 + 2 * 32_767, size - 1);
    rings.store_u16(geometry.available + 2, 0);
    let mut device = Device::new(&rings, geometry, space, 65_535);
    assert!(device.take().is_some_and(|taken| taken.head == size - 1 && taken.error.is_none()));
    assert!(device.return_chain(0, SHORT));
    device.publish();
    assert_eq!(rings.load_u32(geometry.used + 4 + 8 * 32_767), u32::from(size - 1));
    assert_eq!(rings.load_u16(geometry.used + 2), 0);
}

/// The device reads it back from memory, whoever wrote it.
#[test]
fn the_used_ring_is_read_from_memory() {
    let memory = Memory::new();
    let device = memory.device(9);
    memory.rings.store_u16(80, 0x8001);
    memory.rings.store_u16(82, 7);
    memory.rings.store_u32(80 + 4 + 8 * 3, 2);
    memory.rings.store_u32(80 + 8 + 8 * 3, 0x1_0000);
    memory.rings.store_u16(116, 5);
    assert_eq!((device.used_flags(), device.used_index(), device.available_event()), (0x8001, 7, 5));
    assert_eq!([7, 3, 65_535].map(|index| device.used_element(index)), [(2, 0x1_0000); 3]);
    assert_eq!((*device.geometry(), device.rings().len()), (GEOMETRY, 118));
}

#[test]
fn a_queue_size_that_is_not_a_power_of_two_panics() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let memory = Memory::new();
    for size in [0, 3, 6] {
        let geometry = Geometry { size, ..GEOMETRY };
        let made = || Device::new(&memory.rings, geometry, memory.space(), 0);
        assert!(catch_unwind(AssertUnwindSafe(made)).is_err(), "new, {size}");
        let mut device = memory.device(0);
        let again = || device.restart(geometry, 0, false);
        assert!(catch_unwind(AssertUnwindSafe(again)).is_err(), "restart, {size}");
    }
}
