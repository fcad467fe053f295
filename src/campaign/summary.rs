//! The results of a campaign.

use super::Pace;
use crate::outcome::{Call, Signature};
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::timeline::Timeline;
use std::collections::{BTreeMap, BTreeSet};
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
    /// The seed whose scenario was shrunk. It differs from the lowest seed if a later seed shows the cause better.
    pub shrunk_seed: u64,
    /// The shrunk scenario.
    pub shrunk: Scenario,
    /// What goes wrong in the shrunk scenario.
    pub detail: String,
    /// The shrunk scenario, step by step.
    pub timeline: Timeline,
    /// The signatures of other shrunk findings of this group, each with what goes wrong.
    pub also: BTreeMap<Signature, String>,
    /// The other findings that the shrunk scenario shows if a part of it is missing or simpler. Their groups are merged
    /// with this one.
    pub within: BTreeSet<Signature>,
    /// The call that unwinds in a shrunk scenario of the group because a memory access fails.
    pub unwound: Option<Call>,
    /// Whether a mask matches a signature of the group. It is then counted, but not reported.
    pub masked: bool,
    /// Whether shrinking is not complete. The signature can still change, to that of another group.
    pub unshrunk: bool,
}

impl Finding {
    /// Whether the group is reported. A group without seeds was only seen in seeds that a mask matched before shrinking.
    pub const fn is_reported(&self) -> bool {
        !self.masked && self.count > 0
    }

    /// A group of one seed, whose scenario is not shrunk yet.
    pub(super) fn unshrunk(signature: Signature, seed: u64, scenario: Scenario) -> Self {
        Self {
            signature,
            count: 1,
            seed,
            step: 0,
            shrunk_seed: seed,
            shrunk: scenario,
            detail: String::new(),
            timeline: Timeline::default(),
            also: BTreeMap::new(),
            within: BTreeSet::new(),
            unwound: None,
            masked: false,
            unshrunk: true,
        }
    }
}

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The sums over all seeds.
    pub tally: Tally,
    /// The groups of findings, masked ones too, in the order of their lowest seeds.
    pub findings: Vec<Finding>,
    /// Seeds in no group whose signature a mask matches, before shrinking, by signature.
    pub masked: BTreeMap<String, u64>,
    /// Signatures that became another one when their first scenario was shrunk.
    pub aliases: BTreeMap<Signature, Signature>,
    /// Signatures of seeds, with those that they became without needless faults and by shrinking. The first one counts.
    pub seen_as: BTreeMap<Signature, Signature>,
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
            aliases: BTreeMap::new(),
            seen_as: BTreeMap::new(),
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

    /// The lowest number of a group whose shrinking is not complete.
    pub(super) fn first_unshrunk(&self) -> Option<usize> {
        self.findings.iter().position(|finding| finding.unshrunk)
    }

    /// The groups that are reported.
    pub fn reported(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_reported())
    }

    /// The number of reported groups whose shrinking is complete.
    pub(super) fn shrunk_groups(&self) -> usize {
        self.reported().filter(|finding| !finding.unshrunk).count()
    }
}
