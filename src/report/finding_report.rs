//! One group of findings as JSON.

use crate::campaign::Finding;
use crate::outcome::{Call, Signature};
use crate::timeline::Timeline;
use ringstorm_model::Invariant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most other signatures of a group that a text names.
const MOST_NAMED: usize = 8;

/// One group of findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FindingReport {
    /// The signature of the group: SUBJECT/OUTCOME/INVARIANT/CALL/FAULT.
    #[schemars(with = "String")]
    pub signature: Signature,
    /// The invariant that is violated.
    pub invariant: Option<String>,
    /// What happened in the shrunk scenario.
    pub detail: String,
    /// The lowest seed.
    pub seed: u64,
    /// The seed whose scenario was shrunk, if it is not the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk_seed: Option<u64>,
    /// The failing step of the lowest seed's scenario.
    pub step: usize,
    /// The number of seeds in the group.
    pub count: u64,
    /// Steps of the shrunk scenario.
    pub steps_after_shrinking: usize,
    /// The file of the shrunk scenario; empty if it could not be written.
    pub file: String,
    /// The shrunk scenario, as text.
    pub scenario: String,
    /// The shrunk scenario step by step, for the first hundred groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// The signatures of other shrunk findings that are likely to have the same cause, each with what happened.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub also: BTreeMap<Signature, String>,
    /// The other findings that the shrunk scenario shows if a part of it is missing or simpler.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(with = "BTreeSet<String>")]
    pub within: BTreeSet<Signature>,
    /// The call that unwinds in a shrunk scenario of the group because a memory access fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub unwound: Option<Call>,
    /// Whether the run ended before it shrunk the scenario.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unshrunk: bool,
}

impl FindingReport {
    /// The other ways in which the group fails, in words.
    pub(super) fn also_seen_as(&self) -> Option<String> {
        let other = |signature: &Signature| {
            let name = signature.to_string();
            let start = signature.subject.len() + 1;
            name[start..].to_owned()
        };
        let named: Vec<String> = self.also.keys().take(MOST_NAMED).map(other).collect();
        let more = match self.also.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!named.is_empty()).then(|| format!("also seen as {}{more}", named.join(", ")))
    }

    /// The rule that the finding violates, in a sentence.
    pub(super) fn rule(&self) -> Option<String> {
        let invariant = self.signature.expected.invariant()?;
        Some(format!("rule {invariant}: {}", invariant.sentence()))
    }
}

/// The report of a group, with the file of its scenario.
pub(super) fn finding_report(finding: &Finding, file: impl Fn(&Finding) -> String) -> FindingReport {
    let Finding {
        signature,
        count,
        seed,
        step,
        shrunk_seed,
        shrunk,
        detail,
        timeline,
        also,
        within,
        unwound,
        unshrunk,
        ..
    } = finding;
    FindingReport {
        signature: signature.clone(),
        invariant: signature.expected.invariant().map(|invariant: Invariant| invariant.name().to_owned()),
        detail: detail.clone(),
        seed: *seed,
        shrunk_seed: Some(*shrunk_seed).filter(|shrunk_seed| shrunk_seed != seed),
        step: *step,
        count: *count,
        steps_after_shrinking: shrunk.steps.len(),
        file: file(finding),
        scenario: shrunk.to_string(),
        timeline: Some(timeline.clone()).filter(|timeline| *timeline != Timeline::default()),
        also: also.clone(),
        within: within.clone(),
        unwound: *unwound,
        unshrunk: *unshrunk,
    }
}
