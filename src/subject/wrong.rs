//! How an adapter ends the execution: for what it does wrong itself, which is told to its author and is no finding about the
//! queue, and for what it sees its queue do.

use ringstorm_model::{Invariant, Violation};
use std::panic::resume_unwind;

/// Why an adapter is no [`Subject`](super::Subject), whatever its queue does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("the adapter is wrong, which says nothing of its queue: {0}")]
pub struct WrongAdapter(String);

impl WrongAdapter {
    /// Ends the execution here, from within an adapter or the harness. The run ends with it, too, and says why.
    pub fn raise(why: impl Into<String>) -> ! {
        // Nobody is to be told of a panic.
        resume_unwind(Box::new(Self(why.into())))
    }

    /// The same, with where it was seen.
    pub(crate) fn at(self, place: &str) -> Self {
        Self(format!("{} ({place})", self.0))
    }
}

/// What an adapter saw its queue do to memory that is not the queue's, where nobody else watches it: a violation of
/// [`OwnArea`](ringstorm_model::Invariant::OwnArea).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trespass(String);

impl Trespass {
    /// Ends the execution here, from within a call of the adapter, with this finding.
    pub fn raise(what: impl Into<String>) -> ! {
        resume_unwind(Box::new(Self(what.into())))
    }

    /// As what it is judged.
    pub(crate) fn violation(self) -> Violation {
        Violation { invariant: Invariant::OwnArea, detail: self.0 }
    }
}
