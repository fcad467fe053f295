//! Where each check begins and ends: both rings, the chains in them, and what the device may be blamed for.

mod support;

use ringstorm_model::{ChainFlaw, Event, Invariant, Refusal, Setup};
use support::{
    FOUR, NOTHING, OUT, accepting, accepts, and, at, blame, chain, element, fetched, flawed, free,
    free_count, index, no_take, read, readable, rejects, submit, take, used, writable,
};

const BROKEN: [Event<'static>; 2] = [used(9), no_take(blame(false, true, None))];
const FINE: Refusal = blame(false, false, None);

#[test]
fn the_available_index_moves_by_as_many_as_were_added() {
    for first in [0, 65_534] {
        let setup = Setup { first_index: first, ..FOUR };
        let two = [submit(&[], &[1], 2), submit(&[], &[1], 0)];
        for (before, added) in [(&[][..], 0), (&two[..1], 1), (&two, 2)] {
            for moved in [0, 1, 2, 3, 32_768, 65_534, 65_535] {
                let event = index(first.wrapping_add(moved));
                match moved == added {
                    true => accepts(&setup, before, event),
                    false => rejects(&setup, before, event, Invariant::AvailableOrder),
                }
            }
        }
        let published = and(&two, &[index(first.wrapping_add(2)), chain(2, const { &[writable(2, 1)] })]);
        rejects(&setup, &published, index(first.wrapping_add(2)), Invariant::AvailableOrder);
        let published = and(&published, &[chain(0, const { &[writable(0, 1)] })]);
        accepts(&setup, &published, index(first.wrapping_add(2)));
    }
}

#[test]
fn a_broken_queue_may_keep_what_was_submitted() {
    let before = and(&[submit(&[], &[1], 0), submit(&[], &[1], 1)], &BROKEN);
    accepts(&FOUR, &before, index(0));
    accepts(&FOUR, &before, index(2));
    rejects(&FOUR, &before, index(1), Invariant::AvailableOrder);
    accepts(&FOUR, &before, Event::Publish { notify: false });
    accepts(&FOUR, &before, Event::Settled);
    let reset = and(&before, &[Event::Reset { first_index: 0 }, submit(&[], &[1], 0)]);
    rejects(&FOUR, &reset, index(0), Invariant::AvailableOrder);
}

#[test]
fn only_entries_that_the_index_covers_are_there() {
    let two = [submit(&[], &[1], 0), submit(&[], &[1], 1)];
    let first = chain(0, const { &[writable(0, 1)] });
    rejects(&FOUR, &two, first, Invariant::AvailableOrder);
    rejects(&FOUR, &[], first, Invariant::AvailableOrder);
    rejects(&FOUR, &and(&two[..1], &[index(1), first]), first, Invariant::AvailableOrder);
    let reset = and(&two[..1], &[index(1), Event::Reset { first_index: 1 }]);
    rejects(&FOUR, &reset, first, Invariant::AvailableOrder);
}

/// 2.7.10: the device says in `flags` whether it wants to be notified.
#[test]
fn a_wanted_notification_of_something_new_is_sent() {
    let wanted = |wanted| Event::Notifications { wanted };
    let one = submit(&[], &[1], 0);
    let silent = Event::Publish { notify: false };
    rejects(&FOUR, &[wanted(false), one, wanted(true)], silent, Invariant::Notified);
    rejects(&FOUR, &[wanted(false), Event::Reset { first_index: 0 }, one], silent, Invariant::Notified);
    accepts(&FOUR, &[wanted(true), one, wanted(false)], silent);
    accepts(&FOUR, &[], silent);
    accepts(&FOUR, &OUT, silent);
    for notify in [&[wanted(false), one][..], &[one], &[]] {
        accepts(&FOUR, notify, Event::Publish { notify: true });
    }
}

#[test]
fn a_published_chain_has_the_room_that_was_asked_for() {
    let asked = [submit(&[b"abc", b"de"], &[8, 4], 0), index(1)];
    let parts = |there, more, back, least| {
        [readable(0, there), readable(1, more), writable(2, back), writable(3, least)]
    };
    accepts(&FOUR, &asked, chain(0, &parts(3, 2, 8, 4)));
    accepts(&FOUR, &asked, chain(0, &parts(4, 1, 6, 6)));
    for (there, more, back, least) in [(3, 1, 8, 4), (3, 3, 8, 4), (3, 2, 9, 4), (3, 2, 8, 3), (3, 4, 8, 2)] {
        rejects(&FOUR, &asked, chain(0, &parts(there, more, back, least)), Invariant::Payload);
    }
    rejects(&FOUR, &asked, chain(0, &[]), Invariant::WellFormed);
    for (flaw, invariant) in [
        (ChainFlaw::Loop, Invariant::Acyclic),
        (ChainFlaw::Malformed, Invariant::WellFormed),
        (ChainFlaw::Unregistered, Invariant::BuffersRegistered),
    ] {
        rejects(&FOUR, &asked, flawed(0, &parts(3, 2, 8, 4), flaw), invariant);
    }
}

#[test]
fn no_descriptor_is_in_two_published_chains() {
    let two = [submit(&[], &[1, 1], 0), submit(&[], &[1, 1], 1), index(2)];
    let before = and(&two, &[chain(0, const { &[writable(0, 1), writable(2, 1)] })]);
    rejects(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(2, 1)] }), Invariant::NoDoubleUse);
    rejects(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(1, 1)] }), Invariant::NoDoubleUse);
    accepts(&FOUR, &before, chain(1, const { &[writable(1, 1), writable(3, 1)] }));
}

