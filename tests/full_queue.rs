//! The second example of the guide: the storm finds nothing in the careful queue with all its capabilities, and finds the planted
//! defect.

#[path = "../examples/full_queue.rs"]
mod example;

use example::MINE;
use ringstorm::execution::Rig;
use ringstorm::explore::{Explored, Scope, StopReason, SubjectFeatures, explore};
use ringstorm::outcome::Expected;
use ringstorm::scenario::{Profile, generate};
use ringstorm::subject::{QueueSize, SubjectKind};
use ringstorm_model::Invariant;
use std::sync::atomic::AtomicBool;
use strum::VariantArray;

#[test]
fn the_storm_finds_nothing_in_the_careful_queue() {
    let mut rig = Rig::new().expect("memory");
    for profile in Profile::VARIANTS {
        for seed in 0..2_000 {
            let scenario = generate(seed, *profile, 96);
            let outcome = rig.run(SubjectKind::External(&MINE[0]), &scenario, &mut ()).expect("a run");
            assert!(!outcome.is_finding(), "{profile:?} seed {seed}: {}", outcome.verdict);
        }
    }
}

#[test]
fn the_storm_finds_the_planted_defect() {
    let mut rig = Rig::new().expect("memory");
    for profile in Profile::VARIANTS {
        let found = (0..2_000).find_map(|seed| {
            let scenario = generate(seed, *profile, 96);
            let outcome = rig.run(SubjectKind::External(&MINE[1]), &scenario, &mut ()).expect("a run");
            outcome.is_finding().then(|| Expected::of(&outcome.verdict))
        });
        assert_eq!(found, Some(Expected::Violation(Invariant::MisuseRefused)), "{profile:?}");
    }
}

fn explored(subject: usize, features: SubjectFeatures) -> Explored {
    let scope = Scope {
        kind: SubjectKind::External(&MINE[subject]),
        queue_size: QueueSize::new(1).expect("a size"),
        depth: 2,
        faults: 1,
        max_states: 1_000_000,
        time: None,
        jobs: 2,
        features,
    };
    explore(&scope, &AtomicBool::new(false), |_| ()).expect("memory")
}

/// Snapshots change nothing, and fingerprints join states that continue alike.
#[test]
fn exploration_is_complete_and_finds_nothing_in_the_careful_queue() {
    let with = explored(0, SubjectFeatures::default());
    assert_eq!((with.ending, with.depth, with.found.is_none()), (StopReason::Exhausted, Some(2), true));
    let repeated = explored(0, SubjectFeatures { snapshots: false, ..SubjectFeatures::default() });
    assert_eq!((&repeated.levels, repeated.transitions), (&with.levels, with.transitions));
    let blind = explored(0, SubjectFeatures { fingerprints: false, ..SubjectFeatures::default() });
    assert_eq!((blind.ending, blind.found.is_none()), (StopReason::Exhausted, true));
    assert!(
        blind.states() > 2 * with.states(),
        "{} states, {} with fingerprints",
        blind.states(),
        with.states()
    );
}
