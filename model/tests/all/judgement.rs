//! Where each check begins and ends: calls of the driver, and what they are refused for.

use crate::support::{
    self, FOUR, NOTHING, OUT, accepting, accepts, and, at, available, blame, chain, element, free,
    free_count, freed, index, misuse, no_free, no_read, no_submit, no_take, read, rejects, stores, submit,
    take, used, writable,
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

/// Chain 0 with eight writable bytes, back with five of them. The used index is then 1.
fn back() -> Vec<Event<'static>> {
    and(&OUT, &[element(0, 0, 5), used(1), take(0, 5)])
}

/// Asserts that a submission is rightly refused for `right` and nothing else, or is good if there is none.
#[track_caller]
fn submission(setup: &ModelSetup, before: &[Event<'_>], there: &[&[u8]], back: &[u32], right: &[MisuseKind]) {
    for kind in KINDS {
        let refused = no_submit(there, back, kind);
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
fn a_chain_is_refused_for_what_it_is() {
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
fn live_descriptors_are_not_free_for_a_chain() {
    let two = [submit(&[b"a"], &[1], 0)];
    submission(&FOUR, &two, &[b"a"], &[1], &[]);
    submission(&FOUR, &two, &[b"a", b"b"], &[1], &[MisuseKind::NotEnoughFree]);
    let full = [submit(&[b"a", b"b"], &[1, 1], 0)];
    submission(&FOUR, &full, &[], &[1], &[MisuseKind::NotEnoughFree]);
}

/// 2.7.5.2: a chain of 2^32 bytes is the longest.
#[test]
fn a_chain_has_at_most_two_to_the_32_bytes() {
    let setup = ModelSetup { buffer_size: u32::MAX, ..FOUR };
    submission(&setup, &[], &[], &[1 << 31, 1 << 31], &[]);
    submission(&setup, &[], &[b"a"], &[1 << 31, (1 << 31) - 1], &[]);
    submission(&setup, &[], &[b"a"], &[1 << 31, 1 << 31], &[MisuseKind::ChainTooLong]);
    submission(&setup, &[], &[], &[u32::MAX, 2], &[MisuseKind::ChainTooLong]);
}

#[test]
fn a_submission_is_not_refused_for_anything_else() {
    let query = |refusal| Event::Submit { readable: &[], writable: &[1], answer: Err(refusal) };
    rejects(&FOUR, &[], query(Refusal::System), Invariant::FairBlame);
    rejects(&FOUR, &[], query(Refusal::Broken), Invariant::FairBlame);
    rejects(&FOUR, &[], query(blame(false, false, None)), Invariant::FairBlame);
    let broken = [used(1), no_take(blame(true, true, None))];
    accepts(&FOUR, &broken, query(Refusal::Broken));
}

#[test]
fn a_new_head_is_in_the_table_and_in_no_live_chain() {
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

/// The head of a chain that nobody has, of one submitted, of one that the device has, and of one that is back.
#[test]
fn a_head_is_refused_for_what_it_is() {
    let submitted = [submit(&[], &[8], 0)];
    let back = back();
    let gone = and(&back, &[free(0)]);
    for (before, right) in [
        (&[][..], Some(MisuseKind::BadHead)),
        (&submitted[..], Some(MisuseKind::NotReturned)),
        (&OUT[..], Some(MisuseKind::NotReturned)),
        (&back[..], None),
        (&gone[..], Some(MisuseKind::BadHead)),
    ] {
        for kind in KINDS {
            for event in [no_read(0, misuse(kind)), no_free(0, misuse(kind))] {
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
fn a_head_outside_the_table_is_a_bad_one() {
    for head in [4, u16::MAX] {
        accepts(&FOUR, &OUT, no_free(head, misuse(MisuseKind::BadHead)));
        rejects(&FOUR, &OUT, no_free(head, misuse(MisuseKind::NotReturned)), Invariant::MisuseRefused);
        rejects(&FOUR, &OUT, free(head), Invariant::MisuseRefused);
    }
}

#[test]
fn an_old_name_is_a_bad_head_whatever_lives_there() {
    let bad = Err(misuse(MisuseKind::BadHead));
    for before in [OUT.to_vec(), back()] {
        accepts(&FOUR, &before, freed(0, HandleAge::Stale, bad));
        rejects(&FOUR, &before, freed(0, HandleAge::Stale, Ok(())), Invariant::MisuseRefused);
        let kind = misuse(MisuseKind::NotReturned);
        rejects(&FOUR, &before, freed(0, HandleAge::Stale, Err(kind)), Invariant::MisuseRefused);
    }
}

/// A bad head is the caller's fault, unless the queue is broken.
#[test]
fn nobody_else_is_blamed_for_a_bad_head() {
    let lied = [used(1)];
    for refusal in [Refusal::System, blame(false, false, None)] {
        rejects(&FOUR, &lied, no_free(0, refusal), Invariant::MisuseRefused);
        rejects(&FOUR, &lied, no_read(0, refusal), Invariant::MisuseRefused);
    }
    rejects(&FOUR, &lied, no_free(0, Refusal::Broken), Invariant::FairBlame);
    rejects(&FOUR, &lied, no_read(0, Refusal::Broken), Invariant::FairBlame);
    let broken = and(&lied, &[no_take(blame(true, true, None))]);
    accepts(&FOUR, &broken, no_free(0, Refusal::Broken));
    accepts(&FOUR, &broken, no_read(0, Refusal::Broken));
}

#[test]
fn nobody_is_blamed_for_a_good_head() {
    for refusal in [Refusal::System, Refusal::Broken, blame(false, false, None)] {
        rejects(&FOUR, &back(), no_free(0, refusal), Invariant::FairBlame);
        rejects(&FOUR, &back(), no_read(0, refusal), Invariant::FairBlame);
    }
}

#[test]
fn a_chain_is_read_as_far_as_used_and_asked_for() {
    let stand = b"12345678";
    for (limit, bytes) in [(64, &b"12345"[..]), (5, b"12345"), (4, b"1234"), (0, b"")] {
        accepts(&FOUR, &back(), read(0, limit, bytes, stand));
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
        rejects(&FOUR, &back(), read(0, limit, bytes, stand), Invariant::Response);
    }
}

#[test]
fn a_take_is_no_misuse() {
    for kind in KINDS {
        rejects(&FOUR, &OUT, no_take(misuse(kind)), Invariant::MisuseRefused);
    }
    rejects(&FOUR, &[used(1)], no_take(Refusal::System), Invariant::FairBlame);
}

#[test]
fn only_a_refused_call_must_store_nothing() {
    let lied = [used(1)];
    for (before, event) in [
        (&[][..], no_submit(&[], &[], MisuseKind::EmptyChain)),
        (&lied, no_take(blame(true, false, None))),
        (&[], no_read(0, misuse(MisuseKind::BadHead))),
        (&[], no_free(0, misuse(MisuseKind::BadHead))),
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
    let back = and(&[no_submit(&[], &[], MisuseKind::EmptyChain)], &back());
    accepts(&FOUR, &and(&back, &[no_free(3, misuse(MisuseKind::BadHead)), free(0)]), stores(1));
    let bad_read = no_read(3, misuse(MisuseKind::BadHead));
    accepts(&FOUR, &and(&back, &[bad_read, read(0, 1, b"1", b"12345678")]), stores(1));
    let mut again = accepting(&FOUR, &[no_submit(&[], &[], MisuseKind::EmptyChain)]);
    again.begin(&FOUR);
    assert_eq!(again.observe(&stores(1)), Ok(()));
    let to_device_area = Event::Stores { count: 0, to_device_area: true };
    rejects(&FOUR, &[], to_device_area, Invariant::OwnArea);
}

#[test]
fn free_and_live_descriptors_are_as_many_as_the_queue_has() {
    for (before, right) in [(&[][..], 4), (&OUT, 3), (&back(), 3), (&and(&back(), &[free(0)]), 4)] {
        for count in 0..=5 {
            match count == right {
                true => accepts(&FOUR, before, free_count(count)),
                false => rejects(&FOUR, before, free_count(count), Invariant::FreeCount),
            }
        }
        rejects(&FOUR, before, free_count(u32::MAX), Invariant::FreeCount);
    }
    // A driver may spend more descriptors on a chain than there are buffers, or fewer.
    for (parts, free) in [(&[writable(0, 64)][..], 3), (&[at(0, 0, 0, 32, true), at(3, 0, 32, 32, true)], 2)]
    {
        let before = [submit(&[], &[32, 32], 0), free_count(2), chain(0, parts), index(1), available(0)];
        accepts(&FOUR, &before, free_count(free));
        let gone = and(&before, &[element(0, 0, 0), used(1), take(0, 0), support::free(0)]);
        accepts(&FOUR, &gone, free_count(4));
    }
}

#[test]
fn the_first_count_after_a_reset_is_the_whole_queue() {
    let reset = and(&OUT, &[Event::Reset { first_index: 9 }]);
    accepts(&FOUR, &reset, free_count(4));
    rejects(&FOUR, &reset, free_count(5), Invariant::ResetRecovers);
    rejects(&FOUR, &and(&reset, &[free_count(4)]), free_count(3), Invariant::FreeCount);
    let mut model = accepting(&FOUR, &reset);
    model.begin(&FOUR);
    let violation = model.observe(&free_count(3)).unwrap_err();
    assert_eq!(violation.invariant, Invariant::FreeCount, "a new queue is not a reset one");
}

#[test]
fn a_model_serves_queues_of_any_size_in_turn() {
    let mut model = Model::new();
    for queue_size in [8, 2, 16, 1, 8] {
        let setup = ModelSetup { queue_size, ..FOUR };
        model.begin(&setup);
        let last = queue_size - 1;
        for event in [
            free_count(queue_size.into()),
            no_submit(&[], &vec![1; usize::from(queue_size) + 1], MisuseKind::NotEnoughFree),
            no_free(last, misuse(MisuseKind::BadHead)),
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
