//! The offered calls in an exhaustive search, and in shrunk scenarios.

use crate::take_back::ONLY_MOVES_BACK;
use crate::violates;
use ringstorm::execution::Rig;
use ringstorm::explore::{Scope, SubjectFeatures, explore};
use ringstorm::scenario::{Draw, Profile};
use ringstorm::shrink::{Limits, shrink};
use ringstorm::subject::SubjectKind;
use ringstorm_core::QueueSize;
use ringstorm_model::Invariant;
use std::sync::atomic::AtomicBool;

const KIND: SubjectKind = SubjectKind::External(&ONLY_MOVES_BACK);
const CALL: &str = "driver take-back live";

#[test]
fn a_search_tries_offered_calls() {
    let scope = Scope {
        kind: KIND,
        queue_size: QueueSize::new(1).expect("a power of two"),
        depth: 2,
        faults: 0,
        max_states: 100_000,
        time: None,
        jobs: 1,
        features: SubjectFeatures::default(),
    };
    let found = explore(&scope, &AtomicBool::new(false), |_| ()).expect("memory").found.expect("a finding");
    violates(&found.outcome, Invariant::AvailableOrder, "available index");
    let steps: Vec<String> = found.scenario.steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps, [CALL]);
}

#[test]
fn a_finding_is_shrunk_to_the_offered_call() {
    let mut rig = Rig::new().expect("memory");
    let draw = Draw { profile: Profile::Honest, steps: 96, queue_size: None };
    let scenarios = (0..400).map(|seed| draw.scenario_with(seed, KIND.offered_calls()));
    let mut runs = scenarios.map(|scenario| (rig.run(KIND, &scenario, &mut ()).expect("a run"), scenario));
    let (outcome, scenario) = runs.find(|(outcome, _)| outcome.is_finding()).expect("a finding");
    drop(runs);
    let signature = outcome.signature(&KIND.name());
    let shrunk = shrink(&mut rig, KIND, &signature, &scenario, Limits::default()).expect("a run");
    let steps: Vec<String> = shrunk.scenario.steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps, [CALL]);
}
