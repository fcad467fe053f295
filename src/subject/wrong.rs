//! Two ways in which an adapter can end an execution: for an error of its own, which is no finding about the queue,
//! and for a forbidden access of its queue that it detects.

use ringstorm_model::{Invariant, Violation};
use std::panic::resume_unwind;

/// An error of an adapter: it does not implement [`Subject`](super::Subject) correctly, whatever its queue does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("the adapter is wrong, so nothing is known about its queue: {0}")]
pub struct WrongAdapter(String);

impl WrongAdapter {
    /// Ends the execution and the run with this message. Call it in an adapter or in the harness.
    pub fn raise(why: impl Into<String>) -> ! {
        // `resume_unwind` does not call the panic hook, so nothing is reported as a panic.
        resume_unwind(Box::new(Self(why.into())))
    }

    /// The same error with its position.
    pub(crate) fn at(self, place: &str) -> Self {
        Self(format!("{} ({place})", self.0))
    }
}

/// A forbidden access of the queue to memory that does not belong to it, detected by the adapter. It is a violation
/// of [`OwnArea`](ringstorm_model::Invariant::OwnArea).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trespass(String);

impl Trespass {
    /// Ends the execution with this finding. Call it in a method of the adapter.
    pub fn raise(what: impl Into<String>) -> ! {
        resume_unwind(Box::new(Self(what.into())))
    }

    /// The violation that the model would report.
    pub(crate) fn violation(self) -> Violation {
        Violation { invariant: Invariant::OwnArea, detail: self.0 }
    }
}
