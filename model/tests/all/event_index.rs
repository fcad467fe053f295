//! Event indexes (2.7.10): of which entries the device is to be told, and of which elements the driver.

use crate::support::{
    FOUR, NOTHING, OUT, accepts, and, available, blame, chain, element, free, index, no_submit, no_take,
    rejects, stores, submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant, MisuseKind, ModelSetup, Refusal};

const BY_INDEX: ModelSetup = ModelSetup { event_index: true, ..FOUR };

const fn asks(index: u16) -> Event<'static> {
    Event::AvailableEvent { index }
}

const fn wakes(index: u16) -> Event<'static> {
    Event::UsedEvent { index }
}

const fn publish(notify: bool) -> Event<'static> {
    Event::Publish { notify }
}

/// Asserts that the next publishing must notify, or need not.
#[track_caller]
fn must_notify(setup: &ModelSetup, before: &[Event<'_>], must: bool) {
    accepts(setup, before, publish(true));
    match must {
        true => rejects(setup, before, publish(false), Invariant::Notified),
        false => accepts(setup, before, publish(false)),
    }
}

/// Submissions of one descriptor each, from this one on.
fn submissions(from: u16, count: u16) -> Vec<Event<'static>> {
    (from..from + count).map(|head| submit(&[], &[1], head)).collect()
}

/// The device is told when the entry that it asks for is among the new ones: counted here one by one.
#[test]
fn the_entry_that_is_asked_for_is_told_with_its_batch() {
    for first_index in [0, 3, 32_766, 65_532, 65_534, 65_535] {
        let setup = ModelSetup { first_index, ..BY_INDEX };
        for count in 0..=4 {
            let entries: Vec<u16> = (0..count).map(|entry| first_index.wrapping_add(entry)).collect();
            for event in (0..12).map(|around| first_index.wrapping_sub(6).wrapping_add(around)) {
                let before = and(&[asks(event)], &submissions(0, count));
                must_notify(&setup, &before, entries.contains(&event));
            }
            let far = first_index.wrapping_add(0x8000);
            must_notify(&setup, &and(&[asks(far)], &submissions(0, count)), false);
        }
    }
}

/// What was asked for counts when it is published, and once.
#[test]
fn batches_follow_one_another() {
    for first_index in [0, 65_534] {
        let setup = ModelSetup { first_index, ..BY_INDEX };
        let entry = |number: u16| first_index.wrapping_add(number);
        for (first, second) in [(0, 1), (1, 0), (1, 1), (1, 3), (2, 2), (3, 1)] {
            let one = and(&and(&[asks(entry(9))], &submissions(0, first)), &[publish(false)]);
            let two = and(&one, &submissions(first, second));
            for event in 0..6 {
                let among = (first..first + second).contains(&event);
                must_notify(&setup, &and(&two, &[asks(entry(event))]), among);
            }
        }
    }
}

#[test]
fn a_device_begins_by_asking_for_the_first_entry() {
    for first_index in [0, 9, 65_535] {
        let setup = ModelSetup { first_index, ..BY_INDEX };
        must_notify(&setup, &submissions(0, 1), true);
        let told = and(&submissions(0, 1), &[publish(true)]);
        must_notify(&setup, &and(&told, &submissions(1, 1)), false);
        let reset = and(&told, &[asks(77), Event::Reset { first_index: 40 }]);
        must_notify(&setup, &reset, false);
        let forgotten = and(&submissions(0, 2), &[Event::Reset { first_index: 40 }]);
        must_notify(&setup, &forgotten, false);
        must_notify(&FOUR, &forgotten, false);
        must_notify(&setup, &and(&reset, &submissions(0, 1)), true);
        must_notify(&setup, &and(&reset, &[&[asks(41)], &submissions(0, 2)[..]].concat()), true);
        must_notify(&setup, &and(&reset, &[&[asks(39)], &submissions(0, 2)[..]].concat()), false);
    }
}