#[test]
fn stale_bytes_matter_where_zeroing_was_promised() {
    let unclean = Event::Chain { head: 0, descriptors: &[writable(0, 8)], flaw: None, unclean: true };
    accepts(&FOUR, &OUT[..2], unclean);
    let zeroed = Setup { zeroed: true, ..FOUR };
    rejects(&zeroed, &OUT[..2], unclean, Invariant::Response);
    accepts(&zeroed, &OUT[..2], OUT[2]);
}

#[test]
fn the_device_finds_what_was_published() {
    let parts = [readable(0, 3), writable(1, 8)];
    let before = [submit(&[b"abc"], &[8], 0), index(1), chain(0, &parts)];
    accepts(&FOUR, &before, fetched(0, &parts, b"abc"));
    for payload in [&b"ab"[..], b"abcd", b"bbc", b""] {
        rejects(&FOUR, &before, fetched(0, &parts, payload), Invariant::Payload);
    }
    let other = |change: fn(&mut [ringstorm_model::Descriptor; 2])| {
        let mut other = parts;
        change(&mut other);
        other
    };
    for found in [
        other(|parts| parts[0].index = 2),
        other(|parts| parts[0].place = None),
        other(|parts| parts[1].length = 7),
        other(|parts| parts[1].writable = false),
    ] {
        rejects(&FOUR, &before, fetched(0, &found, b"abc"), Invariant::Payload);
    }
    rejects(&FOUR, &before, fetched(0, &parts[..1], b"abc"), Invariant::Payload);
    let torn = Event::Fetched { head: 0, whole: false, descriptors: &parts, payload: b"abc" };
    rejects(&FOUR, &before, torn, Invariant::Payload);
    for excused in [0, 1] {
        accepts(&FOUR, &and(&before, &[Event::Tampered { descriptor: excused }]), torn);
    }
    for other in [2, 3, 4, u16::MAX] {
        rejects(&FOUR, &and(&before, &[Event::Tampered { descriptor: other }]), torn, Invariant::Payload);
    }
}

/// What was tampered with is excused until its descriptors serve another chain.
#[test]
fn a_new_chain_is_not_excused_for_an_old_one() {
    let again =
        and(&OUT, &[Event::Tampered { descriptor: 0 }, element(0, 0, 0), used(1), take(0, 0), free(0)]);
    let again = and(&again, &[submit(&[], &[8], 0), index(2), chain(0, const { &[writable(0, 8)] })]);
    rejects(&FOUR, &again, fetched(0, &[writable(0, 7)], b""), Invariant::Payload);
    accepts(&FOUR, &again, fetched(1, &[writable(1, 7)], b""));
}

#[test]
fn a_chain_completes_as_the_device_returned_it() {
    let two = [submit(&[], &[8], 1), submit(&[], &[8], 3), index(2), chain(1, const { &[writable(1, 8)] })];
    let two = and(&two, &[chain(3, const { &[writable(3, 8)] })]);
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
    let other =
        and(&reset, &[submit(&[], &[8], 1), index(2), chain(1, const { &[writable(1, 8)] }), used(1)]);
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
        (&[Event::Tampered { descriptor: 3 }], true),
        (&[Event::Tampered { descriptor: 0 }], true),
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
    let none = and(&OUT, &[Event::Tampered { descriptor: 3 }, no_take(blame(true, false, None))]);
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
        rejects(&FOUR, &back, take(0, 8), Invariant::CompletedOnce);
    }
    rejects(&FOUR, &long, no_take(blame(true, false, Some(1))), Invariant::CompletedOnce);
    let bad = and(&OUT, &[element(0, 7, 0), used(1)]);
    rejects(&FOUR, &bad, no_take(blame(true, false, Some(0))), Invariant::CompletedOnce);
    let none = and(&OUT, &[Event::Tampered { descriptor: 3 }]);
    rejects(&FOUR, &none, no_take(blame(true, false, Some(0))), Invariant::CompletedOnce);
}

#[test]
fn whatever_lives_at_the_end_never_came_back() {
    accepts(&FOUR, &[], Event::Settled);
    rejects(&FOUR, &OUT[..1], Event::Settled, Invariant::Drains);
    let back = and(&OUT, &[element(0, 0, 0), used(1), take(0, 0)]);
    rejects(&FOUR, &back, Event::Settled, Invariant::Drains);
    accepts(&FOUR, &and(&back, &[free(0)]), Event::Settled);
    accepts(
        &FOUR,
        &and(&OUT, &[Event::Withheld { head: 0 }, Event::Reset { first_index: 0 }]),
        Event::Settled,
    );
    rejects(&FOUR, &and(&OUT, &[Event::Withheld { head: 0 }]), Event::Settled, Invariant::Drains);
    rejects(&FOUR, &[], Event::Released { left: u32::MAX }, Invariant::Released);
}

#[test]
fn the_model_tells_who_has_a_descriptor() {
    let parts = [writable(2, 1), at(0, 1, 0, 1, true)];
    let mut model = accepting(&FOUR, &[submit(&[], &[1, 1], 2), index(1)]);
    assert_eq!((model.live_chains(), model.owner(2), model.descriptors(2)), (1, None, Some(&[][..])));
    model.observe(&chain(2, &parts)).unwrap();
    assert_eq!([0, 1, 2, 3, 4].map(|index| model.owner(index)), [Some(2), None, Some(2), None, None]);
    assert_eq!(model.descriptors(2), Some(&parts[..]));
    assert_eq!((model.descriptors(0), model.descriptors(9)), (None, None));
    for event in [element(0, 2, 0), used(1), take(2, 0), free(2)] {
        model.observe(&event).unwrap();
    }
    assert_eq!((model.live_chains(), model.owner(2), model.descriptors(2)), (0, None, None));
}
