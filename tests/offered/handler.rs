//! A used-buffer notification arrives, and the queue handles it.

use crate::variant::{Handling, Reading, Variant};
use crate::wrapped::{Wrapped, Wrong};
use crate::{found_by_honest_storm, passes, run, violates};
use ringstorm::outcome::Call;
use ringstorm::subject::{Answer, Capabilities, Completion, External, OrderedStore, SharedMemory, Subject};
use ringstorm_model::Invariant;

const REARMS: Variant = Variant { handling: Handling::Rearms, ..Variant::PLAIN };
/// What a queue that keeps chains for later can promise.
const CAN: Capabilities =
    Capabilities { reloads_used_index: false, refuses_index_jumps: false, ..REARMS.capabilities() };

macro_rules! subject {
    ($name:ident, $wrong:expr) => {
        static $name: External =
            External::new("own", CAN, |setup, provided| Wrapped::build(REARMS, $wrong, setup, provided))
                .with_largest(256);
    };
}

struct Sound;
impl Wrong for Sound {}
subject!(SOUND, Sound);

/// Assumes that each notification has a reason: it completes the chain of the last element again.
#[derive(Default)]
struct Believes {
    last: Option<Completion>,
    again: bool,
}
impl Wrong for Believes {
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.wrong.again = queue.wrong.last.is_some();
        queue.sound.used_notification_arrived()
    }

    fn take(queue: &mut Wrapped<Self>) -> Answer<Option<Completion>> {
        let answer = queue.sound.take()?;
        queue.wrong.last = answer.or(queue.wrong.last);
        let again = std::mem::take(&mut queue.wrong.again);
        Ok(answer.or(queue.wrong.last.filter(|_| again)))
    }
}
subject!(BELIEVES, Believes::default());

/// Turns notifications off and reports that nothing has changed.
struct TurnsOff;
impl Wrong for TurnsOff {
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.sound.set_used_notifications(false);
        None
    }
}
subject!(TURNS_OFF, TurnsOff);

/// Asks for a notification of the element before the next one.
struct BehindTheNext;
impl Wrong for BehindTheNext {
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        let on = queue.sound.used_notification_arrived();
        let (place, rings) = (queue.sound.geometry(), &queue.provided.rings);
        let at = place.available + 4 + 2 * usize::from(place.size);
        rings.store_ordered(OrderedStore::UsedEvent, at, queue.next.wrapping_sub(1));
        on
    }
}
subject!(BEHIND_THE_NEXT, BehindTheNext);

/// Takes a chain and forgets it.
struct Forgets;
impl Wrong for Forgets {
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        let _ = queue.sound.take();
        queue.sound.used_notification_arrived()
    }
}
subject!(FORGETS, Forgets);

const SETUP: &str = "size=8 buffer=64";
const EVENT_IDX: &str = "size=8 buffer=64 features=event-idx";
const ONE: &str = "driver submit writable=1x8\ndevice take\ndevice return newest\n";

#[test]
fn a_notification_may_have_no_reason() {
    let spurious =
        format!("driver interrupt-arrives\n{ONE}driver take\ndriver interrupt-arrives\ndriver take\n");
    for setup in [SETUP, EVENT_IDX] {
        passes(&run(&SOUND, setup, &spurious));
    }
    let outcome = run(&BELIEVES, SETUP, &spurious);
    violates(&outcome, Invariant::CompletedOnce, "the device has not returned that chain");
}

#[test]
fn a_handler_reports_what_it_does_to_notifications() {
    let outcome = run(&TURNS_OFF, SETUP, "driver interrupts on\ndriver interrupt-arrives\n");
    violates(&outcome, Invariant::Notified, "expected 0x0: notifications are on");
    assert_eq!((outcome.call, outcome.step), (Call::InterruptArrived, 1));
    let outcome = run(&BEHIND_THE_NEXT, EVENT_IDX, "driver interrupt-arrives\n");
    violates(&outcome, Invariant::Notified, "or the device will not notify of it");
}

#[test]
fn a_chain_that_a_handler_takes_is_returned_later() {
    let outcome = run(&FORGETS, SETUP, &format!("{ONE}driver interrupt-arrives\n"));
    violates(&outcome, Invariant::Drains, "1 chain was not returned");
}

/// Nothing but the handler reads the used ring, and it reads the used index until there are no more elements.
#[test]
fn a_queue_may_take_chains_only_in_its_handler() {
    const ALONE: Variant =
        Variant { handling: Handling::DrainsAlone, reading: Reading::Reaps, ..Variant::PLAIN };
    static OWN: External = External::new("alone", ALONE.capabilities(), |setup, provided| {
        Wrapped::build(ALONE, Sound, setup, provided)
    });
    passes(&run(&OWN, EVENT_IDX, &format!("{ONE}driver take\ndriver interrupt-arrives\ndriver take\n")));
    passes(&run(&OWN, EVENT_IDX, ONE));
}

/// Looks again after it has turned notifications on.
struct LooksAgain;
impl Wrong for LooksAgain {
    fn used_notification_arrived(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.sound.used_notification_arrived();
        queue.sound.used_notification_arrived()
    }
}

#[test]
fn a_handler_that_looks_again_may_see_another_used_index() {
    const ALONE: Variant =
        Variant { handling: Handling::DrainsAlone, reading: Reading::Reaps, ..Variant::PLAIN };
    static OWN: External = External::new("again", ALONE.capabilities(), |setup, provided| {
        Wrapped::build(ALONE, LooksAgain, setup, provided)
    });
    let steps = "device fault changed-between-reads newest value=0\ndriver submit writable=1x1\ndriver interrupt-arrives\n";
    passes(&run(&OWN, "size=1 buffer=1 features=event-idx", steps));
}

#[test]
fn a_storm_finds_each_wrong_queue() {
    for (subject, invariant) in [
        (&BELIEVES, Invariant::CompletedOnce),
        (&TURNS_OFF, Invariant::Notified),
        (&BEHIND_THE_NEXT, Invariant::Notified),
        (&FORGETS, Invariant::CompletedOnce),
    ] {
        violates(&found_by_honest_storm(subject, 400).expect("a finding"), invariant, "");
    }
    assert_eq!(found_by_honest_storm(&SOUND, 400), None);
}
