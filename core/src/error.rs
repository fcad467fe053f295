//! The errors of the queue, and which party is at fault.

use crate::{DeviceAddress, Head, QueueSize, RegionId};
use core::fmt;

/// The party at fault for an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The caller made a call that is not allowed or not possible.
    Caller,
    /// The device broke the specification.
    Device,
    /// The operating system or the allocator failed.
    System,
}

/// An error of the queue. A bug in this crate is never an `Error`: it fails an assertion.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller misused the queue. The call has changed nothing.
    #[error("misuse: {0}")]
    Misuse(#[from] Misuse),
    /// The device broke the specification. The [policies](crate::Policies) select the consequence.
    #[error("device fault: {0}")]
    Device(#[from] DeviceFault),
    /// The operating system or the allocator failed. The call has changed nothing.
    #[error("system error: {0}")]
    System(#[from] SystemError),
}

impl Error {
    /// The party at fault.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Misuse(_) | Self::Device(DeviceFault::Unwound) => Blame::Caller,
            Self::Device(_) => Blame::Device,
            Self::System(_) => Blame::System,
        }
    }
}

/// The error of a call that takes a value by move, together with the unchanged value.
///
/// `?` does not convert this to an [`Error`], because that would drop the value silently. Write
/// `.map_err(Refused::into_error)?` to drop the value, or use a `match` to keep it.
/// [`Region::into_memory`](crate::Region::into_memory) takes the memory out of a region.
pub struct Refused<T> {
    /// The error.
    pub error: Error,
    /// The value that was passed to the call.
    pub value: T,
}

impl<T> Refused<T> {
    /// Returns the error and drops the value.
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

/// A call that is not allowed or not possible. The call has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The queue size is not a power of two from 1 to 32768 (2.7).
    #[error("queue size {0} is not a power of two from 1 to 32768")]
    QueueSize(u32),
    /// The buffer size in bytes is zero, or all buffers together exceed the address space.
    #[error("buffer size {0} is zero, or the buffers together exceed the address space")]
    BufferSize(u32),
    /// Memory of zero bytes was requested, or the file to map is empty.
    #[error("memory of zero bytes was requested")]
    MemoryEmpty,
    /// The alignment in bytes is not a power of two, or exceeds the page size.
    #[error("alignment {0} is not a power of two up to the page size")]
    Alignment(usize),
    /// A region is shorter than its content.
    #[error("the region is too small: length {length}, needed {needed} (bytes)")]
    RegionTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Length of the region in bytes.
        length: usize,
    },
    /// A region is not aligned as its content requires (2.7). The region of the table and the rings must begin at a multiple
    /// of 16 bytes, both at its device address and in this process.
    #[error("the region begins at {address:#x}, which is not a multiple of {alignment}")]
    RegionMisaligned {
        /// The misaligned address, in this process or of the device.
        address: u64,
        /// The required alignment in bytes.
        alignment: u64,
    },
    /// A region reaches the end of the device's 64-bit address space, where addresses wrap.
    #[error("the region at {address} of length {length:#x} reaches the end of the address space")]
    RegionWraps {
        /// Its device address.
        address: DeviceAddress,
        /// Its length in bytes.
        length: usize,
    },
    /// The region overlaps another region of the queue in device addresses.
    #[error("the region at {0} overlaps another region")]
    RegionsOverlap(DeviceAddress),
    /// The region overlaps another region of the queue in this process, although their device addresses differ.
    #[error("the region at {0} shares memory with a region at another device address")]
    RegionsShareMemory(DeviceAddress),
    /// The table already has 65,536 regions, its own buffers included.
    #[error("no more regions can be registered")]
    TooManyRegions,
    /// The region was not registered with this table, or it is the region of the table's own buffers.
    #[error("region {} is not registered", .0.get())]
    UnknownRegion(RegionId),
    /// The region was registered with another queue or table.
    #[error("region {} was registered with another queue", .0.get())]
    RegionOfAnotherQueue(RegionId),
    /// A buffer is not completely inside its region.
    #[error("buffer {position} is not inside its region")]
    OutsideRegion {
        /// Position of the buffer in the chain, from 0.
        position: usize,
    },
    /// The chain has no buffer.
    #[error("a chain needs at least one buffer")]
    EmptyChain,
    /// A buffer is empty. The specification allows it, but common devices reject it.
    #[error("buffer {position} is empty")]
    EmptyBuffer {
        /// Position of the buffer in the chain, from 0.
        position: usize,
    },
    /// A buffer exceeds the buffer size of the table.
    #[error("buffer {position} is too large: length {length}, buffer size {limit} (bytes)")]
    BufferTooLarge {
        /// Position of the buffer in the chain, from 0.
        position: usize,
        /// Its length in bytes.
        length: usize,
        /// The buffer size in bytes.
        limit: u32,
    },
    /// The buffers of the chain have more than 2^32 bytes in total (2.7.5.2).
    #[error("the chain exceeds 2^32 bytes")]
    ChainTooLong,
    /// The chain needs more descriptors than the queue has, so it can never be submitted.
    #[error("the chain is too long for the queue: descriptors needed {needed}, queue size {size}")]
    ChainExceedsQueue {
        /// Descriptors needed.
        needed: usize,
        /// Descriptors that the queue has.
        size: QueueSize,
    },
    /// The chain needs more descriptors than are free. Try again after freeing chains.
    #[error("too few descriptors are free: needed {needed}, free {free}")]
    NotEnoughFree {
        /// Descriptors needed.
        needed: usize,
        /// Free descriptors.
        free: u16,
    },
    /// The handle belongs to another queue or table.
    #[error("handle {0} belongs to another queue")]
    HeadOfAnotherQueue(Head),
    /// The index of the handle is not below the queue size.
    #[error("the index of handle {0} is outside the descriptor table")]
    HeadOutOfRange(Head),
    /// The descriptor at the index of the handle is free: the chain was freed.
    #[error("handle {0} is stale: its descriptor is free")]
    HeadFree(Head),
    /// The descriptor at the index of the handle is inside a chain and not its head.
    #[error("the index of handle {0} is inside a chain, not at its head")]
    HeadInsideChain(Head),
    /// The handle is of a chain that was freed, or of none, and another chain now begins at this index.
    #[error("handle {0} is stale: another chain begins at its index")]
    HeadStale(Head),
    /// The chain is not completed: it is unpublished, or in flight at the device.
    #[error("chain {0} was not returned by the device")]
    NotReturned(Head),
    /// The chain was published, so it cannot be withdrawn.
    #[error("chain {0} was already published")]
    Published(Head),
    /// The chain has a device-readable buffer, but the call allows only device-writable buffers.
    #[error("chain {0} has a device-readable buffer")]
    ReadableInChain(Head),
    /// The payload is longer than the rest of the chain's device-readable buffers.
    #[error("the payload is too long: length {length}, room {left} (bytes)")]
    PayloadTooLong {
        /// Length of the payload in bytes.
        length: usize,
        /// Bytes that can still be written.
        left: u64,
    },
    /// Chains are live, so the device may still access the memory. Stop the device, then call
    /// [`release_stopped`](crate::DescriptorTable::release_stopped).
    #[error(
        "chains are live (descriptors in use: {descriptors}), and the caller did not confirm that the device has stopped"
    )]
    ChainsLive {
        /// Descriptors in live chains.
        descriptors: u16,
    },
}

