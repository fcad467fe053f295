//! The model accepts correct traces, whatever the driver's policy.

use crate::support::{
    self, FOUR, NOTHING, accepting, available, chain, device_fault, device_took, element, free, free_count,
    free_refused, freed, index, misuse, read, readable, rejects, stores, submit, submit_refused, take,
    take_refused, used, writable,
};
use ringstorm_model::{Event, HandleAge, Invariant, MisuseKind, ModelSetup, ObservedDescriptor, Refusal};

const PUBLISH: Event<'static> = Event::Publish { notify: true };

/// Four chains of one device-writable buffer each.
static ROOMS: [[ObservedDescriptor; 1]; 4] =
    [[writable(0, 8)], [writable(1, 8)], [writable(2, 8)], [writable(3, 8)]];

#[test]
fn the_whole_life_of_a_chain_is_accepted() {
    let parts = [readable(0, 5), readable(1, 2), writable(2, 8)];
    accepting(
        &FOUR,
        &[
            free_count(4),
            submit(&[b"query", b"me"], &[8], 0),
            stores(8),
            chain(0, &parts),
            free_count(1),
            PUBLISH,
            index(1),
            available(0),
            device_took(0, &parts, b"queryme"),
            element(0, 0, 6),
            used(1),
            take(0, 6),
            stores(0),
            free_count(1),
            read(0, 64, b"answer", b"answer\0\0"),
            read(0, 3, b"ans", b"ans"),
            free(0),
            free_count(4),
            NOTHING,
            Event::Drained,
            Event::Released { left: 0 },
        ],
    );
}

#[test]
fn chains_come_back_in_any_order_and_in_batches() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut events = vec![];
        for head in 0..4u16 {
            events.extend([submit(&[], &[8], head), chain(head, &ROOMS[usize::from(head)])]);
            events.push(free_count(3 - u32::from(head)));
        }
        events.extend([PUBLISH, index(4)]);
        events.extend((0..4).map(available));
        events.extend((0..4u16).map(|head| device_took(head, &ROOMS[usize::from(head)], b"")));
        events.extend((0..4).map(|place| element(place, order[usize::from(place)], place.into())));
        events.push(used(4));
        events.extend((0..4u16).map(|place| take(order[usize::from(place)] as u16, place.into())));
        events.extend([free(2), free(0), free(1), free(3), free_count(4), Event::Drained]);
        accepting(&FOUR, &events);
    }
}

#[test]
fn indexes_wrap_at_sixteen_bits() {
    let setup = ModelSetup { first_index: 65_533, ..FOUR };
    let mut model = accepting(&setup, &[]);
    for turn in 0..9u16 {
        let place = 65_533u16.wrapping_add(turn);
        let next = place.wrapping_add(1);
        for event in [
            submit(&[], &[1], turn % 4),
            chain(turn % 4, &[writable(turn % 4, 1)]),
            PUBLISH,
            index(next),
            available(turn % 4),
            element(place, u32::from(turn % 4), 1),
            used(next),
            take(turn % 4, 1),
            free(turn % 4),
            free_count(4),
        ] {
            assert_eq!(model.observe(&event), Ok(()), "{event:?} at {place}");
        }
    }
    // The wrap was inside an earlier batch.
    let mut model = accepting(&ModelSetup { first_index: 65_534, ..FOUR }, &[]);
    let submitted = |head| [submit(&[], &[8], head), chain(head, &ROOMS[usize::from(head)])];
    let mut batch: Vec<_> = (0..4).flat_map(submitted).collect();
    batch.push(index(2));
    batch.extend((0..4).map(available));
    batch.extend((0..4u16).map(|head| element(65_534u16.wrapping_add(head), head.into(), 0)));
    batch.push(used(2));
    batch.extend((0..4).map(|head| take(head, 0)));
    batch.iter().for_each(|event| model.observe(event).unwrap());
}

#[test]
fn a_driver_may_publish_as_it_submits() {
    accepting(
        &FOUR,
        &[
            submit(&[], &[8], 0),
            chain(0, const { &[writable(0, 8)] }),
            free_count(3),
            index(1),
            available(0),
            submit(&[], &[8], 1),
            chain(1, const { &[writable(1, 8)] }),
            index(2),
            available(1),
            Event::Publish { notify: true },
            index(2),
            element(0, 1, 8),
            element(1, 0, 8),
            used(2),
            take(1, 8),
            take(0, 8),
            free(0),
            free(1),
            Event::Drained,
        ],
    );
}

