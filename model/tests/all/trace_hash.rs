//! The trace hash: the same for equal traces on every machine, and different for different traces.

use crate::support::{self, at, device_fault, misuse};
use ringstorm_model::{
    ChainFlaw, Completion, DeviceRefusal, Event, HandleAge, MisuseKind, ObservedDescriptor, OrderFlaw, Place,
    Refusal, TraceHash,
};
use std::collections::HashMap;

const PARTS: [ObservedDescriptor; 2] = [at(1, 2, 3, 4, false), at(2, 2, 64, 5, true)];

const REFUSALS: [Refusal; 16] = [
    misuse(MisuseKind::EmptyChain),
    misuse(MisuseKind::EmptyBuffer),
    misuse(MisuseKind::BufferTooLarge),
    misuse(MisuseKind::ChainTooLong),
    misuse(MisuseKind::NotEnoughFree),
    misuse(MisuseKind::BadHead),
    misuse(MisuseKind::NotReturned),
    misuse(MisuseKind::Unspecified),
    device_fault(false, false, None),
    device_fault(true, false, None),
    device_fault(false, true, None),
    device_fault(false, false, Some(0)),
    Refusal::System,
    Refusal::Broken,
    misuse(MisuseKind::ChainExceedsQueue),
    misuse(MisuseKind::Published),
];

/// One event of each kind.
const EVENTS: [Event<'static>; 41] = [
    Event::Submit { readable: &[b"abc", b"d"], writable: &[7, 8], answer: Ok(1) },
    Event::Publish { notify: false },
    Event::Take { answer: Ok(Some(Completion { head: 1, length: 2 })) },
    Event::Read { head: 1, limit: 2, answer: Ok(b"abcdefgh"), in_memory: b"abcdefgh" },
    Event::Free { head: 1, handle: HandleAge::Current, answer: Ok(()) },
    Event::Reset { first_index: 1 },
    Event::Stores { count: 1, to_device_area: false },
    Event::FreeCount { count: 1 },
    Event::AvailableIndex { index: 1 },
    Event::Chain { head: 1, descriptors: &PARTS, flaw: None, not_zeroed: false },
    Event::DeviceTook { head: 1, whole: true, descriptors: &PARTS, payload: b"abc" },
    Event::UsedElement { index: 1, id: 2, length: 3 },
    Event::UsedIndex { index: 1 },
    Event::AvailableNotifications { wanted: false },
    Event::DescriptorCorrupted { descriptor: 1 },
    Event::Withheld { head: 1 },
    Event::Drained,
    Event::Released { left: 1 },
    Event::Panic,
    Event::Available { head: 1 },
    Event::UsedNotifications { wanted: false, flags: 1, used_event: 3, waiting: None },
    Event::DeviceWrote { place: Place { region: 1, offset: 2 }, length: 3 },
    Event::DriverWrote { place: Place { region: 1, offset: 2 }, length: 3 },
    Event::UsedEvent { index: 1 },
    Event::AvailableEvent { index: 1 },
    Event::DoubleFetch { offset: 1 },
    Event::LateWrite { offset: 1 },
    Event::AvailableRingCorrupted,
    Event::Silent,
    Event::SpuriousNotification,
    Event::Trap,
    Event::AvailableFlags { flags: 1 },
    Event::Dropped { rings: true, buffers: false },
    Event::Unwound { broken: false, changed: false, available: 1 },
    Event::Withdraw { head: 1, answer: Ok(()) },
    Event::DescriptorChanged { head: 1, descriptor: 2 },
    Event::AccessOrder { flaw: OrderFlaw::WishNotLoaded },
    Event::Layout { table: 0, available: 64, used: 80 },
    Event::TakeBack { stopped: true, head: Some(1) },
    Event::DelayedNotifications { flags: 1, used_event: 3, waiting: None },
    Event::Interrupted { on: None, flags: 1, used_event: 3 },
];

/// The same chain with one field changed, once for each field.
fn other_parts() -> Vec<Vec<ObservedDescriptor>> {
    let mut others = vec![PARTS[..1].to_vec(), Vec::new(), vec![PARTS[1], PARTS[0]]];
    for position in 0..2 {
        let place = PARTS[position].place.unwrap();
        for other in [
            ObservedDescriptor { index: 9, ..PARTS[position] },
            ObservedDescriptor { place: None, ..PARTS[position] },
            ObservedDescriptor { place: Some(Place { region: 9, ..place }), ..PARTS[position] },
            ObservedDescriptor { place: Some(Place { offset: 9, ..place }), ..PARTS[position] },
            ObservedDescriptor { length: 9, ..PARTS[position] },
            ObservedDescriptor { writable: position == 0, ..PARTS[position] },
        ] {
            let mut parts = PARTS.to_vec();
            parts[position] = other;
            others.push(parts);
        }
    }
    others
}

