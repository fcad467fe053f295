//! The harness finds each known defect, and nothing in a queue without a defect.

use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Outcome};
use ringstorm::scenario::{Profile, generate};
use ringstorm::subject::{Defect, SubjectKind};
use ringstorm_model::Invariant;
use strum::VariantArray;

const STEPS: usize = 128;

fn run(rig: &mut Rig, kind: SubjectKind, profile: Profile, seed: u64) -> Outcome {
    rig.run(kind, &generate(seed, profile, STEPS), &mut ()).expect("there is memory")
}

/// The invariants by which a defect may be found: first the one that it breaks, then others that sometimes fail
/// earlier.
const fn expected_invariants(defect: Defect) -> &'static [Invariant] {
    use Invariant::{
        Acyclic, AvailableOrder, BuffersDisjoint, BuffersRegistered, CompletedOnce, Drains, FailedUnchanged,
        FairBlame, FetchedOnce, FreeCount, LengthBound, MemoryKept, MisuseRefused, NoDoubleUse, NoPanic,
        Notified, OwnArea, Payload, Released, ResetRecovers, Response, UnwoundUnchanged, WellFormed,
    };
    match defect {
        Defect::HeadAtSize
        | Defect::NextUnchecked
        | Defect::OversizedBufferHalfway
        | Defect::FreeLengthTripwire
        | Defect::IdUnchecked => &[NoPanic],
        Defect::LoopDetectedAtHeadOnly => &[NoPanic, Response, FetchedOnce],
        // Following the table never ends, or frees the descriptors that the device linked, or too few.
        Defect::FreeFollowsTable => &[NoPanic, FreeCount, FetchedOnce],
        // While the driver goes through the elements, an old one can complete a chain that is in flight.
        Defect::IndexJumpFollowed => {
            &[NoPanic, Notified, CompletedOnce, Drains, Response, MisuseRefused, FailedUnchanged, FetchedOnce]
        }
        Defect::FreeMutatesBeforeCheck
        | Defect::RefusedHalfway
        | Defect::FaultResetsDriver
        | Defect::BrokenStillSubmits => &[FailedUnchanged],
        Defect::MidChainFreed
        | Defect::CountCutTo16Bits
        | Defect::ZeroMeansUnused
        | Defect::FreedInFlight
        | Defect::FreedTwice => &[MisuseRefused],
        // It reads wrong bytes, or too few.
        Defect::ContentsFromTail | Defect::LengthReadBack => &[Response, NoPanic],
        Defect::WriteFlagReadBack | Defect::LengthIgnored | Defect::LengthCutTo16Bits => &[Response],
        Defect::LengthPassedThrough => &[LengthBound],
        Defect::BoundReadBack => &[LengthBound, Response, FairBlame],
        Defect::BoundCutTo16Bits => &[FairBlame, Response],
        Defect::ReleaseLeaks => &[Released],
        Defect::DuplicateCompletionTaken | Defect::StaleCompletionTaken => &[CompletedOnce],
        // The queue may be allowed to ignore the element, or the element may name the chain that is returned next.
        Defect::IdFolded
        | Defect::IdTruncated
        | Defect::MidChainIdTaken
        | Defect::CompletionOrderAssumed
        | Defect::NewestElementOnly => &[CompletedOnce, Response, FairBlame, Notified],
        // One descriptor is wrongly free, and another one is not.
        Defect::LinksReadBack | Defect::FreeListInTable | Defect::RingSlotFreed | Defect::NeighboursFreed => {
            &[NoDoubleUse, Payload, Response, FetchedOnce]
        }
        Defect::HeadAloneFreed | Defect::DescriptorsTakenFirst => &[FreeCount],
        Defect::BadElementStalls | Defect::OverLongLosesChain => &[Drains],
        Defect::UsedIndexCompared | Defect::FullRingLooksEmpty => &[Drains, Notified],
        Defect::IndexBeforeEntry => &[AvailableOrder],
        // If the index does not move, there is no notification.
        Defect::AvailableIndexFolded | Defect::AvailableIndexSaturates => &[AvailableOrder, Notified],
        Defect::WishRemembered
        | Defect::WishReadTooEarly
        | Defect::WishInverted
        | Defect::InterruptFlagInverted
        | Defect::EventWindowCompared
        | Defect::EventMatchedExactly
        | Defect::UsedEventStale
        | Defect::LostWakeUp
        | Defect::ResetForgetsWish => &[Notified],
        // The buffer is written while another chain has it, even if the model sees no overlap.
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
        // A chain may contain the same descriptor twice.
        Defect::FreeListEndsInChain => &[NoDoubleUse, Payload, Acyclic, WellFormed],
        Defect::WrapBlamed | Defect::FullRingBlamed => &[FairBlame],
        Defect::UnwoundFree => &[FreeCount, UnwoundUnchanged],
        Defect::UnwoundPublish => &[AvailableOrder, UnwoundUnchanged, Drains, Notified],
        // The next element completes too early.
        Defect::UnwoundTake => &[Drains, UnwoundUnchanged, CompletedOnce],
        Defect::UnwoundReset => &[FreeCount, UnwoundUnchanged],
        Defect::WithdrawLeavesEntry => &[AvailableOrder],
        Defect::WithdrawTakesPublished | Defect::TooManyForNowIsForEver => &[MisuseRefused],
        Defect::IdleDropFreesRings | Defect::DropFreesBuffers => &[MemoryKept],
    }
}

#[test]
fn a_specimen_without_a_defect_passes_a_storm() {
    let mut rig = Rig::new().expect("there is memory");
    for profile in Profile::VARIANTS {
        for seed in 0..2_000 {
            let outcome = run(&mut rig, SubjectKind::Specimen(None), *profile, seed);
            assert!(!outcome.is_finding(), "{profile:?} seed {seed}: {}", outcome.verdict);
        }
    }
}

#[test]
fn every_defect_violates_an_expected_invariant() {
    let mut missed = Invariant::VARIANTS.to_vec();
    let mut wrong = Vec::new();
    for defect in Defect::VARIANTS {
        let mut rig = Rig::new().expect("there is memory");
        let kind = SubjectKind::Specimen(Some(*defect));
        let mut findings = 0;
        for seed in 0..5_000 {
            let Outcome { verdict, .. } = run(&mut rig, kind, Profile::Swarm, seed);
            let Some(invariant) = Expected::of(&verdict).invariant() else { continue };
            if !expected_invariants(*defect).contains(&invariant) {
                wrong.push(format!("{} seed {seed}: {verdict}", defect.name()));
            }
            missed.retain(|missed| *missed != invariant);
            findings += 1;
            if findings == 2 {
                break;
            }
        }
        assert!(findings > 0, "{} is not caught", defect.name());
    }
    assert!(wrong.is_empty(), "caught by what they do not break:\n{}", wrong.join("\n"));
    assert!(missed.is_empty(), "no specimen is caught by {missed:?}");
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
fn every_kind_is_found_by_its_name() {
    for kind in SubjectKind::all() {
        assert_eq!(SubjectKind::by_name(&kind.name()), Some(kind));
    }
    for defect in Defect::VARIANTS {
        assert!(defect.description().ends_with('.'), "{}", defect.name());
    }
}
