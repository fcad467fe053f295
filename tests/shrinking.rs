//! Shrinking: how small scenarios become, and when it ends.

use ringstorm::execution::Rig;
use ringstorm::scenario::{Document, Scenario, Step};
use ringstorm::shrink::{Limits, Shrunk, shrink, shrink_while};
use ringstorm::subject::SubjectKind;
use std::time::Duration;

fn subject(name: &str) -> SubjectKind {
    SubjectKind::by_name(name).expect("a subject")
}

fn scenario(text: &str) -> Scenario {
    format!("ringstorm scenario 1\n{text}").parse::<Document>().expect("a scenario").scenario
}

fn shrunk(kind: SubjectKind, scenario: &Scenario, limits: Limits) -> Shrunk {
    let mut rig = Rig::new().expect("memory");
    let outcome = rig.run(kind, scenario, &mut ()).expect("a run");
    assert!(outcome.is_finding(), "{}", outcome.verdict);
    let shrunk = shrink(&mut rig, kind, &outcome.signature(&kind.name()), scenario, limits).expect("a run");
    let again = rig.run(kind, &shrunk.scenario, &mut ()).expect("a run");
    assert_eq!(again.signature(&kind.name()), shrunk.signature);
    shrunk
}

/// Chains before the wrap move the index. Without them, the queue begins at a higher index.
#[test]
fn chains_before_the_wrap_are_replaced_with_a_higher_first_index() {
    let life = "driver submit readable=1x8\ndevice take\ndevice return newest written=full\ndriver take\ndriver free newest\n";
    let long = scenario(&format!("queue size=4 buffer=64 first-index=0xfffa\n{}", life.repeat(8)));
    let left = shrunk(subject("specimen-used-index-compared"), &long, Limits::default()).scenario;
    assert!(left.steps.len() <= 4, "{left}");
}

/// The defect needs chains in all descriptors. Neither shorter chains nor a smaller queue alone shows it.
#[test]
fn queue_and_chains_become_smaller_together() {
    let text = "queue size=8 buffer=64\ndriver submit readable=2x8 writable=2x8\ndriver submit readable=2x8 writable=2x8\n";
    let left =
        shrunk(subject("specimen-free-list-ends-in-chain"), &scenario(text), Limits::default()).scenario;
    assert!(left.setup.queue_size.get() <= 2, "{left}");
}

#[test]
fn a_fault_that_is_not_needed_is_removed() {
    let text = "queue size=4 buffer=64\ndriver submit readable=1x8 writable=2x8\ndevice take\n\
                device fault duplicate-id newest value=0\ndevice fault id-out-of-range newest value=3\n\
                driver misuse free mid-chain newest\n";
    let Shrunk { scenario, signature, .. } =
        shrunk(subject("specimen-mid-chain-freed"), &scenario(text), Limits::default());
    assert_eq!(signature.last_fault, None);
    assert_eq!(scenario.steps.len(), 2, "{scenario}");
}

#[test]
fn the_time_limit_keeps_the_best_result_so_far() {
    let long = scenario(
        "queue size=4 buffer=64\ndriver submit writable=2x8\ndriver misuse free mid-chain newest\nidle\n",
    );
    let none = Limits { time: Duration::ZERO, ..Limits::default() };
    assert_eq!(shrunk(subject("specimen-mid-chain-freed"), &long, none).scenario, long);
}

/// With a step copied for each candidate, this would take hours.
#[test]
fn shrinking_a_million_steps_ends_at_once_when_it_is_stopped() {
    let kind = subject("specimen-mid-chain-freed");
    let mut long =
        scenario("queue size=4 buffer=64\ndriver submit writable=2x8\ndriver misuse free mid-chain newest\n");
    let mut rig = Rig::new().expect("memory");
    let signature = rig.run(kind, &long, &mut ()).expect("a run").signature(&kind.name());
    long.steps.splice(0..0, std::iter::repeat_n(Step::Idle, 1_000_000));
    let mut tries = 0;
    let mut once = |_: &Scenario| {
        tries += 1;
        tries <= 1
    };
    let left = shrink_while(&mut rig, kind, &signature, &long, Limits::default(), &mut once).expect("a run");
    assert_eq!((left.scenario == long, tries), (true, 2));
}
