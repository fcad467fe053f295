//! With a device that follows the specification, the storm finds every defect that needs no fault of the device.

use ringstorm::execution::Rig;
use ringstorm::scenario::{JOURNEYS, Profile, generate};
use ringstorm::subject::{Defect, SubjectKind};
use strum::VariantArray;

/// The number of seeds, in which each defect must be found.
const SEEDS: u64 = 10_000;

/// Whether only a device that breaks the specification can make the driver go wrong. Memory that fails is no fault of the
/// device.
const fn needs_fault(defect: Defect) -> bool {
    match defect {
        // The driver trusts the shared table, which an honest device does not change.
        Defect::LoopDetectedAtHeadOnly
        | Defect::FreeMutatesBeforeCheck
        | Defect::NextUnchecked
        | Defect::LengthReadBack
        | Defect::FreeLengthTripwire
        | Defect::FreeFollowsTable
        | Defect::LinksReadBack
        | Defect::WriteFlagReadBack
        | Defect::BoundReadBack
        | Defect::FreeListInTable => true,
        // The driver accepts ids, lengths and indexes that an honest device never writes.
        Defect::DuplicateCompletionTaken
        | Defect::StaleCompletionTaken
        | Defect::IdUnchecked
        | Defect::IdFolded
        | Defect::IdTruncated
        | Defect::MidChainIdTaken
        | Defect::LengthPassedThrough
        | Defect::IndexJumpFollowed => true,
        // The driver is wrong only after it has detected a fault.
        Defect::BadElementStalls
        | Defect::OverLongLosesChain
        | Defect::FaultResetsDriver
        | Defect::BrokenStillSubmits => true,
        // Only a value that changes between two reads makes the second read wrong.
        Defect::IdFetchedTwice | Defect::LengthFetchedTwice | Defect::UsedIndexFetchedTwice => true,
        Defect::HeadAtSize
        | Defect::MidChainFreed
        | Defect::ContentsFromTail
        | Defect::CountCutTo16Bits
        | Defect::OversizedBufferHalfway
        | Defect::ReleaseLeaks
        | Defect::ZeroMeansUnused
        | Defect::LengthCutTo16Bits
        | Defect::BoundCutTo16Bits
        | Defect::LengthIgnored
        | Defect::HeadAloneFreed
        | Defect::RingSlotFreed
        | Defect::NeighboursFreed
        | Defect::CompletionOrderAssumed
        | Defect::DescriptorsTakenFirst
        | Defect::RefusedHalfway
        | Defect::UsedIndexCompared
        | Defect::FullRingLooksEmpty
        | Defect::AvailableIndexFolded
        | Defect::AvailableIndexSaturates
        | Defect::EventWindowCompared
        | Defect::EventMatchedExactly
        | Defect::UsedEventStale
        | Defect::WishRemembered
        | Defect::WishReadTooEarly
        | Defect::WishInverted
        | Defect::InterruptFlagInverted
        | Defect::LostWakeUp
        | Defect::IndexBeforeEntry
        | Defect::NewestElementOnly
        | Defect::BuffersInTurn
        | Defect::FreedInFlight
        | Defect::FreedTwice
        | Defect::ResetKeepsUsedIndex
        | Defect::ResetKeepsChains
        | Defect::ResetLosesLiveDescriptors
        | Defect::UsedElementCleared
        | Defect::AddressWithoutBase
        | Defect::LastBufferOffByOne
        | Defect::UsedRingTooEarly
        | Defect::WritableFirst
        | Defect::PayloadMisplaced
        | Defect::PayloadCutToWords
        | Defect::TailKeepsNext
        | Defect::TailLinksHead
        | Defect::FreeListEndsInChain
        | Defect::WrapBlamed
        | Defect::FullRingBlamed
        | Defect::IdleDropFreesRings
        | Defect::DropFreesBuffers
        | Defect::ResetForgetsWish
        | Defect::UnwoundFree
        | Defect::UnwoundPublish
        | Defect::UnwoundTake
        | Defect::UnwoundReset
        | Defect::WithdrawLeavesEntry
        | Defect::WithdrawTakesPublished
        | Defect::WishReadBeforeIndex
        | Defect::NoBarrierBeforeWish
        | Defect::NoBarrierBeforeUsedIndex
        | Defect::IndexNotReleased
        | Defect::UsedIndexNotAcquired
        | Defect::TooManyForNowIsForEver
        | Defect::InFlightCutTo8Bits
        | Defect::UnnotifiedCutTo16Bits => false,
    }
}

#[test]
fn the_honest_profile_finds_every_defect_that_needs_no_fault() {
    let mut rig = Rig::new().expect("there is memory");
    let mut missed = Vec::new();
    for defect in Defect::VARIANTS.iter().filter(|defect| !needs_fault(**defect)) {
        let kind = SubjectKind::Specimen(Some(*defect));
        // Only a journey shows this defect.
        let first = if *defect == Defect::UnnotifiedCutTo16Bits { JOURNEYS / 2 } else { 0 };
        let found = (first..first + SEEDS).any(|seed| {
            let scenario = generate(seed, Profile::Honest, 128);
            rig.run(kind, &scenario, &mut ()).expect("there is memory").is_finding()
        });
        if !found {
            missed.push(defect.name());
        }
    }
    assert!(missed.is_empty(), "not found: {}", missed.join(", "));
}
