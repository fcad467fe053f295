//! What the device lost or tampered with is excused when the queue settles or the driver complains, nothing else.

use crate::support::{
    FOUR, NOTHING, OUT, accepts, and, available, blame, chain, element, fetched, free, index, no_take,
    rejects, submit, take, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup};

const SETTLED: Event<'static> = Event::Settled;

/// Chains 0 and 1 are with the device. The available index is then 2.
fn two_out() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&OUT, &second)
}

#[test]
fn a_return_that_was_overwritten_unseen_is_excused() {
    for other in [7, 65_536, u32::MAX] {
        let lost = and(&OUT, &[element(0, 0, 8), used(1), element(0, other, 0)]);
        accepts(&FOUR, &lost, SETTLED);
        // A lap later, while the index claims the whole lap.
        let lap = and(&OUT, &[element(0, 0, 8), used(5), element(4, other, 0)]);
        accepts(&FOUR, &lap, SETTLED);
    }
}

#[test]
fn a_return_that_was_seen_is_the_drivers() {
    let taken = and(&OUT, &[element(0, 0, 8), used(1), take(0, 8), element(0, 7, 0)]);
    rejects(&FOUR, &taken, SETTLED, Invariant::Drains);
    let twice = and(&OUT, &[element(0, 0, 8), used(1), element(0, 0, 4)]);
    rejects(&FOUR, &twice, SETTLED, Invariant::Drains);
    let beyond = and(&OUT, &[element(0, 0, 8), element(0, 7, 0), used(1)]);
    rejects(&FOUR, &beyond, SETTLED, Invariant::Drains);
    let none = and(&OUT, &[element(0, 0, 8), used(1), element(1, 7, 0)]);
    rejects(&FOUR, &none, SETTLED, Invariant::Drains);
}

/// Slots are counted from the first element that was not taken, around the ring and across the wrap.
#[test]
fn only_elements_that_wait_are_lost() {
    for first in [0u16, 2, 65_534, 65_535] {
        let setup = ModelSetup { first_index: first, ..FOUR };
        let place = |number: u16| first.wrapping_add(number);
        for claimed in 0..=5 {
            for number in 0..8 {
                let mut events = vec![submit(&[], &[8], 3), chain(3, const { &[writable(3, 8)] })];
                events.extend([index(place(1)), available(3)]);
                events.extend((0..4).map(|number| element(place(number), 3, 8)));
                events.extend([used(place(claimed)), element(place(number), 9, 0)]);
                match number % 4 < claimed {
                    true => accepts(&setup, &events, SETTLED),
                    false => rejects(&setup, &events, SETTLED, Invariant::Drains),
                }
            }
        }
    }
}

#[test]
fn a_lost_chain_excuses_no_other() {
    let lost = and(&two_out(), &[element(0, 0, 8), used(1), element(0, 7, 0)]);
    rejects(&FOUR, &lost, SETTLED, Invariant::Drains);
    let answered = and(&lost, &[element(1, 1, 8), used(2), take(1, 8)]);
    rejects(&FOUR, &answered, SETTLED, Invariant::Drains);
    accepts(&FOUR, &and(&answered, &[free(1)]), SETTLED);
}

/// The device returned it twice and overwrote the second return: the driver has the first.
#[test]
fn a_lost_chain_that_was_freed_excuses_no_other() {
    let twice = [element(0, 0, 8), element(1, 0, 8), used(2), element(1, 7, 0), take(0, 8), free(0)];
    let freed = and(&two_out(), &twice);
    rejects(&FOUR, &freed, SETTLED, Invariant::Drains);
    accepts(&FOUR, &and(&freed, &[element(1, 1, 8), take(1, 8), free(1)]), SETTLED);
}

#[test]
fn a_lost_chain_may_come_back_all_the_same() {
    let lost = and(&OUT, &[element(0, 0, 8), used(1), element(0, 7, 0), element(0, 0, 8), take(0, 8)]);
    accepts(&FOUR, &lost, free(0));
    // Its successor is judged anew.
    let again =
        [free(0), submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(2), available(0)];
    rejects(&FOUR, &and(&lost, &again), SETTLED, Invariant::Drains);
    let reset = and(&lost, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &and(&reset, &OUT), SETTLED, Invariant::Drains);
    accepts(&FOUR, &reset, SETTLED);
}

/// Four chains fill the ring. The device takes none, but returns chain 3 as often as this, and the driver adds it anew:
/// each time over the entry of the oldest chain that is left.
fn overrun(rounds: u16) -> Vec<Event<'static>> {
    let parts: [&[_]; 4] =
        const { [&[writable(0, 8)], &[writable(1, 8)], &[writable(2, 8)], &[writable(3, 8)]] };
    let mut events = Vec::new();
    for number in 0..4 + rounds {
        let head = number.min(3);
        if let Some(place) = number.checked_sub(4) {
            events.extend([element(place, 3, 0), used(place + 1), take(3, 0), free(3)]);
        }
        events.extend([submit(&[], &[8], head), chain(head, parts[usize::from(head)])]);
        events.extend([index(number + 1), available(head)]);
    }
    events
}

