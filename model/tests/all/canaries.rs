//! Canaries: for each invariant, one trace of which the last event violates it and no other invariant.

use crate::support::{
    self, FOUR, IN_FLIGHT, NOTHING, accepting, and, available, chain, device_took, element, flawed, free,
    free_count, index, read, rejects, stores, submit, submit_refused, take, take_refused, used, writable,
};
use ringstorm_model::{ChainFlaw, Event, Invariant, MisuseKind, ObservedDescriptor, OrderFlaw, Refusal};
use strum::VariantArray;

const QUERY: [ObservedDescriptor; 2] = [support::readable(0, 3), writable(1, 8)];

/// Chain 0 has three device-readable bytes and eight device-writable ones. The available index is then 1.
const ASKED: [Event<'static>; 4] = [submit(&[b"abc"], &[8], 0), chain(0, &QUERY), index(1), available(0)];

struct Canary {
    before: Vec<Event<'static>>,
    bad: Event<'static>,
    /// The correct events in place of the bad one.
    good: Vec<Event<'static>>,
}

fn canary(before: Vec<Event<'static>>, bad: Event<'static>, good: Event<'static>) -> Canary {
    Canary { before, bad, good: vec![good] }
}

fn canary_of(invariant: Invariant) -> Canary {
    match invariant {
        Invariant::FreeCount => canary(ASKED.to_vec(), free_count(3), free_count(2)),
        Invariant::NoDoubleUse => canary(ASKED.to_vec(), submit(&[], &[1], 1), submit(&[], &[1], 2)),
        Invariant::Acyclic => {
            canary(ASKED[..1].to_vec(), flawed(0, &QUERY, ChainFlaw::Loop), chain(0, &QUERY))
        }
        Invariant::WellFormed => {
            canary(ASKED[..1].to_vec(), flawed(0, &QUERY, ChainFlaw::NextOutOfRange(1)), chain(0, &QUERY))
        }
        Invariant::BuffersRegistered => {
            const NOWHERE: [ObservedDescriptor; 2] =
                [QUERY[0], ObservedDescriptor { place: None, ..QUERY[1] }];
            let bad = flawed(0, &NOWHERE, ChainFlaw::Unregistered(1));
            canary(ASKED[..1].to_vec(), bad, chain(0, &QUERY))
        }
        Invariant::BuffersDisjoint => canary(
            and(&IN_FLIGHT, &[submit(&[], &[8], 1)]),
            chain(1, const { &[support::at(1, 0, 7, 8, true)] }),
            chain(1, const { &[support::at(1, 0, 8, 8, true)] }),
        ),
        Invariant::Payload => {
            canary(ASKED.to_vec(), device_took(0, &QUERY, b"abd"), device_took(0, &QUERY, b"abc"))
        }
        Invariant::Response => canary(
            and(&ASKED, &[element(0, 0, 2), used(1), take(0, 2)]),
            read(0, 64, b"hi ", b"hi there"),
            read(0, 64, b"hi", b"hi there"),
        ),
        Invariant::LengthBound => canary(and(&ASKED, &[element(0, 0, 9), used(1)]), take(0, 9), take(0, 8)),
        Invariant::CompletedOnce => {
            canary(and(&ASKED, &[element(0, 0, 8), used(1), take(0, 8)]), take(0, 8), NOTHING)
        }
        Invariant::AvailableOrder => {
            canary(vec![submit(&[], &[8], 0), submit(&[], &[8], 1), index(2)], available(1), available(0))
        }
        Invariant::Notified => canary(
            vec![submit(&[], &[8], 0)],
            Event::Publish { notify: false },
            Event::Publish { notify: true },
        ),
        Invariant::OwnArea => {
            canary(ASKED.to_vec(), Event::Stores { count: 1, to_device_area: true }, stores(1))
        }
        Invariant::FailedUnchanged => {
            canary(vec![submit_refused(&[], &[], MisuseKind::EmptyChain)], stores(1), stores(0))
        }
        Invariant::MisuseRefused => {
            canary(Vec::new(), submit(&[], &[], 0), submit_refused(&[], &[], MisuseKind::EmptyChain))
        }
        Invariant::NoPanic => canary(ASKED.to_vec(), Event::Panic, NOTHING),
        Invariant::Released => {
            canary(vec![Event::Drained], Event::Released { left: 1 }, Event::Released { left: 0 })
        }
        Invariant::FairBlame => canary(ASKED.to_vec(), take_refused(Refusal::Broken), NOTHING),
        Invariant::Drains => Canary {
            before: and(&ASKED, &[element(0, 0, 8), used(1)]),
            bad: Event::Drained,
            good: vec![take(0, 8), free(0), Event::Drained],
        },
        Invariant::FetchedOnce => canary(ASKED.to_vec(), Event::DoubleFetch { offset: 4 }, NOTHING),
        Invariant::MemoryKept => canary(
            and(
                &ASKED,
                &[
                    Event::Dropped { rings: true, buffers: false },
                    Event::AvailableNotifications { wanted: true },
                ],
            ),
            device_took(0, &QUERY, b"abc"),
            NOTHING,
        ),
        Invariant::UnwoundUnchanged => canary(
            ASKED.to_vec(),
            Event::Unwound { broken: false, changed: true, available: 1 },
            Event::Unwound { broken: false, changed: false, available: 1 },
        ),
        Invariant::AccessOrder => canary(
            and(
                &ASKED,
                &[
                    Event::AvailableNotifications { wanted: false },
                    Event::Publish { notify: false },
                    index(1),
                ],
            ),
            Event::AccessOrder { flaw: OrderFlaw::WishNotLoaded },
            NOTHING,
        ),
        Invariant::Layout => canary(
            Vec::new(),
            Event::Layout { table: 0, available: 64, used: 76 },
            Event::Layout { table: 0, available: 64, used: 80 },
        ),
        Invariant::ResetRecovers => {
            canary(and(&ASKED, &[Event::Reset { first_index: 0 }]), free_count(2), free_count(4))
        }
    }
}

#[test]
fn every_canary_violates_its_invariant() {
    for invariant in Invariant::VARIANTS {
        let Canary { before, bad, .. } = canary_of(*invariant);
        rejects(&FOUR, &before, bad, *invariant);
    }
}

#[test]
fn every_canary_is_accepted_with_a_correct_last_event() {
    for invariant in Invariant::VARIANTS {
        let Canary { before, good, .. } = canary_of(*invariant);
        accepting(&FOUR, &and(&before, &good));
    }
}
