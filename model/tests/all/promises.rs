//! Promises beyond the specification: policies for bad used elements, and no unwanted notifications.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepts, and, available, chain, device_fault, device_took, element, free,
    rejects, submit, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup, Policies, Refusal};

const ALL: [ModelSetup; 4] =
    [promising(false, false), promising(false, true), promising(true, false), promising(true, true)];

const fn promising(continues_after_fault: bool, refuses_over_long: bool) -> ModelSetup {
    ModelSetup { policies: Policies::all(continues_after_fault, refuses_over_long), ..FOUR }
}

/// A report of a device fault at this element, by the policy of the setup.
fn report(setup: &ModelSetup, consumed: bool, returned: Option<u16>) -> Event<'static> {
    let continues_after_fault = setup.policies.continues_after_fault == Some(true);
    take_refused(device_fault(consumed, !(continues_after_fault && consumed), returned))
}

/// Asserts that only the answer at `right` keeps the promise.
#[track_caller]
fn only(setup: &ModelSetup, before: &[Event<'_>], answers: &[Event<'_>], right: usize) {
    for (at, answer) in answers.iter().enumerate() {
        match at == right {
            true => accepts(setup, before, *answer),
            false => rejects(setup, before, *answer, Invariant::FailedUnchanged),
        }
    }
}

#[test]
fn no_bad_element_is_skipped_silently() {
    for setup in ALL {
        let good = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
        only(&setup, &good, &[NOTHING, take(0, 8)], 1);
        let bad = and(&IN_FLIGHT, &[element(0, 9, 8), used(1)]);
        only(&setup, &bad, &[NOTHING, report(&setup, true, None), report(&setup, false, None)], 1);
        let jump = and(&IN_FLIGHT, &[used(2)]);
        only(
            &setup,
            &jump,
            &[NOTHING, take_refused(device_fault(true, true, None)), report(&setup, false, None)],
            2,
        );
        // An element after a bad one is not taken before the bad one is reported.
        let behind = and(&IN_FLIGHT, &[element(0, 9, 8), element(1, 0, 8), used(2)]);
        accepts(&FOUR, &behind[..behind.len() - 1], NOTHING);
        accepts(&FOUR, &bad, NOTHING);
        accepts(&FOUR, &jump, NOTHING);
        only(&setup, &IN_FLIGHT, &[NOTHING], 0);
    }
}

#[test]
fn a_length_that_is_too_long_is_reported_or_clamped_as_promised() {
    for claimed in [9, 10, u32::MAX] {
        let long = and(&IN_FLIGHT, &[element(0, 0, claimed), used(1)]);
        for setup in ALL {
            let refuses = setup.policies.refuses_over_long == Some(true);
            only(
                &setup,
                &long,
                &[take(0, 8), report(&setup, true, Some(0)), report(&setup, true, None)],
                usize::from(refuses),
            );
            accepts(&FOUR, &long, take(0, 8));
            accepts(&FOUR, &long, take_refused(device_fault(true, false, Some(0))));
        }
    }
    for setup in ALL {
        let whole = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
        accepts(&setup, &whole, take(0, 8));
    }
}

#[test]
fn a_broken_queue_reports_that_each_time() {
    for setup in ALL {
        let broken = and(&IN_FLIGHT, &[used(2), report(&setup, false, None)]);
        for claims in [used(0), used(1), used(2)] {
            let before = and(&broken, &[claims]);
            only(&setup, &before, &[NOTHING, take_refused(Refusal::Broken)], 1);
        }
        let reset = and(&broken, &[Event::Reset { first_index: 0 }]);
        accepts(&setup, &reset, NOTHING);
    }
}

/// The model does not know what is published once the device has overwritten the available ring.
#[test]
fn a_corrupted_available_ring_suspends_the_policies() {
    let setup = promising(true, true);
    let bad = [element(0, 9, 8), used(1)];
    accepts(&setup, &and(&and(&IN_FLIGHT, &[Event::AvailableRingCorrupted]), &bad), NOTHING);
    let corrupted =
        and(&IN_FLIGHT, &[Event::AvailableRingCorrupted, Event::Reset { first_index: 0 }, used(1)]);
    rejects(&setup, &corrupted, NOTHING, Invariant::FailedUnchanged);
    // A corrupted descriptor does not matter here.
    let table = and(&and(&IN_FLIGHT, &[Event::DescriptorCorrupted { descriptor: 0 }]), &bad);
    rejects(&setup, &table, NOTHING, Invariant::FailedUnchanged);
}

