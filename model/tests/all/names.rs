//! Names and numbers are used in files, so they must never change. New ones are appended.

use crate::support::{
    FOUR, accepting, and, available, chain, device_fault, element, free, index, submit, take, take_refused,
    used, writable,
};
use ringstorm_model::{DriverState, Event, Invariant, ModelSetup, Occupancy, Violation};
use std::collections::HashSet;
use std::str::FromStr;
use strum::VariantArray;

const NAMES: [&str; 25] = [
    "free-count",
    "no-double-use",
    "acyclic",
    "well-formed",
    "buffers-registered",
    "buffers-disjoint",
    "payload",
    "response",
    "length-bound",
    "completed-once",
    "available-order",
    "notified",
    "own-area",
    "failed-unchanged",
    "misuse-refused",
    "no-panic",
    "released",
    "fair-blame",
    "drains",
    "reset-recovers",
    "fetched-once",
    "memory-kept",
    "unwound-unchanged",
    "access-order",
    "layout",
];

#[test]
fn an_invariant_has_one_number_and_one_name() {
    assert_eq!(Invariant::VARIANTS.len(), NAMES.len());
    for (number, name) in NAMES.iter().enumerate() {
        let invariant = Invariant::from_repr(number as u8).unwrap();
        assert_eq!(invariant as usize, number);
        assert_eq!((invariant.name(), invariant.to_string().as_str()), (*name, *name));
        assert_eq!(Invariant::from_str(name), Ok(invariant));
    }
    assert_eq!(Invariant::from_repr(NAMES.len() as u8), None);
    assert!(Invariant::from_str("FreeCount").is_err());
}

#[test]
fn every_invariant_has_a_sentence_of_its_own() {
    let sentences: HashSet<_> = Invariant::VARIANTS.iter().map(|invariant| invariant.sentence()).collect();
    assert_eq!(sentences.len(), NAMES.len());
    for sentence in sentences {
        assert!(sentence.len() > 20 && sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn a_violation_prints_its_invariant_and_detail() {
    let violation = Violation { invariant: Invariant::Drains, detail: "1 chain".into() };
    assert_eq!(violation.to_string(), "drains: 1 chain");
}

#[test]
fn driver_states_are_numbered_without_gaps() {
    for number in 0..DriverState::COUNT {
        assert_eq!(DriverState::from_number(number).number(), number);
    }
    let state = |occupancy, fragmented, at_wrap, broken| {
        DriverState { occupancy, fragmented, at_wrap, broken }.number()
    };
    assert_eq!(state(Occupancy::Empty, false, false, false), 0);
    assert_eq!(state(Occupancy::Empty, false, false, true), 1);
    assert_eq!(state(Occupancy::Empty, false, true, false), 2);
    assert_eq!(state(Occupancy::Empty, true, false, false), 4);
    assert_eq!(state(Occupancy::Partly, false, false, false), 8);
    assert_eq!(state(Occupancy::Full, true, true, true), 23);
}

#[test]
fn a_driver_state_prints_in_words() {
    for (number, words) in [
        (0, "empty"),
        (1, "empty broken"),
        (2, "empty at-wrap"),
        (4, "empty fragmented"),
        (8, "partly"),
        (23, "full fragmented at-wrap broken"),
    ] {
        assert_eq!(DriverState::from_number(number).to_string(), words);
    }
}

/// A queue far from the wrap, so that only the test's events determine the state.
const FAR: ModelSetup = ModelSetup { first_index: 100, ..FOUR };

fn state(setup: &ModelSetup, events: &[Event<'_>]) -> DriverState {
    accepting(setup, events).state()
}

#[test]
fn a_queue_is_empty_then_partly_used_then_full() {
    let [one, two] = [submit(&[], &[1], 0), submit(&[], &[1, 1, 1], 1)];
    for (events, occupancy) in [
        (&[][..], Occupancy::Empty),
        (&[one], Occupancy::Partly),
        (&[two], Occupancy::Partly),
        (&[one, two], Occupancy::Full),
        (&[one, two, Event::Reset { first_index: 100 }], Occupancy::Empty),
    ] {
        let expected = DriverState { occupancy, fragmented: false, at_wrap: false, broken: false };
        assert_eq!(state(&FAR, events), expected);
    }
}

#[test]
fn the_wrap_is_near_for_four_indexes_on_each_side() {
    for (first, near) in [(65_531, false), (65_532, true), (65_535, true), (0, true), (3, true), (4, false)] {
        assert_eq!(state(&ModelSetup { first_index: first, ..FOUR }, &[]).at_wrap, near, "{first}");
    }
    // One ring is enough. Here the available ring gets there first, and the used ring leaves last.
    let at = |first_index| ModelSetup { first_index, ..FOUR };
    let out = |first: u16| {
        let published = index(first.wrapping_add(1));
        [submit(&[], &[1], 0), chain(0, const { &[writable(0, 1)] }), published, available(0)]
    };
    assert!(state(&at(65_531), &out(65_531)).at_wrap);
    assert!(state(&at(3), &out(3)).at_wrap);
    let back = and(&out(3), &[element(3, 0, 0), used(4)]);
    assert!(state(&at(3), &back).at_wrap, "the driver has not consumed the element");
    assert!(!state(&at(3), &and(&back, &[take(0, 0)])).at_wrap);
}

#[test]
fn a_queue_is_broken_when_it_reports_that() {
    let faulty = [used(101)];
    assert!(!state(&FAR, &faulty).broken);
    assert!(state(&FAR, &and(&faulty, &[take_refused(device_fault(true, true, None))])).broken);
}

#[test]
fn a_queue_is_fragmented_from_the_first_chain_freed_early_until_it_is_empty() {
    let mut events = Vec::new();
    for head in 0..3 {
        let parts: [&[_]; 3] = const { [&[writable(0, 1)], &[writable(1, 1)], &[writable(2, 1)]] };
        events.extend([submit(&[], &[1], head), chain(head, parts[usize::from(head)])]);
        events.extend([index(101 + head), available(head)]);
    }
    let back =
        |place: u16, head: u16| [element(place, head.into(), 0), used(place + 1), take(head, 0), free(head)];
    let fragmented = |events: &[Event<'_>]| state(&FAR, events).fragmented;
    let ordered = and(&and(&events, &back(100, 0)), &back(101, 1));
    assert!(!fragmented(&ordered));
    let early = and(&events, &back(100, 1));
    assert!(fragmented(&early), "an older one is still live");
    let late = and(&early, &back(101, 0));
    assert!(fragmented(&late));
    let refilled =
        and(&late, &[submit(&[], &[1], 0), chain(0, const { &[writable(0, 1)] }), index(104), available(0)]);
    assert!(fragmented(&refilled));
    assert!(!fragmented(&and(&refilled, &[Event::Reset { first_index: 100 }])));
    let emptied = and(&late, &back(102, 2));
    assert!(!fragmented(&emptied));
    let again = and(
        &emptied,
        &[submit(&[], &[1], 0), chain(0, const { &[writable(0, 1)] }), index(104), available(0)],
    );
    let again =
        and(&again, &[submit(&[], &[1], 1), chain(1, const { &[writable(1, 1)] }), index(105), available(1)]);
    assert!(
        !fragmented(&and(&again, &back(103, 0))),
        "what was freed before the queue was empty is forgotten"
    );
}
