//! Event indexes: `avail_event` (2.7.10) and `used_event` (2.7.7).

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, RELOADS, accepts, and, available, chain, device_fault, element, free, index,
    rejects, stores, submit, submit_refused, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, MisuseKind, ModelSetup, Policies, Refusal};

const BY_INDEX: ModelSetup = ModelSetup { event_index: true, ..FOUR };
const RELOADS_BY_INDEX: ModelSetup = ModelSetup { event_index: true, ..RELOADS };

const fn asks(index: u16) -> Event<'static> {
    Event::AvailableEvent { index }
}

const fn used_event(index: u16) -> Event<'static> {
    Event::UsedEvent { index }
}

const fn publish(notify: bool) -> Event<'static> {
    Event::Publish { notify }
}

/// Asserts whether the next publish call must notify.
#[track_caller]
fn must_notify(setup: &ModelSetup, before: &[Event<'_>], must: bool) {
    accepts(setup, before, publish(true));
    match must {
        true => rejects(setup, before, publish(false), Invariant::Notified),
        false => accepts(setup, before, publish(false)),
    }
}

/// Submissions of one descriptor each, beginning at this one.
fn submissions(from: u16, count: u16) -> Vec<Event<'static>> {
    (from..from + count).map(|head| submit(&[], &[1], head)).collect()
}

