//! The texts of notes.

use ringstorm_model::{ChainFlaw, MisuseKind, OrderFlaw, Refusal};

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// A call that was refused, and why.
pub(super) fn refused(call: &str, refusal: Refusal) -> String {
    match refusal {
        Refusal::Misuse(kind) => format!("refuses to {call}: {}", misuse(kind)),
        Refusal::Device(device) => {
            let element = if device.consumed { "consumes" } else { "leaves" };
            let broken = if device.broken { "; the queue is broken" } else { "" };
            format!("reports a device fault, {element} the element{broken}")
        }
        Refusal::System => format!("fails to {call}: the system refused memory"),
        Refusal::Broken => format!("refuses to {call}: the queue is broken"),
    }
}

const fn misuse(kind: MisuseKind) -> &'static str {
    match kind {
        MisuseKind::EmptyChain => "no buffers",
        MisuseKind::EmptyBuffer => "an empty buffer",
        MisuseKind::BufferTooLarge => "a buffer above the buffer size",
        MisuseKind::ChainTooLong => "more than 2^32 bytes",
        MisuseKind::NotEnoughFree => "not enough free descriptors",
        MisuseKind::BadHead => "not the head of a live chain",
        MisuseKind::NotReturned => "the device has not returned it",
        MisuseKind::Unspecified => "misuse",
        MisuseKind::ChainExceedsQueue => "more buffers than descriptors",
        MisuseKind::Published => "it was published",
    }
}

/// How a chain breaks the specification.
pub(super) fn malformed(flaw: ChainFlaw) -> String {
    match flaw {
        ChainFlaw::Loop => "the chain is a loop".to_owned(),
        ChainFlaw::NextOutOfRange(index) => {
            format!("descriptor {index} links outside of the table")
        }
        ChainFlaw::Unregistered(index) => {
            format!("the buffer of descriptor {index} is outside every region")
        }
        ChainFlaw::ReadableAfterWritable(index) => {
            format!("descriptor {index} is readable after a writable one")
        }
        ChainFlaw::Indirect(index) => {
            format!("descriptor {index} refers to an indirect table")
        }
        ChainFlaw::TooLong => "the chain is longer than 2^32 bytes".to_owned(),
        ChainFlaw::HeadOutOfRange => "the head is outside of the table".to_owned(),
    }
}

/// Which order of accesses the driver did not keep.
pub(super) const fn wrong_order(flaw: OrderFlaw) -> &'static str {
    match flaw {
        OrderFlaw::WishNotLoaded => "does not load flags or avail_event after the available index",
        OrderFlaw::WishWithoutBarrier => "loads flags or avail_event without a barrier",
        OrderFlaw::UsedIndexNotLoaded => "does not load the used index after asking to be notified",
        OrderFlaw::UsedIndexWithoutBarrier => "loads the used index without a barrier",
        OrderFlaw::IndexWithoutRelease => "stores the available index without a release",
        OrderFlaw::ElementWithoutAcquire => "loads a used element without an acquire",
    }
}
