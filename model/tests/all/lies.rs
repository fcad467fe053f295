//! After the device lied in the used ring: a driver may act on what it loaded before the device changed it.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, RELOADS, accepts, and, available, chain, device_fault, element, free, index,
    rejects, submit, take, take_refused, used, writable,
};
use ringstorm_model::{Event, Invariant, ModelSetup, Policies, Refusal};

const FINE: Refusal = device_fault(false, false, None);

/// Chains 0 and 1 are in flight.
fn two() -> Vec<Event<'static>> {
    let second = [submit(&[], &[8], 1), chain(1, const { &[writable(1, 8)] }), index(2), available(1)];
    and(&IN_FLIGHT, &second)
}

#[test]
fn a_driver_may_take_elements_that_the_used_index_covered_before_it_went_back() {
    let back = and(&two(), &[element(0, 0, 8), element(1, 1, 8), used(2), used(0)]);
    for setup in [FOUR, RELOADS] {
        accepts(&setup, &back, NOTHING);
    }
    accepts(&FOUR, &and(&back, &[take(0, 8)]), take(1, 8));
    rejects(&FOUR, &and(&back, &[take(0, 8)]), take(0, 8), Invariant::CompletedOnce);
    accepts(&FOUR, &and(&back, &[take(0, 8), take(1, 8)]), NOTHING);
    // A driver that promises to load the index again must see that it went back.
    rejects(&RELOADS, &back, take(0, 8), Invariant::CompletedOnce);
    // An honest device never lies.
    let honest = and(&two(), &[element(0, 0, 8), used(1), take(0, 8)]);
    rejects(&FOUR, &honest, take(1, 8), Invariant::CompletedOnce);
}

#[test]
fn a_driver_may_have_read_an_element_before_the_device_overwrote_it() {
    let overwritten = and(&two(), &[element(0, 0, 8), used(1), element(0, 1, 4)]);
    for answer in [take(0, 8), take(1, 4)] {
        accepts(&FOUR, &overwritten, answer);
    }
    rejects(&FOUR, &overwritten, take(0, 4), Invariant::CompletedOnce);
    rejects(&RELOADS, &overwritten, take(0, 8), Invariant::CompletedOnce);
    let reset = and(&overwritten, &[Event::Reset { first_index: 0 }]);
    let again = and(&reset, &two());
    rejects(&FOUR, &again, take(0, 8), Invariant::CompletedOnce);
    // It may have read the length before the device made it too long.
    let refuses =
        ModelSetup { policies: Policies { refuses_over_long: Some(true), ..Policies::NONE }, ..FOUR };
    let longer = and(&two(), &[element(0, 0, 8), used(1), element(0, 0, 99)]);
    accepts(&refuses, &longer, take(0, 8));
    // The device may write an element as often as it likes before the index covers it.
    let before = and(&two(), &[element(0, 0, 8), element(0, 1, 4), used(1)]);
    rejects(&FOUR, &before, take(0, 8), Invariant::CompletedOnce);
}

/// The device overwrites the second element, then the first, when the driver has read both.
#[test]
fn a_driver_may_have_read_several_elements_before_the_device_overwrote_them() {
    let read =
        and(&two(), &[element(0, 0, 8), element(1, 1, 8), used(2), element(1, 9, 0), element(0, 9, 0)]);
    accepts(&FOUR, &and(&read, &[take(0, 8)]), take(1, 8));
    accepts(&FOUR, &read, take(1, 8));
}

/// The driver reads ahead: it has skipped bad elements, which it reports later, and has read the one of the next lap.
#[test]
fn a_driver_may_have_read_an_element_a_lap_ahead() {
    let lap = [element(0, 9, 0), element(1, 9, 0), element(2, 9, 0), element(3, 9, 0), used(4)];
    let next = [element(4, 0, 8), used(5), element(8, 9, 0), element(5, 9, 1)];
    let ahead = and(&and(&two(), &lap), &next);
    let reported: Vec<Event<'_>> = (0..4).map(|_| take_refused(device_fault(true, false, None))).collect();
    accepts(&FOUR, &and(&ahead, &reported), take(0, 8));
    let one = and(&ahead, &reported[..1]);
    let more = and(&and(&one, &[element(6, 9, 1)]), &reported[1..]);
    accepts(&FOUR, &more, take(0, 8));
    // The index had not covered the sixth element.
    let fifth = and(&more, &[take_refused(device_fault(true, false, None))]);
    rejects(&FOUR, &fifth, take(0, 8), Invariant::CompletedOnce);
}

/// The used index jumps by 300, so the driver has read the stale element 300 times before it reads the good one.
#[test]
fn a_driver_may_have_read_an_element_many_laps_ahead() {
    let one = ModelSetup { queue_size: 1, ..FOUR };
    let read = [element(0, 9, 0), used(300), element(300, 0, 8), used(301), element(301, 9, 0)];
    let bad = take_refused(device_fault(true, false, None));
    let reported = and(&and(&IN_FLIGHT, &read), &[bad; 300]);
    accepts(&one, &reported, take(0, 8));
}

