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
        | Defect::LoopDetectedAtHeadOnly
        | Defect::NextUnchecked
        | Defect::OversizedBufferHalfway
        | Defect::FreeLengthTripwire => &[Invariant::NoPanic],
        Defect::FreeMutatesBeforeCheck => &[Invariant::FailedUnchanged],
        Defect::MidChainFreed | Defect::CountCutTo16Bits | Defect::ZeroMeansUnused => {
            &[Invariant::MisuseRefused]
        }
        // Wrong bytes, or none that could be handed out.
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
        let mut findings = 0;
        for seed in 0..5_000 {
            let Outcome { verdict, .. } = run(&mut rig, kind, Profile::Swarm, seed);
            let Some(invariant) = Expected::of(&verdict).invariant() else { continue };
            assert!(guilty_of(*defect).contains(&invariant), "{} seed {seed}: {verdict}", defect.name());
            findings += 1;
            if findings == 5 {
                break;
            }
        }
        assert!(findings > 0, "{} is not caught", defect.name());
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

#[test]
fn every_kind_is_found_by_its_name() {
    for kind in Kind::all() {
        assert_eq!(Kind::by_name(&kind.name()), Some(kind));
    }
    for defect in Defect::VARIANTS {
        assert!(defect.description().ends_with('.'), "{}", defect.name());
    }
}
