//! The order of accesses: which calls may leave it out.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepting, accepts, and, device_fault, element, index, rejects, take_refused,
    used,
};
use ringstorm_model::{Event, Invariant, OrderFlaw};

const fn flaw(flaw: OrderFlaw) -> Event<'static> {
    Event::AccessOrder { flaw }
}

const WISH: [OrderFlaw; 2] = [OrderFlaw::WishNotLoaded, OrderFlaw::WishWithoutBarrier];
const USED: [OrderFlaw; 2] = [OrderFlaw::UsedIndexNotLoaded, OrderFlaw::UsedIndexWithoutBarrier];

/// The queue reports whether the device must be notified of the chain in flight.
fn published(notify: bool) -> Vec<Event<'static>> {
    let unwanted = Event::AvailableNotifications { wanted: false };
    and(&IN_FLIGHT, &[unwanted, Event::Publish { notify }, index(1)])
}

#[test]
fn only_a_driver_that_does_not_notify_needs_the_wish() {
    for wish in WISH {
        rejects(&FOUR, &published(false), flaw(wish), Invariant::AccessOrder);
        accepts(&FOUR, &published(true), flaw(wish));
        // Nothing new was published.
        let again = and(&published(true), &[Event::Publish { notify: false }, index(1)]);
        accepts(&FOUR, &again, flaw(wish));
        let broken =
            [used(9), take_refused(device_fault(false, true, None)), Event::Publish { notify: false }];
        accepts(&FOUR, &and(&IN_FLIGHT, &broken), flaw(wish));
    }
}

#[test]
fn only_a_driver_that_waits_for_a_notification_needs_the_used_index() {
    let wish =
        |wanted| Event::UsedNotifications { wanted, flags: u16::from(!wanted), used_event: 0, waiting: None };
    for missing in USED {
        rejects(&FOUR, &[NOTHING], flaw(missing), Invariant::AccessOrder);
        rejects(&FOUR, &[wish(true), NOTHING], flaw(missing), Invariant::AccessOrder);
        accepts(&FOUR, &[wish(false), NOTHING], flaw(missing));
        rejects(&FOUR, &[wish(false), wish(true), NOTHING], flaw(missing), Invariant::AccessOrder);
        // The driver may have skipped a bad element, and requested a notification of the next one.
        accepts(&FOUR, &[element(0, 3, 0), used(1), NOTHING], flaw(missing));
    }
}

#[test]
fn release_and_acquire_are_always_needed() {
    for weak in [OrderFlaw::IndexWithoutRelease, OrderFlaw::ElementWithoutAcquire] {
        rejects(&FOUR, &[], flaw(weak), Invariant::AccessOrder);
        rejects(&FOUR, &published(true), flaw(weak), Invariant::AccessOrder);
    }
}

#[test]
fn the_text_says_what_was_expected() {
    let violation = accepting(&FOUR, &published(false)).observe(&flaw(OrderFlaw::WishNotLoaded));
    let text = violation.expect_err("a violation").detail;
    assert!(
        text.ends_with(
            "expected the load after the store, or a device that asks in between is never notified"
        )
    );
}
