//! Used-buffer notifications that may be delayed, and additions that are counted since the last notification.

use crate::variant::{Delaying, Publishing, Variant};
use crate::wrapped::{Wrapped, Wrong};
use crate::{found_by_honest_storm, passes, run, violates};
use ringstorm::subject::{Capabilities, External, FullBarrier, OrderedStore, SharedMemory, Subject};
use ringstorm_model::Invariant;

const DELAYS: Variant =
    Variant { delaying: Delaying::UntilTaken, publishing: Publishing::AtOnce, ..Variant::PLAIN };

macro_rules! subject {
    ($name:ident, $wrong:expr) => {
        static $name: External = External::new("own", DELAYS.capabilities(), |setup, provided| {
            Wrapped::build(DELAYS, $wrong, setup, provided)
        })
        .with_largest(256);
    };
}

struct Sound;
impl Wrong for Sound {}
subject!(SOUND, Sound);

/// Replaces `used_event` after the call. The closure gets the available index and the index of the next used element.
fn arm<W: Wrong>(queue: &mut Wrapped<W>, event: impl Fn(u16, u16) -> u16) -> Option<bool> {
    let answer = queue.sound.delay_used_notifications();
    let (place, rings) = (queue.sound.geometry(), &queue.provided.rings);
    let event = event(rings.load_u16(place.available + 2), queue.next);
    let at = place.available + 4 + 2 * usize::from(place.size);
    rings.store_ordered(OrderedStore::UsedEvent, at, event);
    rings.barrier(FullBarrier::EnabledThenUsed);
    answer
}

/// The difference of the indexes is not cut to 16 bits before it is multiplied.
struct WrongAtTheWrap;
impl Wrong for WrongAtTheWrap {
    fn delay_used_notifications(queue: &mut Wrapped<Self>) -> Option<bool> {
        arm(queue, |available, next| {
            next.wrapping_add(((i32::from(available) - i32::from(next)) * 3 / 4) as u16)
        })
    }
}
subject!(WRONG_AT_THE_WRAP, WrongAtTheWrap);

/// Waits for all chains in flight, and names the element after the last one.
struct OneTooFar;
impl Wrong for OneTooFar {
    fn delay_used_notifications(queue: &mut Wrapped<Self>) -> Option<bool> {
        arm(queue, |available, _| available)
    }
}
subject!(ONE_TOO_FAR, OneTooFar);

/// Waits for all chains in flight.
struct AllInFlight;
impl Wrong for AllInFlight {
    fn delay_used_notifications(queue: &mut Wrapped<Self>) -> Option<bool> {
        arm(queue, |available, next| if available == next { next } else { available.wrapping_sub(1) });
        None
    }
}
subject!(ALL_IN_FLIGHT, AllInFlight);

/// Always reports that the caller can wait.
struct LostWakeUp;
impl Wrong for LostWakeUp {
    fn delay_used_notifications(queue: &mut Wrapped<Self>) -> Option<bool> {
        queue.sound.delay_used_notifications().map(|_| false)
    }
}
subject!(LOST_WAKE_UP, LostWakeUp);

const EVENT_IDX: &str = "size=8 buffer=64 features=event-idx";
const AT_WRAP: &str = "size=8 buffer=64 first-index=0xfffe features=event-idx";
const FOUR: &str = "driver submit readable=1x8 times=4\ndriver delay-interrupts\n";

#[test]
fn three_quarters_of_the_chains_in_flight_may_be_returned_first() {
    for setup in [EVENT_IDX, AT_WRAP, "size=8 buffer=64"] {
        passes(&run(&SOUND, setup, FOUR));
        passes(&run(
            &SOUND,
            setup,
            &format!("{FOUR}driver take\ndevice take count=4\ndevice return newest count=4\n"),
        ));
        passes(&run(
            &ALL_IN_FLIGHT,
            setup,
            &format!("{FOUR}driver take\ndevice take count=4\ndevice return newest\n"),
        ));
    }
}

#[test]
fn wrong_arithmetic_at_the_wrap_is_found() {
    passes(&run(&WRONG_AT_THE_WRAP, EVENT_IDX, FOUR));
    let outcome = run(&WRONG_AT_THE_WRAP, AT_WRAP, FOUR);
    violates(&outcome, Invariant::Notified, "the caller asked for delayed notifications, and used_event is");
}

#[test]
fn the_last_chain_in_flight_must_cause_a_notification() {
    let outcome = run(&ONE_TOO_FAR, EVENT_IDX, FOUR);
    violates(&outcome, Invariant::Notified, "the device can return only 4 chains and would not notify");
}

#[test]
fn a_caller_learns_that_the_device_has_returned_all() {
    let all = "driver submit readable=1x8 times=4\ndevice take count=4\ndevice return newest count=4\n\
               driver delay-interrupts\n";
    passes(&run(&SOUND, EVENT_IDX, all));
    for setup in [EVENT_IDX, "size=8 buffer=64"] {
        violates(&run(&LOST_WAKE_UP, setup, all), Invariant::Notified, "and will not notify of them");
    }
}

#[test]
fn a_storm_finds_each_wrong_queue() {
    for subject in [&WRONG_AT_THE_WRAP, &ONE_TOO_FAR, &LOST_WAKE_UP] {
        violates(&found_by_honest_storm(subject, 400).expect("a finding"), Invariant::Notified, "");
    }
    for subject in [&SOUND, &ALL_IN_FLIGHT] {
        assert_eq!(found_by_honest_storm(subject, 400), None);
    }
}

/// The queue asks whether the device wants to know of any entry since the last notification.
#[test]
fn a_queue_may_count_the_entries_since_its_last_notification() {
    const COUNTS: Variant = Variant { counts_since_notification: true, ..Variant::PLAIN };
    static COUNTING: External = External::new("counting", COUNTS.capabilities(), |setup, provided| {
        Wrapped::build(COUNTS, Sound, setup, provided)
    });
    static EXACT: External =
        External::new("exact", Capabilities { exact: true, ..COUNTS.capabilities() }, |setup, provided| {
            Wrapped::build(COUNTS, Sound, setup, provided)
        });
    let late = "device event ahead=3\ndriver submit readable=1x8\ndevice event ahead=0\n\
                driver submit readable=1x8\n";
    let off =
        "device notifications off\ndriver submit readable=1x8\ndevice notifications on\ndriver publish\n";
    for (setup, steps) in [(EVENT_IDX, late), ("size=8 buffer=64", off)] {
        passes(&run(&COUNTING, setup, steps));
        violates(&run(&EXACT, setup, steps), Invariant::Notified, "but not to a queue that promises `exact`");
    }
}
