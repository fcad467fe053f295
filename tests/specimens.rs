//! The harness finds what it is there to find: each known defect, and nothing in a queue that has none.

use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Outcome};
use ringstorm::scenario::{Profile, generate};
use ringstorm::subject::{Defect, Kind};
use ringstorm_model::Invariant;
use strum::VariantArray;

const STEPS: usize = 128;

fn run(rig: &mut Rig, kind: Kind, profile: Profile, seed: u64) -> Outcome {
    rig.run(kind, &generate(seed, profile, STEPS), &mut ()).expect("there is memory")
}

/// What a defect may be caught by.
const fn guilty_of(defect: Defect) -> &'static [Invariant] {
    match defect {
        Defect::HeadAtSize
        | Defect::NextUnchecked
        | Defect::OversizedBufferHalfway
        | Defect::FreeLengthTripwire => &[Invariant::NoPanic],
        Defect::LoopDetectedAtHeadOnly => &[Invariant::NoPanic],
        Defect::FreeMutatesBeforeCheck => &[Invariant::FailedUnchanged],
        Defect::MidChainFreed | Defect::CountCutTo16Bits | Defect::ZeroMeansUnused => {
            &[Invariant::MisuseRefused]
        }
        // Wrong bytes, or an access that the memory does not have.
        Defect::ContentsFromTail | Defect::LengthReadBack => &[Invariant::Response, Invariant::NoPanic],
        Defect::ReleaseLeaks => &[Invariant::Released],
    }
}

#[test]
fn a_specimen_without_a_defect_survives_a_storm() {
    let mut rig = Rig::new().expect("there is memory");
    for profile in Profile::VARIANTS {
        for seed in 0..2_000 {
            let outcome = run(&mut rig, Kind::Specimen(None), *profile, seed);
            assert!(!outcome.is_finding(), "{profile:?} seed {seed}: {}", outcome.verdict);
        }
    }
}

#[test]
fn every_defect_is_caught_by_what_it_breaks() {
    for defect in Defect::VARIANTS {
        let mut rig = Rig::new().expect("there is memory");
        let kind = Kind::Specimen(Some(*defect));
        let caught = (0..5_000)
            .map(|seed| (seed, run(&mut rig, kind, Profile::Swarm, seed)))
            .find(|(_, outcome)| outcome.is_finding());
        let Some((seed, outcome)) = caught else { panic!("{} is not caught", defect.name()) };
        let invariant = Expected::of(&outcome.verdict).invariant().expect("a finding breaks an invariant");
        assert!(
            guilty_of(*defect).contains(&invariant),
            "{} is caught by {invariant}, seed {seed}: {}",
            defect.name(),
            outcome.verdict
        );
    }
}

#[test]
fn a_seed_comes_out_the_same_alone_and_in_a_sweep() {
    for kind in Kind::all() {
        let mut rig = Rig::new().expect("there is memory");
        for seed in 0..50 {
            run(&mut rig, kind, Profile::Swarm, seed);
        }
        for seed in 50..60 {
            let alone = run(&mut Rig::new().expect("there is memory"), kind, Profile::Swarm, seed);
            assert_eq!(run(&mut rig, kind, Profile::Swarm, seed), alone, "{} seed {seed}", kind.name());
        }
    }
}
