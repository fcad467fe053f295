//! Taking back the chains that the device has not returned.

use crate::variant::{TakingBack, Variant};
use crate::wrapped::{Wrapped, Wrong};
use crate::{found_by_honest_storm, passes, run, violates};
use ringstorm::outcome::{Call, Outcome};
use ringstorm::subject::{External, OrderedStore, SharedMemory, Subject};
use ringstorm_model::Invariant;

const TAKES_BACK: Variant = Variant { taking_back: TakingBack::Always, ..Variant::PLAIN };

macro_rules! subject {
    ($name:ident, $wrong:expr) => {
        pub static $name: External = External::new("own", TAKES_BACK.capabilities(), |setup, provided| {
            Wrapped::build(TAKES_BACK, $wrong, setup, provided)
        })
        .with_largest(256);
    };
}

struct Sound;
impl Wrong for Sound {}
subject!(SOUND, Sound);

/// Like a driver that detaches the unused buffers of a queue that still runs.
struct MovesAvailableIndexBack;
impl Wrong for MovesAvailableIndexBack {
    fn take_back(queue: &mut Wrapped<Self>, stopped: bool) -> Option<u16> {
        if let Some(unpublished) = queue.sound.take_back(false) {
            return Some(unpublished);
        }
        let head = queue.sound.take_back(true)?;
        if !stopped {
            let place = queue.sound.geometry().available + 2;
            let rings = &queue.provided.rings;
            rings.store_ordered(OrderedStore::AvailableIndex, place, rings.load_u16(place).wrapping_sub(1));
        }
        Some(head)
    }
}
subject!(MOVES_BACK, MovesAvailableIndexBack);

/// Moves the index back, but returns nothing.
struct OnlyMovesAvailableIndexBack;
impl Wrong for OnlyMovesAvailableIndexBack {
    fn take_back(queue: &mut Wrapped<Self>, stopped: bool) -> Option<u16> {
        if stopped {
            return queue.sound.take_back(true);
        }
        let place = queue.sound.geometry().available + 2;
        let rings = &queue.provided.rings;
        rings.store_ordered(OrderedStore::AvailableIndex, place, rings.load_u16(place).wrapping_sub(1));
        None
    }
}
subject!(ONLY_MOVES_BACK, OnlyMovesAvailableIndexBack);

struct Repeats(Option<u16>);
impl Wrong for Repeats {
    fn take_back(queue: &mut Wrapped<Self>, stopped: bool) -> Option<u16> {
        let head = queue.wrong.0.take().or_else(|| queue.sound.take_back(stopped));
        queue.wrong.0 = head;
        head
    }
}
subject!(REPEATS, Repeats(None));

/// Takes back only what was never published.
struct Forgets;
impl Wrong for Forgets {
    fn take_back(queue: &mut Wrapped<Self>, _: bool) -> Option<u16> {
        queue.sound.take_back(false)
    }
}
subject!(FORGETS, Forgets);

const SETUP: &str = "size=8 buffer=64";
/// One chain is taken, one is used, one is at the device, one is in the ring, and one is not published.
const EVERY_STAGE: &str = "driver submit writable=1x8\ndevice take\ndevice return newest\ndriver take\n\
                           driver submit writable=2x8\ndevice take\ndevice return newest\n\
                           driver submit readable=1x8\ndevice take\ndriver submit readable=1x8\n\
                           driver prepare readable=1x8\n";

fn then(last: &str) -> String {
    format!("{EVERY_STAGE}{last}\n")
}

#[test]
fn a_stopped_queue_returns_every_chain_once() {
    passes(&run(&SOUND, SETUP, &then("driver take-back\ndriver submit readable=8x8")));
    passes(&run(&SOUND, SETUP, &then("driver take-back live\ndriver take-back live\ndriver publish")));
}

fn call_of(outcome: &Outcome) -> (Call, usize) {
    (outcome.call, outcome.step)
}

#[test]
fn a_chain_is_returned_once() {
    let outcome = run(&REPEATS, SETUP, &then("driver take-back"));
    violates(&outcome, Invariant::CompletedOnce, "no live chain has this head");
    assert_eq!(call_of(&outcome), (Call::TakeBack, 11));
}

#[test]
fn no_chain_is_forgotten() {
    let outcome = run(&FORGETS, SETUP, &then("driver take-back"));
    violates(&outcome, Invariant::Drains, "3 chains were neither taken nor taken back");
}

#[test]
fn a_published_chain_stays_available_while_the_device_runs() {
    let outcome = run(&MOVES_BACK, SETUP, &then("driver take-back live"));
    violates(&outcome, Invariant::AvailableOrder, "which is published, while the device runs");
    passes(&run(&MOVES_BACK, SETUP, &then("driver take-back")));
    let outcome = run(&ONLY_MOVES_BACK, SETUP, &then("driver take-back live"));
    violates(&outcome, Invariant::AvailableOrder, "available index");
    assert_eq!(call_of(&outcome), (Call::TakeBack, 11));
}

#[test]
fn a_storm_finds_each_wrong_queue() {
    for (subject, invariant) in [
        (&MOVES_BACK, Invariant::AvailableOrder),
        (&ONLY_MOVES_BACK, Invariant::AvailableOrder),
        (&REPEATS, Invariant::CompletedOnce),
        (&FORGETS, Invariant::Drains),
    ] {
        violates(&found_by_honest_storm(subject, 400).expect("a finding"), invariant, "");
    }
    assert_eq!(found_by_honest_storm(&SOUND, 400), None);
}

/// A queue that does not offer the call is not asked.
#[test]
fn the_call_is_skipped_for_other_queues() {
    static OTHER: External = External::new("other", Variant::PLAIN.capabilities(), |setup, provided| {
        Wrapped::build(Variant::PLAIN, Sound, setup, provided)
    });
    let outcome = run(&OTHER, SETUP, "driver take-back\ndriver take-back live\n");
    passes(&outcome);
    assert_eq!(outcome.skipped_steps, 2);
}
