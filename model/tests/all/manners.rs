//! Drivers that report no lengths, and drivers that submit a new chain for each one that they take.

use crate::support::{
    FOUR, IN_FLIGHT, accepting, accepts, and, available, chain, element, free, index, read, rejects, submit,
    take, take_refused, used, writable,
};
use ringstorm_model::{DeviceRefusal, Event, Invariant, ModelSetup, Refusal};

const NO_LENGTHS: ModelSetup = ModelSetup { reports_lengths: false, ..FOUR };
const REFILLS: ModelSetup = ModelSetup { refills: true, ..FOUR };

#[test]
fn a_driver_without_lengths_returns_all_writable_bytes() {
    let back = and(&IN_FLIGHT, &[element(0, 0, 3), used(1)]);
    // The reported length does not matter.
    for length in [0, 3, 8, u32::MAX] {
        let taken = and(&back, &[take(0, length)]);
        accepts(&NO_LENGTHS, &taken, read(0, 64, b"12345678", b"12345678"));
        accepts(&NO_LENGTHS, &taken, read(0, 4, b"1234", b"12345678"));
        rejects(&NO_LENGTHS, &taken, read(0, 64, b"123", b"12345678"), Invariant::Response);
        rejects(&NO_LENGTHS, &taken, read(0, 64, b"12345679", b"12345678"), Invariant::Response);
        accepts(&NO_LENGTHS, &and(&taken, &[free(0)]), Event::Drained);
        rejects(&NO_LENGTHS, &taken, take(0, length), Invariant::CompletedOnce);
    }
    rejects(&NO_LENGTHS, &back, take(1, 0), Invariant::CompletedOnce);
    rejects(&FOUR, &back, take(0, 8), Invariant::Response);
}

/// Two chains that the driver submitted by itself. The first one was returned.
fn filled() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&and(&IN_FLIGHT, &second), &[element(0, 0, 8), used(1)])
}

#[test]
fn a_refilling_driver_replaces_each_chain() {
    let again = [submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(3), available(0)];
    accepts(&REFILLS, &IN_FLIGHT, Event::Drained);
    let taken = and(&filled(), &[take(0, 8), free(0)]);
    accepts(&REFILLS, &and(&taken, &again), Event::Drained);
    rejects(&REFILLS, &filled(), Event::Drained, Invariant::Drains);
    rejects(&REFILLS, &taken, Event::Drained, Invariant::Drains);
    // A driver that does not refill has to complete all chains.
    rejects(&FOUR, &and(&taken, &again), Event::Drained, Invariant::Drains);
    let broken =
        take_refused(Refusal::Device(DeviceRefusal { consumed: false, broken: true, returned: None }));
    let faulty = and(&filled(), &[element(1, 9, 8), used(2), take(0, 8), free(0), broken]);
    accepts(&REFILLS, &faulty, Event::Drained);
}

#[test]
fn the_next_completion_is_the_first_valid_element() {
    let next = |events: &[Event<'_>]| accepting(&FOUR, events).next_completion();
    assert_eq!(next(&IN_FLIGHT), None);
    assert_eq!(next(&and(&IN_FLIGHT, &[element(0, 0, 8)])), None, "the used index does not cover it");
    assert_eq!(next(&filled()), Some(0));
    assert_eq!(next(&and(&filled(), &[take(0, 8)])), None);
    let bad = [element(0, 9, 0), element(1, 65_536, 0), element(2, 1, 4), used(3)];
    assert_eq!(next(&and(&filled(), &bad)), Some(1));
    // Of an index that jumps, only one lap counts.
    assert_eq!(
        next(&and(&IN_FLIGHT, &[element(0, 9, 0), element(1, 9, 0), element(2, 9, 0), used(40)])),
        Some(0)
    );
}
