//! The calls of a descriptor table, decoded from a fuzzer's bytes.

use super::Remaining;
use arbitrary::Arbitrary;

/// The device address of the buffers that belong to the table.
pub(super) const BUFFERS_AT: u64 = 0x1_0000_0000;

/// The parameters of a table, and the calls.
#[derive(Debug, Arbitrary)]
pub struct Calls {
    /// The queue size is 2 to the power of `exponent % 7`.
    pub(super) exponent: u8,
    /// A buffer has `buffer_size % 64 + 1` bytes.
    pub(super) buffer_size: u8,
    pub(super) zeroed: bool,
    pub(super) calls: Remaining<Call>,
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

/// The length of a buffer in bytes, usually short.
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
            // From 0 to the largest buffer size.
            Self::Long(length) => (length % 65) as u32,
            Self::Any(length) => length,
        }
    }
}

/// A buffer in a region that the caller registered.
#[derive(Debug, Arbitrary)]
pub(super) struct Place {
    pub(super) region: u8,
    pub(super) offset: Length,
    pub(super) length: Length,
}

/// The device address of a region: on a page from the buffers' address on, or anywhere.
#[derive(Debug, Arbitrary)]
pub(super) enum Address {
    Page(u8),
    Any(u64),
}

/// The handle of a chain.
#[derive(Debug, Arbitrary)]
pub(super) enum Name {
    Live(u8),
    NotLive(u8),
    Any { index: u16, serial: u8 },
}

/// A value that is written to the table's memory.
#[derive(Debug, Arbitrary)]
pub(super) enum Value {
    Any(u64),
    /// Length, flags and next, similar to those that a driver writes.
    Shape {
        length: u8,
        flags: u8,
        next: u8,
    },
    Zero,
}