/// The way in which a device broke the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceFault {
    /// The used index claims more used elements than chains are in flight (2.7.8).
    #[error(
        "the used index claims more elements than chains are in flight: {claimed} claimed, {in_flight} in flight"
    )]
    IndexJump {
        /// The number of elements between the last one taken and the used index.
        claimed: u16,
        /// Chains in flight.
        in_flight: u16,
    },
    /// The id of a used element is not below the queue size (2.7.8).
    #[error("used id {id} is outside the descriptor table")]
    IdOutOfRange {
        /// The id as the device wrote it, in 32 bits.
        id: u32,
    },
    /// The id of a used element is not the head of a chain in flight (2.7.8).
    #[error("used id {id} is not the head of a chain in flight: {actually}")]
    IdNotInFlight {
        /// The id.
        id: u16,
        /// The actual state of the descriptor.
        actually: NotInFlight,
    },
    /// The length of a used element exceeds the chain's device-writable bytes (2.7.8.2), and the policy is
    /// [`OverLong::Refuse`](crate::OverLong::Refuse). The chain is completed, has no bytes to read, and can be freed.
    #[error(
        "used length {claimed} of chain {head} exceeds the length {writable} of its device-writable buffers"
    )]
    LengthTooLong {
        /// The chain.
        head: Head,
        /// The length that the device reported, in bytes.
        claimed: u32,
        /// Size of the chain's device-writable buffers in bytes.
        writable: u64,
    },
    /// An earlier device fault broke the queue. Only a reset repairs it.
    #[error("an earlier device fault broke the queue, which needs a reset")]
    Broken,
    /// The caller's own memory panicked in an earlier call, which broke the queue. Only a reset repairs it. The caller is at
    /// fault ([`Blame::Caller`]).
    #[error("the caller's memory panicked in an earlier call of the queue, which needs a reset")]
    Unwound,
}

/// The state of a descriptor whose index the device returned although it is not the head of a chain in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotInFlight {
    /// The descriptor is free.
    Free,
    /// The descriptor is inside a chain, not its head.
    InsideChain,
    /// The descriptor is the head of a chain that is not published.
    Unpublished,
    /// The descriptor is the head of a chain that the device has already returned.
    Returned,
}

impl fmt::Display for NotInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free => "the descriptor is free",
            Self::InsideChain => "the descriptor is inside a chain",
            Self::Unpublished => "the chain is not published",
            Self::Returned => "the device has already returned the chain",
        })
    }
}

/// A failure of the operating system or the allocator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// The allocator has too little memory.
    #[error("allocating memory failed; size in bytes: {bytes}")]
    OutOfMemory {
        /// Requested size in bytes.
        bytes: usize,
    },
    /// The operating system did not map memory.
    #[cfg(feature = "std")]
    #[error("mapping memory failed: {0}")]
    Map(#[source] std::io::Error),
}
