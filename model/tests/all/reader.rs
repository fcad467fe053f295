//! The model checks chains itself and does not rely on the code that reads the memory.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepts, and, at, chain, device_fault, element, read, readable, rejects,
    submit, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup, ObservedDescriptor, Place, Policies};

const ONE: [Event<'static>; 1] = [submit(&[], &[8], 0)];

#[test]
fn the_first_descriptor_of_a_chain_is_its_head() {
    accepts(&FOUR, &ONE, chain(0, const { &[writable(0, 8)] }));
    rejects(&FOUR, &ONE, chain(0, const { &[writable(1, 8)] }), Invariant::WellFormed);
    rejects(&FOUR, &ONE, chain(0, &[]), Invariant::WellFormed);
}

#[test]
fn only_the_chain_that_was_submitted_last_is_read_from_the_table() {
    rejects(&FOUR, &ONE, chain(1, const { &[writable(1, 8)] }), Invariant::WellFormed);
    rejects(&FOUR, &[], chain(0, const { &[writable(0, 8)] }), Invariant::WellFormed);
    let seen = and(&ONE, &[chain(0, const { &[writable(0, 8)] })]);
    rejects(&FOUR, &seen, chain(0, const { &[writable(0, 8)] }), Invariant::WellFormed);
}

#[test]
fn a_descriptor_must_be_in_the_table() {
    let two = [submit(&[], &[4, 4], 3)];
    accepts(&FOUR, &two, chain(3, const { &[writable(3, 4), writable(1, 4)] }));
    rejects(&FOUR, &two, chain(3, const { &[writable(3, 4), writable(4, 4)] }), Invariant::WellFormed);
}

#[test]
fn readable_buffers_come_before_writable_ones() {
    let both = [submit(&[b"four"], &[4], 0)];
    accepts(&FOUR, &both, chain(0, const { &[readable(0, 4), writable(1, 4)] }));
    rejects(&FOUR, &both, chain(0, const { &[writable(0, 4), readable(1, 4)] }), Invariant::WellFormed);
}

#[test]
fn a_buffer_must_be_in_a_region() {
    const NOWHERE: ObservedDescriptor = ObservedDescriptor { place: None, ..at(0, 0, 0, 8, true) };
    rejects(&FOUR, &ONE, chain(0, const { &[NOWHERE] }), Invariant::BuffersRegistered);
}

#[test]
fn a_driver_that_publishes_in_submit_must_notify_too() {
    accepts(&FOUR, &IN_FLIGHT, Event::Publish { notify: true });
    rejects(&FOUR, &IN_FLIGHT, Event::Publish { notify: false }, Invariant::Notified);
    let announced = and(&IN_FLIGHT, &[Event::Publish { notify: true }]);
    accepts(&FOUR, &announced, Event::Publish { notify: false });
    let unwanted = and(&IN_FLIGHT, &[Event::AvailableNotifications { wanted: false }]);
    accepts(&FOUR, &unwanted, Event::Publish { notify: false });
}

#[test]
fn a_driver_may_ignore_one_element_and_report_the_next() {
    let faulty = and(&IN_FLIGHT, &[element(0, 9, 0), element(1, 0, 9), used(2)]);
    accepts(&FOUR, &faulty, take_refused(device_fault(true, false, Some(0))));
    rejects(&FOUR, &faulty, take_refused(device_fault(true, false, Some(1))), Invariant::CompletedOnce);
}

#[test]
fn the_length_to_read_fits_into_the_chain() {
    let done = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8)]);
    accepts(&FOUR, &done, read(0, 8, &[7; 8], &[7; 8]));
    rejects(&FOUR, &done, read(0, 8, &[7; 7], &[7; 7]), Invariant::Response);
}

#[test]
fn a_broken_queue_takes_and_submits_nothing() {
    let broken = and(&IN_FLIGHT, &[used(9), take_refused(device_fault(false, true, None))]);
    rejects(&FOUR, &broken, submit(&[], &[8], 1), Invariant::FailedUnchanged);
    let returned = and(&broken, &[element(0, 0, 8), used(1)]);
    rejects(&FOUR, &returned, take(0, 8), Invariant::FailedUnchanged);
    let reset = and(&broken, &[Event::Reset { first_index: 0 }]);
    accepts(&FOUR, &reset, submit(&[], &[8], 1));
}

#[test]
fn after_a_fault_a_queue_follows_its_policies() {
    let bad = and(&IN_FLIGHT, &[element(0, 9, 0), used(1)]);
    let jump = and(&IN_FLIGHT, &[used(2)]);
    for (continues_after_fault, faulty, broken) in
        [(true, &bad, false), (false, &bad, true), (true, &jump, true), (false, &jump, true)]
    {
        let setup = ModelSetup { policies: Policies::all(continues_after_fault, false), ..FOUR };
        // A bad element is consumed. After a jump of the index there is no element to consume.
        let consumed = faulty.len() == bad.len();
        accepts(&setup, faulty, take_refused(device_fault(consumed, broken, None)));
        rejects(
            &setup,
            faulty,
            take_refused(device_fault(consumed, !broken, None)),
            Invariant::FailedUnchanged,
        );
        accepts(&FOUR, faulty, take_refused(device_fault(false, !broken, None)));
    }
}

#[test]
fn used_buffer_notifications_are_switched_by_the_flags() {
    let asked = |wanted, flags, waiting| Event::UsedNotifications { wanted, flags, used_event: 0, waiting };
    for (wanted, right) in [(true, 0), (false, 1)] {
        for flags in 0..4 {
            match flags == right {
                true => accepts(&FOUR, &IN_FLIGHT, asked(wanted, flags, None)),
                false => rejects(&FOUR, &IN_FLIGHT, asked(wanted, flags, None), Invariant::Notified),
            }
        }
    }
    let returned = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    for (events, waiting) in [(&IN_FLIGHT[..], false), (&returned, true)] {
        accepts(&FOUR, events, asked(true, 0, Some(waiting)));
        rejects(&FOUR, events, asked(true, 0, Some(!waiting)), Invariant::Notified);
    }
}

#[test]
fn a_driver_writes_to_no_buffer_of_another_chain() {
    let at = |offset| Event::DriverWrote { place: Place { region: 0, offset }, length: 4 };
    let first = [submit(&[b"four"], &[], 0), chain(0, const { &[readable(0, 4)] })];
    let own = match first[1] {
        Event::Chain { descriptors, .. } => descriptors[0].place.unwrap().offset,
        _ => unreachable!("written above"),
    };
    accepts(&FOUR, &first, at(own));
    // The next call is not a submission, or submits another chain.
    for call in [Event::Publish { notify: true }, NOTHING, submit(&[], &[8], 1)] {
        let later = and(&first, &[call]);
        rejects(&FOUR, &later, at(own), Invariant::OwnArea);
        rejects(&FOUR, &later, at(own + 3), Invariant::OwnArea);
        accepts(&FOUR, &later, at(own + 4));
    }
}
