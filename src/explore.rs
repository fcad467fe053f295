//! Every scenario of a small scope: no sampling.
//!
//! ```text
//!    level 0: the new queues          level 1            level 2
//!          ●───every letter───▶ ●  ●  ●  ───▶ ●  ●  ●  ●  ●  ───▶ ...
//!          │                    │                │
//!          ▼                    ▼                ▼        a state that was seen before is not gone on from
//!     settle, release      settle, release      ...
//! ```
//!
//! Breadth first: a level is all states that so many steps lead to, and no fewer. Every state of a level is settled and
//! released on the side; then each [letter](Alphabet) is tried from it. So the first thing that goes wrong goes wrong
//! in the fewest steps, and what a scope holds does not depend on the number of threads.
//!
//! A state is kept as the step that led to it and the state before that. To go on from it, its path is gone once more
//! and a [snapshot](crate::execution::Snapshot) taken, which each letter then begins from. A subject that cannot be
//! copied has its path gone once more for each letter. Two states are the same if shared memory, device, model, the
//! subject's [fingerprint](crate::subject::Subject::fingerprint) and the number of faults so far are.

mod alphabet;
mod forecast;
mod key;
pub mod report;
mod search;
mod walker;

pub use alphabet::{Alphabet, Letter};
pub use search::explore;

use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::subject::SubjectKind;
use ringstorm_core::QueueSize;
use std::time::Duration;

/// What is explored.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The queue under test.
    pub kind: SubjectKind,
    /// Its size.
    pub queue_size: QueueSize,
    /// The most steps, the settling at the end not counted.
    pub depth: usize,
    /// The most faults in one execution.
    pub faults: u32,
    /// States after which it stops.
    pub max_states: u64,
    /// Time after which it stops. With it, a scope that is expected not to fit is begun all the same.
    pub time: Option<Duration>,
    /// Threads.
    pub jobs: usize,
    /// What of the subject is made use of.
    pub means: Means,
}

/// What of the subject is made use of, where it can do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// Copies, instead of going a path again.
    pub snapshots: bool,
    /// Fingerprints, instead of everything that it has seen.
    pub fingerprints: bool,
}

impl Default for Means {
    fn default() -> Self {
        Self { snapshots: true, fingerprints: true }
    }
}

/// Why an exploration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every scenario of the scope was explored.
    Exhausted,
    /// And more than that: no longer scenario leads to a state that was not seen.
    Closed,
    /// Something went wrong.
    Found,
    /// So many states are expected, which is too many: it was not begun.
    Refused {
        /// The states.
        expected: u64,
        /// The depth that is expected to fit.
        fits: usize,
    },
    /// There were as many states as it may have.
    Full,
    /// The time was up.
    Late,
    /// It was interrupted.
    Interrupted,
}

impl Ending {
    /// Whether nothing of the scope is left.
    pub const fn is_exhaustive(self) -> bool {
        matches!(self, Self::Exhausted | Self::Closed)
    }
}

/// Something that goes wrong, in the fewest steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The scenario.
    pub scenario: Scenario,
    /// What comes of it.
    pub outcome: Outcome,
}

/// What an exploration saw.
#[derive(Debug, Clone)]
pub struct Explored {
    /// New states by the fewest steps that lead to them. The last level may not be complete.
    pub levels: Vec<u64>,
    /// Steps that were tried and did something.
    pub transitions: u64,
    /// Every scenario of up to so many steps was explored; `None` if not even those of none.
    pub depth: Option<usize>,
    /// How it ended.
    pub ending: Ending,
    /// What was found.
    pub found: Option<Counterexample>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Explored {
    /// How many states were seen.
    pub fn states(&self) -> u64 {
        self.levels.iter().sum()
    }
}

/// How far an exploration is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps of the scenarios that are explored now.
    pub depth: usize,
    /// States gone on from, of this level.
    pub done: u64,
    /// States of this level.
    pub level: u64,
    /// States in all.
    pub states: u64,
    /// Steps in all.
    pub transitions: u64,
}
