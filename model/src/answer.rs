//! A driver's answers to calls.

/// A driver's answer to a call.
pub type Answer<T> = Result<T, Refusal>;

/// Why a driver refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The caller made a mistake.
    Misuse(MisuseKind),
    /// The device misbehaved.
    Device(DeviceRefusal),
    /// The operating system refused something, for example memory.
    System,
    /// The queue is broken, as it has reported before, and waits for a reset. Until then it publishes nothing.
    Broken,
}

/// The caller's mistake, as the driver reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisuseKind {
    /// The chain has no buffer.
    EmptyChain,
    /// A buffer has a length of zero bytes.
    EmptyBuffer,
    /// A buffer is longer than the queue's buffer size.
    BufferTooLarge,
    /// The chain is longer than 2^32 bytes (2.7.5.2).
    ChainTooLong,
    /// The chain has more buffers than there are free descriptors.
    NotEnoughFree,
    /// The index is not the head of a live chain: it is out of range, free or mid-chain, or the handle is stale.
    BadHead,
    /// The chain is live, but the driver has not taken it back from the device.
    NotReturned,
    /// A mistake of the caller; the driver does not report which.
    Unspecified,
    /// The chain has more buffers than the queue has descriptors, so it can never fit.
    ChainExceedsQueue,
    /// The chain cannot be withdrawn: it is published, or the device has already returned it.
    Published,
}

/// How a driver handled a fault of the device that it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceRefusal {
    /// Whether the driver consumed the used element that it reports.
    pub consumed: bool,
    /// Whether the queue is broken from now on.
    pub broken: bool,
    /// The head of the chain that nevertheless completed, with no bytes to read.
    pub returned: Option<u16>,
}

/// A chain that a driver returns to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// Index of the head descriptor.
    pub head: u16,
    /// Number of bytes that the device wrote, as the driver reports it.
    pub length: u32,
}

/// Whether a call uses the newest handle for a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleAge {
    /// The newest handle for this head.
    Current,
    /// An older handle: its chain was freed, and another chain has the same head now.
    Stale,
}