/// The device gets a notification if the entry that it asks for is one of the new ones. The test counts them one by one.
#[test]
fn a_batch_with_the_entry_of_avail_event_needs_a_notification() {
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

/// The value of `avail_event` counts at the time of the publish call, and for one batch.
#[test]
fn each_batch_is_compared_with_avail_event() {
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
fn a_new_device_asks_for_the_first_entry() {
    for first_index in [0, 9, 65_535] {
        let setup = ModelSetup { first_index, ..BY_INDEX };
        must_notify(&setup, &submissions(0, 1), true);
        let notified = and(&submissions(0, 1), &[publish(true)]);
        must_notify(&setup, &and(&notified, &submissions(1, 1)), false);
        let reset = and(&notified, &[asks(77), Event::Reset { first_index: 40 }]);
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
fn a_refused_chain_is_not_published() {
    let refused = [asks(0), submit_refused(&[], &[], MisuseKind::EmptyChain)];
    must_notify(&BY_INDEX, &refused, false);
    let next = [asks(1), refused[1], submit(&[], &[1], 0)];
    must_notify(&BY_INDEX, &next, false);
    must_notify(&BY_INDEX, &[asks(0), refused[1], submit(&[], &[1], 0)], true);
}

#[test]
fn a_broken_queue_needs_no_notification() {
    let before = and(&[used(9), asks(0)], &submissions(0, 1));
    must_notify(&BY_INDEX, &before, true);
    let broken = take_refused(device_fault(false, true, None));
    must_notify(&BY_INDEX, &and(&before, &[broken]), false);
    must_notify(&FOUR, &and(&before, &[broken]), false);
}

/// 2.7.10: flags have no meaning with event indexes, and event indexes none without the feature.
#[test]
fn flags_and_indexes_do_not_mix() {
    let off = Event::AvailableNotifications { wanted: false };
    must_notify(&BY_INDEX, &and(&[off], &submissions(0, 1)), true);
    must_notify(&FOUR, &and(&[asks(9)], &submissions(0, 1)), true);
    must_notify(&FOUR, &and(&[asks(0), off], &submissions(0, 1)), false);
}

const fn used_notifications(wanted: bool, flags: u16, used_event: u16) -> Event<'static> {
    Event::UsedNotifications { wanted, flags, used_event, waiting: None }
}

/// Chain 0 is in flight, chain 1 was returned and taken.
fn one_taken() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&and(&IN_FLIGHT, &second), &[element(0, 1, 8), used(1), take(1, 8)])
}

#[test]
fn a_driver_that_took_everything_asks_for_the_next_element() {
    for event in [used_event as fn(u16) -> Event<'static>, |index| used_notifications(true, 0, index)] {
        for (before, right) in [(&[][..], 0), (&IN_FLIGHT, 0), (&one_taken(), 1)] {
            for index in [0, 1, 2, 0x8000, 0xffff] {
                match index == right {
                    true => accepts(&BY_INDEX, before, event(index)),
                    false => rejects(&BY_INDEX, before, event(index), Invariant::Notified),
                }
            }
        }
    }
    let setup = ModelSetup { first_index: 65_535, ..BY_INDEX };
    accepts(&setup, &[], used_event(65_535));
    rejects(&setup, &[], used_event(0), Invariant::Notified);
    let reset = [Event::Reset { first_index: 12 }];
    accepts(&setup, &reset, used_event(12));
    rejects(&setup, &reset, used_event(65_535), Invariant::Notified);
}

#[test]
fn a_driver_that_wants_no_notification_may_store_any_used_event() {
    for setup in [BY_INDEX, ModelSetup { first_index: 0, ..BY_INDEX }] {
        accepts(&setup, &IN_FLIGHT, used_notifications(false, 0, 77));
        let off = and(&IN_FLIGHT, &[used_notifications(false, 0, 77)]);
        accepts(&setup, &off, used_event(77));
        rejects(&setup, &off, used_notifications(true, 0, 77), Invariant::Notified);
        let on = and(&off, &[used_notifications(true, 0, 0)]);
        rejects(&setup, &on, used_event(77), Invariant::Notified);
        let reset = and(&off, &[Event::Reset { first_index: 0 }]);
        accepts(&setup, &reset, used_event(77));
        let on = and(&reset, &[used_notifications(true, 0, 0)]);
        rejects(&setup, &on, used_event(77), Invariant::Notified);
    }
}

/// Without the feature the field is not used.
#[test]
fn without_the_feature_the_field_means_nothing() {
    accepts(&FOUR, &IN_FLIGHT, used_notifications(true, 0, 77));
    accepts(&FOUR, &IN_FLIGHT, used_notifications(false, 1, 77));
    rejects(&FOUR, &IN_FLIGHT, used_notifications(false, 0, 0), Invariant::Notified);
    // With event indexes the flags stay zero (2.7.7.1).
    accepts(&BY_INDEX, &IN_FLIGHT, used_notifications(false, 0, 0));
    for flags in [1, 2, 0x8000] {
        rejects(&BY_INDEX, &IN_FLIGHT, used_notifications(false, flags, 0), Invariant::Notified);
        rejects(&BY_INDEX, &IN_FLIGHT, used_notifications(true, flags, 0), Invariant::Notified);
    }
}

/// Such a driver needs no notification.
#[test]
fn a_driver_with_elements_to_take_may_store_any_used_event() {
    let waits = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    accepts(&BY_INDEX, &waits, used_event(77));
    accepts(&BY_INDEX, &waits, used_notifications(true, 0, 77));
    rejects(&BY_INDEX, &and(&waits, &[take(0, 8)]), used_event(0), Invariant::Notified);
    accepts(&BY_INDEX, &and(&waits, &[take(0, 8)]), used_event(1));
}

/// A driver that had seen more elements, before the used index went back, had no reason to re-arm `used_event`.
#[test]
fn an_index_that_went_back_excuses() {
    let back = and(&IN_FLIGHT, &[used(2), used(0)]);
    accepts(&RELOADS_BY_INDEX, &back, used_event(77));
    accepts(&RELOADS_BY_INDEX, &and(&back, &[used(1), used(0)]), used_event(77));
    // A driver that keeps what it loaded may not know where the device is.
    accepts(&BY_INDEX, &and(&back, &[element(0, 0, 8), used(1), take(0, 8)]), used_event(77));
    let reset = and(&back, &[Event::Reset { first_index: 0 }]);
    rejects(&RELOADS_BY_INDEX, &reset, used_event(77), Invariant::Notified);
    // When the index has moved forward again, the driver must re-arm `used_event` with the last element.
    let forward = and(&back, &[element(0, 0, 8), used(1), take(0, 8)]);
    rejects(&RELOADS_BY_INDEX, &forward, used_event(77), Invariant::Notified);
    accepts(&RELOADS_BY_INDEX, &forward, used_event(1));
    // An index that moves forward, or stays, is no excuse.
    let on = and(&IN_FLIGHT, &[used(0), element(0, 0, 8), used(1), used(1), take(0, 8)]);
    rejects(&RELOADS_BY_INDEX, &on, used_event(0), Invariant::Notified);
    accepts(&RELOADS_BY_INDEX, &on, used_event(1));
    // An index before the consumed elements counts as far ahead. Moving forward from there counts as going back.
    let around = and(&on, &[used(0), used(1)]);
    accepts(&RELOADS_BY_INDEX, &around, used_event(77));
}

#[test]
fn a_broken_queue_may_store_any_used_event() {
    let faulty = and(&IN_FLIGHT, &[Event::AvailableRingCorrupted]);
    rejects(&BY_INDEX, &faulty, used_event(77), Invariant::Notified);
    rejects(
        &BY_INDEX,
        &and(&faulty, &[take_refused(device_fault(false, false, None))]),
        used_event(77),
        Invariant::Notified,
    );
    accepts(&BY_INDEX, &and(&faulty, &[take_refused(device_fault(false, true, None))]), used_event(77));
}

/// With event indexes, a driver that consumes an element stores `used_event`: one store.
#[test]
fn a_take_that_reports_a_fault_may_move_used_event() {
    let policies = Policies { reloads_used_index: true, ..Policies::NONE };
    let reloads = ModelSetup { policies, ..BY_INDEX };
    let bad = and(&IN_FLIGHT, &[element(0, 9, 0), used(1)]);
    for (setup, consumed, most) in [
        (reloads, true, 1),
        (reloads, false, 1),
        (BY_INDEX, true, 4),
        (BY_INDEX, false, 4),
        (FOUR, true, 0),
        (FOUR, false, 0),
    ] {
        for broken in [false, true] {
            let refused = and(&bad, &[take_refused(device_fault(consumed, broken, None))]);
            for count in 0..6 {
                match count <= most {
                    true => accepts(&setup, &refused, stores(count)),
                    false => rejects(&setup, &refused, stores(count), Invariant::FailedUnchanged),
                }
            }
        }
    }
    let broken = and(&bad, &[take_refused(device_fault(true, true, None)), take_refused(Refusal::Broken)]);
    rejects(&reloads, &broken, stores(1), Invariant::FailedUnchanged);
    accepts(&BY_INDEX, &and(&bad, &[NOTHING]), stores(9));
    // A driver that promises to refuse a jump before it looks stores nothing.
    let policies = Policies::all(true, true);
    let jump = and(&IN_FLIGHT, &[used(3), take_refused(device_fault(false, true, None))]);
    rejects(&ModelSetup { policies, ..BY_INDEX }, &jump, stores(1), Invariant::FailedUnchanged);
    accepts(&reloads, &jump, stores(1));
    // A driver that skips bad elements may move it for each, and again before it looks for the next.
    accepts(&BY_INDEX, &jump, stores(8));
    rejects(&BY_INDEX, &jump, stores(9), Invariant::FailedUnchanged);
    // No other refused call may store anything.
    rejects(
        &BY_INDEX,
        &[submit_refused(&[], &[], MisuseKind::EmptyChain)],
        stores(1),
        Invariant::FailedUnchanged,
    );
    let back = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8), free(0)]);
    accepts(&BY_INDEX, &back, stores(9));
}
