//! Words for the texts of violations.

use crate::{Answer, Completion, DeviceRefusal, MisuseKind, Refusal};
use std::fmt;

/// A number with its noun in singular or plural: "1 chain", "2 chains".
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

pub(crate) fn bytes(count: impl TryInto<u64>) -> Count {
    Count(count.try_into().unwrap_or(u64::MAX), "byte")
}

/// "1 chain was", "2 chains were".
pub(crate) fn chains_were(count: impl Into<u64>) -> String {
    let count = count.into();
    format!("{} {}", Count(count, "chain"), if count == 1 { "was" } else { "were" })
}

/// "1 descriptor is", "2 descriptors are".
pub(crate) fn are(count: u32) -> String {
    format!("{} {}", Count(count.into(), "descriptor"), if count == 1 { "is" } else { "are" })
}

/// What the caller did, as an object of "reported" and "accepted".
pub(crate) const fn misuse(kind: MisuseKind) -> &'static str {
    match kind {
        MisuseKind::EmptyChain => "a chain without buffers",
        MisuseKind::EmptyBuffer => "a chain with an empty buffer",
        MisuseKind::BufferTooLarge => "a chain with a buffer above the buffer size",
        MisuseKind::ChainTooLong => "a chain of more than 2^32 bytes",
        MisuseKind::NotEnoughFree => "a chain that needs more descriptors than are free",
        MisuseKind::BadHead => "a head that no live chain has, or a stale handle",
        MisuseKind::NotReturned => "a chain that was not taken from the used ring",
        MisuseKind::Unspecified => "a mistake of the caller",
        MisuseKind::ChainExceedsQueue => "a chain of more buffers than the queue has descriptors",
        MisuseKind::Published => "a chain that is already published",
    }
}

/// What `take` did, as a predicate.
pub(crate) struct TakeAnswer(pub(crate) Answer<Option<Completion>>);

impl fmt::Display for TakeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ok(None) => f.write_str("returned nothing"),
            Ok(Some(Completion { head, length })) => {
                write!(f, "returned chain {head} with {}", bytes(length))
            }
            Err(Refusal::Misuse(kind)) => write!(f, "reported {}", misuse(kind)),
            Err(Refusal::Device(DeviceRefusal { consumed, returned, broken: _ })) => {
                write!(
                    f,
                    "reported a device fault and {} the element",
                    if consumed { "consumed" } else { "kept" }
                )?;
                match returned {
                    Some(head) => write!(f, " and returned chain {head}"),
                    None => Ok(()),
                }
            }
            Err(Refusal::System) => f.write_str("reported a failure of the operating system"),
            Err(Refusal::Broken) => f.write_str("reported that the queue is broken"),
        }
    }
}
