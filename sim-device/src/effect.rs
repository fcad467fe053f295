//! What the device is told to do, and what it tells.

use crate::chain::{BufferPlace, ChainError, Descriptor};
use crate::watch::Trap;

/// A chain that the device just took.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The entry of the available ring.
    pub head: u16,
    /// The chain, as far as it could be followed.
    pub descriptors: &'a [Descriptor],
    /// What is wrong with it. The device then reads and writes nothing of it, but returns it like any other.
    pub error: Option<ChainError>,
}

/// How a chain is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Bytes written and reported; at most what the chain has room for.
    pub written: u32,
    /// Whether the bytes behind those are written too, which 2.7.8.2 allows.
    pub beyond: bool,
}

/// What the device did to shared memory, or left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It wrote an element of the used ring, at the place of this index.
    UsedElement {
        /// The free-running index.
        index: u16,
        /// The id written.
        id: u32,
        /// The length written.
        length: u32,
    },
    /// It wrote to a buffer.
    Wrote {
        /// Where.
        place: BufferPlace,
        /// How many bytes.
        length: u32,
    },
    /// It moved the used index.
    UsedIndex(u16),
    /// It said whether it wants to be notified.
    Notifications(bool),
    /// It said by index of which entry it wants to be notified.
    AvailableEvent(u16),
    /// It wrote the used flags as a whole: garbage, or as it should.
    UsedFlags(u16),
    /// It overwrote the available index.
    AvailableIndex(u16),
    /// It overwrote an entry of the available ring.
    AvailableEntry {
        /// The free-running index.
        index: u16,
        /// What it wrote.
        head: u16,
    },
    /// It means to change a value as soon as the driver has read it. Whoever watches the memory does it.
    Trap {
        /// What is to change.
        trap: Trap,
        /// What that comes to.
        then: Change,
    },
    /// It takes nothing and returns nothing any more.
    Silent,
    /// It notified the driver of nothing.
    Spurious,
    /// It scribbled on a descriptor.
    Descriptor {
        /// Its index in the table.
        index: u16,
    },
    /// It will not return a chain before the faults stop.
    Withheld {
        /// The chain.
        head: u16,
    },
}

/// What a [trap](Effect::Trap) comes to when it is sprung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The used index moved.
    UsedIndex(u16),
    /// A used element changed.
    UsedElement {
        /// The free-running index.
        index: u16,
    },
    /// A descriptor changed.
    Descriptor {
        /// Its index in the table.
        index: u16,
    },
}
