//! What is wrong with a chain in the table.

use crate::Invariant;
use crate::wording::Count;

/// What is wrong with a chain in the table. A number is the index of the descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFlaw {
    /// The chain does not end within queue-size descriptors (2.7.5.2).
    Loop,
    /// The descriptor links to an index outside of the table (2.7.5).
    NextOutOfRange(u16),
    /// The buffer is outside every registered region.
    Unregistered(u16),
    /// The buffer is device-readable, but one before it is device-writable (2.7.4.2).
    ReadableAfterWritable(u16),
    /// The descriptor refers to an indirect table, but the feature was not negotiated (2.7.5.3.1).
    Indirect(u16),
    /// The chain is longer than 2^32 bytes (2.7.5.2).
    TooLong,
    /// The head is outside of the table (2.7.6).
    HeadOutOfRange,
}

impl ChainFlaw {
    /// The number of the kind in a trace hash. The hash also has the descriptors, from which the index follows.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Loop => 1,
            Self::NextOutOfRange(_) => 2,
            Self::Unregistered(_) => 3,
            Self::ReadableAfterWritable(_) => 4,
            Self::Indirect(_) => 5,
            Self::TooLong => 6,
            Self::HeadOutOfRange => 7,
        }
    }

    pub(crate) const fn invariant(self) -> Invariant {
        match self {
            Self::Loop => Invariant::Acyclic,
            Self::Unregistered(_) => Invariant::BuffersRegistered,
            Self::NextOutOfRange(_)
            | Self::ReadableAfterWritable(_)
            | Self::Indirect(_)
            | Self::TooLong
            | Self::HeadOutOfRange => Invariant::WellFormed,
        }
    }

    /// The flaw of the chain at `head`, in a queue of this size.
    pub(crate) fn text(self, head: u16, queue_size: u16) -> String {
        let descriptors = Count(queue_size.into(), "descriptor");
        match self {
            Self::Loop => format!("chain {head} has a loop: it does not end within {descriptors}"),
            Self::NextOutOfRange(index) => format!(
                "descriptor {index} of chain {head} links to a descriptor outside of the table, which has {descriptors}"
            ),
            Self::Unregistered(index) => {
                format!("the buffer of descriptor {index} in chain {head} is outside every registered region")
            }
            Self::ReadableAfterWritable(index) => format!(
                "descriptor {index} of chain {head} is device-readable, but follows a device-writable one; expected all device-readable descriptors first"
            ),
            Self::Indirect(index) => format!(
                "descriptor {index} of chain {head} refers to an indirect table, but the feature was not negotiated"
            ),
            Self::TooLong => format!("the buffers of chain {head} have more than 2^32 bytes in total"),
            Self::HeadOutOfRange => {
                format!("chain {head} begins outside of the table, which has {descriptors}")
            }
        }
    }
}
