//! The limits of each check of the driver's calls, and the reasons of their refusal.

use crate::support::{
    self, FOUR, IN_FLIGHT, NOTHING, RELOADS, accepting, accepts, and, at, available, chain, device_fault,
    element, free, free_count, free_refused, freed, index, misuse, read, read_refused, rejects, stores,
    submit, submit_refused, take, take_refused, used, writable,
};
use ringstorm_model::{Event, HandleAge, Invariant, MisuseKind, Model, ModelSetup, Refusal};

const KINDS: [MisuseKind; 8] = [
    MisuseKind::EmptyChain,
    MisuseKind::EmptyBuffer,
    MisuseKind::BufferTooLarge,
    MisuseKind::ChainTooLong,
    MisuseKind::NotEnoughFree,
    MisuseKind::BadHead,
    MisuseKind::NotReturned,
    MisuseKind::Unspecified,
];

/// Chain 0 with eight device-writable bytes is returned with five of them. The used index is then 1.
fn back() -> Vec<Event<'static>> {
    and(&IN_FLIGHT, &[element(0, 0, 5), used(1), take(0, 5)])
}

/// Asserts that a submission must be refused for `right` and nothing else, or must be accepted if that is `None`.
#[track_caller]
fn submission(setup: &ModelSetup, before: &[Event<'_>], there: &[&[u8]], back: &[u32], right: &[MisuseKind]) {
    for kind in KINDS {
        let refused = submit_refused(there, back, kind);
        if right.contains(&kind) || kind == MisuseKind::Unspecified && !right.is_empty() {
            accepts(setup, before, refused);
        } else {
            rejects(setup, before, refused, Invariant::MisuseRefused);
        }
    }
    let accepted = submit(there, back, 3);
    match right {
        [] => accepts(setup, before, accepted),
        _ => rejects(setup, before, accepted, Invariant::MisuseRefused),
    }
}

#[test]
fn an_invalid_chain_is_refused_for_the_right_reason() {
    use MisuseKind::{BufferTooLarge, EmptyBuffer, EmptyChain, NotEnoughFree};
    let (most, more) = ([7; 64], [7; 65]);
    submission(&FOUR, &[], &[], &[], &[EmptyChain]);
    submission(&FOUR, &[], &[b"a"], &[], &[]);
    submission(&FOUR, &[], &[], &[1], &[]);
    submission(&FOUR, &[], &[b""], &[1], &[EmptyBuffer]);
    submission(&FOUR, &[], &[b"a"], &[1, 0], &[EmptyBuffer]);
    submission(&FOUR, &[], &[&most], &[64], &[]);
    submission(&FOUR, &[], &[&more], &[64], &[BufferTooLarge]);
    submission(&FOUR, &[], &[&most], &[65], &[BufferTooLarge]);
    submission(&FOUR, &[], &[&more, b""], &[], &[BufferTooLarge, EmptyBuffer]);
    submission(&FOUR, &[], &[b"a", b"b"], &[1, 1], &[]);
    submission(&FOUR, &[], &[b"a", b"b"], &[1, 1, 1], &[NotEnoughFree]);
    submission(&FOUR, &[], &[b"a", b"b", b""], &[1, 1], &[NotEnoughFree, EmptyBuffer]);
}

#[test]
fn descriptors_of_live_chains_are_not_free() {
    let two = [submit(&[b"a"], &[1], 0)];
    submission(&FOUR, &two, &[b"a"], &[1], &[]);
    submission(&FOUR, &two, &[b"a", b"b"], &[1], &[MisuseKind::NotEnoughFree]);
    let full = [submit(&[b"a", b"b"], &[1, 1], 0)];
    submission(&FOUR, &full, &[], &[1], &[MisuseKind::NotEnoughFree]);
}

/// 2.7.5.2: the longest chain has 2^32 bytes.
#[test]
fn a_chain_has_at_most_two_to_the_32_bytes() {
    let setup = ModelSetup { buffer_size: u32::MAX, ..FOUR };
    submission(&setup, &[], &[], &[1 << 31, 1 << 31], &[]);
    submission(&setup, &[], &[b"a"], &[1 << 31, (1 << 31) - 1], &[]);
    submission(&setup, &[], &[b"a"], &[1 << 31, 1 << 31], &[MisuseKind::ChainTooLong]);
    submission(&setup, &[], &[], &[u32::MAX, 2], &[MisuseKind::ChainTooLong]);
}

#[test]
fn a_submission_is_refused_only_for_its_own_mistakes() {
    let query = |refusal| Event::Submit { readable: &[], writable: &[1], answer: Err(refusal) };
    rejects(&FOUR, &[], query(Refusal::System), Invariant::FairBlame);
    rejects(&FOUR, &[], query(Refusal::Broken), Invariant::FairBlame);
    rejects(&FOUR, &[], query(device_fault(false, false, None)), Invariant::FairBlame);
    let broken = [used(1), take_refused(device_fault(true, true, None))];
    accepts(&FOUR, &broken, query(Refusal::Broken));
}

#[test]
fn a_new_head_must_be_in_the_table_and_in_no_live_chain() {
    accepts(&FOUR, &[], submit(&[], &[1], 3));
    rejects(&FOUR, &[], submit(&[], &[1], 4), Invariant::WellFormed);
    rejects(&FOUR, &[], submit(&[], &[1], u16::MAX), Invariant::WellFormed);
    rejects(&FOUR, &[submit(&[], &[1], 2)], submit(&[], &[1], 2), Invariant::NoDoubleUse);
    let two = [
        submit(&[], &[1, 1], 2),
        chain(2, const { &[writable(2, 1), writable(0, 1)] }),
        index(1),
        available(2),
    ];
    rejects(&FOUR, &two, submit(&[], &[1], 0), Invariant::NoDoubleUse);
    accepts(&FOUR, &two, submit(&[], &[1], 1));
    let gone = and(&two, &[element(0, 2, 0), used(1), take(2, 0), free(2)]);
    accepts(&FOUR, &gone, submit(&[], &[1], 0));
}

/// Heads of no chain, of a submitted one, of one in flight, and of a completed one.
#[test]
fn a_head_is_refused_for_the_right_reason() {
    let submitted = [submit(&[], &[8], 0)];
    let back = back();
    let gone = and(&back, &[free(0)]);
    for (before, right) in [
        (&[][..], Some(MisuseKind::BadHead)),
        (&submitted[..], Some(MisuseKind::NotReturned)),
        (&IN_FLIGHT[..], Some(MisuseKind::NotReturned)),
        (&back[..], None),
        (&gone[..], Some(MisuseKind::BadHead)),
    ] {
        for kind in KINDS {
            for event in [read_refused(0, misuse(kind)), free_refused(0, misuse(kind))] {
                match right {
                    Some(right) if kind == right || kind == MisuseKind::Unspecified => {
                        accepts(&FOUR, before, event);
                    }
                    _ => rejects(&FOUR, before, event, Invariant::MisuseRefused),
                }
            }
        }
        for event in [read(0, 64, b"12345", b"12345678"), free(0)] {
            match right {
                Some(_) => rejects(&FOUR, before, event, Invariant::MisuseRefused),
                None => accepts(&FOUR, before, event),
            }
        }
    }
}

#[test]
fn a_head_outside_the_table_is_a_bad_head() {
    for head in [4, u16::MAX] {
        accepts(&FOUR, &IN_FLIGHT, free_refused(head, misuse(MisuseKind::BadHead)));
        rejects(
            &FOUR,
            &IN_FLIGHT,
            free_refused(head, misuse(MisuseKind::NotReturned)),
            Invariant::MisuseRefused,
        );
        rejects(&FOUR, &IN_FLIGHT, free(head), Invariant::MisuseRefused);
    }
}

#[test]
fn a_stale_handle_is_a_bad_head_whatever_chain_has_the_head_now() {
    let bad = Err(misuse(MisuseKind::BadHead));
    for before in [IN_FLIGHT.to_vec(), back()] {
        accepts(&FOUR, &before, freed(0, HandleAge::Stale, bad));
        rejects(&FOUR, &before, freed(0, HandleAge::Stale, Ok(())), Invariant::MisuseRefused);
        let kind = misuse(MisuseKind::NotReturned);
        rejects(&FOUR, &before, freed(0, HandleAge::Stale, Err(kind)), Invariant::MisuseRefused);
    }
}

/// A bad head is the caller's mistake, unless the queue is broken.
#[test]
fn a_bad_head_is_reported_as_a_mistake_of_the_caller() {
    let faulty = [used(1)];
    for refusal in [Refusal::System, device_fault(false, false, None)] {
        rejects(&FOUR, &faulty, free_refused(0, refusal), Invariant::MisuseRefused);
        rejects(&FOUR, &faulty, read_refused(0, refusal), Invariant::MisuseRefused);
    }
    rejects(&RELOADS, &faulty, free_refused(0, Refusal::Broken), Invariant::FairBlame);
    rejects(&RELOADS, &faulty, read_refused(0, Refusal::Broken), Invariant::FairBlame);
    let broken = and(&faulty, &[take_refused(device_fault(true, true, None))]);
    accepts(&FOUR, &broken, free_refused(0, Refusal::Broken));
    accepts(&FOUR, &broken, read_refused(0, Refusal::Broken));
}

#[test]
fn a_valid_head_is_not_refused() {
    for refusal in [Refusal::System, Refusal::Broken, device_fault(false, false, None)] {
        rejects(&FOUR, &back(), free_refused(0, refusal), Invariant::FairBlame);
        rejects(&FOUR, &back(), read_refused(0, refusal), Invariant::FairBlame);
    }
}

#[test]
fn a_read_returns_the_used_length_up_to_the_limit() {
    let content = b"12345678";
    for (limit, bytes) in [(64, &b"12345"[..]), (5, b"12345"), (4, b"1234"), (0, b"")] {
        accepts(&FOUR, &back(), read(0, limit, bytes, content));
    }
    for (limit, bytes) in [
        (64, &b"1234"[..]),
        (64, b"123456"),
        (64, b"12346"),
        (64, b"02345"),
        (4, b"12345"),
        (4, b"123"),
        (0, b"1"),
    ] {
        rejects(&FOUR, &back(), read(0, limit, bytes, content), Invariant::Response);
    }
}

#[test]
fn a_take_is_never_a_mistake_of_the_caller() {
    for kind in KINDS {
        rejects(&FOUR, &IN_FLIGHT, take_refused(misuse(kind)), Invariant::MisuseRefused);
    }
    rejects(&FOUR, &[used(1)], take_refused(Refusal::System), Invariant::FairBlame);
}

#[test]
fn a_refused_call_stores_nothing() {
    let faulty = [used(1)];
    for (before, event) in [
        (&[][..], submit_refused(&[], &[], MisuseKind::EmptyChain)),
        (&faulty, take_refused(device_fault(true, false, None))),
        (&[], read_refused(0, misuse(MisuseKind::BadHead))),
        (&[], free_refused(0, misuse(MisuseKind::BadHead))),
    ] {
        let refused = and(before, &[event]);
        accepts(&FOUR, &refused, stores(0));
        rejects(&FOUR, &refused, stores(1), Invariant::FailedUnchanged);
        for next in [
            submit(&[], &[1], 0),
            Event::Publish { notify: true },
            Event::UsedNotifications { wanted: false, flags: 1, used_event: 0, waiting: None },
            NOTHING,
            Event::Reset { first_index: 0 },
        ] {
            accepts(&FOUR, &and(&refused, &[next]), stores(1));
        }
    }
    let back = and(&[submit_refused(&[], &[], MisuseKind::EmptyChain)], &back());
    accepts(&FOUR, &and(&back, &[free_refused(3, misuse(MisuseKind::BadHead)), free(0)]), stores(1));
    let bad_read = read_refused(3, misuse(MisuseKind::BadHead));
    accepts(&FOUR, &and(&back, &[bad_read, read(0, 1, b"1", b"12345678")]), stores(1));
    let mut again = accepting(&FOUR, &[submit_refused(&[], &[], MisuseKind::EmptyChain)]);
    again.begin(&FOUR);
    assert_eq!(again.observe(&stores(1)), Ok(()));
    let to_device_area = Event::Stores { count: 0, to_device_area: true };
    rejects(&FOUR, &[], to_device_area, Invariant::OwnArea);
}

#[test]
fn free_and_live_descriptors_add_up_to_the_queue_size() {
    for (before, right) in [(&[][..], 4), (&IN_FLIGHT, 3), (&back(), 3), (&and(&back(), &[free(0)]), 4)] {
        for count in 0..=5 {
            match count == right {
                true => accepts(&FOUR, before, free_count(count)),
                false => rejects(&FOUR, before, free_count(count), Invariant::FreeCount),
            }
        }
        rejects(&FOUR, before, free_count(u32::MAX), Invariant::FreeCount);
    }
    // A driver may use more or fewer descriptors than the chain has buffers.
    for (parts, free) in [(&[writable(0, 64)][..], 3), (&[at(0, 0, 0, 32, true), at(3, 0, 32, 32, true)], 2)]
    {
        let before = [submit(&[], &[32, 32], 0), free_count(2), chain(0, parts), index(1), available(0)];
        accepts(&FOUR, &before, free_count(free));
        let gone = and(&before, &[element(0, 0, 0), used(1), take(0, 0), support::free(0)]);
        accepts(&FOUR, &gone, free_count(4));
    }
}

#[test]
fn after_a_reset_all_descriptors_are_free() {
    let reset = and(&IN_FLIGHT, &[Event::Reset { first_index: 9 }]);
    accepts(&FOUR, &reset, free_count(4));
    rejects(&FOUR, &reset, free_count(5), Invariant::ResetRecovers);
    rejects(&FOUR, &and(&reset, &[free_count(4)]), free_count(3), Invariant::FreeCount);
    let mut model = accepting(&FOUR, &reset);
    model.begin(&FOUR);
    let violation = model.observe(&free_count(3)).unwrap_err();
    assert_eq!(violation.invariant, Invariant::FreeCount, "a new queue was not reset");
}

#[test]
fn one_model_can_check_queues_of_different_sizes() {
    let mut model = Model::new();
    for queue_size in [8, 2, 16, 1, 8] {
        let setup = ModelSetup { queue_size, ..FOUR };
        model.begin(&setup);
        let last = queue_size - 1;
        for event in [
            free_count(queue_size.into()),
            submit_refused(&[], &vec![1; usize::from(queue_size) + 1], MisuseKind::NotEnoughFree),
            free_refused(last, misuse(MisuseKind::BadHead)),
            submit(&[], &[9], last),
            chain(last, &[writable(last, 9)]),
            index(1),
            available(last),
            element(0, last.into(), 9),
            free_count(u32::from(queue_size) - 1),
        ] {
            assert_eq!(model.observe(&event), Ok(()), "{event:?} on a queue of {queue_size}");
        }
        assert_eq!(model.live_chains(), 1);
    }
}
