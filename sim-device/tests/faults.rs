//! What each fault does to which bytes, what it tells of that, and when it can do nothing.

mod support;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{AddressSpace, Device, Effect, Fault, Reply};
use std::collections::HashSet;
use std::str::FromStr;
use strum::VariantArray;
use support::vast::Vast;
use support::{BUFFERS, Memory, NEXT, RINGS, WRITE, effects};

/// Chain 2 of descriptors 2, 0 and 3, with twelve writable bytes, and chain 1 of one readable buffer, both
/// held, 1 as the newest. No descriptor is free.
fn full(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(2, BUFFERS, 3, NEXT, 0);
    memory.describe(0, BUFFERS + 16, 8, NEXT | WRITE, 3);
    memory.describe(3, BUFFERS + 32, 4, WRITE, 0);
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.offer(2);
    memory.offer(1);
    let mut device = memory.device_now();
    while device.take().is_some() {}
    assert_eq!((device.held_count(), device.returnable()), (2, 2));
    device
}

/// Only chain 1 of one readable buffer is held.
fn single(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.offer(1);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 1 && taken.error.is_none()));
    device
}

fn idle(memory: &Memory) -> Device<&HeapMemory> {
    memory.device_now()
}

/// What a fault is to do: bytes of the rings that it changes, and what it tells.
type Deed = (Vec<(usize, Vec<u8>)>, Vec<Effect>);

/// One element at slot 0, and the index behind it.
fn element(id: u32, length: u32) -> Deed {
    let pair = [id.to_le_bytes(), length.to_le_bytes()].concat();
    let told = vec![Effect::UsedElement { index: 0, id, length }, Effect::UsedIndex(1)];
    (vec![(84, pair), (82, vec![1, 0])], told)
}

fn jump(index: u16) -> Deed {
    (vec![(82, index.to_le_bytes().to_vec())], vec![Effect::UsedIndex(index)])
}

/// Length, flags and next of a descriptor.
fn scribbled(index: u16, length: u32, flags: u16, next: u16) -> Deed {
    let mut rest = length.to_le_bytes().to_vec();
    rest.extend([flags.to_le_bytes(), next.to_le_bytes()].concat());
    (vec![(16 * usize::from(index) + 8, rest)], vec![Effect::Descriptor { index }])
}

type Scene = for<'m> fn(&'m Memory) -> Device<&'m HeapMemory>;
type Case = (Scene, u8, u32, Option<Deed>);

