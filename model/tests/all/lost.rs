//! When the queue drains or the driver reports a fault, only chains that the device lost or corrupted are excused.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepts, and, available, chain, device_fault, device_took, element, free,
    index, rejects, submit, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup};

const DRAINED: Event<'static> = Event::Drained;

/// Chains 0 and 1 are in flight. The available index is then 2.
fn two_in_flight() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&IN_FLIGHT, &second)
}

#[test]
fn a_used_element_that_is_overwritten_unseen_loses_its_chain() {
    for other in [7, 65_536, u32::MAX] {
        let lost = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), element(0, other, 0)]);
        accepts(&FOUR, &lost, DRAINED);
        // The same one lap later, while the used index claims the whole lap.
        let lap = and(&IN_FLIGHT, &[element(0, 0, 8), used(5), element(4, other, 0)]);
        accepts(&FOUR, &lap, DRAINED);
    }
}

#[test]
fn a_used_element_that_was_consumed_loses_no_chain() {
    let taken = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8), element(0, 7, 0)]);
    rejects(&FOUR, &taken, DRAINED, Invariant::Drains);
    let twice = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), element(0, 0, 4)]);
    rejects(&FOUR, &twice, DRAINED, Invariant::Drains);
    // One lap later, the slot still has the element that the driver consumed, and the chain is in flight again.
    let again =
        [free(0), submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(2), available(0)];
    let old = and(&and(&taken, &again), &[element(4, 9, 0)]);
    rejects(&FOUR, &old, DRAINED, Invariant::Drains);
    let none = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), element(1, 7, 0)]);
    rejects(&FOUR, &none, DRAINED, Invariant::Drains);
}

/// The slots count around the ring and across the wrap. An element counts whether the used index covers it or not: the device
/// may overwrite it before it publishes it, or after it has moved the index back.
#[test]
fn only_the_overwritten_element_is_lost() {
    for first in [0u16, 2, 65_534, 65_535] {
        let setup = ModelSetup { first_index: first, ..FOUR };
        let place = |number: u16| first.wrapping_add(number);
        for claimed in 0..=5 {
            for (returned, overwritten) in (0..4).flat_map(|slot| (0..8).map(move |other| (slot, other))) {
                let mut events = vec![submit(&[], &[8], 3), chain(3, const { &[writable(3, 8)] })];
                events.extend([index(place(1)), available(3)]);
                let id = |number| if number == returned { 3 } else { 8 };
                events.extend((0..4).map(|number| element(place(number), id(number), 8)));
                events.extend([used(place(claimed)), element(place(overwritten), 9, 0)]);
                match overwritten % 4 == returned {
                    true => accepts(&setup, &events, DRAINED),
                    false => rejects(&setup, &events, DRAINED, Invariant::Drains),
                }
            }
        }
    }
}

#[test]
fn an_element_behind_the_used_index_can_be_lost() {
    let back = [element(0, 0, 8), used(1), used(0), element(4, 7, 0)];
    accepts(&FOUR, &and(&IN_FLIGHT, &back), DRAINED);
}

#[test]
fn a_lost_chain_excuses_no_other() {
    let lost = and(&two_in_flight(), &[element(0, 0, 8), used(1), element(0, 7, 0)]);
    rejects(&FOUR, &lost, DRAINED, Invariant::Drains);
    let answered = and(&lost, &[element(1, 1, 8), used(2), take(1, 8)]);
    rejects(&FOUR, &answered, DRAINED, Invariant::Drains);
    accepts(&FOUR, &and(&answered, &[free(1)]), DRAINED);
}

/// The device returned the chain twice and overwrote the second element. The driver has consumed the first.
#[test]
fn a_lost_chain_that_was_freed_excuses_no_other() {
    let twice = [element(0, 0, 8), element(1, 0, 8), used(2), element(1, 7, 0), take(0, 8), free(0)];
    let freed = and(&two_in_flight(), &twice);
    rejects(&FOUR, &freed, DRAINED, Invariant::Drains);
    accepts(&FOUR, &and(&freed, &[element(1, 1, 8), take(1, 8), free(1)]), DRAINED);
}

#[test]
fn a_lost_chain_may_still_complete() {
    let lost = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), element(0, 7, 0), element(0, 0, 8), take(0, 8)]);
    accepts(&FOUR, &lost, free(0));
    // The next chain with the same head is not excused.
    let again =
        [free(0), submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(2), available(0)];
    rejects(&FOUR, &and(&lost, &again), DRAINED, Invariant::Drains);
    let reset = and(&lost, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &and(&reset, &IN_FLIGHT), DRAINED, Invariant::Drains);
    accepts(&FOUR, &reset, DRAINED);
}

