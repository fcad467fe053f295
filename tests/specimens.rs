//! The storm finds each known defect, and nothing in a queue without one.

use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Outcome};
use ringstorm::scenario::{JOURNEYS, Profile, generate};
use ringstorm::subject::{Defect, SubjectKind};
use ringstorm_model::Invariant;
use strum::VariantArray;

const STEPS: usize = 128;

fn run(rig: &mut Rig, kind: SubjectKind, profile: Profile, seed: u64) -> Outcome {
    rig.run(kind, &generate(seed, profile, STEPS), &mut ()).expect("there is memory")
}

/// The invariants that may catch a defect: first the one that it breaks, then others that sometimes show it earlier.
const fn invariants_of(defect: Defect) -> &'static [Invariant] {
    use Invariant::{
        AccessOrder, Acyclic, AvailableOrder, BuffersDisjoint, BuffersRegistered, CompletedOnce, Drains,
        FailedUnchanged, FairBlame, FetchedOnce, FreeCount, Layout, LengthBound, MemoryKept, MisuseRefused,
        NoDoubleUse, NoPanic, Notified, OwnArea, Payload, Released, ResetRecovers, Response,
        UnwoundUnchanged, WellFormed,
    };
    match defect {
        Defect::HeadAtSize
        | Defect::NextUnchecked
        | Defect::OversizedBufferHalfway
        | Defect::FreeLengthTripwire
        | Defect::IdUnchecked => &[NoPanic],
        Defect::LoopDetectedAtHeadOnly => &[NoPanic, Response, FetchedOnce],
        // `free` loops forever, or frees other descriptors that the device linked, or frees too few.
        Defect::FreeFollowsTable => &[NoPanic, FreeCount, FetchedOnce],
        // The driver follows the index over old elements, which can complete chains that are still in flight.
        Defect::IndexJumpFollowed => {
            &[NoPanic, Notified, CompletedOnce, Drains, Response, MisuseRefused, FailedUnchanged, FetchedOnce]
        }
        Defect::FreeMutatesBeforeCheck | Defect::RefusedHalfway | Defect::BrokenStillSubmits => {
            &[FailedUnchanged]
        }
        // All descriptors are free, also those of live chains.
        Defect::FaultResetsDriver => &[FailedUnchanged, FreeCount],
        Defect::MidChainFreed
        | Defect::CountCutTo16Bits
        | Defect::ZeroMeansUnused
        | Defect::FreedInFlight
        | Defect::FreedTwice => &[MisuseRefused],
        // `read` returns wrong bytes, or panics because its range is outside the buffer.
        Defect::ContentsFromTail | Defect::LengthReadBack => &[Response, NoPanic],
        Defect::WriteFlagReadBack | Defect::LengthIgnored | Defect::LengthCutTo16Bits => &[Response],
        Defect::LengthPassedThrough => &[LengthBound],
        Defect::BoundReadBack => &[LengthBound, Response, FairBlame],
        Defect::BoundCutTo16Bits => &[FairBlame, Response],
        Defect::ReleaseLeaks => &[Released],
        Defect::DuplicateCompletionTaken | Defect::StaleCompletionTaken => &[CompletedOnce],
        // The driver takes a bad element for another chain. That chain may also be the one that the device returns next.
        Defect::IdFolded
        | Defect::IdTruncated
        | Defect::MidChainIdTaken
        | Defect::CompletionOrderAssumed
        | Defect::NewestElementOnly => &[CompletedOnce, Response, FairBlame, Notified],
        // The free list contains a descriptor that is in use, and lacks another one.
        Defect::LinksReadBack | Defect::FreeListInTable | Defect::RingSlotFreed | Defect::NeighboursFreed => {
            &[NoDoubleUse, Payload, Response, FetchedOnce]
        }
        Defect::HeadAloneFreed | Defect::DescriptorsTakenFirst => &[FreeCount],
        Defect::BadElementStalls | Defect::OverLongLosesChain => &[Drains],
        Defect::UsedIndexCompared | Defect::FullRingLooksEmpty => &[Drains, Notified],
        // If the available index did not move, the driver does not notify the device. The index is judged first.
        Defect::IndexBeforeEntry | Defect::AvailableIndexFolded | Defect::AvailableIndexSaturates => {
            &[AvailableOrder]
        }
        Defect::WishReadBeforeIndex
        | Defect::NoBarrierBeforeWish
        | Defect::NoBarrierBeforeUsedIndex
        | Defect::IndexNotReleased
        | Defect::UsedIndexNotAcquired => &[AccessOrder],
        Defect::WishRemembered | Defect::WishReadTooEarly | Defect::LostWakeUp => &[Notified, AccessOrder],
        Defect::WishInverted
        | Defect::InterruptFlagInverted
        | Defect::EventWindowCompared
        | Defect::EventMatchedExactly
        | Defect::UsedEventStale
        | Defect::ResetForgetsWish
        | Defect::UnnotifiedCutTo16Bits => &[Notified],
        // Two chains share a buffer, or the driver writes to a buffer of another chain.
        Defect::BuffersInTurn => &[BuffersDisjoint, OwnArea],
        Defect::ResetKeepsUsedIndex => &[FairBlame, CompletedOnce, Drains, Notified, Response],
        Defect::ResetKeepsChains => &[CompletedOnce, MisuseRefused],
        Defect::ResetLosesLiveDescriptors => &[ResetRecovers],
        Defect::UsedElementCleared => &[OwnArea],
        Defect::IdFetchedTwice | Defect::LengthFetchedTwice | Defect::UsedIndexFetchedTwice => &[FetchedOnce],
        Defect::AddressWithoutBase | Defect::LastBufferOffByOne => &[BuffersRegistered],
        Defect::WritableFirst => &[WellFormed],
        Defect::PayloadMisplaced | Defect::PayloadCutToWords => &[Payload],
        Defect::TailKeepsNext => &[Acyclic, WellFormed],
        Defect::TailLinksHead => &[Acyclic],
        // One chain may get the same descriptor twice.
        Defect::FreeListEndsInChain => &[NoDoubleUse, Payload, Acyclic, WellFormed],
        Defect::WrapBlamed | Defect::FullRingBlamed | Defect::InFlightCutTo8Bits => &[FairBlame],
        Defect::UnwoundFree => &[FreeCount, UnwoundUnchanged],
        Defect::UnwoundPublish => &[AvailableOrder, UnwoundUnchanged, Drains, Notified],
        // The driver skips an element and completes the next one too early.
        Defect::UnwoundTake => &[Drains, UnwoundUnchanged, CompletedOnce],
        Defect::UnwoundReset => &[FreeCount, UnwoundUnchanged],
        Defect::WithdrawLeavesEntry => &[AvailableOrder],
        Defect::WithdrawTakesPublished | Defect::TooManyForNowIsForEver => &[MisuseRefused],
        Defect::UsedRingTooEarly => &[Layout],
        Defect::IdleDropFreesRings | Defect::DropFreesBuffers => &[MemoryKept],
    }
}

