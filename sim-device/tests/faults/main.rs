//! What each fault does to which bytes, what it tells of that, and when it can do nothing.

mod afterwards;
mod others;
mod scenes;
mod silence;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod used;

use ringstorm_sim_device::{Fault, Target};
use scenes::{Case, NOTHING_WRITTEN, full, single};
use std::collections::HashSet;
use std::str::FromStr;
use strum::VariantArray;
use support::{Memory, effects};

fn cases(fault: Fault) -> Vec<Case> {
    match fault.target() {
        Target::UsedRing => used::cases(fault),
        Target::Table => table::cases(fault),
        Target::AvailableRing => others::in_available_ring(fault),
        Target::Buffers => others::in_buffers(fault),
        Target::Time => others::in_time(fault),
    }
}

#[test]
fn a_fault_changes_and_tells_what_it_should_or_nothing() {
    for fault in Fault::VARIANTS {
        let cases = cases(*fault);
        assert!(cases.iter().any(|(.., deed)| deed.is_some()), "{fault:?} is not tried");
        for (number, (scene, pick, value, deed)) in cases.into_iter().enumerate() {
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

/// What is done to a chain that is held, or waits, or to one of several that were returned.
const NEEDS_CHAINS: [Fault; 16] = [
    Fault::TruncatedId,
    Fault::MidChainId,
    Fault::LengthTooLong,
    Fault::NextToHead,
    Fault::NextToMiddle,
    Fault::NeverReturned,
    Fault::StaleId,
    Fault::LengthForReadable,
    Fault::LengthUnwritten,
    Fault::IndexBeforeElement,
    Fault::NextToFree,
    Fault::NextSet,
    Fault::NextCleared,
    Fault::AvailableEntryOverwritten,
    Fault::ReadableWritten,
    Fault::WrittenAfterReturn,
];

#[test]
fn a_fault_that_needs_a_chain_can_do_nothing_on_an_idle_device() {
    for fault in Fault::VARIANTS {
        let memory = Memory::new();
        // A returned chain and descriptors that differ from what is lied, so that nothing else is missing.
        let mut device = single(&memory);
        assert!(device.return_chain(0, NOTHING_WRITTEN));
        let _ = effects(&mut device);
        let before = memory.all();
        let could = device.misbehave(*fault, 3, 4);
        assert_eq!(could, !NEEDS_CHAINS.contains(fault), "{fault:?}");
        assert_eq!(effects(&mut device).is_empty(), !could, "{fault:?}");
        assert!(could || memory.all() == before, "{fault:?}");
    }
}

#[test]
fn what_stands_there_already_is_not_forged_again() {
    for (fault, pick, value) in [
        (Fault::NextToHead, 1, 9),
        (Fault::NextToMiddle, 1, 9),
        (Fault::NextOutOfRange, 1, 9),
        (Fault::NextToSelf, 1, 9),
        (Fault::NextSet, 1, 9),
        (Fault::NextCleared, 1, 9),
        (Fault::LengthScribbled, 1, 9),
        (Fault::LengthZeroed, 1, 9),
        (Fault::LengthGrown, 1, u32::MAX),
        (Fault::AddressOfAnother, 1, 9),
        (Fault::AddressOutside, 1, 9),
        (Fault::AddressZero, 1, 9),
        (Fault::FlagsGarbage, 1, 9),
        (Fault::EventGarbage, 1, 9),
        (Fault::NeverReturned, 1, 9),
        (Fault::LostNotification, 1, 9),
    ] {
        let memory = Memory::new();
        let mut device = full(&memory);
        assert!(device.misbehave(fault, pick, value), "{fault:?}");
        let before = memory.all();
        assert!(!device.misbehave(fault, pick, value), "{fault:?}");
        assert_eq!(effects(&mut device).len(), 1, "{fault:?}");
        assert_eq!(memory.all(), before, "{fault:?}");
    }
}

/// They stand in files: names and numbers must never change, only grow.
const NAMES: [&str; 39] = [
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
    "stale-id",
    "length-for-readable",
    "length-unwritten",
    "index-backwards",
    "index-before-element",
    "flags-garbage",
    "event-garbage",
    "next-to-self",
    "next-to-free",
    "next-set",
    "next-cleared",
    "write-flipped",
    "indirect-flipped",
    "length-grown",
    "length-zeroed",
    "address-of-another",
    "address-outside",
    "address-zero",
    "available-index-overwritten",
    "available-entry-overwritten",
    "readable-written",
    "written-after-return",
    "spurious-notification",
    "lost-notification",
    "changed-between-reads",
    "stops-answering",
    "needs-reset",
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
        let breaks_nothing = fault.description().contains("breaks no rule");
        assert_eq!(fault.breaks_specification(), !breaks_nothing, "{}", fault.name());
    }
    assert_eq!(Fault::from_repr(NAMES.len() as u8), None);
    assert!(Fault::from_str("FreeId").is_err());
}
