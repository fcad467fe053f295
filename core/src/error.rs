//! What can go wrong, and who is to blame.

use crate::{DeviceAddress, Head, QueueSize, RegionId};
use core::fmt;

/// Who is to blame for an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The caller asked for something that it must not or cannot have.
    Caller,
    /// The device broke the specification.
    Device,
    /// The operating system or the allocator refused.
    System,
}

/// An error of the queue. Our own bugs are not among them: those are assertions.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call was refused, and nothing has changed.
    #[error("refused: {0}")]
    Misuse(#[from] Misuse),
    /// The device broke the specification; the [policy](crate::Policies) says what became of it.
    #[error("device fault: {0}")]
    Device(#[from] DeviceFault),
    /// The system refused, and nothing has changed.
    #[error("system: {0}")]
    System(#[from] SystemError),
}

impl Error {
    /// Who is to blame.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Misuse(_) | Self::Device(DeviceFault::Unwound) => Blame::Caller,
            Self::Device(_) => Blame::Device,
            Self::System(_) => Blame::System,
        }
    }
}

/// A refusal to consume a value, with the value as it was.
///
/// `?` does not turn this into an [`Error`], since that would drop the value unseen. Write
/// `.map_err(Refused::into_error)?` to drop it, or match to keep it; [`Region::into_memory`](crate::Region::into_memory) takes
/// memory out of a region.
pub struct Refused<T> {
    /// Why.
    pub error: Error,
    /// What was not consumed.
    pub value: T,
}

impl<T> Refused<T> {
    /// Why, without the value, which is dropped.
    pub fn into_error(self) -> Error {
        self.error
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> core::error::Error for Refused<T> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}

/// What a caller must not do. A call that is refused for it has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The queue size is not a power of two from 1 to 32768 (2.7).
    #[error("queue size {0} is not a power of two from 1 to 32768")]
    QueueSize(u32),
    /// The buffer size is zero, or the buffers together exceed the address space.
    #[error("buffers of {0} bytes: must be at least 1 and fit the address space")]
    BufferSize(u32),
    /// Memory of no byte at all.
    #[error("memory of zero bytes")]
    MemoryEmpty,
    /// An alignment that is not a power of two, or exceeds a page.
    #[error("an alignment of {0} is not a power of two up to a page")]
    Alignment(usize),
    /// A region is shorter than what it must hold.
    #[error("the region has {length} bytes, {needed} are needed")]
    RegionTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        length: usize,
    },
    /// A region does not begin at the alignment that its content needs (2.7): 16 for table and rings, at its device address
    /// and in this process.
    #[error("the region begins at {address:#x}, which is not a multiple of {alignment}")]
    RegionMisaligned {
        /// The host or device address.
        address: u64,
        /// The alignment in bytes.
        alignment: u64,
    },
    /// A region would reach the last device address, behind which addresses wrap.
    #[error("a region of {length} bytes at {address} reaches the end of the address space")]
    RegionWraps {
        /// Its device address.
        address: DeviceAddress,
        /// Its length in bytes.
        length: usize,
    },
    /// Two regions would share device addresses.
    #[error("the region at {0} overlaps one that is there already")]
    RegionsOverlap(DeviceAddress),
    /// Two regions would be the same memory of this process at two device addresses.
    #[error("the region at {0} is memory of one that is there already, under another address")]
    RegionsShareMemory(DeviceAddress),
    /// As many regions are registered as there can be.
    #[error("no more regions can be registered")]
    TooManyRegions,
    /// The region was never registered with this table.
    #[error("region {} is not registered", .0.get())]
    UnknownRegion(RegionId),
    /// The region was registered with another queue or table.
    #[error("region {} was registered with another queue", .0.get())]
    RegionOfAnotherQueue(RegionId),
    /// A buffer lies outside its region, at least in part.
    #[error("buffer {position} lies outside its region")]
    OutsideRegion {
        /// Position of the buffer in the chain, from 0.
        position: usize,
    },
    /// A chain needs at least one buffer.
    #[error("a chain needs at least one buffer")]
    EmptyChain,
    /// An empty buffer: the specification does not forbid it, but common devices refuse it.
    #[error("buffer {position} is empty")]
    EmptyBuffer {
        /// Position of the buffer in the chain, from 0.
        position: usize,
    },
    /// A buffer exceeds the buffer size that the table was made with.
    #[error("buffer {position} has {length} bytes, at most {limit} fit")]
    BufferTooLarge {
        /// Position of the buffer in the chain, from 0.
        position: usize,
        /// Its length in bytes.
        length: usize,
        /// The buffer size in bytes.
        limit: u32,
    },
    /// The chain would exceed 2^32 bytes in all (2.7.5.2).
    #[error("the chain would exceed 2^32 bytes")]
    ChainTooLong,
    /// The chain needs more descriptors than the queue has, so it can never be submitted.
    #[error("{needed} descriptors are needed, and the queue has {size}")]
    ChainExceedsQueue {
        /// Descriptors needed.
        needed: usize,
        /// Descriptors that the queue has.
        size: QueueSize,
    },
    /// There are fewer free descriptors than the chain needs. Try again after freeing chains.
    #[error("{needed} descriptors are needed, {free} are free")]
    NotEnoughFree {
        /// Descriptors needed.
        needed: usize,
        /// Descriptors free.
        free: u16,
    },
    /// The head names a chain of another queue or table.
    #[error("head {0} is another queue's")]
    HeadOfAnotherQueue(Head),
    /// The head is not an index of the table.
    #[error("head {0} is outside the table")]
    HeadOutOfRange(Head),
    /// The head is a free descriptor.
    #[error("head {0} is free")]
    HeadFree(Head),
    /// The head is inside a chain, not its beginning.
    #[error("head {0} is inside a chain")]
    HeadInsideChain(Head),
    /// The head names a chain that was freed, or never was; its first descriptor is now another chain's.
    #[error("head {0} is stale: another chain begins there")]
    HeadStale(Head),
    /// The chain is not the caller's at the moment: the device has it, or it was already handed to it.
    #[error("chain {0} is not back from the device")]
    NotReturned(Head),
    /// The chain was published, so that it cannot be taken back.
    #[error("chain {0} was published")]
    Published(Head),
    /// The chain has a device-readable buffer where only device-writable ones are allowed.
    #[error("chain {0} has a device-readable buffer")]
    ReadableInChain(Head),
    /// More bytes than the chain's device-readable buffers have left.
    #[error("{length} bytes do not fit into the {left} that are left")]
    PayloadTooLong {
        /// Bytes to be written.
        length: usize,
        /// Bytes left.
        left: u64,
    },
    /// Chains are live, so the memory may still be the device's. Stop the device and say so.
    #[error(
        "{descriptors} descriptors are in live chains, and the caller did not confirm that the device has stopped"
    )]
    ChainsLive {
        /// Descriptors in live chains.
        descriptors: u16,
    },
}