#[test]
fn what_was_refused_is_not_published() {
    let refused = [asks(0), no_submit(&[], &[], MisuseKind::EmptyChain)];
    must_notify(&BY_INDEX, &refused, false);
    let next = [asks(1), refused[1], submit(&[], &[1], 0)];
    must_notify(&BY_INDEX, &next, false);
    must_notify(&BY_INDEX, &[asks(0), refused[1], submit(&[], &[1], 0)], true);
}

#[test]
fn a_broken_queue_tells_of_nothing() {
    let before = and(&[used(9), asks(0)], &submissions(0, 1));
    must_notify(&BY_INDEX, &before, true);
    let broken = no_take(blame(false, true, None));
    must_notify(&BY_INDEX, &and(&before, &[broken]), false);
    must_notify(&FOUR, &and(&before, &[broken]), false);
}

/// 2.7.10: each way of asking has no meaning where the other one was negotiated.
#[test]
fn flags_and_indexes_do_not_mix() {
    let off = Event::AvailableNotifications { wanted: false };
    must_notify(&BY_INDEX, &and(&[off], &submissions(0, 1)), true);
    must_notify(&FOUR, &and(&[asks(9)], &submissions(0, 1)), true);
    must_notify(&FOUR, &and(&[asks(0), off], &submissions(0, 1)), false);
}

const fn interrupts(wanted: bool, flags: u16, used_event: u16) -> Event<'static> {
    Event::UsedNotifications { wanted, flags, used_event, waiting: None }
}

/// Chain 0 is with the device, chain 1 came back and was taken.
fn one_back() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&and(&OUT, &second), &[element(0, 1, 8), used(1), take(1, 8)])
}

#[test]
fn a_driver_that_took_everything_asks_for_the_next_element() {
    for event in [wakes as fn(u16) -> Event<'static>, |index| interrupts(true, 0, index)] {
        for (before, right) in [(&[][..], 0), (&OUT, 0), (&one_back(), 1)] {
            for index in [0, 1, 2, 0x8000, 0xffff] {
                match index == right {
                    true => accepts(&BY_INDEX, before, event(index)),
                    false => rejects(&BY_INDEX, before, event(index), Invariant::Notified),
                }
            }
        }
    }
    let setup = ModelSetup { first_index: 65_535, ..BY_INDEX };
    accepts(&setup, &[], wakes(65_535));
    rejects(&setup, &[], wakes(0), Invariant::Notified);
    let reset = [Event::Reset { first_index: 12 }];
    accepts(&setup, &reset, wakes(12));
    rejects(&setup, &reset, wakes(65_535), Invariant::Notified);
}

#[test]
fn whoever_does_not_want_to_be_woken_may_ask_for_anything() {
    for setup in [BY_INDEX, ModelSetup { first_index: 0, ..BY_INDEX }] {
        accepts(&setup, &OUT, interrupts(false, 0, 77));
        let off = and(&OUT, &[interrupts(false, 0, 77)]);
        accepts(&setup, &off, wakes(77));
        rejects(&setup, &off, interrupts(true, 0, 77), Invariant::Notified);
        let on = and(&off, &[interrupts(true, 0, 0)]);
        rejects(&setup, &on, wakes(77), Invariant::Notified);
        let reset = and(&off, &[Event::Reset { first_index: 0 }]);
        accepts(&setup, &reset, wakes(77));
        let on = and(&reset, &[interrupts(true, 0, 0)]);
        rejects(&setup, &on, wakes(77), Invariant::Notified);
    }
}

/// Without the feature the field is nobody's.
#[test]
fn without_the_feature_the_field_means_nothing() {
    accepts(&FOUR, &OUT, interrupts(true, 0, 77));
    accepts(&FOUR, &OUT, interrupts(false, 1, 77));
    rejects(&FOUR, &OUT, interrupts(false, 0, 0), Invariant::Notified);
    // With it the flags stay zero (2.7.10.1).
    accepts(&BY_INDEX, &OUT, interrupts(false, 0, 0));
    for flags in [1, 2, 0x8000] {
        rejects(&BY_INDEX, &OUT, interrupts(false, flags, 0), Invariant::Notified);
        rejects(&BY_INDEX, &OUT, interrupts(true, flags, 0), Invariant::Notified);
    }
}