fn cases(fault: Fault) -> Vec<Case> {
    match fault {
        Fault::IdOutOfRange => vec![
            (idle, 0, 0, Some(element(4, 0))),
            (idle, 9, 1, Some(element(5, 0))),
            (full, 0, u32::MAX - 4, Some(element(u32::MAX, 0))),
            (full, 0, u32::MAX - 3, Some(element(u32::MAX, 0))),
            (idle, 0, u32::MAX, Some(element(u32::MAX, 0))),
        ],
        Fault::TruncatedId => vec![
            (idle, 0, 0, None),
            (full, 0, 0, Some(element(0x1_0001, 0))),
            (full, 1, 0, Some(element(0x1_0002, 0))),
            (full, 2, 0xfffe, Some(element(0xffff_0001, 0))),
            (full, 1, 0xffff, Some(element(0x1_0002, 0))),
        ],
        Fault::MidChainId => vec![
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (single, 1, 7, None),
            (full, 1, 0, Some(element(0, 0))),
            (full, 1, 1, Some(element(3, 0))),
            (full, 3, 2, Some(element(0, 0))),
        ],
        // A returned chain makes the other half of its test.
        Fault::DuplicateId => vec![(idle, 0, 0, None), (full, 0, 9, None)],
        Fault::LengthTooLong => vec![
            (idle, 0, 1, None),
            (full, 1, 0, Some(element(2, 13))),
            (full, 1, 1, Some(element(2, 13))),
            (full, 1, 100, Some(element(2, 112))),
            (full, 1, u32::MAX, Some(element(2, u32::MAX))),
            (full, 0, 0, Some(element(1, 1))),
            (single, 0, u32::MAX, Some(element(1, u32::MAX))),
        ],
        Fault::IndexJump => vec![
            (idle, 0, 0, Some(jump(1))),
            (full, 0, 4, Some(jump(5))),
            (idle, 0, 0xfffe, Some(jump(0xffff))),
            (idle, 0, 0xffff, Some(jump(1))),
        ],
        Fault::NextToHead => vec![
            (idle, 0, 0, None),
            (full, 1, 0, Some(scribbled(3, 4, NEXT | WRITE, 2))),
            (full, 0, 0, Some(scribbled(1, 5, NEXT, 1))),
        ],
        Fault::NextToMiddle => vec![
            (idle, 0, 0, None),
            (single, 0, 0, None),
            (full, 1, 0, Some(scribbled(3, 4, NEXT | WRITE, 0))),
        ],
        Fault::LengthScribbled => vec![
            // Even choices: the end of a held chain, or anywhere if there is none.
            (full, 0, 77, Some(scribbled(1, 77, 0, 0))),
            (full, 2, 77, Some(scribbled(3, 77, WRITE, 0))),
            (full, 2, 4, None),
            (idle, 4, u32::MAX, Some(scribbled(2, u32::MAX, 0, 0))),
            (idle, 4, 0, None),
            // Odd ones: anywhere.
            (full, 1, 77, Some(scribbled(0, 77, NEXT | WRITE, 3))),
            (full, 15, 77, Some(scribbled(3, 77, WRITE, 0))),
            (full, 5, 3, None),
        ],
        Fault::NeverReturned => vec![
            (idle, 0, 0, None),
            (full, 0, 0, Some((vec![], vec![Effect::Withheld { head: 1 }]))),
            (full, 1, 0, Some((vec![], vec![Effect::Withheld { head: 2 }]))),
        ],
        Fault::NextOutOfRange => vec![
            (full, 2, 0, Some(scribbled(3, 4, NEXT | WRITE, 4))),
            (full, 1, 1, Some(scribbled(0, 8, NEXT | WRITE, 5))),
            (idle, 1, 0xfffb, Some(scribbled(0, 0, NEXT, 0xffff))),
            (idle, 1, 0xfffc, Some(scribbled(0, 0, NEXT, 4))),
        ],
        Fault::FreeId => vec![
            (full, 0, 0, None),
            (idle, 0, 0, Some(element(0, 0))),
            (idle, 0, 7, Some(element(3, 0))),
            (single, 0, 1, Some(element(2, 0))),
            (single, 0, 0, Some(element(0, 0))),
        ],
    }
}

#[test]
fn a_fault_changes_and_tells_what_it_should_or_nothing() {
    for fault in Fault::VARIANTS {
        for (number, (scene, pick, value, deed)) in cases(*fault).into_iter().enumerate() {
            let memory = Memory::new();
            let mut device = scene(&memory);
            let mut expected = memory.all();
            let could = device.misbehave(*fault, pick, value);
            assert_eq!(could, deed.is_some(), "{fault:?} {number}");
            let (changes, told) = deed.unwrap_or_default();
            for (offset, bytes) in changes {
                expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
            assert_eq!(memory.all(), expected, "{fault:?} {number}");
            assert_eq!(effects(&mut device), told, "{fault:?} {number}");
        }
    }
}

#[test]
fn a_fault_that_needs_a_held_chain_can_do_nothing_without() {
    for fault in Fault::VARIANTS {
        let memory = Memory::new();
        // A returned chain and descriptors that differ from what is lied, so that nothing else is missing.
        let mut device = single(&memory);
        assert!(device.give_back(0, |_| Reply { written: 0, beyond: false }));
        let could = device.misbehave(*fault, 1, 5);
        assert_eq!(could, !fault.needs_held_chain(), "{fault:?}");
    }
}

#[test]
fn a_chain_is_returned_again() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.give_back(1, |_| Reply { written: 0, beyond: false }));
    let _ = effects(&mut device);
    for place in 1..4 {
        let before = device.held_count();
        assert!(device.misbehave(Fault::DuplicateId, 0, 77));
        assert_eq!(memory.element(place), (2, 77));
        let told = [Effect::UsedElement { index: place as u16, id: 2, length: 77 }];
        assert_eq!(effects(&mut device), [told[0], Effect::UsedIndex(place as u16 + 1)]);
        assert_eq!(device.held_count(), before, "nothing else was returned");
    }
    device.reset(0);
    assert!(!device.misbehave(Fault::DuplicateId, 0, 77), "a reset forgets what was returned");
}

