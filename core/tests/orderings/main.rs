//! Memory ordering: the queue as it is, over memory made of loom's locations, with driver and device each in a thread of
//! the model. Loom runs every execution that its model of C11 knows, stale values of atomics included, with no
//! bound on preemptions. A plain location that one thread writes and another touches with nothing in between is a data
//! race; indexes, flags and events are the only atomics.
//!
//! ```text
//! cargo test -p ringstorm-core --test orderings
//! LOOM_LOCATION=1 cargo test -p ringstorm-core --test orderings -- --nocapture    (where racing accesses stand)
//! ```
//!
//! The second half is the proof that the first one sees something: a wrapper of the memory makes one named access one
//! step weaker, and at least one scenario fails, of the kind and in the scenarios that the tables below name.
//!
//! - Acquire and release become relaxed: what lies behind the index races.
//! - Relaxed becomes plain: the access itself races. There is no atomic ordering below relaxed, and what orders these
//!   accesses is the barrier next to them, which has its own rows.
//! - A full barrier becomes acquire and release, or nothing: both sides miss the other's store, and one sleeps for ever.
//!
//! So loom can express a weakening of every name, and no row is excused. What it cannot say: loads that see stores from
//! their future (load buffering), and what a compiler makes of [`RawMemory`](ringstorm_core::RawMemory), which takes its
//! orderings from the same names.

mod device;
mod memory;
mod scenarios;
#[path = "../support/mod.rs"]
mod support;
mod weakened;

use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore};
use scenarios::{
    CONVERSE, EXCHANGE, LOST, Scenario, WAKE_DEVICE_BY_EVENT, WAKE_DEVICE_BY_FLAGS, WAKE_DRIVER_BY_EVENT,
    WAKE_DRIVER_BY_FLAGS, WAKE_DRIVER_BY_RENEWED_EVENT,
};
use std::panic::catch_unwind;
use weakened::Weakening;

/// All variants of an enumeration. Does not compile if one is missing.
macro_rules! every {
    ($type:ident: $($variant:ident),+) => {{
        const _: fn($type) = |one| match one { $($type::$variant => ()),+ };
        [$($type::$variant),+]
    }};
}

/// How a scenario fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Loom finds a data race.
    Race,
    /// Somebody sleeps who should have been told.
    Lost,
}

use Failure::{Lost, Race};

/// Where a load shows that is weaker than its name.
const fn load(access: OrderedLoad) -> (Failure, &'static [Scenario]) {
    match access {
        OrderedLoad::UsedIndex => {
            (Race, &[EXCHANGE, WAKE_DRIVER_BY_FLAGS, WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT])
        }
        OrderedLoad::AvailableIndex => (Race, &[EXCHANGE, WAKE_DEVICE_BY_FLAGS, WAKE_DEVICE_BY_EVENT]),
        OrderedLoad::UsedFlags => (Race, &[WAKE_DEVICE_BY_FLAGS]),
        OrderedLoad::AvailableEvent => (Race, &[WAKE_DEVICE_BY_EVENT, CONVERSE]),
        OrderedLoad::AvailableFlags => (Race, &[WAKE_DRIVER_BY_FLAGS]),
        OrderedLoad::UsedEvent => (Race, &[WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT, CONVERSE]),
    }
}

/// Where a store shows that is weaker than its name.
const fn store(access: OrderedStore) -> (Failure, &'static [Scenario]) {
    match access {
        OrderedStore::AvailableIndex => (Race, &[EXCHANGE, WAKE_DEVICE_BY_FLAGS, WAKE_DEVICE_BY_EVENT]),
        OrderedStore::UsedIndex => {
            (Race, &[EXCHANGE, WAKE_DRIVER_BY_FLAGS, WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT])
        }
        OrderedStore::AvailableFlags => (Race, &[WAKE_DRIVER_BY_FLAGS]),
        OrderedStore::UsedEvent => (Race, &[WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT, CONVERSE]),
        OrderedStore::UsedFlags => (Race, &[WAKE_DEVICE_BY_FLAGS]),
        OrderedStore::AvailableEvent => (Race, &[WAKE_DEVICE_BY_EVENT, CONVERSE]),
    }
}

/// Where a barrier shows that is weaker than its name, or missing.
const fn barrier(barrier: FullBarrier) -> (Failure, &'static [Scenario]) {
    match barrier {
        FullBarrier::PublishedThenSuppression | FullBarrier::EnabledThenAvailable => {
            (Lost, &[WAKE_DEVICE_BY_FLAGS, WAKE_DEVICE_BY_EVENT, CONVERSE])
        }
        // Not in `CONVERSE`: there the driver publishes between its wish and its look, and that orders them too.
        FullBarrier::EnabledThenUsed | FullBarrier::ReturnedThenSuppression => {
            (Lost, &[WAKE_DRIVER_BY_FLAGS, WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT])
        }
    }
}

/// Every named scenario fails with this weakening, and in this way.
fn fails(weakening: Weakening, (failure, scenarios): (Failure, &[Scenario])) {
    assert!(!scenarios.is_empty(), "{weakening:?} is seen nowhere");
    for scenario in scenarios {
        let panic = catch_unwind(|| scenario.check(weakening));
        let panic = panic.expect_err(&format!("{weakening:?} in {}", scenario.name));
        let message = panic.downcast::<String>().expect("a message");
        let beginning = match failure {
            Race => "Causality violation",
            Lost => LOST,
        };
        assert!(message.starts_with(beginning), "{weakening:?} in {}: {message}", scenario.name);
    }
}

#[test]
fn every_weaker_load_is_seen() {
    for access in every!(
        OrderedLoad: UsedIndex, UsedFlags, AvailableEvent, AvailableIndex, AvailableFlags, UsedEvent
    ) {
        fails(Weakening::Load(access), load(access));
    }
}

#[test]
fn every_weaker_store_is_seen() {
    for access in every!(
        OrderedStore: AvailableIndex, AvailableFlags, UsedEvent, UsedIndex, UsedFlags, AvailableEvent
    ) {
        fails(Weakening::Store(access), store(access));
    }
}

#[test]
fn every_weaker_barrier_is_seen() {
    for one in every!(FullBarrier: PublishedThenSuppression, EnabledThenUsed, ReturnedThenSuppression, EnabledThenAvailable)
    {
        fails(Weakening::Barrier(one), barrier(one));
        fails(Weakening::NoBarrier(one), barrier(one));
    }
}

#[test]
fn chains_go_forth_and_back() {
    EXCHANGE.check(Weakening::None);
}

#[test]
fn flags_wake_the_device() {
    WAKE_DEVICE_BY_FLAGS.check(Weakening::None);
}

#[test]
fn an_event_wakes_the_device() {
    WAKE_DEVICE_BY_EVENT.check(Weakening::None);
}

#[test]
fn flags_wake_the_driver() {
    WAKE_DRIVER_BY_FLAGS.check(Weakening::None);
}

#[test]
fn an_event_wakes_the_driver() {
    WAKE_DRIVER_BY_EVENT.check(Weakening::None);
}

#[test]
fn an_event_that_the_queue_renews_wakes_the_driver() {
    WAKE_DRIVER_BY_RENEWED_EVENT.check(Weakening::None);
}

#[test]
fn events_wake_both_sides() {
    CONVERSE.check(Weakening::None);
}
