//! Used-buffer notifications that the device may delay.

use crate::support::{FOUR, IN_FLIGHT, NOTHING, accepts, and, available, chain, element, index, rejects};
use crate::support::{submit, take, used, writable};
use ringstorm_model::{Event, Invariant, ModelSetup};

const EVENT_IDX: ModelSetup = ModelSetup { event_index: true, ..FOUR };

const fn delayed(used_event: u16, waiting: Option<bool>) -> Event<'static> {
    Event::DelayedNotifications { flags: 0, used_event, waiting }
}

const fn at(index: u16) -> Event<'static> {
    Event::UsedEvent { index }
}

/// Chains 0 and 1 are in flight.
fn two() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&IN_FLIGHT, &second)
}

#[test]
fn used_event_names_an_element_that_a_chain_in_flight_can_have() {
    for used_event in [0, 1] {
        accepts(&EVENT_IDX, &two(), delayed(used_event, Some(false)));
    }
    for used_event in [2, 3, 0x7fff, 0xffff] {
        rejects(&EVENT_IDX, &two(), delayed(used_event, Some(false)), Invariant::Notified);
    }
    // Nothing is in flight: only the next element can come.
    accepts(&EVENT_IDX, &[], delayed(0, Some(false)));
    rejects(&EVENT_IDX, &[], delayed(1, Some(false)), Invariant::Notified);
    let flags = Event::DelayedNotifications { flags: 1, used_event: 0, waiting: None };
    rejects(&FOUR, &two(), flags, Invariant::Notified);
}

#[test]
fn a_caller_may_wait_only_if_the_device_will_notify() {
    let one = and(&two(), &[element(0, 0, 8), used(1)]);
    accepts(&EVENT_IDX, &one, delayed(1, Some(false)));
    // The device has added element 0 already.
    rejects(&EVENT_IDX, &one, delayed(0, Some(false)), Invariant::Notified);
    accepts(&EVENT_IDX, &one, delayed(0, Some(true)));
    accepts(&EVENT_IDX, &one, delayed(0, None));
    accepts(&FOUR, &one, delayed(0, Some(false)));
    let both = and(&one, &[element(1, 1, 8), used(2)]);
    for setup in [EVENT_IDX, FOUR] {
        rejects(&setup, &both, delayed(1, Some(false)), Invariant::Notified);
        accepts(&setup, &both, delayed(1, Some(true)));
        rejects(&setup, &two(), delayed(1, Some(true)), Invariant::Notified);
    }
}

#[test]
fn used_event_may_stay_until_its_element_was_taken() {
    let waits = and(&two(), &[delayed(1, Some(false)), NOTHING]);
    accepts(&EVENT_IDX, &waits, at(1));
    accepts(&EVENT_IDX, &waits, at(0));
    rejects(&EVENT_IDX, &waits, at(2), Invariant::Notified);
    let returned = [element(0, 0, 8), element(1, 1, 8), used(2), take(0, 8), take(1, 8), NOTHING];
    let taken = and(&waits, &returned);
    accepts(&EVENT_IDX, &taken, at(1));
    accepts(&EVENT_IDX, &taken, at(2));
    rejects(&EVENT_IDX, &taken, at(0), Invariant::Notified);
    // Notifications that are not delayed end this.
    let on = Event::UsedNotifications { wanted: true, flags: 0, used_event: 2, waiting: None };
    rejects(&EVENT_IDX, &and(&taken, &[on, NOTHING]), at(1), Invariant::Notified);
}