/// The driver has consumed the element that the device overwrote, and no later index had it.
#[test]
fn a_driver_cannot_have_read_an_element_at_an_index_that_never_had_it() {
    let bad = take_refused(device_fault(true, false, None));
    let other_slot = [element(0, 0, 8), element(1, 1, 8), used(2), element(0, 9, 0), bad];
    rejects(&FOUR, &and(&two(), &other_slot), take(0, 8), Invariant::CompletedOnce);
    let lap = [element(0, 0, 8), element(1, 9, 0), element(2, 9, 0), element(3, 9, 0), used(4)];
    let next_lap = and(&and(&two(), &lap), &[element(4, 9, 0), used(5), bad, bad, bad, bad]);
    rejects(&FOUR, &next_lap, take(0, 8), Invariant::CompletedOnce);
    // The same for the second slot: the used index claimed index 1 when the device overwrote the element, and not index 5.
    let lap = [element(0, 9, 0), element(1, 0, 8), element(2, 9, 0), element(3, 9, 0), used(4)];
    let next_lap = and(&and(&two(), &lap), &[element(4, 9, 0), element(5, 9, 0), used(6)]);
    accepts(&FOUR, &and(&next_lap, &[bad]), take(0, 8));
    rejects(&FOUR, &and(&next_lap, &[bad, bad, bad, bad, bad]), take(0, 8), Invariant::CompletedOnce);
}

/// A driver that checked an element when its chain was not in flight may skip it later, although the chain is in flight again.
#[test]
fn a_driver_may_skip_an_element_that_was_bad_when_it_read_it() {
    let twice = and(&two(), &[element(0, 0, 8), element(1, 0, 8), used(2), take(0, 8), free(0)]);
    let anew = [submit(&[], &[8], 0), chain(0, const { &[writable(0, 8)] }), index(3), available(0)];
    let anew = and(&and(&twice, &anew), &[element(2, 1, 8), used(3)]);
    accepts(&FOUR, &anew, take(1, 8));
    rejects(&RELOADS, &anew, take(1, 8), Invariant::CompletedOnce);
    let reports = ModelSetup { policies: Policies { reports_bad_elements: true, ..Policies::NONE }, ..FOUR };
    rejects(&reports, &anew, take(1, 8), Invariant::FailedUnchanged);
    accepts(&reports, &and(&anew, &[take_refused(device_fault(true, false, None))]), take(1, 8));
}

/// Each of these is a lie: a driver may report it later, whatever memory contains then.
#[test]
fn a_lie_may_be_reported_until_a_reset() {
    let good = [element(0, 0, 8), used(1)];
    for (lie, is_lie) in [
        (&[][..], false),
        (&[used(3), used(0)], true),
        (&[element(0, 0, 8), used(1), used(0)], true),
        (&[element(0, 0, 9), used(1), element(0, 0, 8)], true),
        (&[element(0, 3, 0), used(1), element(0, 0, 8)], true),
        (&[element(0, 0, 8), used(1), element(0, 0, 8)], false),
        (&[element(0, 0, 8), used(1), element(0, 0, 7)], true),
        (&[element(0, 0, 8), element(1, 0, 8), used(2)], true),
        (&[element(0, 0, 8), used(1), element(1, 0, 8), used(2), used(1)], true),
        (&[element(0, 3, 0), element(0, 0, 8), used(1)], false),
    ] {
        let after = and(&and(&two(), lie), &[element(0, 0, 8), used(1), take(0, 8)]);
        let reset = and(&and(&after, &[Event::Reset { first_index: 0 }]), &and(&two(), &good));
        match is_lie {
            true => accepts(&FOUR, &after, take_refused(FINE)),
            false => rejects(&FOUR, &after, take_refused(FINE), Invariant::FairBlame),
        }
        rejects(&FOUR, &reset, take_refused(FINE), Invariant::FairBlame);
    }
}

/// The driver may count a bad element as waiting or not, since it is no used chain.
#[test]
fn a_bad_element_may_count_as_waiting() {
    let asks = |waiting| Event::UsedNotifications { wanted: true, flags: 0, used_event: 0, waiting };
    let bad = and(&two(), &[element(0, 3, 0), used(1)]);
    let both = and(&bad, &[element(1, 0, 8), used(2)]);
    for setup in [FOUR, RELOADS] {
        for waiting in [None, Some(false), Some(true)] {
            accepts(&setup, &bad, asks(waiting));
        }
        rejects(&setup, &two(), asks(Some(true)), Invariant::Notified);
        let good = and(&two(), &[element(0, 0, 8), used(1)]);
        rejects(&setup, &good, asks(Some(false)), Invariant::Notified);
    }
    rejects(&RELOADS, &both, asks(Some(false)), Invariant::Notified);
}
