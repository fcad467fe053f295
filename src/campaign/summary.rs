//! The results of a campaign.

use super::{MAX_TIMELINES, Pace};
use crate::outcome::Signature;
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use std::time::Duration;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The budget was used.
    Complete,
    /// The maximal number of groups of findings was reached.
    EnoughFindings,
    /// The run was interrupted, or is in progress.
    Unfinished,
}

/// One group of findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The common signature.
    pub signature: Signature,
    /// The number of seeds with this signature.
    pub count: u64,
    /// The lowest of these seeds.
    pub seed: u64,
    /// The failing step of the lowest seed's scenario.
    pub step: usize,
    /// The shrunk scenario.
    pub shrunk: Scenario,
    /// What goes wrong in the shrunk scenario.
    pub detail: String,
    /// The shrunk scenario, step by step.
    pub timeline: Timeline,
}

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The sums over all seeds.
    pub tally: Tally,
    /// The groups of findings, in the order of their lowest seeds.
    pub findings: Vec<Finding>,
    /// Masked signatures, each with its number of seeds.
    pub masked: BTreeMap<String, u64>,
    /// The time that the run took.
    pub elapsed: Duration,
    /// The speed of the run over time.
    pub pace: Pace,
    /// Why the run ended.
    pub ending: Ending,
}

/// An empty summary for a new run.
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
    /// Adds a point to the pace if the last one is long enough ago.
    pub(super) fn note_pace(&mut self) {
        self.pace.note(self.elapsed, &self.tally);
    }

    /// The numbers of the groups whose shrinking is not complete: those that should have a timeline and have none.
    pub(super) fn unshrunk(&self) -> impl Iterator<Item = usize> {
        let groups = self.findings.iter().take(MAX_TIMELINES).enumerate();
        groups.filter(|(_, finding)| finding.timeline == Timeline::default()).map(|(number, _)| number)
    }

    /// Counts one more seed of this signature. Returns `false` if there is no such group.
    pub fn count(&mut self, signature: &Signature) -> bool {
        let group = self.findings.iter_mut().find(|group| group.signature == *signature);
        group.map(|group| group.count += 1).is_some()
    }
}