/// The hashes of events that differ from this one in one field.
fn variations(event: &Event<'_>) -> Vec<(String, u64)> {
    let mut hashes = Vec::new();
    let mut add = |event: Event<'_>| hashes.push((format!("{event:?}"), hash(&[event])));
    match *event {
        Event::Submit { readable, writable, answer } => {
            let others: [&[&[u8]]; 6] =
                [&[b"abc", b"e"], &[b"abc"], &[b"abcd"], &[b"ab", b"cd"], &[b"d", b"abc"], &[]];
            for readable in others {
                add(Event::Submit { readable, writable, answer });
            }
            for writable in [&[7, 9][..], &[8, 7], &[7], &[7, 8, 0], &[15], &[]] {
                add(Event::Submit { readable, writable, answer });
            }
            add(Event::Submit { readable, writable, answer: Ok(0) });
            REFUSALS.iter().for_each(|why| add(Event::Submit { readable, writable, answer: Err(*why) }));
        }
        Event::Publish { notify } => add(Event::Publish { notify: !notify }),
        Event::Take { answer: _ } => {
            add(Event::Take { answer: Ok(None) });
            add(support::take(0, 2));
            add(support::take(1, 0));
            add(support::take(2, 1));
            REFUSALS.iter().for_each(|why| add(Event::Take { answer: Err(*why) }));
        }
        Event::Read { head, limit, answer, in_memory } => {
            add(Event::Read { head: 2, limit, answer, in_memory });
            add(Event::Read { head, limit: 1, answer, in_memory });
            for bytes in [&b"abcdefgi"[..], b"bbcdefgh", b"abcdefg", b"abcdefgh\0", b"abcdefghi", b""] {
                add(Event::Read { head, limit, answer: Ok(bytes), in_memory });
            }
            REFUSALS.iter().for_each(|why| add(Event::Read { head, limit, answer: Err(*why), in_memory }));
        }
        Event::Free { head, handle, answer } => {
            add(Event::Free { head: 2, handle, answer });
            add(Event::Free { head, handle: HandleAge::Stale, answer });
            REFUSALS.iter().for_each(|why| add(Event::Free { head, handle, answer: Err(*why) }));
        }
        Event::Reset { first_index } => add(Event::Reset { first_index: first_index + 1 }),
        Event::Stores { count, to_device_area } => {
            add(Event::Stores { count: count + 1, to_device_area });
            add(Event::Stores { count, to_device_area: !to_device_area });
        }
        Event::FreeCount { count } => add(Event::FreeCount { count: count + 1 }),
        Event::AvailableIndex { index } => add(Event::AvailableIndex { index: index + 1 }),
        Event::Chain { head, descriptors, flaw, not_zeroed } => {
            add(Event::Chain { head: 2, descriptors, flaw, not_zeroed });
            add(Event::Chain { head, descriptors, flaw, not_zeroed: !not_zeroed });
            for flaw in [
                ChainFlaw::Loop,
                ChainFlaw::NextOutOfRange(0),
                ChainFlaw::Unregistered(0),
                ChainFlaw::Indirect(0),
            ] {
                add(Event::Chain { head, descriptors, flaw: Some(flaw), not_zeroed });
            }
            for descriptors in &other_parts() {
                add(Event::Chain { head, descriptors, flaw, not_zeroed });
            }
        }
        Event::DeviceTook { head, whole, descriptors, payload } => {
            add(Event::DeviceTook { head: 2, whole, descriptors, payload });
            add(Event::DeviceTook { head, whole: !whole, descriptors, payload });
            for payload in [&b"abd"[..], b"ab", b"abc\0", b""] {
                add(Event::DeviceTook { head, whole, descriptors, payload });
            }
            for descriptors in &other_parts() {
                add(Event::DeviceTook { head, whole, descriptors, payload });
            }
        }
        Event::UsedElement { index, id, length } => {
            add(Event::UsedElement { index: index + 8, id, length });
            add(Event::UsedElement { index, id: id + 8, length });
            add(Event::UsedElement { index, id, length: length + 8 });
        }
        Event::UsedIndex { index } => add(Event::UsedIndex { index: index + 1 }),
        Event::AvailableNotifications { wanted } => add(Event::AvailableNotifications { wanted: !wanted }),
        Event::DescriptorCorrupted { descriptor } => {
            add(Event::DescriptorCorrupted { descriptor: descriptor + 1 })
        }
        Event::Withheld { head } => add(Event::Withheld { head: head + 1 }),
        Event::Released { left } => add(Event::Released { left: left + 1 }),
        Event::Available { head } => add(Event::Available { head: head + 1 }),
        Event::UsedEvent { index } => add(Event::UsedEvent { index: index + 1 }),
        Event::AvailableFlags { flags } => add(Event::AvailableFlags { flags: flags + 1 }),
        Event::AvailableEvent { index } => add(Event::AvailableEvent { index: index + 1 }),
        Event::DoubleFetch { offset } => add(Event::DoubleFetch { offset: offset + 1 }),
        Event::DescriptorChanged { head, descriptor } => {
            add(Event::DescriptorChanged { head: head + 1, descriptor });
            add(Event::DescriptorChanged { head, descriptor: descriptor + 1 });
        }
        Event::AccessOrder { .. } => {
            for flaw in [
                OrderFlaw::WishWithoutBarrier,
                OrderFlaw::UsedIndexNotLoaded,
                OrderFlaw::UsedIndexWithoutBarrier,
                OrderFlaw::IndexWithoutRelease,
                OrderFlaw::ElementWithoutAcquire,
            ] {
                add(Event::AccessOrder { flaw });
            }
        }
        Event::Layout { table, available, used } => {
            add(Event::Layout { table: table + 1, available, used });
            add(Event::Layout { table, available: available + 1, used });
            add(Event::Layout { table, available, used: used + 1 });
        }
        Event::LateWrite { offset } => add(Event::LateWrite { offset: offset + 1 }),
        Event::UsedNotifications { wanted, flags, used_event, waiting } => {
            add(Event::UsedNotifications { wanted: !wanted, flags, used_event, waiting });
            add(Event::UsedNotifications { wanted, flags: flags + 1, used_event, waiting });
            add(Event::UsedNotifications { wanted, flags, used_event: used_event + 1, waiting });
            add(Event::UsedNotifications { wanted, flags, used_event, waiting: Some(false) });
            add(Event::UsedNotifications { wanted, flags, used_event, waiting: Some(true) });
        }
        Event::DriverWrote { place, length } => {
            add(Event::DriverWrote { place: Place { region: 9, ..place }, length });
            add(Event::DriverWrote { place: Place { offset: 9, ..place }, length });
            add(Event::DriverWrote { place, length: 9 });
        }
        Event::DeviceWrote { place, length } => {
            add(Event::DeviceWrote { place: Place { region: 9, ..place }, length });
            add(Event::DeviceWrote { place: Place { offset: 9, ..place }, length });
            add(Event::DeviceWrote { place, length: 9 });
        }
        Event::Dropped { rings, buffers } => {
            add(Event::Dropped { rings: !rings, buffers });
            add(Event::Dropped { rings, buffers: !buffers });
            add(Event::Dropped { rings: !rings, buffers: !buffers });
        }
        Event::Withdraw { head, answer } => {
            add(Event::Withdraw { head: 2, answer });
            REFUSALS.iter().for_each(|why| add(Event::Withdraw { head, answer: Err(*why) }));
        }
        Event::Interrupted { on, flags, used_event } => {
            add(Event::Interrupted { on: Some(true), flags, used_event });
            add(Event::Interrupted { on: Some(false), flags, used_event });
            add(Event::Interrupted { on, flags: flags + 1, used_event });
            add(Event::Interrupted { on, flags, used_event: used_event + 1 });
        }
        Event::DelayedNotifications { flags, used_event, waiting } => {
            add(Event::DelayedNotifications { flags: flags + 1, used_event, waiting });
            add(Event::DelayedNotifications { flags, used_event: used_event + 1, waiting });
            add(Event::DelayedNotifications { flags, used_event, waiting: Some(false) });
            add(Event::DelayedNotifications { flags, used_event, waiting: Some(true) });
        }
        Event::TakeBack { stopped, head } => {
            add(Event::TakeBack { stopped: !stopped, head });
            add(Event::TakeBack { stopped, head: Some(0) });
            add(Event::TakeBack { stopped, head: None });
        }
        Event::Unwound { broken, changed, available } => {
            add(Event::Unwound { broken: !broken, changed, available });
            add(Event::Unwound { broken, changed: !changed, available });
            add(Event::Unwound { broken, changed, available: available + 1 });
        }
        Event::Drained
        | Event::Panic
        | Event::AvailableRingCorrupted
        | Event::Silent
        | Event::SpuriousNotification
        | Event::Trap => {}
    }
    hashes
}