/// Whoever has not taken everything is awake.
#[test]
fn a_driver_with_something_to_take_may_ask_for_anything() {
    let waits = and(&OUT, &[element(0, 0, 8), used(1)]);
    accepts(&BY_INDEX, &waits, wakes(77));
    accepts(&BY_INDEX, &waits, interrupts(true, 0, 77));
    rejects(&BY_INDEX, &and(&waits, &[take(0, 8)]), wakes(0), Invariant::Notified);
    accepts(&BY_INDEX, &and(&waits, &[take(0, 8)]), wakes(1));
}

/// A driver that saw more elements than there are in the end had no reason to ask anew.
#[test]
fn an_index_that_went_back_excuses() {
    let back = and(&OUT, &[used(2), used(0)]);
    accepts(&BY_INDEX, &back, wakes(77));
    accepts(&BY_INDEX, &and(&back, &[used(1), used(0)]), wakes(77));
    let reset = and(&back, &[Event::Reset { first_index: 0 }]);
    rejects(&BY_INDEX, &reset, wakes(77), Invariant::Notified);
    // Forward again, it shows elements, and the last of them is to ask anew with.
    let forward = and(&back, &[element(0, 0, 8), used(1), take(0, 8)]);
    rejects(&BY_INDEX, &forward, wakes(77), Invariant::Notified);
    accepts(&BY_INDEX, &forward, wakes(1));
    // It went on, or stood still, or was followed.
    let on = and(&OUT, &[used(0), element(0, 0, 8), used(1), used(1), take(0, 8)]);
    rejects(&BY_INDEX, &on, wakes(0), Invariant::Notified);
    accepts(&BY_INDEX, &on, wakes(1));
    // Behind what was taken is around the ring, and forward again from there is back.
    let around = and(&on, &[used(0), used(1)]);
    accepts(&BY_INDEX, &around, wakes(77));
}

#[test]
fn a_broken_queue_is_woken_by_nothing() {
    let lied = and(&OUT, &[Event::AvailableRingCorrupted]);
    rejects(&BY_INDEX, &lied, wakes(77), Invariant::Notified);
    rejects(&BY_INDEX, &and(&lied, &[no_take(blame(false, false, None))]), wakes(77), Invariant::Notified);
    accepts(&BY_INDEX, &and(&lied, &[no_take(blame(false, true, None))]), wakes(77));
}

/// Consuming an element moves the driver's event: that is one store, with event indexes.
#[test]
fn a_fault_that_is_consumed_may_store_once() {
    let bad = and(&OUT, &[element(0, 9, 0), used(1)]);
    for (setup, consumed, most) in
        [(BY_INDEX, true, 1), (BY_INDEX, false, 0), (FOUR, true, 0), (FOUR, false, 0)]
    {
        for broken in [false, true] {
            let refused = and(&bad, &[no_take(blame(consumed, broken, None))]);
            for count in 0..3 {
                match count <= most {
                    true => accepts(&setup, &refused, stores(count)),
                    false => rejects(&setup, &refused, stores(count), Invariant::FailedUnchanged),
                }
            }
        }
    }
    let broken = and(&bad, &[no_take(blame(true, true, None)), no_take(Refusal::Broken)]);
    rejects(&BY_INDEX, &broken, stores(1), Invariant::FailedUnchanged);
    accepts(&BY_INDEX, &and(&bad, &[NOTHING]), stores(9));
    // Nor may any other refused call.
    rejects(&BY_INDEX, &[no_submit(&[], &[], MisuseKind::EmptyChain)], stores(1), Invariant::FailedUnchanged);
    let back = and(&OUT, &[element(0, 0, 8), used(1), take(0, 8), free(0)]);
    accepts(&BY_INDEX, &back, stores(9));
}
