//! The used ring: which chains an element completes, and when a driver may report a device fault.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, RELOADS, accepting, accepts, and, available, chain, device_fault, element,
    free, free_count, free_refused, index, read, rejects, submit, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup, Policies, Refusal};

const FINE: Refusal = device_fault(false, false, None);

#[test]
fn a_chain_completes_as_the_device_returned_it() {
    let two = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), submit(&[], &[8], 3)];
    let two = and(&two, &[chain(3, const { &[writable(3, 8)] }), index(2), available(1), available(3)]);
    rejects(&FOUR, &two, take(1, 0), Invariant::CompletedOnce);
    let unseen = and(&two, &[element(0, 3, 5)]);
    rejects(&FOUR, &unseen, take(3, 5), Invariant::CompletedOnce);
    let one = and(&unseen, &[used(1)]);
    accepts(&FOUR, &one, take(3, 5));
    accepts(&FOUR, &one, NOTHING);
    rejects(&FOUR, &one, take(1, 5), Invariant::CompletedOnce);
    rejects(&FOUR, &one, take(3, 4), Invariant::Response);
    rejects(&FOUR, &one, take(3, 6), Invariant::Response);
    rejects(&FOUR, &one, take(3, 9), Invariant::LengthBound);
    let both = and(&one, &[element(1, 1, 8), used(2), take(3, 5)]);
    rejects(&FOUR, &both, take(3, 5), Invariant::CompletedOnce);
    rejects(&FOUR, &and(&both, &[take(1, 8)]), take(1, 8), Invariant::CompletedOnce);
}

#[test]
fn an_element_completes_only_a_chain_in_flight() {
    for id in [1, 4, 65_536, u32::MAX] {
        rejects(
            &FOUR,
            &and(&IN_FLIGHT, &[element(0, id, 0), used(1)]),
            take(id as u16, 0),
            Invariant::CompletedOnce,
        );
    }
    let hidden = [submit(&[], &[8], 0), element(0, 0, 0), used(1)];
    rejects(&FOUR, &hidden, take(0, 0), Invariant::CompletedOnce);
    // A used ring that was not written names chain 0. After a reset it counts as not written.
    let reset = and(&[element(0, 1, 0), Event::Reset { first_index: 0 }], &IN_FLIGHT);
    let other = and(
        &reset,
        &[submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1), used(1)],
    );
    rejects(&FOUR, &other, take(1, 0), Invariant::CompletedOnce);
    accepts(&FOUR, &other, take(0, 0));
}

/// An index that jumps, an id that is not in flight, a length that is too long, or a write to the table.
#[test]
fn a_device_fault_may_be_reported_if_there_was_one() {
    for (done, faulty) in [
        (&[][..], false),
        (&[element(0, 0, 8), used(1)], false),
        (&[element(0, 0, 9), used(1)], true),
        (&[element(0, 0, 9)], false),
        (&[element(0, 1, 0), used(1)], true),
        (&[element(0, 0, 8), used(2)], true),
        (&[used(u16::MAX)], true),
        (&[Event::DescriptorCorrupted { descriptor: 3 }], true),
        (&[Event::DescriptorCorrupted { descriptor: 0 }], true),
    ] {
        let before = and(&IN_FLIGHT, done);
        match faulty {
            true => accepts(&FOUR, &before, take_refused(FINE)),
            false => rejects(&FOUR, &before, take_refused(FINE), Invariant::FairBlame),
        }
        rejects(&RELOADS, &before, free_refused(0, Refusal::Broken), Invariant::FairBlame);
        // A driver that does not report each fault may break silently.
        match faulty {
            true => accepts(&FOUR, &before, take_refused(Refusal::Broken)),
            false => rejects(&FOUR, &before, take_refused(Refusal::Broken), Invariant::FairBlame),
        }
        rejects(
            &FOUR,
            &and(&before, &[Event::Reset { first_index: 0 }]),
            take_refused(FINE),
            Invariant::FairBlame,
        );
    }
}