fn hash(events: &[Event<'_>]) -> u64 {
    let mut hash = TraceHash::default();
    events.iter().for_each(|event| hash.event(event));
    hash.get()
}

#[test]
fn every_field_of_every_event_changes_the_hash() {
    let mut seen = HashMap::new();
    for event in &EVENTS {
        let itself = (format!("{event:?}"), hash(std::slice::from_ref(event)));
        for (event, hash) in [itself].into_iter().chain(variations(event)) {
            if let Some(other) = seen.insert(hash, event.clone()) {
                panic!("{other} and {event} have the same hash");
            }
        }
    }
    assert!(seen.len() > 150, "{} events", seen.len());
}

#[test]
fn the_head_returned_by_a_device_refusal_changes_the_hash() {
    let refusal = DeviceRefusal::default();
    let returned =
        |head| hash(&[support::take_refused(Refusal::Device(DeviceRefusal { returned: head, ..refusal }))]);
    let mut hashes: Vec<u64> = [None, Some(0), Some(1), Some(u16::MAX)].map(returned).to_vec();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 4);
}

#[test]
fn the_order_of_events_changes_the_hash() {
    for pair in EVENTS.windows(2) {
        assert_ne!(hash(pair), hash(&[pair[1], pair[0]]));
        assert_ne!(hash(pair), hash(&pair[..1]));
    }
}