#[test]
fn a_chain_whose_entry_was_overwritten_is_excused() {
    for rounds in 0..4 {
        for missing in 0..4 {
            let mut events = overrun(rounds);
            for (place, head) in (rounds..).zip((0..4).filter(|head| *head != missing)) {
                events.extend([element(place, head.into(), 0), used(place + 1), take(head, 0), free(head)]);
            }
            match missing < rounds {
                true => accepts(&FOUR, &events, SETTLED),
                false => rejects(&FOUR, &events, SETTLED, Invariant::Drains),
            }
        }
    }
}

/// The driver writes an entry before it publishes it: over one that a device that lied has not read.
#[test]
fn an_entry_that_was_overwritten_before_it_was_published_loses_the_chain_too() {
    let tail = [writable(3, 8)];
    let prepared = and(
        &overrun(0),
        &[element(0, 3, 0), used(1), take(3, 0), free(3), submit(&[], &[8], 3), chain(3, &tail)],
    );
    let published = [index(5), available(3)];
    // In the place of chain 0 the device finds chain 3, or it looked before.
    for (found, lost) in [(3, true), (0, false)] {
        let part = [writable(found, 8)];
        let mut events = and(&and(&prepared, &[fetched(found, &part, b"")]), &published);
        for (place, head) in (1..).zip([1, 2, 3]) {
            events.extend([element(place, head.into(), 0), used(place + 1), take(head, 0), free(head)]);
        }
        match lost {
            true => accepts(&FOUR, &events, SETTLED),
            false => rejects(&FOUR, &events, SETTLED, Invariant::Drains),
        }
    }
}

#[test]
fn a_device_that_takes_its_entries_loses_none() {
    let parts = [writable(0, 8)];
    let mut events = Vec::new();
    for number in 0..7 {
        events.extend([submit(&[], &[8], 0), chain(0, &parts), index(number + 1), available(0)]);
        events.push(fetched(0, &parts, b""));
        if number < 6 {
            events.extend([element(number, 0, 8), used(number + 1), take(0, 8), free(0)]);
        }
    }
    rejects(&FOUR, &events, SETTLED, Invariant::Drains);
    // After an overrun the device may find anything in the ring, before it nothing else.
    rejects(&FOUR, &overrun(0), fetched(1, &[], b""), Invariant::AvailableOrder);
    accepts(&FOUR, &overrun(1), fetched(1, const { &[writable(1, 8)] }, b""));
}

#[test]
fn whoever_scribbles_on_the_available_ring_may_be_blamed() {
    let scribbled = and(&OUT, &[Event::AvailableRingCorrupted]);
    rejects(&FOUR, &OUT, no_take(blame(false, false, None)), Invariant::FairBlame);
    accepts(&FOUR, &scribbled, no_take(blame(false, false, None)));
    let reset = and(&scribbled, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &reset, no_take(blame(false, false, None)), Invariant::FairBlame);
    // It is no excuse for a chain that the device finds changed, or that is gone.
    rejects(&FOUR, &scribbled, fetched(0, &[], b""), Invariant::Payload);
    rejects(&FOUR, &scribbled, SETTLED, Invariant::Drains);
}

#[test]
fn what_breaks_nothing_excuses_nothing() {
    for quiet in [Event::Silent, Event::SpuriousNotification, Event::Trap, Event::Withheld { head: 0 }] {
        let before = and(&OUT, &[quiet]);
        accepts(&FOUR, &before, NOTHING);
        rejects(&FOUR, &before, no_take(blame(false, false, None)), Invariant::FairBlame);
        rejects(&FOUR, &before, SETTLED, Invariant::Drains);
        rejects(&FOUR, &before, fetched(0, &[], b""), Invariant::Payload);
        accepts(&FOUR, &and(&before, &[element(0, 0, 8), used(1)]), take(0, 8));
    }
}

/// No trace makes it right: what is read twice or stored late is wrong whatever the device did.
#[test]
fn a_double_fetch_and_a_late_store_are_never_excused() {
    let tampered = and(
        &OUT,
        &[Event::AvailableRingCorrupted, Event::DescriptorCorrupted { descriptor: 0 }, Event::Trap],
    );
    let broken = and(&OUT, &[used(9), no_take(blame(false, true, None))]);
    for before in [&[][..], &OUT, &tampered, &broken] {
        for offset in [0, 4, u64::MAX] {
            rejects(&FOUR, before, Event::DoubleFetch { offset }, Invariant::FetchedOnce);
            rejects(&FOUR, before, Event::LateWrite { offset }, Invariant::AvailableOrder);
        }
    }
}

/// A return that was overwritten can be made good; then the driver has no excuse any more.
#[test]
fn a_chain_that_is_returned_after_all_is_not_lost() {
    let lost = and(&two_out(), &[element(0, 0, 8), used(1), element(0, 9, 0)]);
    let again = and(&lost, &[element(1, 0, 8), element(2, 1, 8), used(3)]);
    rejects(&FOUR, &again, SETTLED, Invariant::Drains);
}
