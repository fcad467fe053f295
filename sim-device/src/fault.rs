//! The ways in which the device misbehaves.

use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// One way to misbehave. Each doc line: what the device does; the sentence of the specification that it
/// breaks; the promise of the driver that it attacks. Numbers are only ever appended.
///
/// What a driver may do about any of them: report it, ignore it, clamp a length, or declare the queue broken.
/// What it must never do is stated by the model's invariants.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
    FromRepr,
)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum Fault {
    /// Adds a used element whose id is no index of the table; "id indicates the head entry of the descriptor chain" (2.7.8); attacks every look-up by id.
    IdOutOfRange = 0,
    /// Adds a used element whose id equals a live head in its low 16 bits only; an id is the head of a chain that was used (2.7.8); attacks drivers that cut the id.
    TruncatedId = 1,
    /// Adds a used element whose id is inside a chain; an id is the head of a chain that was used (2.7.8); attacks the free list.
    MidChainId = 2,
    /// Returns a chain again that was returned before; each buffer is used once (2.7.8); attacks completed-once.
    DuplicateId = 3,
    /// Returns a chain with a length above its device-writable bytes; len is the number of bytes written into the device-writable portion (2.7.8); attacks whoever reads that many.
    LengthTooLong = 4,
    /// Moves the used index beyond what it returned; idx says "where the device would put the next descriptor entry" (2.7.8); attacks the loop that follows it.
    IndexJump = 5,
    /// Links the last descriptor of a chain to its head; the table is the driver's, "A device MUST NOT write to any descriptor table entry" (2.7.5.1); attacks whoever follows the table.
    NextToHead = 6,
    /// Links the last descriptor of a chain to its second; a device writes to no descriptor (2.7.5.1); attacks loop detection at the head.
    NextToMiddle = 7,
    /// Overwrites the length of a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks copies by that length.
    LengthScribbled = 8,
    /// Keeps a chain until the faults stop; buffers are to be returned when done (2.7.8); attacks liveness.
    NeverReturned = 9,
    /// Links a descriptor to an index outside the table; a device writes to no descriptor (2.7.5.1); attacks whoever follows the table.
    NextOutOfRange = 10,
    /// Adds a used element whose id is in no chain that the device holds, with nothing more available: a free descriptor, or one that it returned; an id is the head of a chain that was used (2.7.8); attacks the free list.
    FreeId = 11,
    /// Adds a used element whose id is one that it returned a while ago, whatever its descriptors are now; an id is the head of a chain that was used (2.7.8); attacks drivers that know a chain by its head alone.
    StaleId = 12,
    /// Returns a chain that has nothing device-writable with a length; 2.7.8 as for length-too-long; attacks drivers that trust it where there is nothing to copy.
    LengthForReadable = 13,
    /// Returns a chain with a length in bounds of which it wrote less; "the device MUST write at least len bytes to descriptor" (2.7.8.2); attacks whoever hands out what an earlier chain left.
    LengthUnwritten = 14,
    /// Moves the used index back; idx only ever grows (2.7.8); attacks whoever takes it for many new elements.
    IndexBackwards = 15,
    /// Moves the used index before it has written the element, which follows with its next act; "the device MUST set len prior to updating the used idx" (2.7.8.2); attacks whoever believes what an earlier lap left there.
    IndexBeforeElement = 16,
    /// Writes garbage to the used flags; "the device MUST set flags to 0 or 1", and to 0 with event indexes (2.7.10.2); attacks notification suppression.
    FlagsGarbage = 17,
    /// Writes garbage to avail_event; any value is allowed there (2.7.10.2), so this breaks nothing; attacks the windowed comparison.
    EventGarbage = 18,
    /// Links a descriptor to itself; a device writes to no descriptor (2.7.5.1); attacks whoever follows the table.
    NextToSelf = 19,
    /// Links the last descriptor of a chain to one that is in no chain which it holds, with nothing more available: one that is free, or was returned; a device writes to no descriptor (2.7.5.1); attacks the free list.
    NextToFree = 20,
    /// Sets NEXT on the last descriptor of a chain; a device writes to no descriptor (2.7.5.1); attacks whoever follows the table.
    NextSet = 21,
    /// Clears NEXT on the first descriptor of a chain; a device writes to no descriptor (2.7.5.1); attacks the free count.
    NextCleared = 22,
    /// Flips WRITE on a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks whoever takes the direction back from the table.
    WriteFlipped = 23,
    /// Flips INDIRECT on a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks whoever takes flags back from the table.
    IndirectFlipped = 24,
    /// Makes a descriptor's length larger, free or not; a device writes to no descriptor (2.7.5.1); attacks copies by that length.
    LengthGrown = 25,
    /// Makes a descriptor's length zero; a device writes to no descriptor (2.7.5.1); attacks whoever takes zero for a mark.
    LengthZeroed = 26,
    /// Moves a descriptor's address to another one's buffer, free or not; a device writes to no descriptor (2.7.5.1); attacks copies from that address.
    AddressOfAnother = 27,
    /// Moves a descriptor's address out of all regions, free or not; a device writes to no descriptor (2.7.5.1); attacks translation of addresses.
    AddressOutside = 28,
    /// Makes a descriptor's address zero, free or not; a device writes to no descriptor (2.7.5.1); attacks null as a mark.
    AddressZero = 29,
    /// Overwrites the available index; the available ring is "only written by the driver and read by the device" (2.7.6); attacks drivers that read their index back.
    AvailableIndexOverwritten = 30,
    /// Overwrites an entry of the available ring that it did not take yet; the available ring is the driver's (2.7.6); attacks drivers that read entries back.
    AvailableEntryOverwritten = 31,
    /// Writes to a device-readable buffer of a chain that it holds; "A device MUST NOT write to a device-readable buffer" (2.7.5.1); attacks whoever trusts what it sent.
    ReadableWritten = 32,
    /// Writes to a device-writable buffer of the chain that it returned last; a buffer is the driver's again once it is used (2.7.8); attacks whoever reads it more than once.
    WrittenAfterReturn = 33,
    /// Notifies the driver of nothing; "The driver MUST handle spurious notifications from the device" (2.7.7.1), so this breaks nothing; attacks whoever takes a notification for an element.
    SpuriousNotification = 34,
    /// Loses the next notification and looks at the available ring after the one behind it; nothing says how soon a device must look, so this breaks nothing but hopes; attacks drivers that wait for an answer with nothing else to say.
    LostNotification = 35,
    /// Changes a used element, the used index or a descriptor as soon as the driver has read it; an element is written before the index and not after (2.7.8.2), the index only grows (2.7.8), the table is the driver's (2.7.5.1); attacks whoever reads twice, for the check and for the use.
    ChangedBetweenReads = 36,
    /// Takes nothing and returns nothing until the faults stop or it is reset; buffers are to be returned when done (2.7.8); attacks liveness.
    StopsAnswering = 37,
    /// Needs a reset (DEVICE_NEEDS_RESET, 2.1.2): it takes and returns nothing until then, and has forgotten what it held; this breaks nothing; attacks recovery of what is in flight.
    NeedsReset = 38,
}

