//! Tests memory ordering with loom. The queue runs unchanged over memory that consists of loom's locations. Driver
//! and device are threads of the model. Loom runs every execution of its model of C11, including stale values of
//! atomics, with no limit on preemptions. If one thread writes a plain location and another one accesses it without
//! synchronization, that is a data race. Only indexes, flags and event fields are atomics.
//!
//! ```text
//! cargo test -p ringstorm-core --test orderings
//! LOOM_LOCATION=1 cargo test -p ringstorm-core --test orderings -- --nocapture    (prints the source lines of racing
//! accesses)
//! ```
//!
//! The `every_weaker_...` tests check the scenarios themselves. A wrapper of the memory weakens one access by one
//! step. Then at least one scenario must fail, with the failure and in the scenarios that the tables below list.
//!
//! - Acquire and release become relaxed: the accesses to the published data race.
//! - Relaxed becomes plain: the access itself races. No atomic ordering is weaker than relaxed. The adjacent barrier
//!   orders these accesses, and it has its own rows.
//! - A full barrier becomes acquire and release, or nothing: each side misses the other's store, and one sleeps
//!   forever.
//!
//! Loom can model a weakening of every access, so no row is missing. It does not model loads that see stores from
//! their future (load buffering), and it does not run the machine code of [`RawMemory`](ringstorm_core::RawMemory),
//! which takes its orderings from the same functions.

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

/// All variants of an enumeration. It does not compile if one is missing.
macro_rules! every {
    ($type:ident: $($variant:ident),+) => {{
        const _: fn($type) = |one| match one { $($type::$variant => ()),+ };
        [$($type::$variant),+]
    }};
}

/// The way in which a scenario fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Loom finds a data race.
    Race,
    /// One side sleeps although the other one should have notified it.
    Lost,
}

use Failure::{Lost, Race};

/// The failure and the scenarios that detect a weakened load.
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

/// The failure and the scenarios that detect a weakened store.
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

/// The failure and the scenarios that detect a weakened or missing barrier.
const fn barrier(barrier: FullBarrier) -> (Failure, &'static [Scenario]) {
    match barrier {
        FullBarrier::PublishedThenSuppression | FullBarrier::EnabledThenAvailable => {
            (Lost, &[WAKE_DEVICE_BY_FLAGS, WAKE_DEVICE_BY_EVENT, CONVERSE])
        }
        // `CONVERSE` does not detect it: there the driver publishes between storing `used_event` and loading the used
        // index, and the barrier of `publish` orders these two.
        FullBarrier::EnabledThenUsed | FullBarrier::ReturnedThenSuppression => {
            (Lost, &[WAKE_DRIVER_BY_FLAGS, WAKE_DRIVER_BY_EVENT, WAKE_DRIVER_BY_RENEWED_EVENT])
        }
    }
}

/// Checks that every listed scenario fails in the given way with this weakening.
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
fn every_weaker_load_is_detected() {
    for access in every!(
        OrderedLoad: UsedIndex, UsedFlags, AvailableEvent, AvailableIndex, AvailableFlags, UsedEvent
    ) {
        fails(Weakening::Load(access), load(access));
    }
}

#[test]
fn every_weaker_store_is_detected() {
    for access in every!(
        OrderedStore: AvailableIndex, AvailableFlags, UsedEvent, UsedIndex, UsedFlags, AvailableEvent
    ) {
        fails(Weakening::Store(access), store(access));
    }
}

#[test]
fn every_weaker_barrier_is_detected() {
    for one in every!(FullBarrier: PublishedThenSuppression, EnabledThenUsed, ReturnedThenSuppression, EnabledThenAvailable)
    {
        fails(Weakening::Barrier(one), barrier(one));
        fails(Weakening::NoBarrier(one), barrier(one));
    }
}

#[test]
fn chains_are_exchanged() {
    EXCHANGE.check(Weakening::None);
}

#[test]
fn flags_notify_the_device() {
    WAKE_DEVICE_BY_FLAGS.check(Weakening::None);
}

#[test]
fn avail_event_notifies_the_device() {
    WAKE_DEVICE_BY_EVENT.check(Weakening::None);
}

#[test]
fn flags_notify_the_driver() {
    WAKE_DRIVER_BY_FLAGS.check(Weakening::None);
}

#[test]
fn used_event_notifies_the_driver() {
    WAKE_DRIVER_BY_EVENT.check(Weakening::None);
}

#[test]
fn used_event_that_the_queue_moves_notifies_the_driver() {
    WAKE_DRIVER_BY_RENEWED_EVENT.check(Weakening::None);
}

#[test]
fn event_indexes_notify_both_sides() {
    CONVERSE.check(Weakening::None);
}
