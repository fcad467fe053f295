//! The model's fingerprint: equal for models that give the same verdicts.

use crate::support::{
    FOUR, and, available, chain, element, free, index, readable, submit, take, used, writable,
};
use ringstorm_model::{Event, Model, ModelSetup};
use std::hash::{DefaultHasher, Hasher};

fn print(model: &Model, base: u16) -> u64 {
    let mut hasher = DefaultHasher::new();
    model.fingerprint(base, &mut hasher);
    hasher.finish()
}

fn after(setup: &ModelSetup, events: &[Event<'_>]) -> u64 {
    let mut model = Model::new();
    model.begin(setup);
    events.iter().for_each(|event| model.observe(event).expect("a good trace"));
    print(&model, setup.first_index)
}

/// The life of a chain, from a ring index on. Each event changes the model's state.
fn way(first: u16) -> Vec<Event<'static>> {
    const CHAIN: [ringstorm_model::ObservedDescriptor; 2] = [readable(0, 1), writable(1, 8)];
    vec![
        submit(&[b"x"], &[8], 0),
        chain(0, &CHAIN),
        index(first.wrapping_add(1)),
        available(0),
        crate::support::device_took(0, &CHAIN, b"x"),
        element(first, 0, 4),
        used(first.wrapping_add(1)),
        take(0, 4),
        free(0),
    ]
}

#[test]
fn every_event_that_matters_changes_the_fingerprint() {
    let way = way(0);
    let mut seen = Vec::new();
    for end in 0..=way.len() {
        let print = after(&FOUR, &way[..end]);
        assert!(!seen.contains(&print), "event {end} changes nothing");
        seen.push(print);
    }
    for event in [
        Event::AvailableNotifications { wanted: false },
        Event::DescriptorCorrupted { descriptor: 3 },
        Event::DeviceWrote { place: ringstorm_model::Place { region: 0, offset: 0 }, length: 1 },
    ] {
        let changed = and(&way[..4], &[event]);
        assert!(!seen.contains(&after(&FOUR, &changed)), "{event:?}");
    }
}

#[test]
fn events_that_do_not_matter_leave_the_fingerprint() {
    let prints = |first: u16| {
        let (setup, way) = (ModelSetup { first_index: first, ..FOUR }, way(first));
        (0..=way.len()).map(|end| after(&setup, &way[..end])).collect::<Vec<_>>()
    };
    assert_eq!(prints(0), prints(8));
    assert_eq!(prints(0), prints(0xfffc));
    // Other contents of the same length, and a later submission.
    let other = after(&FOUR, &[submit(&[b"y"], &[8], 0)]);
    assert_eq!(other, after(&FOUR, &way(0)[..1]));
    let reset = Event::Reset { first_index: 0 };
    let count = Event::FreeCount { count: 4 };
    assert_eq!(after(&FOUR, &and(&way(0), &[reset, count])), after(&FOUR, &[]));
}

#[test]
fn the_payload_of_a_live_chain_is_available() {
    let mut model = Model::new();
    model.begin(&FOUR);
    assert_eq!(model.payload(0), None);
    model.observe(&submit(&[b"ab", b"c"], &[8], 0)).expect("a good event");
    assert_eq!(model.payload(0), Some(&b"abc"[..]));
    assert_eq!((model.payload(1), model.payload(9)), (None, None));
}
