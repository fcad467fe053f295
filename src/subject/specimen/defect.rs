//! The defects of specimens.

use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One defect of a kind that real drivers have. The first twelve were found in one descriptor table. The others are
/// kinds that occur often in public drivers, and some that a review found in core. Where a defect has two text names, the
/// second is an older name, which scenarios may still use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Defect {
    /// Reading and freeing accept a head equal to the queue size, and indexing with it panics.
    HeadAtSize,
    /// Freeing follows the chain in shared memory and detects only loops through the head; any other loop makes it panic.
    LoopDetectedAtHeadOnly,
    /// Freeing clears the descriptors in shared memory before it detects a loop through the head and returns an error.
    FreeMutatesBeforeCheck,
    /// Freeing accepts an index inside a chain and frees the rest of the chain, while the chain is still live.
    MidChainFreed,
    /// Reading and freeing follow the chain in shared memory without a range check; an index outside the table panics.
    NextUnchecked,
    /// Reading begins to copy at the last descriptor of the chain, where it stopped counting, and not at the head.
    ContentsFromTail,
    /// The number of buffers is truncated to 16 bits, so that 65,537 buffers become a chain of one.
    #[strum(to_string = "count-cut-to-16-bits", serialize = "count-cut-to16-bits")]
    CountCutTo16Bits,
    /// Submitting panics at a buffer longer than the buffer size, after it has written descriptors.
    OversizedBufferHalfway,
    /// Reading uses the buffer lengths in the shared table, which the device can change.
    LengthReadBack,
    /// Submitting panics if the length of a free descriptor in shared memory is not zero.
    FreeLengthTripwire,
    /// Releasing the queue keeps a handle to the memory.
    ReleaseLeaks,
    /// Submitting accepts an empty buffer, but a length of zero also marks a free descriptor, so the descriptor stays free.
    ZeroMeansUnused,
    /// A used element with the id of a chain that was already taken completes this chain again.
    DuplicateCompletionTaken,
    /// Freeing keeps the record that maps an id to a chain, so that a used element can complete a freed chain.
    StaleCompletionTaken,
    /// An id outside the table is used as an index without a check, and panics.
    IdUnchecked,
    /// An id is reduced modulo the queue size, so that another chain completes.
    IdFolded,
    /// An id is truncated to 16 bits before it is checked.
    IdTruncated,
    /// The id of any descriptor of a chain completes the chain, not only the id of its head.
    MidChainIdTaken,
    /// Freeing follows the chain in shared memory until NEXT is not set, and trusts each link.
    FreeFollowsTable,
    /// Freeing uses the private number of descriptors, but takes their indexes from the shared table.
    LinksReadBack,
    /// Reading decides by the flags in the shared table which buffers are device-writable.
    WriteFlagReadBack,
    /// A reported length is compared with the buffer lengths in the shared table.
    BoundReadBack,
    /// The free list is linked through the shared table, and an index outside is reduced modulo the queue size.
    FreeListInTable,
    /// A reported length is returned to the caller without a check.
    LengthPassedThrough,
    /// A reported length is truncated to 16 bits before it is checked.
    #[strum(to_string = "length-cut-to-16-bits", serialize = "length-cut-to16-bits")]
    LengthCutTo16Bits,
    /// The device-writable bytes of a chain are counted in 16 bits, so that valid lengths count as too long.
    #[strum(to_string = "bound-cut-to-16-bits", serialize = "bound-cut-to16-bits")]
    BoundCutTo16Bits,
    /// Reading returns all device-writable bytes of a chain, even if the device reported fewer.
    LengthIgnored,
    /// The queue goes through all elements that the used index covers, even if it jumped, until one completes a chain.
    IndexJumpFollowed,
    /// Freeing frees only the head of a chain and no other descriptor.
    HeadAloneFreed,
    /// Freeing frees the descriptor with the number of the used ring's slot instead of the head.
    RingSlotFreed,
    /// Freeing assumes that a chain has consecutive descriptors, which is wrong once chains were freed out of order.
    NeighboursFreed,
    /// A used element completes the oldest chain in flight, whatever its id.
    CompletionOrderAssumed,
    /// Submitting takes descriptors from the free list before it refuses a buffer, and does not give them back.
    DescriptorsTakenFirst,
    /// Submitting refuses a buffer only after it has written the descriptors before it.
    RefusedHalfway,
    /// A used element with an invalid id is neither consumed nor breaks the queue: every call finds it again.
    BadElementStalls,
    /// A used element with a length that is too long is dropped, and its chain is lost.
    OverLongLosesChain,
    /// The used index is compared as if it never wrapped around, so that after the wrap nothing seems new.
    UsedIndexCompared,
    /// The used index is compared modulo the queue size, so that a full ring of used elements looks empty.
    FullRingLooksEmpty,
    /// The available index wraps around at the queue size and not at 16 bits.
    AvailableIndexFolded,
    /// The available index stays at 65,535 and does not wrap around.
    AvailableIndexSaturates,
    /// Whether avail_event was passed is decided by a comparison that ignores the wrap of the indexes.
    EventWindowCompared,
    /// The device is notified only if avail_event is the last entry of a batch, and not if it is an earlier one.
    EventMatchedExactly,
    /// used_event is not moved when used elements are taken.
    UsedEventStale,
    /// Whether the device wants to be notified is read once and never again.
    WishRemembered,
    /// Whether the device wants to be notified is read when a chain is submitted, and not when it is published.
    WishReadTooEarly,
    /// The device's flag NO_NOTIFY is understood as a request to be notified.
    WishInverted,
    /// The driver's flag NO_INTERRUPT is set when notifications are wanted, and cleared when not.
    InterruptFlagInverted,
    /// A caller that turns notifications on does not learn of used elements that are already there.
    LostWakeUp,
    /// The available index is stored before the entries that it makes available.
    IndexBeforeEntry,
    /// Only the newest used element is processed, and those before it are skipped.
    NewestElementOnly,
    /// Buffers are used in turn and not by descriptor, so that a chain can get a buffer that the device still has.
    BuffersInTurn,
    /// Freeing accepts a chain that is in flight.
    FreedInFlight,
    /// Freeing accepts a chain that was already freed, since its record still exists.
    FreedTwice,
    /// After any device fault the driver discards all chains, while the device still has them.
    FaultResetsDriver,
    /// A queue that has reported that it is broken still accepts chains.
    BrokenStillSubmits,
    /// A reset does not reset the driver's used index.
    ResetKeepsUsedIndex,
    /// A reset keeps the records of chains, so that they can complete after it.
    ResetKeepsChains,
    /// A reset does not free the descriptors of live chains.
    ResetLosesLiveDescriptors,
    /// A used element is zeroed after it was taken, although only the device may write there.
    UsedElementCleared,
    /// An id is read twice: the first value is checked, the second one is used.
    IdFetchedTwice,
    /// A length is read twice: the first value is checked, the second one is used.
    LengthFetchedTwice,
    /// The used index is read twice: once to see whether there is an element, and again to count the elements.
    UsedIndexFetchedTwice,
    /// A descriptor has the offset of its buffer as its address, without the base address.
    AddressWithoutBase,
    /// The last descriptor has an address after the last buffer.
    LastBufferOffByOne,
    /// A chain has its device-writable buffers before its device-readable ones.
    WritableFirst,
    /// The payload of the second buffer is written to the first buffer.
    PayloadMisplaced,
    /// Payload is copied in words of 32 bits, and the remaining bytes are not copied.
    PayloadCutToWords,
    /// The last descriptor of a chain has NEXT set.
    TailKeepsNext,
    /// The last descriptor of a chain has NEXT set and links to the head, as in a circular free list.
    TailLinksHead,
    /// The end of the free list links to the last descriptor of the newest chain, so that a full queue uses it twice.
    FreeListEndsInChain,
    /// A used index that wrapped around counts as one that moved backwards, and the device is blamed.
    WrapBlamed,
    /// If all chains in flight are returned at once, they count as too many, and the device is blamed.
    FullRingBlamed,
    /// A queue without live chains that is dropped while the device is running frees its rings, and the device can still write to them.
    IdleDropFreesRings,
    /// A queue that is dropped while the device is running keeps its rings, but frees buffers that the device has.
    DropFreesBuffers,
    /// A reset forgets that the caller has turned notifications off, and the device notifies again.
    ResetForgetsWish,
    /// If memory fails while a chain is freed, some of its descriptors become free, and the queue continues.
    UnwoundFree,
    /// If memory fails while chains are published, they count as in flight although they are not, and the queue continues.
    UnwoundPublish,
    /// If memory fails after the driver moved past a used element, its chain is lost, and the queue continues.
    UnwoundTake,
    /// If memory fails in a reset, all descriptors are free but the old entries stay in the rings, and the queue continues.
    UnwoundReset,
    /// A withdrawn chain is freed, but still published later.
    WithdrawLeavesEntry,
    /// Withdrawing accepts a chain that is in flight.
    WithdrawTakesPublished,
    /// A chain that needs more descriptors than are free now is refused as larger than the queue, although it would fit later.
    TooManyForNowIsForEver,
    /// Whether the device wants to be notified is read before the available index is stored, in the same call.
    WishReadBeforeIndex,
    /// There is no barrier between the store of the available index and the load of the device's wish to be notified.
    NoBarrierBeforeWish,
    /// There is no barrier between the driver's own wish to be notified and the load of the used index.
    NoBarrierBeforeUsedIndex,
    /// The available index is stored without release ordering.
    IndexNotReleased,
    /// The used index is loaded without acquire ordering.
    UsedIndexNotAcquired,
    /// The chains in flight are counted in 8 bits, so that 256 of them look like none, and the device is blamed.
    #[strum(to_string = "in-flight-cut-to-8-bits", serialize = "in-flight-cut-to8-bits")]
    InFlightCutTo8Bits,
    /// The chains since the last notification are counted in 16 bits, so that 65,536 of them look like none to notify of.
    #[strum(to_string = "unnotified-cut-to-16-bits", serialize = "unnotified-cut-to16-bits")]
    UnnotifiedCutTo16Bits,
    /// The used ring is placed four bytes too early, over the end of the available ring.
    UsedRingTooEarly,
}

impl Defect {
    /// The text name; a specimen's name is `specimen-` and this.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// One sentence that describes the defect.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every defect has a doc line")
    }
}
