//! What a driver promised beyond the specification: its policies about bad used elements, and to do no more than it must.

use crate::support::{
    FOUR, NOTHING, OUT, accepts, and, available, blame, chain, element, fetched, free, no_take, rejects,
    submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup, Policies, Refusal};

const ALL: [ModelSetup; 4] =
    [promising(false, false), promising(false, true), promising(true, false), promising(true, true)];

const fn promising(continues_after_fault: bool, refuses_over_long: bool) -> ModelSetup {
    ModelSetup { policies: Some(Policies { continues_after_fault, refuses_over_long }), ..FOUR }
}

/// A device fault at this element, in the way of the setup.
fn report(setup: &ModelSetup, consumed: bool, returned: Option<u16>) -> Event<'static> {
    let continues_after_fault = setup.policies.is_some_and(|policies| policies.continues_after_fault);
    no_take(blame(consumed, !(continues_after_fault && consumed), returned))
}

/// Asserts that of these answers to `take` the one at `right` alone keeps the promise; without one, silence is never wrong.
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
fn no_element_is_passed_over_in_silence() {
    for setup in ALL {
        let good = and(&OUT, &[element(0, 0, 8), used(1)]);
        only(&setup, &good, &[NOTHING, take(0, 8)], 1);
        let bad = and(&OUT, &[element(0, 9, 8), used(1)]);
        only(&setup, &bad, &[NOTHING, report(&setup, true, None), report(&setup, false, None)], 1);
        let jump = and(&OUT, &[used(2)]);
        only(&setup, &jump, &[NOTHING, no_take(blame(true, true, None)), report(&setup, false, None)], 2);
        // Behind a bad element there is none that is taken before it was reported.
        let behind = and(&OUT, &[element(0, 9, 8), element(1, 0, 8), used(2)]);
        accepts(&FOUR, &behind[..behind.len() - 1], NOTHING);
        accepts(&FOUR, &bad, NOTHING);
        accepts(&FOUR, &jump, NOTHING);
        only(&setup, &OUT, &[NOTHING], 0);
    }
}

#[test]
fn a_length_that_is_too_long_is_refused_or_clamped_as_promised() {
    for claimed in [9, 10, u32::MAX] {
        let long = and(&OUT, &[element(0, 0, claimed), used(1)]);
        for setup in ALL {
            let refuses = setup.policies.is_some_and(|policies| policies.refuses_over_long);
            only(
                &setup,
                &long,
                &[take(0, 8), report(&setup, true, Some(0)), report(&setup, true, None)],
                usize::from(refuses),
            );
            accepts(&FOUR, &long, take(0, 8));
            accepts(&FOUR, &long, no_take(blame(true, false, Some(0))));
        }
    }
    for setup in ALL {
        let whole = and(&OUT, &[element(0, 0, 8), used(1)]);
        accepts(&setup, &whole, take(0, 8));
    }
}

#[test]
fn a_broken_queue_says_so_each_time() {
    for setup in ALL {
        let broken = and(&OUT, &[used(2), report(&setup, false, None)]);
        for claims in [used(0), used(1), used(2)] {
            let before = and(&broken, &[claims]);
            only(&setup, &before, &[NOTHING, no_take(Refusal::Broken)], 1);
        }
        let reset = and(&broken, &[Event::Reset { first_index: 0 }]);
        accepts(&setup, &reset, NOTHING);
    }
}

/// Of a driver whose area was scribbled on, the model does not know what it has published.
#[test]
fn what_was_tampered_with_is_excused() {
    let setup = promising(true, true);
    let bad = [element(0, 9, 8), used(1)];
    accepts(&setup, &and(&and(&OUT, &[Event::AvailableRingCorrupted]), &bad), NOTHING);
    let scribbled = and(&OUT, &[Event::AvailableRingCorrupted, Event::Reset { first_index: 0 }, used(1)]);
    rejects(&setup, &scribbled, NOTHING, Invariant::FailedUnchanged);
    // The table says nothing of that.
    let table = and(&and(&OUT, &[Event::DescriptorCorrupted { descriptor: 0 }]), &bad);
    rejects(&setup, &table, NOTHING, Invariant::FailedUnchanged);
}

const EXACT: ModelSetup = ModelSetup { exact_notifications: true, ..FOUR };
const BY_INDEX: ModelSetup = ModelSetup { event_index: true, ..EXACT };

const fn publish(notify: bool) -> Event<'static> {
    Event::Publish { notify }
}