/// How a device broke the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceFault {
    /// The used index says that more chains were returned than the device has (2.7.8).
    #[error("the used index is {claimed} ahead, but only {in_flight} chains are in flight")]
    IndexJump {
        /// How far the index is ahead of the elements taken.
        claimed: u16,
        /// Chains that the device has.
        in_flight: u16,
    },
    /// The id of a used element is no index of the table (2.7.8).
    #[error("used id {id} is outside the table")]
    IdOutOfRange {
        /// The id, all 32 bits of it.
        id: u32,
    },
    /// The id of a used element is not the head of a chain that the device has (2.7.8).
    #[error("used id {id} is not in flight: it is {actually}")]
    IdNotInFlight {
        /// The id.
        id: u16,
        /// What it is instead.
        actually: NotInFlight,
    },
    /// The length of a used element exceeds the chain's device-writable bytes (2.7.8.2), and the policy is
    /// to refuse that. The chain is back, with no bytes to read, and can be freed.
    #[error("used length {claimed} of chain {head} exceeds its {writable} device-writable bytes")]
    LengthTooLong {
        /// The chain.
        head: Head,
        /// The length claimed.
        claimed: u32,
        /// The chain's device-writable bytes.
        writable: u64,
    },
    /// An earlier fault made the queue broken; only a reset helps.
    #[error("the queue is broken by an earlier fault and waits for a reset")]
    Broken,
    /// The caller's own memory panicked in an earlier call, which made the queue broken; only a reset helps. The
    /// [blame](Error::blame) is the caller's.
    #[error("memory panicked in an earlier call of the queue, which waits for a reset")]
    Unwound,
}

/// What a descriptor is that a device wrongly returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotInFlight {
    /// A free descriptor.
    Free,
    /// Inside a chain, not its head.
    InsideChain,
    /// A chain that was not published yet.
    Unpublished,
    /// A chain that was returned before.
    Returned,
}

impl fmt::Display for NotInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free => "free",
            Self::InsideChain => "inside a chain",
            Self::Unpublished => "not published yet",
            Self::Returned => "returned already",
        })
    }
}

/// What the system refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// The allocator refused.
    #[error("no memory for {bytes} bytes")]
    OutOfMemory {
        /// Bytes wanted.
        bytes: usize,
    },
    /// The operating system refused a mapping.
    #[cfg(feature = "std")]
    #[error("mapping memory: {0}")]
    Map(#[source] std::io::Error),
}
