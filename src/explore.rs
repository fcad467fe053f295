//! Runs every scenario of a small scope, without sampling.
//!
//! ```text
//!    level 0: the new queues          level 1            level 2
//!          ●───every action───▶ ●  ●  ●  ───▶ ●  ●  ●  ●  ●  ───▶ ...
//!          │                    │                │
//!          ▼                    ▼                ▼        the search does not continue from a known state
//!     drain, release       drain, release       ...
//! ```
//!
//! The search is breadth first: a level consists of the states that need this number of steps and no fewer. For every
//! state of a level, the search drains and releases the queue in a separate run; then it tries each
//! [action](Alphabet). So the first finding has the fewest steps. The result does not depend on the number of
//! threads.
//!
//! A state is stored as its last step and its previous state. To continue from a state, the search runs its path
//! again and takes a [snapshot](crate::execution::Snapshot), from which each action begins. If a subject cannot be
//! copied, the search runs the path again for each action. Two states are the same if shared memory, device, model,
//! the subject's [fingerprint](crate::subject::Subject::fingerprint) and the number of faults so far are the same.

mod alphabet;
mod forecast;
mod key;
pub mod report;
mod search;
mod walker;

pub use alphabet::{Action, Alphabet};
pub use search::explore;

use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::subject::SubjectKind;
use ringstorm_core::QueueSize;
use std::time::Duration;

/// The limits of an exploration.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The queue under test.
    pub kind: SubjectKind,
    /// The queue size.
    pub queue_size: QueueSize,
    /// The most steps, without the drain at the end.
    pub depth: usize,
    /// The most faults in one execution.
    pub faults: u32,
    /// The number of states after which the search stops.
    pub max_states: u64,
    /// The time after which the search stops. With a time, the search also begins if the scope is expected to be too
    /// large.
    pub time: Option<Duration>,
    /// The number of threads.
    pub jobs: usize,
    /// Which optional methods of the subject are used.
    pub features: SubjectFeatures,
}

/// Which optional methods of the subject are used, if it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectFeatures {
    /// Use snapshots. Otherwise paths are run again.
    pub snapshots: bool,
    /// Use fingerprints. Otherwise all calls and all memory that the subject has seen identify its state.
    pub fingerprints: bool,
}

impl Default for SubjectFeatures {
    fn default() -> Self {
        Self { snapshots: true, fingerprints: true }
    }
}

/// Why an exploration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Every scenario of the scope was explored.
    Exhausted,
    /// No longer scenario reaches a new state, so scenarios of any length were explored.
    NoNewStates,
    /// There was a finding.
    Found,
    /// The search stopped early, because too many states are expected.
    TooLarge {
        /// The expected number of states.
        expected: u64,
        /// The depth that is expected to fit into the limit.
        fits: usize,
    },
    /// The limit of states was reached.
    StateLimit,
    /// The time limit was reached.
    TimeLimit,
    /// The user interrupted it.
    Interrupted,
}

impl StopReason {
    /// Whether the whole scope was explored.
    const fn is_exhaustive(self) -> bool {
        matches!(self, Self::Exhausted | Self::NoNewStates)
    }
}

/// A finding with the fewest steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The scenario.
    pub scenario: Scenario,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The result of an exploration.
#[derive(Debug, Clone)]
pub struct Explored {
    /// The number of new states by the least number of steps that reach them. The last level may be incomplete.
    pub levels: Vec<u64>,
    /// The number of steps that were tried and had an effect.
    pub transitions: u64,
    /// Every scenario with up to this number of steps was explored. `None` if not even the scenarios without steps.
    pub depth: Option<usize>,
    /// Why the search ended.
    pub ending: StopReason,
    /// The finding.
    pub found: Option<Counterexample>,
    /// The duration.
    pub elapsed: Duration,
}

impl Explored {
    /// The number of states.
    pub fn states(&self) -> u64 {
        self.levels.iter().sum()
    }
}

/// The progress of an exploration.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The number of steps of the scenarios that are being explored.
    pub depth: usize,
    /// States of this level that were explored.
    pub done: u64,
    /// All states of this level.
    pub level: u64,
    /// The number of states so far.
    pub states: u64,
    /// The number of transitions so far.
    pub transitions: u64,
}
