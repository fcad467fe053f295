//! The results of neighbouring seeds: sums, findings, and a hash over their traces.

use crate::counts::Counts;
use crate::coverage::ReachCounts;
use crate::depth::Depth;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The sums over neighbouring seeds, without their findings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// The number of seeds.
    pub seeds: u64,
    /// The number of steps.
    pub steps: u64,
    /// The number of effective steps.
    pub effective_steps: u64,
    /// Steps for which the subject lacks the capability.
    pub skipped_steps: u64,
    /// The hash over all seeds, in order.
    pub trace_hash: SweepHash,
    /// By coverage cell: the number of seeds that reached it.
    pub reach_counts: ReachCounts,
    /// Counts of operations and of answers to faults.
    pub counts: Counts,
    /// How deep the seeds led.
    pub depth: Depth,
    /// Thread time spent on scenarios, without the construction of subjects.
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
        self.reach_counts.count(&outcome.coverage);
    }

    /// Adds the sums of the seeds that follow.
    pub fn append(&mut self, next: &Self) {
        let Self {
            seeds,
            steps,
            effective_steps,
            skipped_steps,
            trace_hash,
            reach_counts,
            counts,
            depth,
            stepping,
            constructing,
        } = next;
        self.seeds += seeds;
        self.steps += steps;
        self.effective_steps += effective_steps;
        self.skipped_steps += skipped_steps;
        self.trace_hash.append(*trace_hash, *seeds);
        self.reach_counts.add(reach_counts);
        self.counts.add(counts);
        self.depth.merge(depth);
        self.stepping = self.stepping.saturating_add(*stepping);
        self.constructing = self.constructing.saturating_add(*constructing);
    }
}

/// The results of neighbouring seeds, as one executor returns them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The sums.
    pub tally: Tally,
    /// The seeds with findings.
    pub findings: Vec<(u64, Outcome)>,
    /// Seeds in which a call exceeded the call timeout once, but not when the seed was run again.
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

    /// Adds the results of the seeds that follow.
    pub fn append(&mut self, next: Self) {
        self.tally.append(&next.tally);
        self.findings.extend(next.findings);
        self.slow.extend(next.slow);
    }
}

/// A hash over the trace hashes of scenarios, in the order of their seeds. The hash of a sweep can be computed from the
/// hashes of its parts, so a sweep that was split has the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SweepHash(u64);

impl SweepHash {
    /// An odd factor, so that the multiplication loses no bits.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Makes the hash from its number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The hash as a number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Adds the trace hash of the next scenario.
    pub const fn push(&mut self, trace: u64) {
        self.append(Self(trace), 1);
    }

    /// Adds the hash of the next `scenarios` scenarios.
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
