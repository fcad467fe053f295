//! Taking back the chains that the device has not returned.

use crate::support::{
    FOUR, IN_FLIGHT, accepts, and, chain, element, free_count, rejects, submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant};

const fn stopped(head: Option<u16>) -> Event<'static> {
    Event::TakeBack { stopped: true, head }
}

const fn live(head: Option<u16>) -> Event<'static> {
    Event::TakeBack { stopped: false, head }
}

const PREPARED: [Event<'static>; 2] = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] })];

#[test]
fn a_stopped_queue_returns_each_chain_once_in_any_order() {
    let both = and(&IN_FLIGHT, &PREPARED);
    rejects(&FOUR, &both, stopped(None), Invariant::Drains);
    rejects(&FOUR, &both, stopped(Some(2)), Invariant::CompletedOnce);
    for [first, second] in [[0, 1], [1, 0]] {
        let one = and(&both, &[stopped(Some(first))]);
        rejects(&FOUR, &one, stopped(None), Invariant::Drains);
        rejects(&FOUR, &one, stopped(Some(first)), Invariant::CompletedOnce);
        let all = and(&one, &[stopped(Some(second)), stopped(None)]);
        accepts(&FOUR, &all, free_count(4));
        rejects(&FOUR, &all, free_count(3), Invariant::FreeCount);
    }
}

#[test]
fn a_used_chain_is_taken_back_unless_it_was_taken() {
    let returned = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    accepts(&FOUR, &returned, stopped(Some(0)));
    rejects(&FOUR, &returned, stopped(None), Invariant::Drains);
    let taken = and(&returned, &[take(0, 8)]);
    accepts(&FOUR, &taken, stopped(None));
    rejects(&FOUR, &taken, stopped(Some(0)), Invariant::CompletedOnce);
}

#[test]
fn only_a_chain_that_is_not_published_is_taken_back_while_the_device_runs() {
    let both = and(&IN_FLIGHT, &PREPARED);
    rejects(&FOUR, &both, live(Some(0)), Invariant::AvailableOrder);
    accepts(&FOUR, &both, live(None));
    let back = and(&both, &[live(Some(1))]);
    accepts(&FOUR, &back, free_count(3));
    rejects(&FOUR, &back, live(Some(1)), Invariant::CompletedOnce);
}
