//! The invariants of a correct driver, and their violations.

use std::fmt;
use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// One property of a correct driver. The doc line states it, with its section of the specification. Numbers never change; a
/// new invariant gets the next one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
    FromRepr,
)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum Invariant {
    /// Free descriptors and descriptors of live chains add up to the queue size, always (conservation).
    FreeCount = 0,
    /// No descriptor is in two live chains, or live and free (2.7.5).
    NoDoubleUse = 1,
    /// A published chain ends within queue-size descriptors, visiting none twice (2.7.5.2).
    Acyclic = 2,
    /// A published chain has at least one descriptor, indexes below the queue size, readable buffers before writable ones, at most 2^32 bytes (2.7.4.2, 2.7.5.2).
    WellFormed = 3,
    /// Every buffer lies inside a region that the driver registered (the device's view).
    BuffersRegistered = 4,
    /// Buffers of live chains do not overlap where one is writable (no double use of memory).
    BuffersDisjoint = 5,
    /// The device reads exactly the bytes that were submitted, in order, and finds the room that was asked for. A chain does not change while the device has it (2.7.13).
    Payload = 6,
    /// A read returns the bytes in that chain's writable buffers, the used length and no more; with the zeroing policy no byte of an earlier chain appears (2.7.8.3).
    Response = 7,
    /// No reported length exceeds the chain's writable bytes (2.7.8.2).
    LengthBound = 8,
    /// A chain completes at most once, only after the device returned it, and as itself (2.7.8).
    CompletedOnce = 9,
    /// Heads appear in the available ring in submission order. The available index grows by the number of chains that were added. The driver stores it after their descriptors and entries (2.7.6.1, 2.7.13).
    AvailableOrder = 10,
    /// Device and driver get the notifications that they asked for; a driver that promises it causes none that were not asked for (2.7.7, 2.7.10).
    Notified = 11,
    /// The driver writes nothing that belongs to the device, and nothing outside its memory (2.7).
    OwnArea = 12,
    /// A refused call changes neither queue nor shared memory; one that reports a device fault changes only what the policy states.
    FailedUnchanged = 13,
    /// Invalid calls are refused with the right error, and valid calls are not refused.
    MisuseRefused = 14,
    /// No call panics, hangs (stuck) or ends the process (died), whatever caller or device do.
    NoPanic = 15,
    /// After release, the queue keeps no handle to its memory.
    Released = 16,
    /// A device fault is reported only when the device broke the specification.
    FairBlame = 17,
    /// Once faults stop, every live chain comes back within a stated number of steps, or the queue reports that it is broken.
    Drains = 18,
    /// A reset from any state gives as many free descriptors as the queue has, and the queue works again.
    ResetRecovers = 19,
    /// A value that the device can write is read at most once within one call (double fetch).
    FetchedOnce = 20,
    /// A queue that is dropped while the device runs keeps the memory of its rings, and of the buffers of chains in flight: the device may access them until it is reset (3.3.1).
    MemoryKept = 21,
    /// A call that unwinds because memory failed has changed nothing, or freed the chain that it was to free, or left the queue broken until a reset, and the queue reports which.
    UnwoundUnchanged = 22,
    /// Accesses that the specification orders stay in order on every machine. The driver stores entries before the available index, and that index before it loads the device's flags or avail_event. It asks for notifications before it loads the used index, and loads that index before the elements (2.7.13, 2.7.14).
    AccessOrder = 23,
    /// The descriptor table is aligned to 16 bytes and has 16 bytes for each descriptor. The available ring is aligned to 2 bytes and has 6 bytes, and 2 for each descriptor. The used ring is aligned to 4 bytes and has 6 bytes, and 8 for each descriptor. None overlaps another (2.7).
    Layout = 24,
}

impl Invariant {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The sentence that states it: its doc line.
    pub fn sentence(self) -> &'static str {
        self.get_documentation().expect("every invariant has a doc line")
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An event that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that is broken.
    pub invariant: Invariant,
    /// What happened and what was expected.
    pub detail: String,
}

impl Violation {
    #[cold]
    pub(crate) fn new(invariant: Invariant, detail: fmt::Arguments<'_>) -> Self {
        Self { invariant, detail: detail.to_string() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

impl std::error::Error for Violation {}

/// Returns a violation from the function if the condition is false. The detail is formatted only in that case.
macro_rules! require {
    ($holds:expr, $invariant:ident, $($detail:tt)*) => {
        if !$holds {
            return Err(crate::Violation::new(crate::Invariant::$invariant, format_args!($($detail)*)));
        }
    };
}
pub(crate) use require;
