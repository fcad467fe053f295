//! Shrinking of steps that do much at once.

use ringstorm::execution::Rig;
use ringstorm::outcome::Outcome;
use ringstorm::scenario::{Document, Scenario};
use ringstorm::shrink::{Limits, shrink};
use ringstorm::subject::SubjectKind;

fn scenario(text: &str) -> Scenario {
    let document: Document = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    document.scenario
}

/// The text of the shrunk scenario, without its first line.
fn shrunk(subject: &str, text: &str, limits: Limits) -> String {
    let kind = SubjectKind::by_name(subject).expect("a subject");
    let (mut rig, scenario) = (Rig::new().expect("there is memory"), scenario(text));
    let outcome: Outcome = rig.run(kind, &scenario, &mut ()).expect("it can run");
    assert!(outcome.is_finding(), "{subject} passes");
    let small = shrink(&mut rig, kind, &outcome.signature(subject), &scenario, limits).expect("it can run");
    small.scenario.to_string().split_once('\n').expect("a first line").1.to_owned()
}

/// The available index of this specimen stays at 65,535, which the 256th chain shows. Before the release at the end, the
/// driver may submit one more chain than the steps do.
const STAYS: &str = "\
ringstorm scenario 1
queue size=8 buffer=64 first-index=0xff00
device notifications off
rounds 3000
driver interrupts off
settle
";

#[test]
fn a_number_of_round_trips_shrinks_to_the_least_that_fails() {
    let small = shrunk("specimen-available-index-saturates", STAYS, Limits::default());
    assert_eq!(small, "queue size=1 buffer=1 first-index=0xff00\nrounds 255\n");
}

#[test]
fn many_submissions_shrink_to_one_if_one_fails() {
    let text = "\
ringstorm scenario 1
queue size=8 buffer=64
driver submit readable=1x4 writable=1x9 times=100
device take count=255
";
    let small = shrunk("specimen-address-without-base", text, Limits::default());
    assert_eq!(small, "queue size=1 buffer=1\ndriver submit\n", "the chain before the release fails too");
}

#[test]
fn round_trips_use_up_the_budget() {
    // One execution costs more than this. Without their cost, dozens of executions would fit.
    let small =
        shrunk("specimen-available-index-saturates", STAYS, Limits { steps: 60, ..Limits::default() });
    let unchanged = scenario(STAYS).to_string();
    assert_eq!(format!("ringstorm scenario 1\n{small}"), unchanged);
}
