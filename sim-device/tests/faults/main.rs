//! Which bytes each fault changes, which effects it reports, and when it is not possible.

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
fn a_fault_changes_and_reports_exactly_what_it_should() {
    for fault in Fault::VARIANTS {
        let cases = cases(*fault);
        assert!(cases.iter().any(|(.., outcome)| outcome.is_some()), "{fault:?} is not tried");
        for (number, (scene, pick, value, outcome)) in cases.into_iter().enumerate() {
            let memory = Memory::new();
            let mut device = scene(&memory);
            let mut expected = memory.all();
            let could = device.misbehave(*fault, pick, value);
            assert_eq!(could, outcome.is_some(), "{fault:?} {number}");
            let (changes, reported) = outcome.unwrap_or_default();
            for (offset, bytes) in changes {
                expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
            }
            assert_eq!(memory.all(), expected, "{fault:?} {number}");
            assert_eq!(effects(&mut device), reported, "{fault:?} {number}");
        }
    }
}

/// The faults that need a chain in flight, a waiting one, or several returned ones.
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
fn a_fault_that_needs_a_chain_is_not_possible_on_an_idle_device() {
    for fault in Fault::VARIANTS {
        let memory = Memory::new();
        // One chain was returned, and the descriptors differ from the forged values, so only the chain is missing.
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
fn a_fault_that_would_change_nothing_is_not_possible() {
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

/// Names and numbers are used in files, so they must never change. New ones are appended.
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
        let breaks_no_rule = fault.description().contains("breaks nothing");
        assert_eq!(fault.breaks_specification(), !breaks_no_rule, "{}", fault.name());
    }
    assert_eq!(Fault::from_repr(NAMES.len() as u8), None);
    assert!(Fault::from_str("FreeId").is_err());
}
