//! The faults: the ways in which the device misbehaves.

use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// One way to misbehave. Each doc line says what the device does, which rule of the specification that breaks, and which
/// part of a driver it attacks. Numbers never change; a new fault gets the next one.
///
/// A driver may report a fault, ignore it, clamp a length, or declare the queue broken. The model's invariants state what it
/// must not do.
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
    /// Adds a used element whose id equals a live head in its low 16 bits only; an id is the head of a chain that was used (2.7.8); attacks drivers that truncate the id.
    TruncatedId = 1,
    /// Adds a used element whose id is a descriptor inside a chain; an id is the head of a chain that was used (2.7.8); attacks the free list.
    MidChainId = 2,
    /// Returns the last returned chain again; each buffer is used once (2.7.8); attacks drivers that complete it twice.
    DuplicateId = 3,
    /// Returns a chain with a length above its device-writable bytes; len is the number of bytes written into the device-writable portion (2.7.8); attacks drivers that read that many bytes.
    LengthTooLong = 4,
    /// Moves the used index beyond the elements that it wrote; idx says "where the device would put the next descriptor entry" (2.7.8); attacks the loop that follows the index.
    IndexJump = 5,
    /// Links the last descriptor of a chain to its head; "A device MUST NOT write to any descriptor table entry" (2.7.5.1); attacks drivers that follow the table.
    NextToHead = 6,
    /// Links the last descriptor of a chain to its second; a device writes to no descriptor (2.7.5.1); attacks loop detection at the head.
    NextToMiddle = 7,
    /// Overwrites the length of a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks copies by that length.
    LengthScribbled = 8,
    /// Keeps a chain until the faults stop; buffers are to be returned when done (2.7.8); attacks liveness.
    NeverReturned = 9,
    /// Links a descriptor to an index outside the table; a device writes to no descriptor (2.7.5.1); attacks drivers that follow the table.
    NextOutOfRange = 10,
    /// Adds a used element whose id is in no chain in flight, while no chain is available: a free descriptor, or one of a returned chain; an id is the head of a chain that was used (2.7.8); attacks the free list.
    FreeId = 11,
    /// Adds a used element with the id of a chain that it returned earlier, but not last, whatever that descriptor is now; an id is the head of a chain that was used (2.7.8); attacks drivers that know a chain by its head alone.
    StaleId = 12,
    /// Returns a chain without device-writable buffers with a length above zero; 2.7.8 as for length-too-long; attacks drivers that trust the length although there is nothing to copy.
    LengthForReadable = 13,
    /// Returns a chain with a length within its device-writable bytes, but writes fewer bytes; "the device MUST write at least len bytes to descriptor" (2.7.8.2); attacks drivers that return bytes of an earlier chain.
    LengthUnwritten = 14,
    /// Moves the used index back; idx only grows (2.7.8); attacks drivers that take it for many new elements.
    IndexBackwards = 15,
    /// Moves the used index before it has written the element, and writes the element with its next act; "the device MUST set len prior to updating the used idx" (2.7.8.2); attacks drivers that read an old element there.
    IndexBeforeElement = 16,
    /// Writes garbage to the used flags; "the device MUST set flags to 0 or 1", and to 0 with event indexes (2.7.10.2); attacks notification suppression.
    FlagsGarbage = 17,
    /// Writes garbage to avail_event; any value is allowed there (2.7.10.2), so this breaks no rule; attacks the comparison with event indexes.
    EventGarbage = 18,
    /// Links a descriptor to itself; a device writes to no descriptor (2.7.5.1); attacks drivers that follow the table.
    NextToSelf = 19,
    /// Links the last descriptor of a chain to one that is in no chain in flight, while no chain is available: a free one, or one of a returned chain; a device writes to no descriptor (2.7.5.1); attacks the free list.
    NextToFree = 20,
    /// Sets NEXT on the last descriptor of a chain; a device writes to no descriptor (2.7.5.1); attacks drivers that follow the table.
    NextSet = 21,
    /// Clears NEXT on the first descriptor of a chain; a device writes to no descriptor (2.7.5.1); attacks the free count.
    NextCleared = 22,
    /// Flips WRITE on a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks drivers that read the direction back from the table.
    WriteFlipped = 23,
    /// Flips INDIRECT on a descriptor, free or not; a device writes to no descriptor (2.7.5.1); attacks drivers that read flags back from the table.
    IndirectFlipped = 24,
    /// Makes a descriptor's length larger, free or not; a device writes to no descriptor (2.7.5.1); attacks copies by that length.
    LengthGrown = 25,
    /// Makes a descriptor's length zero; a device writes to no descriptor (2.7.5.1); attacks drivers that use zero as a mark.
    LengthZeroed = 26,
    /// Changes a descriptor's address to that of another one's buffer, free or not; a device writes to no descriptor (2.7.5.1); attacks copies from that address.
    AddressOfAnother = 27,
    /// Changes a descriptor's address to one outside all regions, free or not; a device writes to no descriptor (2.7.5.1); attacks the translation of addresses.
    AddressOutside = 28,
    /// Makes a descriptor's address zero, free or not; a device writes to no descriptor (2.7.5.1); attacks drivers that use null as a mark.
    AddressZero = 29,
    /// Overwrites the available index; the available ring is "only written by the driver and read by the device" (2.7.6); attacks drivers that read their index back.
    AvailableIndexOverwritten = 30,
    /// Overwrites an entry of the available ring that it has not taken yet; the available ring is "only written by the driver and read by the device" (2.7.6); attacks drivers that read entries back.
    AvailableEntryOverwritten = 31,
    /// Writes to a device-readable buffer of a chain in flight; "A device MUST NOT write to a device-readable buffer" (2.7.5.1); attacks drivers that read such a buffer back.
    ReadableWritten = 32,
    /// Writes to a device-writable buffer of the chain that it returned last; a buffer is the driver's again once it is used (2.7.8); attacks drivers that read it more than once.
    WrittenAfterReturn = 33,
    /// Sends a spurious notification; "The driver MUST handle spurious notifications from the device" (2.7.7.1), so this breaks no rule; attacks drivers that expect an element with each notification.
    SpuriousNotification = 34,
    /// Loses the next available-buffer notification and looks at the available ring only after the one that follows; no rule says how soon a device must look, so this breaks no rule; attacks drivers that wait for an answer without another notification.
    LostNotification = 35,
    /// Changes a used element, the used index or a descriptor right after the driver has read it; an element is written before the index and not after (2.7.8.2), the index only grows (2.7.8), a device writes to no descriptor (2.7.5.1); attacks drivers that read a value twice, to check it and to use it.
    ChangedBetweenReads = 36,
    /// Takes nothing and returns nothing until the faults stop or it is reset; buffers are to be returned when done (2.7.8); attacks liveness.
    StopsAnswering = 37,
    /// Needs a reset (DEVICE_NEEDS_RESET, 2.1.2): it takes and returns nothing until then, and forgets the chains in flight; this breaks no rule; attacks the recovery of chains in flight.
    NeedsReset = 38,
}

/// What a fault changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The used ring, which the device writes and the driver reads.
    UsedRing,
    /// The descriptor table, which only the driver may write.
    Table,
    /// The available ring, which only the driver may write.
    AvailableRing,
    /// Buffers.
    Buffers,
    /// Nothing in memory: the device does something at the wrong time, or not at all.
    Time,
}

impl Fault {
    /// Whether the fault breaks the specification. The others only do what a driver may not expect.
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

    /// The doc line: what the device does, what that breaks, and what it attacks.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every fault has a doc line")
    }

    /// Whether the fault needs a chain in flight.
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

    /// What it changes.
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
