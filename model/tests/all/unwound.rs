//! Calls that unwind because a memory access fails: the queue has changed nothing, or is broken.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepts, and, chain, device_fault, device_took, element, free, free_count,
    free_refused, index, misuse, read, read_refused, rejects, stores, submit, submit_refused, take,
    take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, MisuseKind, ModelSetup, Policies, Refusal};

const WHOLE: Event<'static> = Event::Unwound { broken: false, changed: false, available: 1 };
const BROKEN: Event<'static> = Event::Unwound { broken: true, changed: true, available: 1 };
const RESET: Event<'static> = Event::Reset { first_index: 0 };

#[test]
fn a_queue_that_is_not_broken_must_have_changed_nothing() {
    let unwound = and(&IN_FLIGHT, &[WHOLE]);
    rejects(
        &FOUR,
        &IN_FLIGHT,
        Event::Unwound { broken: false, changed: true, available: 1 },
        Invariant::UnwoundUnchanged,
    );
    accepts(&FOUR, &unwound, free_count(3));
    rejects(&FOUR, &unwound, free_count(2), Invariant::FreeCount);
    rejects(&FOUR, &unwound, Event::Drained, Invariant::Drains);
    rejects(&FOUR, &unwound, take_refused(Refusal::Broken), Invariant::FairBlame);
    accepts(&FOUR, &and(&unwound, &[element(0, 0, 8), used(1)]), take(0, 8));
    // Its stores are not those of a refused call.
    accepts(&FOUR, &and(&[submit_refused(&[], &[], MisuseKind::EmptyChain)], &[WHOLE]), stores(3));
}

#[test]
fn a_broken_queue_takes_and_publishes_nothing() {
    let unwound = and(&IN_FLIGHT, &[BROKEN]);
    rejects(&FOUR, &unwound, submit(&[], &[8], 1), Invariant::FailedUnchanged);
    rejects(&FOUR, &and(&unwound, &[element(0, 0, 8), used(1)]), take(0, 8), Invariant::FailedUnchanged);
    accepts(&FOUR, &unwound, index(1));
    rejects(&FOUR, &unwound, index(2), Invariant::AvailableOrder);
    rejects(&FOUR, &unwound, WHOLE, Invariant::UnwoundUnchanged);
    accepts(&FOUR, &unwound, BROKEN);
    let promises = ModelSetup { policies: Policies::all(true, false), ..FOUR };
    rejects(&promises, &unwound, NOTHING, Invariant::FailedUnchanged);
    accepts(&promises, &unwound, take_refused(Refusal::Broken));
    // The publish call that unwound may have stored the index.
    let published = [submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), BROKEN];
    accepts(&FOUR, &published, index(1));
    rejects(&FOUR, &published, index(0), Invariant::AvailableOrder);
}

/// It is unknown what the call has done, in private state and in memory.
#[test]
fn no_other_check_applies_to_a_broken_queue_until_a_reset() {
    let unwound = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8), BROKEN]);
    for event in [
        free_count(0),
        free_count(9),
        free(0),
        free(3),
        free_refused(0, misuse(MisuseKind::BadHead)),
        free_refused(0, Refusal::Broken),
        read_refused(0, misuse(MisuseKind::BadHead)),
        read(0, 8, b"", b"whatever"),
        take_refused(Refusal::Broken),
        NOTHING,
        submit_refused(&[], &[8], MisuseKind::NotEnoughFree),
        device_took(2, &[], b""),
        Event::UsedEvent { index: 77 },
        Event::AvailableFlags { flags: 1 },
        Event::UsedNotifications { wanted: true, flags: 1, used_event: 9, waiting: Some(true) },
        Event::Drained,
    ] {
        accepts(&FOUR, &unwound, event);
        accepts(&ModelSetup { event_index: true, exact_notifications: true, ..FOUR }, &unwound, event);
    }
    rejects(&FOUR, &and(&unwound, &[RESET]), free_count(3), Invariant::ResetRecovers);
    accepts(&FOUR, &and(&unwound, &[RESET]), free_count(4));
    rejects(
        &FOUR,
        &and(&unwound, &[RESET, free_count(4)]),
        take_refused(Refusal::Broken),
        Invariant::FairBlame,
    );
}

/// It is unknown whether the call that unwound has changed the wish. A later wish counts.
#[test]
fn the_callers_wish_is_unknown_until_the_next_one() {
    let setup = ModelSetup { exact_notifications: true, ..FOUR };
    let flags = |flags| Event::AvailableFlags { flags };
    let off = Event::UsedNotifications { wanted: false, flags: 1, used_event: 0, waiting: None };
    let unwound = [flags(0), off, BROKEN, RESET];
    accepts(&setup, &unwound, flags(0));
    accepts(&setup, &unwound, flags(1));
    let again = [flags(0), off, BROKEN, off, RESET];
    accepts(&setup, &again, flags(1));
    rejects(&setup, &again, flags(0), Invariant::Notified);
    // If the queue is not broken, the wish has not changed.
    let whole = [flags(0), off, WHOLE, RESET];
    rejects(&setup, &whole, flags(0), Invariant::Notified);
}

/// After a device fault the queue is broken and refuses calls. A refused call changes nothing, so its state stays known.
#[test]
fn a_queue_that_was_already_broken_is_still_checked_if_nothing_changed() {
    let unchanged = Event::Unwound { broken: true, changed: false, available: 1 };
    let faulty = and(&IN_FLIGHT, &[used(2), take_refused(device_fault(false, true, None))]);
    let refused = and(&faulty, &[unchanged]);
    accepts(&FOUR, &refused, free_count(3));
    rejects(&FOUR, &refused, free_count(4), Invariant::FreeCount);
    rejects(&FOUR, &refused, free(0), Invariant::MisuseRefused);
    accepts(&FOUR, &refused, take_refused(Refusal::Broken));
    // If something has changed, or the queue was not broken before, its state is unknown.
    let changed = Event::Unwound { broken: true, changed: true, available: 1 };
    accepts(&FOUR, &and(&faulty, &[changed]), free_count(4));
    accepts(&FOUR, &and(&faulty, &[changed, unchanged]), free_count(4));
    accepts(&FOUR, &and(&IN_FLIGHT, &[unchanged]), free_count(4));
}
