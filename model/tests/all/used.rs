//! What the device may be believed and blamed for: the used ring, element by element.

use crate::support::{
    FOUR, NOTHING, OUT, accepting, accepts, and, available, blame, chain, element, free, free_count, index,
    no_take, read, rejects, submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant, Refusal};

const FINE: Refusal = blame(false, false, None);

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
fn an_element_counts_only_for_a_chain_that_the_device_has() {
    for id in [1, 4, 65_536, u32::MAX] {
        rejects(
            &FOUR,
            &and(&OUT, &[element(0, id, 0), used(1)]),
            take(id as u16, 0),
            Invariant::CompletedOnce,
        );
    }
    let hidden = [submit(&[], &[8], 0), element(0, 0, 0), used(1)];
    rejects(&FOUR, &hidden, take(0, 0), Invariant::CompletedOnce);
    // A used ring that nobody wrote to names chain 0; after a reset nobody has written to it.
    let reset = and(&[element(0, 1, 0), Event::Reset { first_index: 0 }], &OUT);
    let other = and(
        &reset,
        &[submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1), used(1)],
    );
    rejects(&FOUR, &other, take(1, 0), Invariant::CompletedOnce);
    accepts(&FOUR, &other, take(0, 0));
}

/// More than the device has, an id that names nothing that it has, a length too long, or a write to the table.
#[test]
fn the_device_is_blamed_for_what_it_did() {
    for (done, lied) in [
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
        let before = and(&OUT, done);
        match lied {
            true => accepts(&FOUR, &before, no_take(FINE)),
            false => rejects(&FOUR, &before, no_take(FINE), Invariant::FairBlame),
        }
        rejects(&FOUR, &before, no_take(Refusal::Broken), Invariant::FairBlame);
        rejects(
            &FOUR,
            &and(&before, &[Event::Reset { first_index: 0 }]),
            no_take(FINE),
            Invariant::FairBlame,
        );
    }
}

/// What came back is not with the device any more, so that one element less is too many.
#[test]
fn an_index_jumps_from_what_is_still_in_flight() {
    let two = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    let one = and(&and(&OUT, &two), &[element(0, 0, 8), element(1, 1, 8), used(2), take(0, 8)]);
    rejects(&FOUR, &one, no_take(FINE), Invariant::FairBlame);
    accepts(&FOUR, &and(&one, &[used(3)]), no_take(FINE));
}

#[test]
fn a_queue_is_broken_once_it_says_so_and_until_a_reset() {
    let lied = [used(1)];
    let still = and(&lied, &[no_take(FINE)]);
    rejects(&FOUR, &still, no_take(Refusal::Broken), Invariant::FairBlame);
    assert!(!accepting(&FOUR, &still).is_broken());
    let broken = and(&lied, &[no_take(blame(false, true, None)), no_take(FINE)]);
    accepts(&FOUR, &broken, no_take(Refusal::Broken));
    assert!(accepting(&FOUR, &broken).is_broken());
    let reset = and(&broken, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &reset, no_take(Refusal::Broken), Invariant::FairBlame);
}

#[test]
fn a_refusal_consumes_the_element_that_it_complains_of_or_leaves_it() {
    let bad = and(&OUT, &[element(0, 7, 0), element(1, 0, 8), used(2)]);
    accepts(&FOUR, &and(&bad, &[no_take(blame(true, false, None))]), take(0, 8));
    let rest = and(&bad, &[no_take(blame(true, false, None))]);
    rejects(&FOUR, &rest, no_take(FINE), Invariant::FairBlame);
    let left = and(&bad, &[no_take(FINE)]);
    accepts(&FOUR, &left, no_take(FINE));
    // Where there is no element, none is consumed.
    let none = and(&OUT, &[Event::DescriptorCorrupted { descriptor: 3 }, no_take(blame(true, false, None))]);
    accepts(&FOUR, &and(&none, &[element(0, 0, 8), used(1)]), take(0, 8));
}

#[test]
fn a_chain_comes_back_with_a_refusal_if_the_device_returned_it() {
    let long = and(&OUT, &[element(0, 0, 9), used(1)]);
    for (consumed, broken) in [(true, false), (false, true), (true, true)] {
        let back = and(&long, &[no_take(blame(consumed, broken, Some(0)))]);
        accepts(&FOUR, &back, read(0, 64, b"", b"12345678"));
        rejects(&FOUR, &back, read(0, 64, b"1", b"12345678"), Invariant::Response);
        accepts(&FOUR, &and(&back, &[free(0)]), free_count(4));
        let again = if broken { Invariant::FailedUnchanged } else { Invariant::CompletedOnce };
        rejects(&FOUR, &back, take(0, 8), again);
    }
    rejects(&FOUR, &long, no_take(blame(true, false, Some(1))), Invariant::CompletedOnce);
    let bad = and(&OUT, &[element(0, 7, 0), used(1)]);
    rejects(&FOUR, &bad, no_take(blame(true, false, Some(0))), Invariant::CompletedOnce);
    let none = and(&OUT, &[Event::DescriptorCorrupted { descriptor: 3 }]);
    rejects(&FOUR, &none, no_take(blame(true, false, Some(0))), Invariant::CompletedOnce);
}

#[test]
fn the_model_tells_how_far_the_driver_has_read() {
    let mut model = accepting(&FOUR, &and(&OUT, &[element(0, 0, 8), element(1, 9, 0), used(2)]));
    assert_eq!(model.next_used(), 0);
    let refused = Event::Take { answer: Err(blame(true, false, None)) };
    for (event, next) in [(take(0, 8), 1), (refused, 2)] {
        model.observe(&event).unwrap();
        assert_eq!(model.next_used(), next);
    }
}
