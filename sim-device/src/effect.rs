//! What the device returns from its acts, and what it reports about them.

use crate::chain::{BufferPlace, ChainError, Descriptor};
use crate::watch::Trap;

/// A chain that the device just took.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The head in the entry of the available ring.
    pub head: u16,
    /// The chain, as far as it could be followed.
    pub descriptors: &'a [Descriptor],
    /// The first error of the chain. The device accesses no buffer of such a chain, but returns it like any other.
    pub error: Option<ChainError>,
}

/// How the device returns a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Number of bytes that the device writes and reports; clamped to the chain's device-writable bytes.
    pub written: u32,
    /// Whether the device writes the remaining bytes too, without reporting them. 2.7.8.2 allows that.
    pub beyond: bool,
}

/// What the device did to shared memory, or did not do although it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It wrote an element of the used ring.
    UsedElement {
        /// The free-running index of the element.
        index: u16,
        /// The element's `id`.
        id: u32,
        /// The element's `len`, in bytes.
        length: u32,
    },
    /// It wrote to a buffer.
    BufferWritten {
        /// The position of the first byte.
        place: BufferPlace,
        /// The number of bytes.
        length: u32,
    },
    /// It moved the used index.
    UsedIndex(u16),
    /// It switched available-buffer notifications on or off by the used flags (2.7.10).
    AvailableNotifications(bool),
    /// It wrote `avail_event` (2.7.10).
    AvailableEvent(u16),
    /// It wrote this value to the used flags. Unlike after [`AvailableNotifications`](Self::AvailableNotifications), any bits can be set.
    UsedFlags(u16),
    /// It overwrote the available index.
    AvailableIndex(u16),
    /// It overwrote an entry of the available ring.
    AvailableEntry {
        /// The free-running index of the entry.
        index: u16,
        /// The value that it wrote.
        head: u16,
    },
    /// It wants to change a value right after the driver has read it. The owner of the watched memory has to set the trap.
    Trap {
        /// The value and its position.
        trap: Trap,
        /// What the change means for the queue.
        then: Change,
    },
    /// It takes and returns nothing from now on, or loses the next notification.
    Silent,
    /// It sent a spurious notification.
    SpuriousNotification,
    /// It overwrote a descriptor.
    Descriptor {
        /// Its index in the table.
        index: u16,
    },
    /// It keeps a chain until the faults stop.
    Withheld {
        /// The head of the chain.
        head: u16,
    },
}

/// What the change by a [trap](Effect::Trap) means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The used index moved to this value.
    UsedIndex(u16),
    /// A used element changed.
    UsedElement {
        /// The free-running index of the element.
        index: u16,
    },
    /// A descriptor changed.
    Descriptor {
        /// Its index in the table.
        index: u16,
    },
}
