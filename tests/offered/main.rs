//! Calls that a subject may offer: sound queues that offer them are not accused, and wrong ones are found.

#[path = "../../examples/sound/queue.rs"]
mod queue;
#[path = "../../examples/sound/rings.rs"]
mod rings;
#[path = "../../examples/sound/variant.rs"]
#[allow(dead_code)]
mod variant;

mod delayed;
mod handler;
mod scenarios;
mod search;
mod take_back;
mod wrapped;

use ringstorm::execution::Rig;
use ringstorm::outcome::{Outcome, Verdict};
use ringstorm::scenario::{Document, Draw, Profile};
use ringstorm::subject::{External, SubjectKind};
use ringstorm_model::Invariant;

/// Runs steps on a queue of this setup.
fn run(subject: &'static External, setup: &str, steps: &str) -> Outcome {
    let text = format!("ringstorm scenario 1\nqueue {setup}\n{steps}");
    let document: Document = text.parse().expect("a scenario");
    let mut rig = Rig::new().expect("memory");
    rig.run(SubjectKind::External(subject), &document.scenario, &mut ()).expect("a run")
}

#[track_caller]
fn violates(outcome: &Outcome, invariant: Invariant, words: &str) {
    let Verdict::Violation(violation) = &outcome.verdict else { panic!("{}", outcome.verdict) };
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(violation.detail.contains(words), "{violation}");
}

#[track_caller]
fn passes(outcome: &Outcome) {
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", outcome.verdict);
}

/// The first finding of an honest storm over this subject.
fn found_by_honest_storm(subject: &'static External, seeds: u64) -> Option<Outcome> {
    let (kind, mut rig) = (SubjectKind::External(subject), Rig::new().expect("memory"));
    let draw = Draw { profile: Profile::Honest, steps: 96, queue_size: None };
    (0..seeds)
        .map(|seed| draw.scenario_with(seed, kind.offered_calls()))
        .map(|scenario| rig.run(kind, &scenario, &mut ()).expect("a run"))
        .find(Outcome::is_finding)
}
