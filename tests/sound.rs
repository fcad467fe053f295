//! The storm finds nothing in correct queues that differ from core and from one another as real queues do
//! (`examples/sound`). `.ci/sound` runs more seeds.

#[path = "../examples/sound/queue.rs"]
mod queue;
#[path = "../examples/sound/rings.rs"]
mod rings;
#[path = "../examples/sound/variant.rs"]
mod variant;

use ringstorm::execution::Rig;
use ringstorm::scenario::{Document, Draw, Profile};
use ringstorm::shrink::{Limits, shrink};
use ringstorm::subject::{External, SubjectKind};
use strum::VariantArray;
use variant::VARIANTS;

/// The number of seeds of each variant and profile.
const SEEDS: u64 = 200;

/// The first finding of each profile, as text.
fn false_alarms(own: &'static External) -> Vec<String> {
    let (kind, mut rig) = (SubjectKind::External(own), Rig::new().expect("memory"));
    let mut alarms = Vec::new();
    for profile in Profile::VARIANTS {
        let mut effective = 0;
        let found = (0..SEEDS).find_map(|seed| {
            let draw = Draw { profile: *profile, steps: 96, queue_size: None };
            let scenario = draw.scenario_with(seed, kind.offered_calls());
            let outcome = rig.run(kind, &scenario, &mut ()).expect("a run");
            effective += outcome.effective_steps;
            outcome.is_finding().then_some((seed, scenario, outcome))
        });
        let Some((seed, scenario, outcome)) = found else {
            let enough = 16 * SEEDS;
            assert!(effective > enough, "{}: {effective} effective steps are not enough", kind.name());
            continue;
        };
        let smallest = shrink(&mut rig, kind, &outcome.signature(&kind.name()), &scenario, Limits::default());
        let document = Document { scenario: smallest.expect("a scenario").scenario, ..Document::default() };
        alarms.push(format!("{}, {profile:?} seed {seed}: {}\n{document}", kind.name(), outcome.verdict));
    }
    alarms
}

/// The queue skips each element that the jump covers, and requests a notification of the next one each time.
#[test]
fn a_queue_that_skips_elements_may_move_used_event_for_each() {
    let text = "ringstorm scenario 1\nqueue size=4 buffer=1 features=event-idx\ndriver submit readable=1x1\n\
                driver submit writable=1x1\nsettle\ndriver submit readable=1x1\n\
                device fault index-jump newest value=4294967295\ndriver take\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let mut queues = VARIANTS.iter().map(SubjectKind::External);
    let queue = queues.find(|kind| kind.name() == "skips-by-size").expect("the queue");
    let outcome = Rig::new().expect("memory").run(queue, &scenario, &mut ()).expect("a run");
    assert!(!outcome.is_finding(), "{}", outcome.verdict);
}

#[test]
fn sound_queues_are_not_accused() {
    let alarms: Vec<String> = VARIANTS.iter().flat_map(false_alarms).collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}
