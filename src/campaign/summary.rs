//! What a campaign comes to, and how parts of it add up.

use super::{MOST_TIMELINES, Pace, SweepHash};
use crate::counts::Counts;
use crate::coverage::ReachCounts;
use crate::outcome::{Outcome, Signature};
use crate::scenario::Scenario;
use crate::timeline::Timeline;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was complete.
    Complete,
    /// It had found enough.
    EnoughFindings,
    /// It was interrupted, or is not over yet.
    Unfinished,
}

/// One group of findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What they have in common.
    pub signature: Signature,
    /// How many seeds.
    pub count: u64,
    /// The lowest.
    pub seed: u64,
    /// The step at which its scenario went wrong.
    pub step: usize,
    /// Its scenario, shrunk.
    pub shrunk: Scenario,
    /// What goes wrong in the shrunk scenario.
    pub detail: String,
    /// The shrunk scenario, step by step.
    pub timeline: Timeline,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// All seeds.
    pub tally: Tally,
    /// The groups of findings, in the order of their lowest seeds.
    pub findings: Vec<Finding>,
    /// Signatures that were masked, with their counts.
    pub masked: BTreeMap<String, u64>,
    /// From the beginning to the end.
    pub elapsed: Duration,
    /// How fast it was on the way.
    pub pace: Pace,
    /// Why it ended.
    pub ending: Ending,
}

/// Nothing is done yet.
impl Default for Summary {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            findings: Vec::new(),
            masked: BTreeMap::new(),
            elapsed: Duration::ZERO,
            pace: Pace::default(),
            ending: Ending::Unfinished,
        }
    }
}

impl Summary {
    /// Remembers now and then how far the run is.
    pub(super) fn note_pace(&mut self) {
        self.pace.note(self.elapsed, &self.tally);
    }

    /// The groups whose scenario is not shrunk to the end, as far as that is known: those that should have a timeline.
    pub(super) fn unshrunk(&self) -> impl Iterator<Item = usize> {
        let groups = self.findings.iter().take(MOST_TIMELINES).enumerate();
        groups.filter(|(_, finding)| finding.timeline == Timeline::default()).map(|(number, _)| number)
    }

    /// Counts one more seed in the group of this signature, if there is one.
    pub fn count(&mut self, signature: &Signature) -> bool {
        let group = self.findings.iter_mut().find(|group| group.signature == *signature);
        group.map(|group| group.count += 1).is_some()
    }
}
