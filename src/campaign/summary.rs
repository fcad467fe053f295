//! What a campaign comes to, and how parts of it add up.

use super::{MOST_TIMELINES, Pace};
use crate::outcome::Signature;
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use std::time::Duration;

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