/// A driver may clamp a length that is too long (2.7.8.2), report it and return the chain, or break the queue.
#[test]
fn a_length_too_long_is_clamped_or_refused() {
    let long = support::and(&support::IN_FLIGHT, &[element(0, 0, u32::MAX), used(1)]);
    let clamped = [take(0, 8), read(0, 64, b"12345678", b"12345678"), free(0), Event::Drained];
    let refused = [
        take_refused(device_fault(true, false, Some(0))),
        stores(0),
        read(0, 64, b"", b"12345678"),
        free(0),
        NOTHING,
        Event::Drained,
    ];
    let broken = [
        take_refused(device_fault(true, true, None)),
        take_refused(Refusal::Broken),
        submit_refused(&[], &[], MisuseKind::EmptyChain),
        Event::Submit { readable: &[], writable: &[1], answer: Err(Refusal::Broken) },
        stores(0),
        free_count(3),
        Event::Drained,
        Event::Reset { first_index: 0 },
        free_count(4),
        submit(&[], &[8], 0),
    ];
    for rest in [&clamped[..], &refused, &broken] {
        accepting(&FOUR, &support::and(&long, rest));
    }
}

#[test]
fn bad_elements_are_ignored_or_reported_one_by_one() {
    let bad = support::and(
        &support::IN_FLIGHT,
        &[element(0, 9, 0), element(1, 65_536, 0), element(2, 0, 4), used(3)],
    );
    let consumed = take_refused(device_fault(true, false, None));
    accepting(&FOUR, &support::and(&bad, &[take(0, 4), NOTHING, free(0), Event::Drained]));
    accepting(&FOUR, &support::and(&bad, &[NOTHING, NOTHING, take(0, 4), free(0), Event::Drained]));
    accepting(&FOUR, &support::and(&bad, &[consumed, consumed, take(0, 4), free(0), Event::Drained]));
    accepting(&FOUR, &support::and(&bad, &[consumed, take(0, 4), free(0), Event::Drained]));
}

#[test]
fn an_index_jump_is_reported_or_followed_over_valid_elements() {
    let jump = support::and(&support::IN_FLIGHT, &[element(0, 0, 4), used(u16::MAX)]);
    accepting(
        &FOUR,
        &support::and(&jump, &[take_refused(device_fault(false, true, None)), take_refused(Refusal::Broken)]),
    );
    accepting(&FOUR, &support::and(&jump, &[take(0, 4), free(0), NOTHING, Event::Drained]));
}

#[test]
fn a_reset_forgets_everything() {
    let before = support::and(
        &support::IN_FLIGHT,
        &[submit(&[], &[1], 1), element(0, 0, 8), used(1), Event::DescriptorCorrupted { descriptor: 2 }],
    );
    let rest = [
        Event::Reset { first_index: 7 },
        stores(40),
        free_count(4),
        index(7),
        NOTHING,
        submit(&[], &[1], 1),
        chain(1, const { &[writable(1, 1)] }),
        PUBLISH,
        index(8),
        available(1),
        element(7, 1, 1),
        used(8),
        take(1, 1),
        free(1),
        Event::Drained,
    ];
    accepting(&FOUR, &support::and(&before, &rest));
}

#[test]
fn misuse_is_refused() {
    accepting(
        &FOUR,
        &[
            submit_refused(&[b""], &[], MisuseKind::EmptyBuffer),
            stores(0),
            submit_refused(&[], &[65], MisuseKind::Unspecified),
            free_refused(0, misuse(MisuseKind::BadHead)),
            submit(&[], &[1; 4], 0),
            submit_refused(&[], &[1], MisuseKind::NotEnoughFree),
            stores(0),
            free_refused(0, misuse(MisuseKind::NotReturned)),
            free_refused(1, misuse(MisuseKind::BadHead)),
            freed(0, HandleAge::Stale, Err(misuse(MisuseKind::BadHead))),
            support::read_refused(0, misuse(MisuseKind::NotReturned)),
            free_count(0),
        ],
    );
}

/// 2.7.5.1 forbids the device to write to the table. What it then finds there is not the driver's fault.
#[test]
fn chains_that_the_device_corrupted_are_excused() {
    let parts = [readable(0, 3), writable(1, 8)];
    accepting(
        &FOUR,
        &[
            submit(&[b"abc"], &[8], 0),
            chain(0, &parts),
            index(1),
            available(0),
            Event::DescriptorCorrupted { descriptor: 1 },
            Event::DeviceTook { head: 0, whole: false, descriptors: &[], payload: b"" },
            take_refused(device_fault(false, false, None)),
            element(0, 0, 8),
            used(1),
            take(0, 8),
            free(0),
            free_count(4),
            Event::Drained,
        ],
    );
}

#[test]
fn after_a_reset_all_checks_apply_again() {
    let reset = support::and(&support::IN_FLIGHT, &[Event::Reset { first_index: 0 }, submit(&[], &[1], 2)]);
    rejects(&FOUR, &reset, Event::Publish { notify: false }, Invariant::Notified);
}

/// Epochs wrap, but chains of an old queue must never become live again.
#[test]
fn a_queue_begins_without_chains_after_any_number_of_others() {
    let mut model = accepting(&FOUR, &[submit(&[], &[8], 0), chain(0, &ROOMS[0])]);
    for number in 1..=65_540 {
        model.begin(&FOUR);
        assert_eq!((model.owner(0), model.descriptors(0)), (None, None), "after {number} others");
    }
    for event in [free_count(4), submit(&[], &[8], 0), chain(0, &ROOMS[0]), free_count(3)] {
        model.observe(&event).unwrap();
    }
}