/// A completed chain is not in flight any more, so the index may move by one less.
#[test]
fn an_index_jumps_if_it_exceeds_the_chains_in_flight() {
    let two = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    let one = and(&and(&IN_FLIGHT, &two), &[element(0, 0, 8), element(1, 1, 8), used(2), take(0, 8)]);
    rejects(&FOUR, &one, take_refused(FINE), Invariant::FairBlame);
    accepts(&FOUR, &and(&one, &[used(3)]), take_refused(FINE));
}

#[test]
fn a_queue_is_broken_from_its_report_until_a_reset() {
    let faulty = [used(1)];
    let still = and(&faulty, &[take_refused(FINE)]);
    rejects(&RELOADS, &still, free_refused(0, Refusal::Broken), Invariant::FairBlame);
    assert!(!accepting(&FOUR, &still).is_broken());
    let broken = and(&faulty, &[take_refused(device_fault(false, true, None)), take_refused(FINE)]);
    accepts(&FOUR, &broken, take_refused(Refusal::Broken));
    assert!(accepting(&FOUR, &broken).is_broken());
    let reset = and(&broken, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &reset, take_refused(Refusal::Broken), Invariant::FairBlame);
}

#[test]
fn a_refusal_consumes_the_reported_element_or_keeps_it() {
    let bad = and(&IN_FLIGHT, &[element(0, 7, 0), element(1, 0, 8), used(2)]);
    accepts(&FOUR, &and(&bad, &[take_refused(device_fault(true, false, None))]), take(0, 8));
    let rest = and(&bad, &[take_refused(device_fault(true, false, None))]);
    let strict = ModelSetup { policies: Policies { reloads_used_index: true, ..Policies::NONE }, ..FOUR };
    rejects(&strict, &rest, take_refused(FINE), Invariant::FairBlame);
    // A driver that keeps what it loaded may report the device again.
    accepts(&FOUR, &rest, take_refused(FINE));
    let left = and(&bad, &[take_refused(FINE)]);
    accepts(&FOUR, &left, take_refused(FINE));
    // If there is no element, none is consumed.
    let none = and(
        &IN_FLIGHT,
        &[Event::DescriptorCorrupted { descriptor: 3 }, take_refused(device_fault(true, false, None))],
    );
    accepts(&FOUR, &and(&none, &[element(0, 0, 8), used(1)]), take(0, 8));
}

#[test]
fn a_refusal_may_complete_a_chain_that_the_device_returned() {
    let long = and(&IN_FLIGHT, &[element(0, 0, 9), used(1)]);
    for (consumed, broken) in [(true, false), (false, true), (true, true)] {
        let back = and(&long, &[take_refused(device_fault(consumed, broken, Some(0)))]);
        accepts(&FOUR, &back, read(0, 64, b"", b"12345678"));
        rejects(&FOUR, &back, read(0, 64, b"1", b"12345678"), Invariant::Response);
        accepts(&FOUR, &and(&back, &[free(0)]), free_count(4));
        let again = if broken { Invariant::FailedUnchanged } else { Invariant::CompletedOnce };
        rejects(&FOUR, &back, take(0, 8), again);
    }
    rejects(&FOUR, &long, take_refused(device_fault(true, false, Some(1))), Invariant::CompletedOnce);
    let bad = and(&IN_FLIGHT, &[element(0, 7, 0), used(1)]);
    rejects(&FOUR, &bad, take_refused(device_fault(true, false, Some(0))), Invariant::CompletedOnce);
    let none = and(&IN_FLIGHT, &[Event::DescriptorCorrupted { descriptor: 3 }]);
    rejects(&FOUR, &none, take_refused(device_fault(true, false, Some(0))), Invariant::CompletedOnce);
}

#[test]
fn next_used_is_the_first_unconsumed_element() {
    let mut model = accepting(&FOUR, &and(&IN_FLIGHT, &[element(0, 0, 8), element(1, 9, 0), used(2)]));
    assert_eq!(model.next_used(), 0);
    let refused = Event::Take { answer: Err(device_fault(true, false, None)) };
    for (event, next) in [(take(0, 8), 1), (refused, 2)] {
        model.observe(&event).unwrap();
        assert_eq!(model.next_used(), next);
    }
}
