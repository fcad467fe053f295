//! Calls with a handle that a caller must not pass.

use strum::{EnumString, FromRepr, IntoStaticStr, VariantArray};

/// The calls that take the handle of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, FromRepr)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum HeadCall {
    /// Free.
    Free = 0,
    /// Read.
    Read = 1,
    /// Withdraw.
    Withdraw = 2,
}

/// Handles that a caller must not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, FromRepr)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum BadHead {
    /// The queue size, which is the first index out of range.
    OutOfRange = 0,
    /// 65535.
    Far = 1,
    /// The index of a free descriptor.
    FreeDescriptor = 2,
    /// The index of a descriptor inside a live chain, not its head.
    MidChain = 3,
    /// The handle of a freed chain whose head is now the head of another live chain.
    Stale = 4,
    /// A chain that is in flight.
    InFlight = 5,
    /// A chain that was taken. Only withdrawing it is a misuse.
    Returned = 6,
}
