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

#[track_caller]
fn assert_not_accused(name: &str, steps: &str) {
    let text = format!("ringstorm scenario 1\n{steps}");
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let mut queues = VARIANTS.iter().map(SubjectKind::External);
    let queue = queues.find(|kind| kind.name() == name).expect("the queue");
    let outcome = Rig::new().expect("memory").run(queue, &scenario, &mut ()).expect("a run");
    assert!(!outcome.is_finding(), "{}", outcome.verdict);
}

/// The queue skips each element that the jump covers, and requests a notification of the next one each time.
#[test]
fn a_queue_that_skips_elements_may_move_used_event_for_each() {
    assert_not_accused(
        "skips-by-size",
        "queue size=4 buffer=1 features=event-idx\ndriver submit readable=1x1\ndriver submit writable=1x1\n\
         settle\ndriver submit readable=1x1\ndevice fault index-jump newest value=4294967295\ndriver take\n",
    );
}

/// A handler reads the element of the second lap. The device overwrites it with one of the third lap.
#[test]
fn a_handler_may_have_read_an_element_that_the_device_overwrites_a_lap_later() {
    assert_not_accused(
        "handler-drains",
        "queue size=1 buffer=1\ndriver submit writable=1x1\ndevice take\n\
         device fault id-out-of-range newest value=0\ndriver interrupt-arrives\n\
         device return newest written=full\ndriver interrupt-arrives\n\
         device fault duplicate-id newest value=0\n",
    );
    assert_not_accused(
        "handler-drains",
        "queue size=1 buffer=1\ndriver submit readable=1x1\ndevice fault id-out-of-range newest value=0\n\
         driver interrupt-arrives\ndevice take\ndevice return newest written=full\n\
         driver interrupt-arrives\ndevice fault id-out-of-range newest value=0\n",
    );
}

/// The handler of this queue skips bad elements.
#[test]
fn a_handler_may_have_skipped_an_element_that_the_device_overwrites_a_lap_later() {
    assert_not_accused(
        "handler-drains-and-skips",
        "queue size=2 buffer=1\ndriver submit writable=1x1\ndevice fault id-out-of-range newest value=0\n\
         driver submit writable=1x1\ndriver interrupt-arrives\ndevice fault changed-between-reads oldest value=0\n\
         device take count=4\ndevice return newest written=full\ndevice return newest written=full\n\
         driver interrupt-arrives\n",
    );
    assert_not_accused(
        "handler-drains-and-skips",
        "queue size=4 buffer=1\ndevice fault id-out-of-range newest value=0\ndriver take\n\
         device fault id-out-of-range newest value=0\ndevice fault id-out-of-range newest value=0\n\
         driver submit readable=1x1\ndriver submit readable=1x1\ndevice take\ndriver submit writable=1x1\n\
         device take\ndriver submit readable=1x1\ndevice return newest written=full\n\
         device return newest written=full\ndriver interrupt-arrives\n\
         device fault id-out-of-range newest value=0\ndevice fault id-out-of-range newest value=0\n",
    );
}

/// The used index claims half of all indexes, or nearly all of them, when the device overwrites what the handler read.
#[test]
fn a_handler_may_have_read_an_element_before_the_used_index_jumped() {
    assert_not_accused(
        "handler-delays-takes-back",
        "queue size=2 buffer=1\ndriver submit writable=1x1\ndriver submit writable=1x1\ndevice take\n\
         device return newest written=full\ndriver interrupt-arrives\n\
         device fault index-jump newest value=32766\n",
    );
    assert_not_accused(
        "handler-delays-takes-back",
        "queue size=1 buffer=1\ndevice fault index-backwards newest value=0\ndriver submit writable=1x1\n\
         device take\ndevice return newest written=full\ndriver interrupt-arrives\n\
         device fault duplicate-id newest value=0\n",
    );
    assert_not_accused(
        "handler-drains-alone",
        "queue size=4 buffer=1\ndriver submit writable=1x1\ndriver submit readable=1x1\nsettle\n\
         device fault index-backwards newest value=0\ndriver submit writable=1x1\ndevice take\n\
         driver submit readable=1x1\ndevice fault index-before-element newest value=0\n\
         driver interrupt-arrives\n",
    );
}

#[test]
fn sound_queues_are_not_accused() {
    let alarms: Vec<String> = VARIANTS.iter().flat_map(false_alarms).collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}
