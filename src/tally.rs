//! Results of neighbouring seeds: sums, findings, and a hash over their traces.

use crate::counts::Counts;
use crate::coverage::ReachCounts;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What a run of neighbouring seeds came to, but for what it found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Seeds that were run.
    pub seeds: u64,
    /// Steps.
    pub steps: u64,
    /// Effective steps.
    pub effective_steps: u64,
    /// Steps that the subject cannot do.
    pub skipped_steps: u64,
    /// Over all seeds, in their order.
    pub trace_hash: SweepHash,
    /// How many seeds reached which pairs.
    pub heat: ReachCounts,
    /// What was done, and how the driver answered.
    pub counts: Counts,
    /// Thread time spent on scenarios, the construction of subjects left out.
    pub stepping: Duration,
    /// Thread time spent on constructing subjects.
    pub constructing: Duration,
}

impl Tally {
    /// Adds the next seed.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.steps += outcome.steps;
        self.effective_steps += outcome.effective_steps;
        self.skipped_steps += outcome.skipped_steps;
        self.trace_hash.push(outcome.trace_hash);
        self.heat.count(&outcome.coverage);
    }

    /// Adds the seeds that come next.
    pub fn append(&mut self, next: &Self) {
        let Self {
            seeds,
            steps,
            effective_steps,
            skipped_steps,
            trace_hash,
            heat,
            counts,
            stepping,
            constructing,
        } = next;
        self.seeds += seeds;
        self.steps += steps;
        self.effective_steps += effective_steps;
        self.skipped_steps += skipped_steps;
        self.trace_hash.append(*trace_hash, *seeds);
        self.heat.add(heat);
        self.counts.add(counts);
        self.stepping = self.stepping.saturating_add(*stepping);
        self.constructing = self.constructing.saturating_add(*constructing);
    }
}

/// The results of neighbouring seeds, as they come from whoever ran them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// All of them.
    pub tally: Tally,
    /// Those that found something.
    pub findings: Vec<(u64, Outcome)>,
    /// Those in which a call took longer than it may, once, and not when it was run again.
    pub slow: Vec<u64>,
}

impl Block {
    /// Adds the next seed.
    pub fn add(&mut self, seed: u64, outcome: Outcome) {
        self.tally.add(&outcome);
        if outcome.is_finding() {
            self.findings.push((seed, outcome));
        }
    }

    /// Adds the seeds that come next.
    pub fn append(&mut self, next: Self) {
        self.tally.append(&next.tally);
        self.findings.extend(next.findings);
        self.slow.extend(next.slow);
    }
}

/// A hash over the trace hashes of scenarios, in the order of their seeds. The hashes of neighbouring parts make that of
/// the whole, so a sweep comes to the same in one piece and in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SweepHash(u64);

impl SweepHash {
    /// Odd, so that nothing is lost by multiplying.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The hash with this number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Takes in the trace of the next scenario.
    pub const fn push(&mut self, trace: u64) {
        self.append(Self(trace), 1);
    }

    /// Takes in the hash of the scenarios that come next, so many.
    pub const fn append(&mut self, next: Self, scenarios: u64) {
        let (mut shift, mut factor, mut left) = (1_u64, Self::FACTOR, scenarios);
        while left > 0 {
            if left & 1 == 1 {
                shift = shift.wrapping_mul(factor);
            }
            factor = factor.wrapping_mul(factor);
            left >>= 1;
        }
        self.0 = self.0.wrapping_mul(shift).wrapping_add(next.0);
    }
}

impl fmt::Display for SweepHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}
