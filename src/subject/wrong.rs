//! What an adapter does wrong is told to its author, and is no finding about the queue.

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