/// Hashes are in reports, and are compared between machines and versions.
#[test]
fn a_trace_keeps_its_hash_in_all_versions() {
    assert_eq!(hash(&[]), 0x243f_6a88_85a3_08d3);
    assert_eq!(hash(&EVENTS[..19]), 0xebc0_2ab3_051d_f2b3);
    assert_eq!(hash(&EVENTS[..31]), 0xdd33_b17b_c6cf_c00b);
    assert_eq!(hash(&EVENTS[..32]), 0xee0b_c29d_3d28_fe5f);
    assert_eq!(hash(&EVENTS[..33]), 0x5189_a342_837b_9d45);
    assert_eq!(hash(&EVENTS[..34]), 0xde81_e007_9fd9_8c0c);
    assert_eq!(hash(&EVENTS[..35]), 0xc90f_7458_c746_3165);
    assert_eq!(hash(&EVENTS[..36]), 0xd783_003a_1594_17fc);
    assert_eq!(hash(&EVENTS[..37]), 0x4a7c_ef79_f442_0b68);
    assert_eq!(hash(&EVENTS[..38]), 0xddf0_2c2f_65b4_8207);
    assert_eq!(hash(&EVENTS[..39]), 0x3038_9219_df88_d5dd);
    assert_eq!(hash(&EVENTS[..40]), 0x7a19_a2f4_b421_f321);
    assert_eq!(hash(&EVENTS), 0xbb09_16ab_773f_9418);
    let refused = REFUSALS.map(support::take_refused);
    assert_eq!(hash(&refused[..14]), 0xca8e_f5ee_a294_7358);
    // Bytes for all four lanes, then for words, then a rest.
    let mut lanes = TraceHash::default();
    lanes.bytes(&std::array::from_fn::<u8, 100, _>(|at| at as u8));
    assert_eq!(lanes.get(), 0xf5f6_1447_c777_b948);
}

#[test]
fn the_number_of_bytes_changes_the_hash() {
    let hash = |fold: &dyn Fn(&mut TraceHash)| {
        let mut hash = TraceHash::default();
        fold(&mut hash);
        hash.get()
    };
    let hashes = [
        hash(&|_| {}),
        hash(&|hash| hash.number(0)),
        hash(&|hash| hash.bytes(&[])),
        hash(&|hash| hash.bytes(&[0])),
        hash(&|hash| hash.bytes(&[0; 8])),
        hash(&|hash| hash.bytes(&[0; 9])),
        hash(&|hash| hash.bytes(&[0, 0, 0, 0, 0, 0, 0, 0, 1])),
        hash(&|hash| hash.bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 0])),
    ];
    for (place, one) in hashes.iter().enumerate() {
        assert!(!hashes[..place].contains(one), "{place}");
    }
}
