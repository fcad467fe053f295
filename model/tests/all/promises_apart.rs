//! Each promise about device faults stands for itself: it demands what it names, and nothing else.

use crate::support::{
    FOUR, IN_FLIGHT, NOTHING, accepts, and, device_fault, element, rejects, take, take_refused, used,
};
use ringstorm_model::{Event, Invariant, ModelSetup, Policies, Refusal};

/// All promises but one, and this one alone.
type Promise = (fn(&mut Policies), fn(&mut Policies));

const REPORTS: Promise =
    (|policies| policies.reports_bad_elements = false, |policies| policies.reports_bad_elements = true);
const CONSUMES: Promise =
    (|policies| policies.consumes_bad_elements = false, |policies| policies.consumes_bad_elements = true);
const JUMPS: Promise =
    (|policies| policies.refuses_index_jumps = false, |policies| policies.refuses_index_jumps = true);
const RELOADS: Promise =
    (|policies| policies.reloads_used_index = false, |policies| policies.reloads_used_index = true);
const BROKEN: Promise =
    (|policies| policies.reports_broken = false, |policies| policies.reports_broken = true);
const CONTINUES: Promise = (
    |policies| policies.continues_after_fault = None,
    |policies| policies.continues_after_fault = Some(true),
);
const REFUSES: Promise =
    (|policies| policies.refuses_over_long = None, |policies| policies.refuses_over_long = Some(true));

/// Asserts that this answer breaks all promises together, and that it breaks none without one of them.
#[track_caller]
fn demanded_by(promises: &[Promise], before: &[Event<'_>], answer: Event<'_>) {
    let all = Policies::all(true, true);
    let with = |policies| ModelSetup { policies, ..FOUR };
    rejects(&with(all), before, answer, Invariant::FailedUnchanged);
    for (without, _) in promises {
        let mut less = all;
        without(&mut less);
        accepts(&with(less), before, answer);
    }
    let mut only = Policies::NONE;
    promises.iter().for_each(|(_, add)| add(&mut only));
    rejects(&with(only), before, answer, Invariant::FailedUnchanged);
}

#[test]
fn a_bad_element_is_reported_and_consumed() {
    let bad = and(&IN_FLIGHT, &[element(0, 9, 8), used(1)]);
    demanded_by(&[REPORTS, RELOADS], &bad, NOTHING);
    let kept = take_refused(device_fault(false, false, None));
    demanded_by(&[CONSUMES, REPORTS, RELOADS], &bad, kept);
    let breaks = take_refused(device_fault(true, true, None));
    demanded_by(&[CONTINUES], &bad, breaks);
}

#[test]
fn an_index_jump_is_refused_before_an_element() {
    let jump = and(&IN_FLIGHT, &[element(0, 0, 8), used(2)]);
    demanded_by(&[JUMPS, RELOADS], &jump, take(0, 8));
    demanded_by(&[JUMPS, RELOADS], &jump, NOTHING);
}

#[test]
fn a_good_element_is_taken_at_once() {
    let good = and(&IN_FLIGHT, &[element(0, 0, 8), used(1)]);
    demanded_by(&[RELOADS], &good, NOTHING);
}

#[test]
fn a_length_that_is_too_long_is_refused() {
    let long = and(&IN_FLIGHT, &[element(0, 0, 9), used(1)]);
    demanded_by(&[REFUSES], &long, take(0, 8));
    let lost = take_refused(device_fault(true, false, None));
    demanded_by(&[REFUSES, RELOADS], &long, lost);
}

#[test]
fn a_broken_queue_says_so() {
    let broken = and(&IN_FLIGHT, &[used(2), take_refused(device_fault(false, true, None))]);
    demanded_by(&[BROKEN], &broken, NOTHING);
    for policies in [Policies::NONE, Policies::all(true, true)] {
        accepts(&ModelSetup { policies, ..FOUR }, &broken, take_refused(Refusal::Broken));
    }
}

/// With event indexes, a caller may have to take until nothing is left.
#[test]
fn used_event_moves_with_the_last_element_only_if_promised() {
    let by_index = ModelSetup { event_index: true, ..FOUR };
    let later = ModelSetup { rearms_each_take: false, ..by_index };
    let taken = and(&IN_FLIGHT, &[element(0, 0, 8), used(1), take(0, 8)]);
    let old = Event::UsedEvent { index: 0 };
    rejects(&by_index, &taken, old, Invariant::Notified);
    accepts(&later, &taken, old);
    rejects(&later, &and(&taken, &[old, NOTHING]), old, Invariant::Notified);
    accepts(&later, &and(&taken, &[old, NOTHING]), Event::UsedEvent { index: 1 });
    rejects(&later, &[], Event::UsedEvent { index: 1 }, Invariant::Notified);
}
