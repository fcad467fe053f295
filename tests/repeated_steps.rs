//! Steps that do much at once: each is short for a sequence of other steps, and ends early if the queue or the device
//! cannot continue.

use ringstorm::annotated_trace::annotate;
use ringstorm::execution::Rig;
use ringstorm::outcome::Outcome;
use ringstorm::scenario::{Buffers, Document, Scenario, Step};
use ringstorm::subject::SubjectKind;

const CORE: SubjectKind = SubjectKind::Core;

fn scenario(lines: &[&str]) -> Scenario {
    let text = format!("ringstorm scenario 1\nqueue size=8 buffer=64\n{}\n", lines.join("\n"));
    let document: Document = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    document.scenario
}

fn run(kind: SubjectKind, scenario: &Scenario) -> Outcome {
    let outcome = Rig::new().expect("there is memory").run(kind, scenario, &mut ()).expect("it can run");
    assert!(!outcome.is_finding(), "{}", outcome.verdict);
    outcome
}

/// Replaces the repeating steps by the steps for which they are short.
fn expanded(scenario: &Scenario) -> Scenario {
    let steps = scenario.steps.iter().flat_map(|step| match *step {
        Step::SubmitMany { readable, writable, times } => {
            vec![Step::Submit { readable, writable }; times.into()]
        }
        Step::Rounds { count } => Step::ROUND_TRIP.repeat(count as usize),
        step => vec![step],
    });
    Scenario { setup: scenario.setup, steps: steps.collect() }
}

#[test]
fn a_repeating_step_equals_the_steps_that_it_repeats() {
    let starts: [&[&str]; 4] = [
        &[],
        &["driver submit readable=2x5", "device take"],
        &["driver submit readable=1x3", "device notifications off", "driver prepare writable=1x4"],
        &["driver submit writable=1x9", "device take", "device return newest written=2", "driver take"],
    ];
    for kind in [CORE, SubjectKind::Specimen(None)] {
        for start in starts {
            for repeating in ["rounds 4", "rounds 30", "driver submit readable=1x2 writable=1x3 times=2"] {
                // The number of steps decides how an execution ends, so make it odd in both.
                let mut short = scenario(&[start, &[repeating]].concat());
                let mut long = expanded(&short);
                for scenario in [&mut short, &mut long] {
                    if scenario.steps.len().is_multiple_of(2) {
                        scenario.steps.insert(0, Step::Idle);
                    }
                }
                assert_eq!(
                    run(kind, &short).trace_hash,
                    run(kind, &long).trace_hash,
                    "{}: {start:?}, {repeating}",
                    kind.name()
                );
            }
        }
    }
}

/// The number of the driver's live chains after the steps.
fn live_after(lines: &[&str]) -> u32 {
    let Scenario { setup, steps } = scenario(lines);
    let mut rig = Rig::new().expect("there is memory");
    rig.begin(CORE, &setup).expect("there is memory").expect("it starts");
    for step in &steps {
        rig.step(step).unwrap_or_else(|stop| panic!("{step}: {stop:?}"));
    }
    let live = rig.model().live_chains();
    rig.finish().expect("the queue drains");
    live
}

#[test]
fn a_repeating_step_ends_early() {
    assert_eq!(live_after(&["driver submit writable=1x1 times=7"]), 7);
    assert_eq!(live_after(&["driver submit writable=1x1 times=65535"]), 8, "the queue is full");
    assert_eq!(live_after(&["driver submit writable=3x1 times=65535"]), 2, "two descriptors are left");
    assert_eq!(live_after(&["driver submit writable=1x1 times=8", "rounds 131072"]), 8, "the queue is full");
    assert_eq!(live_after(&["rounds 131072"]), 0);
    let silent = ["driver submit writable=1x1", "device take", "device fault stops-answering newest value=0"];
    assert_eq!(live_after(&[&silent, &["rounds 131072"][..]].concat()), 2, "the device returns nothing");
}

#[test]
fn a_repeating_step_is_one_step() {
    let outcome = run(CORE, &scenario(&["driver submit writable=1x1 times=4", "settle", "rounds 1000"]));
    // The drain at the end is a step too.
    assert_eq!((outcome.steps, outcome.effective_steps), (4, 4));
}

#[test]
fn the_largest_queue_is_filled_by_one_step() {
    let chain = Buffers::of(1, 1);
    for (readable, writable) in [(chain, Buffers::NONE), (Buffers::NONE, chain)] {
        let mut full = scenario(&[]);
        full.setup.queue_size = ringstorm_core::QueueSize::new(32768).expect("a power of two");
        full.steps = vec![Step::SubmitMany { readable, writable, times: 32768 }];
        let mut rig = Rig::new().expect("there is memory");
        rig.begin(CORE, &full.setup).expect("there is memory").expect("it starts");
        rig.step(&full.steps[0]).expect("core is correct");
        assert_eq!(rig.model().live_descriptors(), 32768);
        rig.finish().expect("the queue drains");
    }
}

#[test]
fn the_notes_of_a_repeating_step_stay_few() {
    let mut rig = Rig::new().expect("there is memory");
    let (text, _) = annotate(&mut rig, CORE, &scenario(&["rounds 2000"])).expect("it can run");
    assert!(text.len() < 2_000, "{} bytes", text.len());
    assert!(text.contains(" more notes; "), "{text}");
    assert!(text.contains("available index 1;"), "the first notes are there: {text}");
    assert!(text.contains("used index 2000;"), "the last notes are there: {text}");
}
