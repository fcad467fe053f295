//! A used-buffer notification arrives, and the driver handles it.

use crate::support::{FOUR, IN_FLIGHT, NOTHING, accepts, and, element, rejects, take, used};
use ringstorm_model::{Event, Invariant, ModelSetup};

const EVENT_IDX: ModelSetup = ModelSetup { event_index: true, ..FOUR };

const fn handled(on: Option<bool>, flags: u16, used_event: u16) -> Event<'static> {
    Event::Interrupted { on, flags, used_event }
}

#[test]
fn the_flags_are_as_the_handler_reports() {
    for (on, right) in [(true, 0), (false, 1)] {
        accepts(&FOUR, &[], handled(Some(on), right, 0));
        rejects(&FOUR, &[], handled(Some(on), 1 - right, 0), Invariant::Notified);
    }
    let made = [Event::AvailableFlags { flags: 0 }];
    accepts(&FOUR, &made, handled(None, 0, 0));
    rejects(&FOUR, &made, handled(None, 1, 0), Invariant::Notified);
    let off = [handled(Some(false), 1, 0)];
    accepts(&FOUR, &off, handled(None, 1, 0));
    // It may have turned notifications on again in a take.
    let inexact = ModelSetup { exact_notifications: false, ..FOUR };
    accepts(&inexact, &off, handled(None, 0, 0));
    let exact = ModelSetup { exact_notifications: true, ..FOUR };
    rejects(&exact, &off, handled(None, 0, 0), Invariant::Notified);
}

#[test]
fn used_event_names_the_next_element_if_notifications_are_on() {
    accepts(&EVENT_IDX, &IN_FLIGHT, handled(Some(true), 0, 0));
    rejects(&EVENT_IDX, &IN_FLIGHT, handled(Some(true), 0, 1), Invariant::Notified);
    rejects(&EVENT_IDX, &IN_FLIGHT, handled(None, 0, 1), Invariant::Notified);
    // The handler may have read the element, for a later take.
    let returned = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    accepts(&EVENT_IDX, &returned, handled(Some(true), 0, 1));
    let taken = and(&returned, &[handled(Some(true), 0, 1), take(0, 8), NOTHING]);
    accepts(&EVENT_IDX, &taken, Event::UsedEvent { index: 1 });
    rejects(&EVENT_IDX, &taken, Event::UsedEvent { index: 0 }, Invariant::Notified);
}
