//! The faults: the ways in which the device misbehaves.

use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// One way to misbehave. Each doc line states what the device does, which rule of the specification that breaks, and which
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
    /// Adds a used element whose id is outside of the descriptor table. An id must be the head of a used chain (2.7.8). Targets every lookup by id.
    IdOutOfRange = 0,
    /// Adds a used element whose id equals the head of a live chain only in its low 16 bits. An id must be the head of a used chain (2.7.8). Targets drivers that truncate the id.
    TruncatedId = 1,
    /// Adds a used element whose id is a descriptor inside a chain, not its head. An id must be the head of a used chain (2.7.8). Targets the free list.
    MidChainId = 2,
    /// Returns a chain a second time. Each buffer is used once (2.7.8). Targets drivers that complete a chain twice.
    DuplicateId = 3,
    /// Returns a chain with a length above its device-writable bytes. The length is the number of bytes written to the device-writable part (2.7.8). Targets drivers that read that many bytes.
    LengthTooLong = 4,
    /// Moves the used index beyond the elements that it wrote. The index is "where the device would put the next descriptor entry" (2.7.8). Targets loops that run up to the used index.
    IndexJump = 5,
    /// Links the last descriptor of a chain to its head. "A device MUST NOT write to any descriptor table entry" (2.7.5.1). Targets drivers that follow the table.
    NextToHead = 6,
    /// Links the last descriptor of a chain to its second one. A device must not write to descriptors (2.7.5.1). Targets loop detection that only looks at the head.
    NextToMiddle = 7,
    /// Overwrites the length of any descriptor, free or not. A device must not write to descriptors (2.7.5.1). Targets copies of that length.
    LengthScribbled = 8,
    /// Keeps a chain until all faults stop. Used buffers are returned (2.7.8). Targets liveness: progress while a chain is missing.
    NeverReturned = 9,
    /// Links a descriptor to an index outside of the table. A device must not write to descriptors (2.7.5.1). Targets drivers that follow the table.
    NextOutOfRange = 10,
    /// When no chain is available, adds a used element whose id is in no chain in flight: a free descriptor, or one of a returned chain. An id must be the head of a used chain (2.7.8). Targets the free list.
    FreeId = 11,
    /// Adds a used element with an id that it returned earlier, whatever the descriptor is now. An id must be the head of a used chain (2.7.8). Targets drivers that identify a chain by its head alone.
    StaleId = 12,
    /// Returns a chain without device-writable buffers with a length above 0. The length is the number of bytes written to the device-writable part (2.7.8). Targets drivers that trust the length when there is nothing to copy.
    LengthForReadable = 13,
    /// Returns a chain with a length within its bounds, but writes fewer bytes. "The device MUST write at least len bytes to descriptor" (2.7.8.2). Targets drivers that return the remains of an earlier chain.
    LengthUnwritten = 14,
    /// Moves the used index backwards. The index always increases (2.7.8). Targets drivers that see many new elements then.
    IndexBackwards = 15,
    /// Moves the used index before it writes the element, and writes the element in its next action. "The device MUST set len prior to updating the used idx" (2.7.8.2). Targets drivers that process the old element in this slot.
    IndexBeforeElement = 16,
    /// Writes garbage to the used flags. "The device MUST set flags to 0 or 1", and to 0 with event indexes (2.7.10.2). Targets notification suppression.
    FlagsGarbage = 17,
    /// Writes garbage to avail_event. Any value is allowed there (2.7.10.2), so this breaks nothing. Targets the comparison of avail_event with the available index.
    EventGarbage = 18,
    /// Links a descriptor to itself. A device must not write to descriptors (2.7.5.1). Targets drivers that follow the table.
    NextToSelf = 19,
    /// When no chain is available, links the last descriptor of a chain to one that is in no chain in flight: a free descriptor, or one of a returned chain. A device must not write to descriptors (2.7.5.1). Targets the free list.
    NextToFree = 20,
    /// Sets NEXT on the last descriptor of a chain. A device must not write to descriptors (2.7.5.1). Targets drivers that follow the table.
    NextSet = 21,
    /// Clears NEXT on the first descriptor of a chain. A device must not write to descriptors (2.7.5.1). Targets the free count.
    NextCleared = 22,
    /// Inverts WRITE on any descriptor, free or not. A device must not write to descriptors (2.7.5.1). Targets drivers that read the direction back from the table.
    WriteFlipped = 23,
    /// Inverts INDIRECT on any descriptor, free or not. A device must not write to descriptors (2.7.5.1). Targets drivers that read flags back from the table.
    IndirectFlipped = 24,
    /// Increases the length of any descriptor, free or not. A device must not write to descriptors (2.7.5.1). Targets copies of that length.
    LengthGrown = 25,
    /// Sets the length of a descriptor to zero. A device must not write to descriptors (2.7.5.1). Targets drivers for which a length of zero has a meaning.
    LengthZeroed = 26,
    /// Changes the address of any descriptor, free or not, to the buffer of another one. A device must not write to descriptors (2.7.5.1). Targets copies from that address.
    AddressOfAnother = 27,
    /// Changes the address of any descriptor, free or not, to one outside of all regions. A device must not write to descriptors (2.7.5.1). Targets the translation of addresses.
    AddressOutside = 28,
    /// Sets the address of any descriptor, free or not, to zero. A device must not write to descriptors (2.7.5.1). Targets drivers for which a null address has a meaning.
    AddressZero = 29,
    /// Overwrites the available index. The available ring is "only written by the driver and read by the device" (2.7.6). Targets drivers that read their index back.
    AvailableIndexOverwritten = 30,
    /// Overwrites an entry of the available ring that it has not taken yet. The available ring belongs to the driver (2.7.6). Targets drivers that read entries back.
    AvailableEntryOverwritten = 31,
    /// Writes to a device-readable buffer of a chain in flight. "A device MUST NOT write to a device-readable buffer" (2.7.5.1). Targets drivers that assume that their payload is unchanged.
    ReadableWritten = 32,
    /// Writes to a device-writable buffer of the chain that it returned last. A used buffer belongs to the driver again (2.7.8). Targets drivers that read the buffer more than once.
    WrittenAfterReturn = 33,
    /// Sends a used-buffer notification without a used element. "The driver MUST handle spurious notifications from the device" (2.7.7.1), so this breaks nothing. Targets drivers that expect an element at each notification.
    SpuriousNotification = 34,
    /// Ignores the next available-buffer notification, and looks at the available ring only after the one that follows it. The specification sets no time limit, so this breaks nothing. Targets drivers that wait for an answer and send nothing more.
    LostNotification = 35,
    /// Changes a used element, the used index or a descriptor right after the driver has read it. An element is written before the index and not after it (2.7.8.2), the index always increases (2.7.8), and the table belongs to the driver (2.7.5.1). Targets drivers that read a value twice, once to check it and once to use it.
    ChangedBetweenReads = 36,
    /// Takes and returns no chains until all faults stop or a reset. Used buffers are returned (2.7.8). Targets liveness: progress while chains are missing.
    StopsAnswering = 37,
    /// Sets DEVICE_NEEDS_RESET (2.1.2): takes and returns nothing until a reset, and then has no chains; this breaks nothing. Targets the recovery of chains in flight.
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
