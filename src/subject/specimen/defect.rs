//! What can be wrong with a specimen.

use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One defect, as drivers in the field have them. The first twelve are those of one table; the others are classes that
/// were met again and again in public drivers, and some that a review found in core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Defect {
    /// A head equal to the queue size passes the range check of reading and freeing, and the look-up by it panics.
    HeadAtSize,
    /// Chains are followed through the table in shared memory, where only a loop through the head is detected: any other makes freeing panic.
    LoopDetectedAtHeadOnly,
    /// Freeing clears the descriptors in shared memory before it finds that they loop through the head, and refuses.
    FreeMutatesBeforeCheck,
    /// Freeing accepts an index inside a chain: what follows goes to the free list while the chain still has it.
    MidChainFreed,
    /// Chains are followed through the table in shared memory without a range check, and an index outside panics.
    NextUnchecked,
    /// Reading begins to copy where counting the bytes ended, which is the tail and not the head.
    ContentsFromTail,
    /// The number of buffers is cut to 16 bits, so that 65,537 buffers are a chain of one.
    CountCutTo16Bits,
    /// A buffer above the buffer size panics half-way through submitting, behind descriptors that were written.
    OversizedBufferHalfway,
    /// Reading takes the lengths of buffers back from the table in shared memory.
    LengthReadBack,
    /// Submitting asserts that a free descriptor's length in shared memory is zero.
    FreeLengthTripwire,
    /// Releasing keeps a handle on the memory.
    ReleaseLeaks,
    /// A length of zero is accepted and means unused as well, so that the descriptor of an empty buffer stays free.
    ZeroMeansUnused,
    /// A used element that names a returned chain completes it again.
    DuplicateCompletionTaken,
    /// Freeing leaves the record by which a used element finds its chain, so that a freed chain completes.
    StaleCompletionTaken,
    /// An id that is no index of the table is looked up all the same, and panics.
    IdUnchecked,
    /// An id is brought into range by the remainder of a division, so that another chain completes.
    IdFolded,
    /// An id is cut to 16 bits before it is checked.
    IdTruncated,
    /// An id inside a chain completes the chain, since each descriptor leads to the owner's record.
    MidChainIdTaken,
    /// Freeing follows the table in shared memory from link to link until one is missing.
    FreeFollowsTable,
    /// Freeing knows how many descriptors a chain has, but reads from the table in shared memory which ones.
    LinksReadBack,
    /// Reading takes from the table in shared memory which buffers the device could write to.
    WriteFlagReadBack,
    /// A reported length is checked against the lengths that stand in the table in shared memory.
    BoundReadBack,
    /// The free list is linked through the table in shared memory, and a next outside is brought into range by a remainder.
    FreeListInTable,
    /// A reported length is passed on unchecked.
    LengthPassedThrough,
    /// A reported length is cut to 16 bits before it is checked.
    LengthCutTo16Bits,
    /// The bytes that a chain has room for are counted in 16 bits, so that good lengths are too long.
    BoundCutTo16Bits,
    /// Reading hands out all that a chain has room for, however little the device reported.
    LengthIgnored,
    /// Whatever the used index claims is gone through, in search of an element that names a chain.
    IndexJumpFollowed,
    /// Freeing frees the head and no other descriptor.
    HeadAloneFreed,
    /// Freeing takes the slot of the used ring, in which the chain came back, for its head.
    RingSlotFreed,
    /// Freeing takes the descriptors behind the head for the chain's, as if none had ever been freed out of order.
    NeighboursFreed,
    /// The oldest chain completes, whichever the device returned.
    CompletionOrderAssumed,
    /// Submitting takes descriptors off the free list before it refuses a buffer, and does not give them back.
    DescriptorsTakenFirst,
    /// Submitting refuses a buffer when it comes to it, behind descriptors that were written.
    RefusedHalfway,
    /// A used element that names no chain is neither consumed nor does it break the queue: every call meets it again.
    BadElementStalls,
    /// A used element whose length is too long is dropped, and its chain with it.
    OverLongLosesChain,
    /// The used index is compared without regard to its wrap, behind which nothing is ever new.
    UsedIndexCompared,
    /// The used index is compared by its slot, so that a ring full of used elements looks empty.
    FullRingLooksEmpty,
    /// The available index wraps at the queue size and not at 16 bits.
    AvailableIndexFolded,
    /// The available index stays at 65,535.
    AvailableIndexSaturates,
    /// Whether the device's event was passed is found by comparing indexes without regard to their wrap.
    EventWindowCompared,
    /// The device is notified of the entry that it asked for if that is the last of a batch, and else not.
    EventMatchedExactly,
    /// The driver's event stays where it was when used elements are taken.
    UsedEventStale,
    /// Whether the device wants to be notified is read once and remembered.
    WishRemembered,
    /// Whether the device wants to be notified is read when a chain is submitted and not when it is published.
    WishReadTooEarly,
    /// The device's flag that suppresses notifications is taken for a wish for them.
    WishInverted,
    /// The driver's flag that suppresses notifications is set when they are wanted.
    InterruptFlagInverted,
    /// Whoever asks for notifications again is not told of used elements that came before.
    LostWakeUp,
    /// The available index is stored before the entries that it publishes.
    IndexBeforeEntry,
    /// Only the newest used element is looked at, and those before it are passed over.
    NewestElementOnly,
    /// Buffers are handed out in turn and not with their descriptors, so that one is used again while the device has it.
    BuffersInTurn,
    /// Freeing accepts a chain that the device has.
    FreedInFlight,
    /// Freeing accepts a chain that was freed, since its record is still there.
    FreedTwice,
    /// Any fault of the device makes the driver start over, while the device still has its chains.
    FaultResetsDriver,
    /// A queue that said it is broken accepts chains all the same.
    BrokenStillSubmits,
    /// A reset does not go back in the used ring.
    ResetKeepsUsedIndex,
    /// A reset leaves the records of chains, and they can complete after it.
    ResetKeepsChains,
    /// A reset makes free again only what was free before.
    ResetLosesLiveDescriptors,
    /// A used element is zeroed when it was taken, in the part that only the device may write.
    UsedElementCleared,
    /// An id is read twice: the one that is checked, and the one that is used.
    IdFetchedTwice,
    /// A length is read twice: the one that is checked, and the one that is used.
    LengthFetchedTwice,
    /// The used index is read twice: to see whether there is anything, and how much.
    UsedIndexFetchedTwice,
    /// A descriptor has its buffer's offset for an address.
    AddressWithoutBase,
    /// The last descriptor's buffer is placed behind the last buffer.
    LastBufferOffByOne,
    /// Device-writable buffers come before device-readable ones.
    WritableFirst,
    /// The second buffer's payload is written where the first one's was.
    PayloadMisplaced,
    /// Payload is copied in words of 32 bits, and what is left over is not.
    PayloadCutToWords,
    /// The last descriptor of a chain says that another one follows.
    TailKeepsNext,
    /// The last descriptor of a chain is linked to the first, as in a free list that is a circle.
    TailLinksHead,
    /// The end of the free list is linked to the tail of the newest chain, so that a full queue hands it out again.
    FreeListEndsInChain,
    /// A used index behind its wrap is taken for one that goes backwards, which is blamed on the device.
    WrapBlamed,
    /// As many used elements as there are chains in flight are too many, which is blamed on the device.
    FullRingBlamed,
    /// A queue that is dropped while the device is running keeps its memory only if chains are live, and the device writes to rings that are gone.
    IdleDropFreesRings,
    /// A queue that is dropped while the device is running keeps its rings, and gives back buffers that the device has.
    DropFreesBuffers,
    /// A reset forgets that the caller wanted no notifications, and the device notifies again.
    ResetForgetsWish,
    /// Memory that fails while a chain is freed leaves some of its descriptors free, and the queue goes on.
    UnwoundFree,
    /// Memory that fails while chains are published leaves them counted as the device's, and the queue goes on.
    UnwoundPublish,
    /// Memory that fails when a used element was stepped over loses its chain, and the queue goes on.
    UnwoundTake,
    /// Memory that fails in a reset leaves every descriptor free and the chains where they were, and the queue goes on.
    UnwoundReset,
    /// A chain that is taken back before it was published is free, and published all the same.
    WithdrawLeavesEntry,
    /// A chain can be taken back that the device has.
    WithdrawTakesPublished,
    /// A chain of more buffers than there are free descriptors will never fit, it says, though the queue has as many.
    TooManyForNowIsForEver,
}

impl Defect {
    /// The name in kinds and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What is wrong.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every defect has a doc line")
    }
}