/// The first seed to try, and how many findings are enough. Only a journey shows some defects.
const fn seeds_for(defect: Defect) -> (u64, u32) {
    match defect {
        Defect::UnnotifiedCutTo16Bits => (JOURNEYS / 2, 1),
        _ => (0, 2),
    }
}

#[test]
fn the_specimen_without_a_defect_passes_a_storm() {
    let mut rig = Rig::new().expect("there is memory");
    for profile in Profile::VARIANTS {
        for seed in 0..2_000 {
            let outcome = run(&mut rig, SubjectKind::Specimen(None), *profile, seed);
            assert!(!outcome.is_finding(), "{profile:?} seed {seed}: {}", outcome.verdict);
        }
    }
}

#[test]
fn every_defect_is_caught_by_an_invariant_that_it_breaks() {
    let mut missed = Invariant::VARIANTS.to_vec();
    let mut wrong = Vec::new();
    for defect in Defect::VARIANTS {
        let mut rig = Rig::new().expect("there is memory");
        let kind = SubjectKind::Specimen(Some(*defect));
        let (first, enough) = seeds_for(*defect);
        let mut findings = 0;
        for seed in first..first + 5_000 {
            let Outcome { verdict, .. } = run(&mut rig, kind, Profile::Swarm, seed);
            let Some(invariant) = Expected::of(&verdict).invariant() else { continue };
            if !invariants_of(*defect).contains(&invariant) {
                wrong.push(format!("{} seed {seed}: {verdict}", defect.name()));
            }
            missed.retain(|missed| *missed != invariant);
            findings += 1;
            if findings == enough {
                break;
            }
        }
        assert!(findings > 0, "{} was not caught", defect.name());
    }
    assert!(wrong.is_empty(), "caught by an unexpected invariant:\n{}", wrong.join("\n"));
    assert!(missed.is_empty(), "these invariants caught no specimen: {missed:?}");
}

#[test]
fn a_seed_has_the_same_outcome_alone_and_in_a_sweep() {
    for kind in SubjectKind::all() {
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
fn every_subject_is_found_by_its_name() {
    for kind in SubjectKind::all() {
        assert_eq!(SubjectKind::by_name(&kind.name()), Some(kind));
    }
    for defect in Defect::VARIANTS {
        assert!(defect.description().ends_with('.'), "{}", defect.name());
    }
}

/// Scenarios that exist use these names, and reports print the new ones.
#[test]
fn older_names_of_specimens_are_accepted() {
    for (older, name) in [
        ("specimen-count-cut-to16-bits", "specimen-count-cut-to-16-bits"),
        ("specimen-length-cut-to16-bits", "specimen-length-cut-to-16-bits"),
        ("specimen-bound-cut-to16-bits", "specimen-bound-cut-to-16-bits"),
        ("specimen-in-flight-cut-to8-bits", "specimen-in-flight-cut-to-8-bits"),
        ("specimen-unnotified-cut-to16-bits", "specimen-unnotified-cut-to-16-bits"),
    ] {
        let kind = SubjectKind::by_name(older).expect("an older name");
        assert_eq!(kind.name(), name);
        assert_eq!(SubjectKind::by_name(name), Some(kind));
    }
}