const EXACT: ModelSetup = ModelSetup { exact_notifications: true, ..FOUR };
const BY_INDEX: ModelSetup = ModelSetup { event_index: true, ..EXACT };

const fn publish(notify: bool) -> Event<'static> {
    Event::Publish { notify }
}

#[test]
fn a_driver_asks_for_no_unwanted_available_buffer_notification() {
    let one = [submit(&[], &[8], 0)];
    let unwanted = and(&one, &[Event::AvailableNotifications { wanted: false }]);
    let elsewhere = and(&one, &[Event::AvailableEvent { index: 1 }]);
    let by_index = ModelSetup { event_index: true, ..FOUR };
    for (careless, exact, before) in
        [(FOUR, EXACT, &unwanted[..]), (by_index, BY_INDEX, &elsewhere), (FOUR, EXACT, &[])]
    {
        accepts(&careless, before, publish(true));
        rejects(&exact, before, publish(true), Invariant::Notified);
        accepts(&exact, before, publish(false));
    }
    accepts(&EXACT, &one, publish(true));
    accepts(&BY_INDEX, &one, publish(true));
    let broken = and(&IN_FLIGHT, &[used(2), take_refused(device_fault(false, true, None))]);
    rejects(&EXACT, &broken, publish(true), Invariant::Notified);
    accepts(&EXACT, &broken, publish(false));
    accepts(&FOUR, &broken, publish(true));
}

const fn unwanted(used_event: u16) -> Event<'static> {
    Event::UsedNotifications { wanted: false, flags: 0, used_event, waiting: None }
}

const fn event(index: u16) -> Event<'static> {
    Event::UsedEvent { index }
}

/// With event indexes, a driver that wants no notification stores the index of an element that the device cannot add next.
#[test]
fn a_driver_that_wants_no_notification_gets_none() {
    let careless = ModelSetup { exact_notifications: false, ..BY_INDEX };
    for far in [1, 2, 0x8000, u16::MAX] {
        accepts(&BY_INDEX, &IN_FLIGHT, unwanted(far));
        // Without a chain in flight, the device can add the next element once it gets a chain.
        accepts(&BY_INDEX, &[], unwanted(far));
    }
    for before in [&IN_FLIGHT[..], &[]] {
        rejects(&BY_INDEX, before, unwanted(0), Invariant::Notified);
        accepts(&careless, before, unwanted(0));
    }
    let asked = and(&IN_FLIGHT, &[unwanted(u16::MAX)]);
    accepts(&BY_INDEX, &asked, event(u16::MAX));
    // It may store another index, but not one that comes next.
    accepts(&BY_INDEX, &asked, event(1));
    rejects(&BY_INDEX, &asked, event(0), Invariant::Notified);
    accepts(&careless, &asked, event(0));
    let corrupted = and(&asked, &[Event::AvailableRingCorrupted]);
    accepts(&BY_INDEX, &corrupted, event(0));
    let again = and(&asked, &[unwanted(7)]);
    accepts(&BY_INDEX, &again, event(7));
}

/// One chain is in flight, after `count` consumed elements.
fn after_elements(count: u16) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for index in 0..=count {
        events.extend([submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] })]);
        events.extend([Event::AvailableIndex { index: index.wrapping_add(1) }, available(0)]);
        events.push(device_took(0, const { &[writable(0, 8)] }, b""));
        if index < count {
            events.extend([element(index, 0, 8), used(index.wrapping_add(1)), take(0, 8), free(0)]);
        }
    }
    events
}

/// The driver may change `used_event` as long as the device would not notify.
#[test]
fn a_driver_that_wants_no_notification_may_move_used_event_with_each_element() {
    let asked = [unwanted(u16::MAX)];
    for count in [1, 2, 9] {
        let behind = and(&asked, &after_elements(count));
        // If it is stored again with each element, the index before the next one is the furthest away.
        accepts(&BY_INDEX, &behind, event(count - 1));
        accepts(&BY_INDEX, &behind, event(count + 1));
        accepts(&BY_INDEX, &behind, event(u16::MAX));
        rejects(&BY_INDEX, &behind, event(count), Invariant::Notified);
    }
    // If it is stored ahead and left there, the device reaches it.
    let ahead = and(&[unwanted(3)], &after_elements(2));
    accepts(&BY_INDEX, &ahead, event(3));
    let ahead = and(&[unwanted(3), event(3)], &after_elements(3));
    rejects(&BY_INDEX, &ahead, event(3), Invariant::Notified);
    // The device does not add an element again that the used index already covers.
    let waiting = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    accepts(&BY_INDEX, &waiting, unwanted(0));
    accepts(&BY_INDEX, &and(&waiting, &[unwanted(0), take(0, 8)]), event(0));
    rejects(&BY_INDEX, &and(&waiting, &[unwanted(1), take(0, 8)]), event(1), Invariant::Notified);
}