#[test]
fn no_notification_is_asked_for_that_is_not_wanted() {
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
    let broken = and(&OUT, &[used(2), no_take(blame(false, true, None))]);
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

/// With event indexes, a driver that wants no notification names an element that the device cannot add next.
#[test]
fn a_driver_that_wants_no_notification_is_not_woken() {
    let careless = ModelSetup { exact_notifications: false, ..BY_INDEX };
    for far in [1, 2, 0x8000, u16::MAX] {
        accepts(&BY_INDEX, &OUT, unwanted(far));
        // Without a chain, the device can add the next element as soon as it gets one.
        accepts(&BY_INDEX, &[], unwanted(far));
    }
    for before in [&OUT[..], &[]] {
        rejects(&BY_INDEX, before, unwanted(0), Invariant::Notified);
        accepts(&careless, before, unwanted(0));
    }
    let asked = and(&OUT, &[unwanted(u16::MAX)]);
    accepts(&BY_INDEX, &asked, event(u16::MAX));
    // It may name another one, but not one that comes.
    accepts(&BY_INDEX, &asked, event(1));
    rejects(&BY_INDEX, &asked, event(0), Invariant::Notified);
    accepts(&careless, &asked, event(0));
    let scribbled = and(&asked, &[Event::AvailableRingCorrupted]);
    accepts(&BY_INDEX, &scribbled, event(0));
    let again = and(&asked, &[unwanted(7)]);
    accepts(&BY_INDEX, &again, event(7));
}

/// One chain with the device, and so many elements consumed before.
fn after_elements(count: u16) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for index in 0..=count {
        events.extend([submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] })]);
        events.extend([Event::AvailableIndex { index: index.wrapping_add(1) }, available(0)]);
        events.push(fetched(0, const { &[writable(0, 8)] }, b""));
        if index < count {
            events.extend([element(index, 0, 8), used(index.wrapping_add(1)), take(0, 8), free(0)]);
        }
    }
    events
}

/// What counts is whether the device would notify, not whether the driver names the same element as before.
#[test]
fn a_driver_that_wants_no_notification_may_keep_its_event_away_from_what_comes() {
    let asked = [unwanted(u16::MAX)];
    for count in [1, 2, 9] {
        let behind = and(&asked, &after_elements(count));
        // Named anew with each element, the one before the next is the furthest away.
        accepts(&BY_INDEX, &behind, event(count - 1));
        accepts(&BY_INDEX, &behind, event(count + 1));
        accepts(&BY_INDEX, &behind, event(u16::MAX));
        rejects(&BY_INDEX, &behind, event(count), Invariant::Notified);
    }
    // Named ahead and left there, it comes.
    let ahead = and(&[unwanted(3)], &after_elements(2));
    accepts(&BY_INDEX, &ahead, event(3));
    let ahead = and(&[unwanted(3), event(3)], &after_elements(3));
    rejects(&BY_INDEX, &ahead, event(3), Invariant::Notified);
    // What the used index covers already does not come again.
    let waiting = and(&OUT, &[element(0, 0, 8), used(1)]);
    accepts(&BY_INDEX, &waiting, unwanted(0));
    accepts(&BY_INDEX, &and(&waiting, &[unwanted(0), take(0, 8)]), event(0));
    rejects(&BY_INDEX, &and(&waiting, &[unwanted(1), take(0, 8)]), event(1), Invariant::Notified);
}

/// A driver that names an element once need not name another one when the index has wrapped around.
#[test]
fn an_event_left_behind_may_stay_when_the_index_wraps() {
    let lap = and(&[unwanted(u16::MAX)], &after_elements(u16::MAX));
    accepts(&BY_INDEX, &lap, event(u16::MAX));
    let another = and(&[unwanted(u16::MAX), event(u16::MAX - 1)], &after_elements(u16::MAX));
    rejects(&BY_INDEX, &another, event(u16::MAX), Invariant::Notified);
}

const RESET: Event<'static> = Event::Reset { first_index: 0 };
const KEEPS_WISH: ModelSetup = ModelSetup { keeps_wish: true, ..FOUR };

const fn wanted(wanted: bool) -> Event<'static> {
    Event::UsedNotifications { wanted, flags: !wanted as u16, used_event: 0, waiting: None }
}

/// With event indexes, it names an element that the device cannot add next.
#[test]
fn a_driver_that_wanted_no_notification_before_a_reset_is_not_woken_after_it() {
    let promises = ModelSetup { event_index: true, ..KEEPS_WISH };
    let careless = ModelSetup { keeps_wish: false, ..promises };
    for setup in [BY_INDEX, promises] {
        let reset = and(&OUT, &[unwanted(u16::MAX), RESET]);
        for first in [1, 7, u16::MAX] {
            accepts(&setup, &reset, event(first));
            let named = and(&reset, &[event(first)]);
            accepts(&setup, &named, event(first));
            accepts(&setup, &named, event(first.wrapping_add(1).max(1)));
            rejects(&setup, &named, event(0), Invariant::Notified);
            accepts(&careless, &named, event(0));
            // What it says anew holds.
            let back = Event::UsedNotifications { wanted: true, flags: 0, used_event: 0, waiting: None };
            accepts(&setup, &and(&named, &[back]), event(0));
        }
        // The first element comes next, whether or not the driver names another one later.
        rejects(&setup, &reset, event(0), Invariant::Notified);
        accepts(&careless, &reset, event(0));
    }
    // Only an exact driver is held to it before a reset.
    accepts(&promises, &and(&OUT, &[unwanted(u16::MAX)]), event(0));
    // One that wanted to be notified, or said nothing, names the next element.
    for before in
        [&[][..], &[Event::UsedNotifications { wanted: true, flags: 0, used_event: 0, waiting: None }]]
    {
        let reset = and(before, &[RESET]);
        accepts(&promises, &reset, event(0));
        rejects(&promises, &reset, event(u16::MAX), Invariant::Notified);
    }
}

#[test]
fn a_reset_keeps_what_the_caller_last_said() {
    let flags = |flags| Event::AvailableFlags { flags };
    for setup in [EXACT, KEEPS_WISH] {
        for last in [true, false] {
            let right = u16::from(!last);
            // Whatever the flags were at the beginning.
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
fn a_reset_brings_back_the_flags_of_the_beginning_if_its_caller_said_nothing() {
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