/// Four chains fill the ring. The device takes none, but returns chain 3 `rounds` times. The driver submits it again each
/// time, which overwrites the entry of the oldest chain that is left.
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
                true => accepts(&FOUR, &events, DRAINED),
                false => rejects(&FOUR, &events, DRAINED, Invariant::Drains),
            }
        }
    }
}

/// The driver writes an entry before it publishes it. That can overwrite an entry that the device has not read, if the
/// device returned chains that it never took.
#[test]
fn an_entry_that_is_not_published_yet_can_overwrite_another_one() {
    let tail = [writable(3, 8)];
    let prepared = and(
        &overrun(0),
        &[element(0, 3, 0), used(1), take(3, 0), free(3), submit(&[], &[8], 3), chain(3, &tail)],
    );
    let published = [index(5), available(3)];
    // Instead of chain 0 the device finds chain 3, or it read the entry earlier.
    for (found, lost) in [(3, true), (0, false)] {
        let part = [writable(found, 8)];
        let mut events = and(&and(&prepared, &[device_took(found, &part, b"")]), &published);
        for (place, head) in (1..).zip([1, 2, 3]) {
            events.extend([element(place, head.into(), 0), used(place + 1), take(head, 0), free(head)]);
        }
        match lost {
            true => accepts(&FOUR, &events, DRAINED),
            false => rejects(&FOUR, &events, DRAINED, Invariant::Drains),
        }
    }
}

#[test]
fn a_device_that_takes_its_entries_loses_none() {
    let parts = [writable(0, 8)];
    let mut events = Vec::new();
    for number in 0..7 {
        events.extend([submit(&[], &[8], 0), chain(0, &parts), index(number + 1), available(0)]);
        events.push(device_took(0, &parts, b""));
        if number < 6 {
            events.extend([element(number, 0, 8), used(number + 1), take(0, 8), free(0)]);
        }
    }
    rejects(&FOUR, &events, DRAINED, Invariant::Drains);
    // The device may find other chains in the ring only after an overrun.
    rejects(&FOUR, &overrun(0), device_took(1, &[], b""), Invariant::AvailableOrder);
    accepts(&FOUR, &overrun(1), device_took(1, const { &[writable(1, 8)] }, b""));
}

#[test]
fn a_device_that_corrupts_the_available_ring_may_be_reported() {
    let corrupted = and(&IN_FLIGHT, &[Event::AvailableRingCorrupted]);
    rejects(&FOUR, &IN_FLIGHT, take_refused(device_fault(false, false, None)), Invariant::FairBlame);
    accepts(&FOUR, &corrupted, take_refused(device_fault(false, false, None)));
    let reset = and(&corrupted, &[Event::Reset { first_index: 0 }]);
    rejects(&FOUR, &reset, take_refused(device_fault(false, false, None)), Invariant::FairBlame);
    // It excuses neither a chain that has changed nor one that is lost.
    rejects(&FOUR, &corrupted, device_took(0, &[], b""), Invariant::Payload);
    rejects(&FOUR, &corrupted, DRAINED, Invariant::Drains);
}

#[test]
fn acts_that_break_no_rule_excuse_nothing() {
    for quiet in [Event::Silent, Event::SpuriousNotification, Event::Trap, Event::Withheld { head: 0 }] {
        let before = and(&IN_FLIGHT, &[quiet]);
        accepts(&FOUR, &before, NOTHING);
        rejects(&FOUR, &before, take_refused(device_fault(false, false, None)), Invariant::FairBlame);
        rejects(&FOUR, &before, DRAINED, Invariant::Drains);
        rejects(&FOUR, &before, device_took(0, &[], b""), Invariant::Payload);
        accepts(&FOUR, &and(&before, &[element(0, 0, 8), used(1)]), take(0, 8));
    }
}

/// Both are violations, whatever the device did.
#[test]
fn a_double_fetch_and_a_late_store_are_never_excused() {
    let tampered = and(
        &IN_FLIGHT,
        &[Event::AvailableRingCorrupted, Event::DescriptorCorrupted { descriptor: 0 }, Event::Trap],
    );
    let broken = and(&IN_FLIGHT, &[used(9), take_refused(device_fault(false, true, None))]);
    for before in [&[][..], &IN_FLIGHT, &tampered, &broken] {
        for offset in [0, 4, u64::MAX] {
            rejects(&FOUR, before, Event::DoubleFetch { offset }, Invariant::FetchedOnce);
            rejects(&FOUR, before, Event::LateWrite { offset }, Invariant::AvailableOrder);
        }
    }
}

/// If the device writes the element again, the driver is not excused any more.
#[test]
fn a_chain_that_is_returned_again_is_not_lost() {
    let lost = and(&two_in_flight(), &[element(0, 0, 8), used(1), element(0, 9, 0)]);
    let again = and(&lost, &[element(1, 0, 8), element(2, 1, 8), used(3)]);
    rejects(&FOUR, &again, DRAINED, Invariant::Drains);
}
