//! What is done to a descriptor table, as a fuzzer's bytes say it.

use super::All;
use arbitrary::Arbitrary;

/// The device address of the buffers that belong to the table.
pub(super) const BUFFERS_AT: u64 = 0x1_0000_0000;

/// A table, and what is done to it.
#[derive(Debug, Arbitrary)]
pub struct Calls {
    /// The queue size is two to this power, around at 2^6.
    pub(super) exponent: u8,
    /// Bytes of a buffer, around at 64.
    pub(super) buffer_size: u8,
    pub(super) zeroed: bool,
    pub(super) calls: All<Call>,
}

#[derive(Debug, Arbitrary)]
pub(super) enum Call {
    Create { readable: Vec<Length>, writable: Vec<Length> },
    CreateWith { readable: Vec<Length>, writable: Vec<Length>, piece: u8, too_much: bool, refused: bool },
    CreateOver { readable: Vec<Place>, writable: Vec<Place> },
    Register { address: Address, length: u8 },
    Buffers(Name),
    Contents(Name, u8),
    Free(Name),
    Tamper { word: u16, value: Value },
    Reset,
}

/// Bytes of a buffer: mostly a few.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Length {
    Short(u8),
    Long(u8),
    Any(u32),
}

impl Length {
    pub(super) const fn get(self) -> u32 {
        match self {
            Self::Short(length) => 1 + (length % 8) as u32,
            // As long as the largest buffer at most, or nothing.
            Self::Long(length) => (length % 65) as u32,
            Self::Any(length) => length,
        }
    }
}

/// A buffer in a region of the caller's.
#[derive(Debug, Arbitrary)]
pub(super) struct Place {
    pub(super) region: u8,
    pub(super) offset: Length,
    pub(super) length: Length,
}

/// Where the device sees a region: behind the buffers, or anywhere.
#[derive(Debug, Arbitrary)]
pub(super) enum Address {
    Page(u8),
    Any(u64),
}

/// The name of a chain.
#[derive(Debug, Arbitrary)]
pub(super) enum Name {
    Live(u8),
    Gone(u8),
    Any { index: u16, serial: u8 },
}

/// What is written to the table's memory.
#[derive(Debug, Arbitrary)]
pub(super) enum Value {
    Any(u64),
    /// Length, flags and next, near to what a driver writes.
    Shape {
        length: u8,
        flags: u8,
        next: u8,
    },
    Zero,
}
