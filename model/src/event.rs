//! One thing that was observed.

/// A driver's answer to a call.
pub type Answer<T> = Result<T, Refusal>;

/// Why a driver refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It blames the caller.
    Misuse(MisuseKind),
    /// It blames the device.
    Device(DeviceRefusal),
    /// It blames the system.
    System,
    /// It said so before: the queue is broken and waits for a reset. Until then it publishes nothing.
    Broken,
}

/// What a driver says the caller did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisuseKind {
    /// A chain of no buffer.
    EmptyChain,
    /// A buffer of no byte.
    EmptyBuffer,
    /// A buffer above the buffer size.
    BufferTooLarge,
    /// More than 2^32 bytes in all.
    ChainTooLong,
    /// Not enough free descriptors.
    NotEnoughFree,
    /// Not the head of a live chain: out of range, free, mid-chain or stale.
    BadHead,
    /// A live chain that is not back from the device.
    NotReturned,
    /// The driver does not tell them apart.
    Unspecified,
    /// More buffers than the queue has descriptors, so that the chain never fits.
    ChainExceedsQueue,
    /// A chain that is not taken back: the device may have it, or has returned it.
    Published,
}

/// What a driver says of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceRefusal {
    /// Whether the used element that it complains about is consumed.
    pub consumed: bool,
    /// Whether the queue is broken from now on.
    pub broken: bool,
    /// The chain that came back all the same, with nothing to read.
    pub returned: Option<u16>,
}

/// A chain that a driver hands back to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// Its head.
    pub head: u16,
    /// Bytes said to be written.
    pub length: u32,
}

/// How a call names a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// By the newest name that was given for this head.
    Current,
    /// By an older name for it: the chain was freed, and another one begins there now.
    Stale,
}

/// A place in a registered region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the region.
    pub region: u16,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// A descriptor as it stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObservedDescriptor {
    /// Its index.
    pub index: u16,
    /// Where the buffer is; `None` if not inside one registered region.
    pub place: Option<Place>,
    /// The buffer's length in bytes.
    pub length: u32,
    /// Whether the device writes to it.
    pub writable: bool,
}

/// What a reader of the table found wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFlaw {
    /// It does not end within queue-size descriptors.
    Loop,
    /// An index outside the table, a readable buffer after a writable one, an indirect table, or more than
    /// 2^32 bytes.
    Malformed,
    /// A buffer outside every registered region.
    Unregistered,
}

