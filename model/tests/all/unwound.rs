//! A call that memory cut short: what a queue that goes on must not have changed, and what one that is broken may do.

use crate::support::{
    FOUR, NOTHING, OUT, accepts, and, blame, chain, element, fetched, free, free_count, index, misuse,
    no_free, no_read, no_submit, no_take, read, rejects, stores, submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant, MisuseKind, ModelSetup, Policies, Refusal};

const WHOLE: Event<'static> = Event::Unwound { broken: false, changed: false, available: 1 };
const BROKEN: Event<'static> = Event::Unwound { broken: true, changed: true, available: 1 };
const RESET: Event<'static> = Event::Reset { first_index: 0 };

#[test]
fn a_queue_that_goes_on_is_judged_as_if_nothing_had_happened() {
    let unwound = and(&OUT, &[WHOLE]);
    rejects(
        &FOUR,
        &OUT,
        Event::Unwound { broken: false, changed: true, available: 1 },
        Invariant::UnwoundUnchanged,
    );
    accepts(&FOUR, &unwound, free_count(3));
    rejects(&FOUR, &unwound, free_count(2), Invariant::FreeCount);
    rejects(&FOUR, &unwound, Event::Settled, Invariant::Drains);
    rejects(&FOUR, &unwound, no_take(Refusal::Broken), Invariant::FairBlame);
    accepts(&FOUR, &and(&unwound, &[element(0, 0, 8), used(1)]), take(0, 8));
    // What it stored on the way is not that of a refused call.
    accepts(&FOUR, &and(&[no_submit(&[], &[], MisuseKind::EmptyChain)], &[WHOLE]), stores(3));
}

#[test]
fn a_broken_queue_takes_and_publishes_nothing() {
    let unwound = and(&OUT, &[BROKEN]);
    rejects(&FOUR, &unwound, submit(&[], &[8], 1), Invariant::FailedUnchanged);
    rejects(&FOUR, &and(&unwound, &[element(0, 0, 8), used(1)]), take(0, 8), Invariant::FailedUnchanged);
    accepts(&FOUR, &unwound, index(1));
    rejects(&FOUR, &unwound, index(2), Invariant::AvailableOrder);
    rejects(&FOUR, &unwound, WHOLE, Invariant::UnwoundUnchanged);
    accepts(&FOUR, &unwound, BROKEN);
    let promises = ModelSetup {
        policies: Some(Policies { continues_after_fault: true, refuses_over_long: false }),
        ..FOUR
    };
    rejects(&promises, &unwound, NOTHING, Invariant::FailedUnchanged);
    accepts(&promises, &unwound, no_take(Refusal::Broken));
    // The publication that was cut short may have stored the index.
    let published = [submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), BROKEN];
    accepts(&FOUR, &published, index(1));
    rejects(&FOUR, &published, index(0), Invariant::AvailableOrder);
}

/// How far the call came is not known, in private or in memory.
#[test]
fn nothing_else_of_a_broken_queue_is_judged_until_its_reset() {
    let unwound = and(&OUT, &[element(0, 0, 8), used(1), take(0, 8), BROKEN]);
    for event in [
        free_count(0),
        free_count(9),
        free(0),
        free(3),
        no_free(0, misuse(MisuseKind::BadHead)),
        no_free(0, Refusal::Broken),
        no_read(0, misuse(MisuseKind::BadHead)),
        read(0, 8, b"", b"whatever"),
        no_take(Refusal::Broken),
        NOTHING,
        no_submit(&[], &[8], MisuseKind::NotEnoughFree),
        fetched(2, &[], b""),
        Event::UsedEvent { index: 77 },
        Event::AvailableFlags { flags: 1 },
        Event::UsedNotifications { wanted: true, flags: 1, used_event: 9, waiting: Some(true) },
        Event::Settled,
    ] {
        accepts(&FOUR, &unwound, event);
        accepts(&ModelSetup { event_index: true, exact_notifications: true, ..FOUR }, &unwound, event);
    }
    rejects(&FOUR, &and(&unwound, &[RESET]), free_count(3), Invariant::ResetRecovers);
    accepts(&FOUR, &and(&unwound, &[RESET]), free_count(4));
    rejects(&FOUR, &and(&unwound, &[RESET, free_count(4)]), no_take(Refusal::Broken), Invariant::FairBlame);
}

/// Whether a call that was cut short said it is not known, but what its caller says afterwards is.
#[test]
fn what_the_caller_wants_is_not_known_until_it_says_so_again() {
    let setup = ModelSetup { exact_notifications: true, ..FOUR };
    let flags = |flags| Event::AvailableFlags { flags };
    let off = Event::UsedNotifications { wanted: false, flags: 1, used_event: 0, waiting: None };
    let unwound = [flags(0), off, BROKEN, RESET];
    accepts(&setup, &unwound, flags(0));
    accepts(&setup, &unwound, flags(1));
    let again = [flags(0), off, BROKEN, off, RESET];
    accepts(&setup, &again, flags(1));
    rejects(&setup, &again, flags(0), Invariant::Notified);
    // A queue that goes on wants what it wanted.
    let whole = [flags(0), off, WHOLE, RESET];
    rejects(&setup, &whole, flags(0), Invariant::Notified);
}

/// A device fault broke it: a call that it refuses leaves it as it was, and it is judged as such.
#[test]
fn a_queue_that_was_broken_before_is_judged_on_if_nothing_changed() {
    let unchanged = Event::Unwound { broken: true, changed: false, available: 1 };
    let faulty = and(&OUT, &[used(2), no_take(blame(false, true, None))]);
    let refused = and(&faulty, &[unchanged]);
    accepts(&FOUR, &refused, free_count(3));
    rejects(&FOUR, &refused, free_count(4), Invariant::FreeCount);
    rejects(&FOUR, &refused, free(0), Invariant::MisuseRefused);
    accepts(&FOUR, &refused, no_take(Refusal::Broken));
    // Or something has changed, or it was not broken before.
    let changed = Event::Unwound { broken: true, changed: true, available: 1 };
    accepts(&FOUR, &and(&faulty, &[changed]), free_count(4));
    accepts(&FOUR, &and(&faulty, &[changed, unchanged]), free_count(4));
    accepts(&FOUR, &and(&OUT, &[unchanged]), free_count(4));
}