/// A driver that has stored an index need not store another one when the used index has wrapped around.
#[test]
fn used_event_may_stay_when_the_index_wraps() {
    let lap = and(&[unwanted(u16::MAX)], &after_elements(u16::MAX));
    accepts(&BY_INDEX, &lap, event(u16::MAX));
    let another = and(&[unwanted(u16::MAX), event(u16::MAX - 1)], &after_elements(u16::MAX));
    rejects(&BY_INDEX, &another, event(u16::MAX), Invariant::Notified);
}

const RESET: Event<'static> = Event::Reset { first_index: 0 };
const KEEPS_WISH: ModelSetup = ModelSetup { reset_keeps_used_notifications: true, ..FOUR };

const fn wanted(wanted: bool) -> Event<'static> {
    Event::UsedNotifications { wanted, flags: !wanted as u16, used_event: 0, waiting: None }
}

/// With event indexes, it stores the index of an element that the device cannot add next.
#[test]
fn a_driver_that_wanted_no_notification_before_a_reset_gets_none_after_it() {
    let promises = ModelSetup { event_index: true, ..KEEPS_WISH };
    let careless = ModelSetup { reset_keeps_used_notifications: false, ..promises };
    for setup in [BY_INDEX, promises] {
        let reset = and(&IN_FLIGHT, &[unwanted(u16::MAX), RESET]);
        for first in [1, 7, u16::MAX] {
            accepts(&setup, &reset, event(first));
            let named = and(&reset, &[event(first)]);
            accepts(&setup, &named, event(first));
            accepts(&setup, &named, event(first.wrapping_add(1).max(1)));
            rejects(&setup, &named, event(0), Invariant::Notified);
            accepts(&careless, &named, event(0));
            // A new wish counts.
            let back = Event::UsedNotifications { wanted: true, flags: 0, used_event: 0, waiting: None };
            accepts(&setup, &and(&named, &[back]), event(0));
        }
        // The device adds the first element next, whether or not the driver stores another index later.
        rejects(&setup, &reset, event(0), Invariant::Notified);
        accepts(&careless, &reset, event(0));
    }
    // Before a reset, it applies only with the promise of exact notifications.
    accepts(&promises, &and(&IN_FLIGHT, &[unwanted(u16::MAX)]), event(0));
    // A driver that wants notifications, or has not said anything, stores the index of the next element.
    for before in
        [&[][..], &[Event::UsedNotifications { wanted: true, flags: 0, used_event: 0, waiting: None }]]
    {
        let reset = and(before, &[RESET]);
        accepts(&promises, &reset, event(0));
        rejects(&promises, &reset, event(u16::MAX), Invariant::Notified);
    }
}

#[test]
fn a_reset_keeps_the_last_wish_of_the_caller() {
    let flags = |flags| Event::AvailableFlags { flags };
    for setup in [EXACT, KEEPS_WISH] {
        for last in [true, false] {
            let right = u16::from(!last);
            // The initial flags do not matter.
            for first in [0, 1] {
                let before = [flags(first), wanted(!last), wanted(last), RESET];
                accepts(&setup, &before, flags(right));
                rejects(&setup, &before, flags(1 - right), Invariant::Notified);
                accepts(&FOUR, &before, flags(1 - right));
                let twice = and(&before, &[flags(right), RESET]);
                accepts(&setup, &twice, flags(right));
                rejects(&setup, &twice, flags(1 - right), Invariant::Notified);
            }
        }
    }
}

#[test]
fn without_a_wish_a_reset_restores_the_initial_flags() {
    let flags = |flags| Event::AvailableFlags { flags };
    for first in [0, 1] {
        let before = [flags(first), RESET];
        accepts(&EXACT, &before, flags(first));
        accepts(&FOUR, &before, flags(1 - first));
        rejects(&EXACT, &before, flags(1 - first), Invariant::Notified);
        rejects(&KEEPS_WISH, &before, flags(1 - first), Invariant::Notified);
        let twice = and(&before, &[flags(first), RESET]);
        rejects(&EXACT, &twice, flags(1 - first), Invariant::Notified);
    }
}