/// What a fault is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The used ring, which the device writes and the driver reads.
    UsedRing,
    /// The descriptor table, which is the driver's.
    Table,
    /// The available ring, which is the driver's.
    AvailableRing,
    /// Buffers.
    Buffers,
    /// Nothing in memory: what is done when, or not at all.
    Time,
}

impl Fault {
    /// Whether the device does what it must not, and not just what a driver may not expect.
    pub const fn breaks_specification(self) -> bool {
        !matches!(
            self,
            Self::EventGarbage | Self::SpuriousNotification | Self::LostNotification | Self::NeedsReset
        )
    }

    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it does, breaks and attacks.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every fault has a doc line")
    }

    /// Whether the device needs a chain that it holds to do it.
    pub const fn needs_chain_in_flight(self) -> bool {
        match self {
            Self::TruncatedId
            | Self::MidChainId
            | Self::LengthTooLong
            | Self::LengthForReadable
            | Self::LengthUnwritten
            | Self::IndexBeforeElement
            | Self::NextToHead
            | Self::NextToMiddle
            | Self::NextToFree
            | Self::NextSet
            | Self::NextCleared
            | Self::NeverReturned
            | Self::ReadableWritten => true,
            Self::IdOutOfRange
            | Self::DuplicateId
            | Self::IndexJump
            | Self::LengthScribbled
            | Self::NextOutOfRange
            | Self::FreeId
            | Self::StaleId
            | Self::IndexBackwards
            | Self::FlagsGarbage
            | Self::EventGarbage
            | Self::NextToSelf
            | Self::WriteFlipped
            | Self::IndirectFlipped
            | Self::LengthGrown
            | Self::LengthZeroed
            | Self::AddressOfAnother
            | Self::AddressOutside
            | Self::AddressZero
            | Self::AvailableIndexOverwritten
            | Self::AvailableEntryOverwritten
            | Self::WrittenAfterReturn
            | Self::SpuriousNotification
            | Self::LostNotification
            | Self::ChangedBetweenReads
            | Self::StopsAnswering
            | Self::NeedsReset => false,
        }
    }

    /// What it is done to.
    pub const fn target(self) -> Target {
        match self {
            Self::IdOutOfRange
            | Self::TruncatedId
            | Self::MidChainId
            | Self::DuplicateId
            | Self::LengthTooLong
            | Self::IndexJump
            | Self::FreeId
            | Self::StaleId
            | Self::LengthForReadable
            | Self::LengthUnwritten
            | Self::IndexBackwards
            | Self::IndexBeforeElement
            | Self::FlagsGarbage
            | Self::EventGarbage
            | Self::ChangedBetweenReads => Target::UsedRing,
            Self::NextToHead
            | Self::NextToMiddle
            | Self::LengthScribbled
            | Self::NextOutOfRange
            | Self::NextToSelf
            | Self::NextToFree
            | Self::NextSet
            | Self::NextCleared
            | Self::WriteFlipped
            | Self::IndirectFlipped
            | Self::LengthGrown
            | Self::LengthZeroed
            | Self::AddressOfAnother
            | Self::AddressOutside
            | Self::AddressZero => Target::Table,
            Self::AvailableIndexOverwritten | Self::AvailableEntryOverwritten => Target::AvailableRing,
            Self::ReadableWritten | Self::WrittenAfterReturn => Target::Buffers,
            Self::NeverReturned
            | Self::SpuriousNotification
            | Self::LostNotification
            | Self::StopsAnswering
            | Self::NeedsReset => Target::Time,
        }
    }
}