#[test]
fn a_length_too_long_returns_the_chain() {
    let memory = Memory::new();
    let mut device = full(&memory);
    assert!(device.misbehave(Fault::LengthTooLong, 1, 1));
    assert_eq!((device.held_count(), device.returnable()), (1, 1));
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
        let mut device = Device::new(Vast(&rings), support::GEOMETRY, space, 0);
        assert!(device.take().is_some_and(|taken| taken.error.is_none()));
        let could = device.misbehave(Fault::LengthTooLong, 0, 5);
        (could, rings.load_u32(88), effects(&mut device).len(), device.held_count())
    };
    assert_eq!(vast(1 << 31, 1 << 31), (false, 0, 0, 1));
    assert_eq!(vast(u32::MAX - 1, 1), (false, 0, 0, 1));
    assert_eq!(vast(u32::MAX - 1, 0), (true, u32::MAX, 2, 0));
    assert_eq!(vast(u32::MAX - 9, 0), (true, u32::MAX - 4, 2, 0));
}

#[test]
fn a_link_is_not_forged_twice() {
    for fault in [Fault::NextToHead, Fault::NextToMiddle, Fault::NextOutOfRange, Fault::LengthScribbled] {
        let memory = Memory::new();
        let mut device = full(&memory);
        assert!(device.misbehave(fault, 1, 9), "{fault:?}");
        let before = memory.all();
        assert!(!device.misbehave(fault, 1, 9), "{fault:?}");
        assert_eq!(effects(&mut device).len(), 1, "{fault:?}");
        assert_eq!(memory.all(), before, "{fault:?}");
    }
}

#[test]
fn a_withheld_chain_comes_back_when_the_device_repents() {
    let memory = Memory::new();
    let mut device = full(&memory);
    let all = |_| Reply { written: u32::MAX, beyond: false };
    assert!(device.misbehave(Fault::NeverReturned, 1, 0));
    assert!(!device.misbehave(Fault::NeverReturned, 1, 0), "it is withheld already");
    assert_eq!((device.held_count(), device.returnable()), (2, 1));
    let before = memory.all();
    assert!(!device.give_back(1, all));
    assert_eq!(memory.all(), before);
    assert!(device.give_back(0, all));
    device.repent();
    assert_eq!(device.returnable(), 1);
    assert!(device.give_back(0, all));
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
    assert!(device.misbehave(Fault::IndexJump, 0, 0xfffe));
    assert_eq!(memory.used_index(), 0);
    assert!(device.misbehave(Fault::IdOutOfRange, 0, 2));
    assert_eq!((memory.element(0), memory.used_index()), ((6, 0), 1));
}

/// They stand in files: names and numbers must never change, only grow.
const NAMES: [&str; 12] = [
    "id-out-of-range",
    "truncated-id",
    "mid-chain-id",
    "duplicate-id",
    "length-too-long",
    "index-jump",
    "next-to-head",
    "next-to-middle",
    "length-scribbled",
    "never-returned",
    "next-out-of-range",
    "free-id",
];

#[test]
fn a_fault_has_one_number_one_name_and_one_description() {
    assert_eq!(Fault::VARIANTS.len(), NAMES.len());
    let mut descriptions = HashSet::new();
    for (number, name) in NAMES.iter().enumerate() {
        let fault = Fault::from_repr(number as u8).unwrap();
        assert_eq!((fault as usize, fault.name()), (number, *name));
        assert_eq!(Fault::from_str(name), Ok(fault));
        assert!(fault.description().len() > 20 && descriptions.insert(fault.description()));
    }
    assert_eq!(Fault::from_repr(NAMES.len() as u8), None);
    assert!(Fault::from_str("FreeId").is_err());
}