/// One thing that was observed. Events arrive in the order in which things happen; those about shared memory
/// come right after the driver's call that they are the result of.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The driver was asked to submit a chain; it answers with the head.
    Submit {
        /// The payload, one byte string for each device-readable buffer.
        readable: &'a [&'a [u8]],
        /// The lengths of the device-writable buffers.
        writable: &'a [u32],
        /// The head, or why not.
        answer: Answer<u16>,
    },
    /// The driver was asked to publish what was submitted.
    Publish {
        /// Whether it says that the device must be notified.
        notify: bool,
    },
    /// The driver was asked for the next used chain.
    Take {
        /// The chain, none, or why not.
        answer: Answer<Option<Completion>>,
    },
    /// The driver was asked for what the device wrote to a chain.
    Read {
        /// The chain.
        head: u16,
        /// At most so many bytes were asked for.
        limit: u32,
        /// The bytes, or why not.
        answer: Answer<&'a [u8]>,
        /// What stands in the chain's device-writable buffers, from their beginning, at least as far as
        /// asked for.
        standing: &'a [u8],
    },
    /// The driver was asked to free a chain.
    Free {
        /// The chain.
        head: u16,
        /// How it was named.
        name: Name,
        /// Done, or why not.
        answer: Answer<()>,
    },
    /// The driver was asked to take back a chain that was submitted and not published.
    Withdraw {
        /// The chain.
        head: u16,
        /// Done, or why not.
        answer: Answer<()>,
    },
    /// The driver was told whether its caller wants to be notified of used chains.
    Interrupts {
        /// Whether it does.
        wanted: bool,
        /// The available flags afterwards.
        flags: u16,
        /// The driver's event afterwards; means something with event indexes only.
        used_event: u16,
        /// Whether the driver says that used chains are waiting already, if it says anything of it.
        waiting: Option<bool>,
    },
    /// Of which used element the driver wants to be notified, after it was made, reset, or took one. With event indexes
    /// only.
    UsedEvent {
        /// The index of the element.
        index: u16,
    },
    /// The flags of the available ring after the driver was made or reset. Without event indexes only.
    AvailableFlags {
        /// As they stand.
        flags: u16,
    },
    /// The device stopped and the driver was reset.
    Reset {
        /// Where both rings begin again.
        first_index: u16,
    },
    /// What the last call did to the memory, for drivers that can be watched.
    Stores {
        /// How often it stored something.
        count: u32,
        /// Whether it stored into the device's part.
        foreign: bool,
    },
    /// The last call stored into a buffer, for drivers that can be watched.
    DriverWrote {
        /// Where.
        place: Place,
        /// How many bytes.
        length: u32,
    },
    /// The last call loaded something twice that the device can write, for drivers that can be watched.
    Refetched {
        /// Where in the memory of the rings, in bytes.
        offset: u64,
    },
    /// The last call stored to the table or the available ring after it had published what stands there, for drivers
    /// that can be watched.
    StoredLate {
        /// Where in the memory of the rings, in bytes.
        offset: u64,
    },
    /// The driver's number of free descriptors.
    FreeCount {
        /// That number.
        count: u32,
    },
    /// The available index, after a call that was to move it, or did.
    AvailableIndex {
        /// The index.
        index: u16,
    },
    /// The chain that stands in the table where a submission was just accepted.
    Chain {
        /// The head that the driver answered.
        head: u16,
        /// The chain, as far as it can be followed.
        descriptors: &'a [ObservedDescriptor],
        /// What is wrong with it.
        flaw: Option<ChainFlaw>,
        /// Whether a byte that the device may write is not zero, where the driver promised to zero them.
        unclean: bool,
    },
    /// A new entry of the available ring.
    Available {
        /// The entry.
        head: u16,
    },
    /// The device took a chain.
    Fetched {
        /// The entry of the available ring.
        head: u16,
        /// Whether it could make sense of the chain.
        whole: bool,
        /// The chain as it stood.
        descriptors: &'a [ObservedDescriptor],
        /// The bytes of its device-readable buffers.
        payload: &'a [u8],
    },
    /// The device wrote an element of the used ring.
    UsedElement {
        /// The free-running index of its place.
        index: u16,
        /// The id.
        id: u32,
        /// The length.
        length: u32,
    },
    /// The device wrote to a buffer.
    DeviceWrote {
        /// Where.
        place: Place,
        /// How many bytes.
        length: u32,
    },
    /// The device moved the used index.
    UsedIndex {
        /// To this.
        index: u16,
    },
    /// The device said whether it wants to be notified.
    Notifications {
        /// Whether it does.
        wanted: bool,
    },
    /// The device said by index of which entry it wants to be notified.
    AvailableEvent {
        /// The index of the entry.
        index: u16,
    },
    /// The device scribbled on a descriptor.
    Tampered {
        /// Its index.
        descriptor: u16,
    },
    /// The device scribbled on the available ring.
    RingTampered,
    /// The device takes nothing and returns nothing for a while.
    Silent,
    /// The device will change a value as soon as the driver has read it.
    Trap,
    /// The device notified the driver of nothing.
    Spurious,
    /// The device keeps a chain until the faults stop.
    Withheld {
        /// The chain.
        head: u16,
    },
    /// The faults have stopped, the device returned everything that it holds, and the driver was asked for
    /// all of it within the stated bound.
    Settled,
    /// The subject was released at the end.
    Released {
        /// Handles to the memory that it still holds.
        left: u32,
    },
    /// The driver panicked in a call.
    Panic,
    /// The subject was dropped at the end, while the device was running. What follows is what the device does then.
    Dropped {
        /// Whether it keeps the memory of table and rings.
        rings: bool,
        /// Whether it keeps the memory of the buffers.
        buffers: bool,
    },
    /// Memory failed in a call of the driver, which unwound. There is no event of the call itself, unless it freed a chain all the
    /// same.
    Unwound {
        /// Whether the queue says that it is broken.
        broken: bool,
        /// Whether what the device can see of a call has changed: the available index, flags or the driver's event, and with a
        /// reset the used ring. Of a queue that was broken before, what is private may have changed instead.
        changed: bool,
        /// The available index afterwards.
        available: u16,
    },
}

impl Event<'_> {
    /// Whether this is a call of the driver, and not what was seen of it or what the device did.
    pub const fn is_call(&self) -> bool {
        match self {
            Self::Submit { .. }
            | Self::Publish { .. }
            | Self::Take { .. }
            | Self::Read { .. }
            | Self::Free { .. }
            | Self::Withdraw { .. }
            | Self::Interrupts { .. }
            | Self::Reset { .. }
            | Self::Released { .. }
            | Self::Dropped { .. }
            | Self::Unwound { .. }
            | Self::Panic => true,
            Self::Stores { .. }
            | Self::DriverWrote { .. }
            | Self::FreeCount { .. }
            | Self::AvailableIndex { .. }
            | Self::Chain { .. }
            | Self::Available { .. }
            | Self::Fetched { .. }
            | Self::UsedElement { .. }
            | Self::DeviceWrote { .. }
            | Self::UsedIndex { .. }
            | Self::Notifications { .. }
            | Self::AvailableEvent { .. }
            | Self::Refetched { .. }
            | Self::StoredLate { .. }
            | Self::RingTampered
            | Self::Silent
            | Self::Trap
            | Self::Spurious
            | Self::UsedEvent { .. }
            | Self::AvailableFlags { .. }
            | Self::Tampered { .. }
            | Self::Withheld { .. }
            | Self::Settled => false,
        }
    }
}
