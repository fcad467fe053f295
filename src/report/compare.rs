//! Compares two runs.

use super::{JSON_VERSION, RunReport, counted, grouped};
use crate::coverage::{Coverage, pair_name, reachable_pairs};
use crate::outcome::Signature;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Write};

/// The most coverage cells that the text lists.
const FEW: usize = 10;

/// The speeds of shorter runs are not compared, in seconds.
const SHORTEST_MEASURED: f64 = 1.0;

/// `report --compare --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// Version of the object.
    #[schemars(extend("const" = JSON_VERSION))]
    pub version: u32,
    /// The first run.
    pub before: Side,
    /// The second run.
    pub after: Side,
    /// The options that differ, in words.
    pub asked: Vec<String>,
    /// Findings by signature.
    pub findings: Findings,
    /// Coverage cells: pairs of driver state and fault.
    pub pairs: Pairs,
    /// Effective steps per second and core: the second run divided by the first. Missing if the runs have other kinds of
    /// scenarios or took less than a second.
    pub speed_ratio: Option<f64>,
}

/// One of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// The queue under test.
    pub subject: String,
    /// Seeds that ran.
    pub seeds: u64,
    /// The first seed.
    pub from: u64,
    /// Whether every seed ran.
    pub complete: bool,
    /// Coverage cells that were reached.
    pub pairs_hit: u32,
    /// Effective steps per second and core.
    pub steps_per_second_per_core: f64,
    /// The trace hash of all seeds, in their order.
    pub trace_hash: String,
}

/// Findings of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Findings {
    /// Findings of the second run only.
    pub new: Vec<Seen>,
    /// Findings of the first run only.
    pub gone: Vec<Seen>,
    /// Findings of both runs.
    pub same: Vec<Seen>,
}

/// A group of findings in two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Seen {
    /// The signature of the group.
    pub signature: String,
    /// Its seeds in the first run.
    pub before: u64,
    /// Its seeds in the second run.
    pub after: u64,
    /// The lowest seed: of the second run, or of the first if the finding is gone.
    pub seed: u64,
    /// What happened.
    pub detail: String,
}

/// Coverage cells that only one of two runs reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pairs {
    /// Reached by the second run only.
    pub gained: Vec<String>,
    /// Reached by the first run only.
    pub lost: Vec<String>,
}

impl Comparison {
    /// Compares two runs.
    ///
    /// # Errors
    /// A message if the coverage of a report is inconsistent.
    pub fn new(before: &RunReport, after: &RunReport) -> Result<Self, String> {
        let coverage = |report: &RunReport| report.coverage.read().map(|heat| heat.coverage());
        let speed_ratio = after.steps_per_second_per_core / before.steps_per_second_per_core;
        // Other scenarios have other steps, and a short run measures little more than its start.
        let like_for_like = before.asked.same_scenarios(&after.asked)
            && before.stepping_seconds.min(after.stepping_seconds) >= SHORTEST_MEASURED;
        Ok(Self {
            version: JSON_VERSION,
            before: Side::new(before),
            after: Side::new(after),
            asked: before.asked.differences(&after.asked),
            findings: Findings::new(before, after),
            pairs: Pairs::new(&coverage(before)?, &coverage(after)?),
            speed_ratio: Some(speed_ratio).filter(|ratio| like_for_like && ratio.is_finite() && *ratio > 0.0),
        })
    }

    /// The comparison as JSON.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("keys are strings");
        text.push('\n');
        text
    }
}

impl Side {
    fn new(report: &RunReport) -> Self {
        Self {
            subject: report.asked.subject.clone(),
            seeds: report.seeds,
            from: report.from,
            complete: report.complete,
            pairs_hit: report.coverage.pairs_hit,
            steps_per_second_per_core: report.steps_per_second_per_core,
            trace_hash: report.trace_hash.clone(),
        }
    }
}

impl Findings {
    fn new(before: &RunReport, after: &RunReport) -> Self {
        let names = Names::new(before, after);
        let mut all: BTreeMap<String, Seen> = BTreeMap::new();
        for (report, is_after) in [(before, false), (after, true)] {
            for finding in &report.findings {
                let signature = names.current(&finding.signature).to_string();
                let seen = all.entry(signature.clone()).or_insert_with(|| Seen {
                    signature,
                    before: 0,
                    after: 0,
                    seed: 0,
                    detail: String::new(),
                });
                // A group has at least one seed.
                let count = if is_after { &mut seen.after } else { &mut seen.before };
                // Several groups of one report can be one group of the other. The first has the lowest seed.
                if *count == 0 {
                    (seen.seed, seen.detail) = (finding.seed, finding.detail.clone());
                }
                *count += finding.count.max(1);
            }
        }
        let mut findings = Self::default();
        for seen in all.into_values() {
            match (seen.before, seen.after) {
                (0, _) => findings.new.push(seen),
                (_, 0) => findings.gone.push(seen),
                _ => findings.same.push(seen),
            }
        }
        findings
    }
}

/// Which signatures of two reports name the same group. Shrinking may have renamed a group in one of them, or a group may have
/// another plainest finding. A report of an earlier version has signatures with the last fault of the seed's scenario.
struct Names<'a> {
    /// A signature, and another one of its group. The chain ends at the name of the group.
    next: HashMap<&'a Signature, &'a Signature>,
}

impl<'a> Names<'a> {
    fn new(before: &'a RunReport, after: &'a RunReport) -> Self {
        let mut names = Self { next: HashMap::new() };
        // The last name of a chain is that of the second report, if it has the group.
        for (report, other) in [(after, before), (before, after)] {
            let groups: HashSet<&Signature> =
                other.findings.iter().map(|finding| &finding.signature).collect();
            for finding in &report.findings {
                // A seed of another group can have had the signature of this one before shrinking.
                let known = match groups.contains(&finding.signature) {
                    true => &finding.signature,
                    false => other.group_of(&finding.signature),
                };
                for name in finding.also.keys().chain([known]) {
                    names.unite(&finding.signature, name);
                }
            }
        }
        names
    }

    /// The name of the group of this signature.
    fn current<'b>(&self, mut signature: &'b Signature) -> &'b Signature
    where
        'a: 'b,
    {
        while let Some(next) = self.next.get(signature) {
            signature = next;
        }
        signature
    }

    /// Makes one group of the groups of two signatures. It keeps the name of the first.
    fn unite(&mut self, kept: &'a Signature, other: &'a Signature) {
        let (kept, other) = (self.current(kept), self.current(other));
        if kept != other {
            self.next.insert(other, kept);
        }
    }
}

impl Pairs {
    fn new(before: &Coverage, after: &Coverage) -> Self {
        let only = |one: &Coverage, other: &Coverage| {
            let pairs = reachable_pairs();
            pairs
                .filter(|(state, fault)| one.has(*state, *fault) && !other.has(*state, *fault))
                .map(pair_name)
                .collect()
        };
        Self { gained: only(after, before), lost: only(before, after) }
    }
}

/// The comparison as text.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, side) in [("before", &self.before), ("after ", &self.after)] {
            let early = if side.complete { "" } else { ", incomplete" };
            writeln!(
                f,
                "{name}     {}: {} from {}{early}",
                side.subject,
                counted(side.seeds, "seed"),
                side.from
            )?;
        }
        for what in &self.asked {
            writeln!(f, "  differs  {what}")?;
        }
        let Findings { new, gone, same } = &self.findings;
        writeln!(f, "findings   {} new, {} gone, {} in both", new.len(), gone.len(), same.len())?;
        for (word, seen) in new.iter().map(|seen| ("NEW", seen)).chain(gone.iter().map(|seen| ("gone", seen)))
        {
            writeln!(f, "  {word:<5}    {}\n           {}", seen.signature, seen.detail)?;
        }
        for Seen { signature, before, after, .. } in same {
            writeln!(f, "  same     {signature}: {}, {} before", counted(*after, "seed"), grouped(*before))?;
        }
        let Pairs { gained, lost } = &self.pairs;
        writeln!(
            f,
            "coverage   {}, {} before; {} gained, {} lost",
            counted(self.after.pairs_hit.into(), "coverage cell"),
            self.before.pairs_hit,
            gained.len(),
            lost.len()
        )?;
        for (word, pairs) in [("gained", gained), ("lost", lost)] {
            write!(f, "{}", few(word, pairs))?;
        }
        if let Some(ratio) = self.speed_ratio {
            writeln!(f, "speed      {ratio:.2} times the speed before")?;
        } else {
            writeln!(f, "speed      not compared: other kinds of scenarios, or less than a second")?;
        }
        let same = self.before.trace_hash == self.after.trace_hash;
        writeln!(f, "traces     {}", if same { "equal" } else { "different" })
    }
}

fn few(word: &str, pairs: &[String]) -> String {
    let mut text = String::new();
    for pair in pairs.iter().take(FEW) {
        let _ = writeln!(text, "  {word:<6}   {pair}");
    }
    if pairs.len() > FEW {
        let _ = writeln!(text, "  {word:<6}   and {} more", pairs.len() - FEW);
    }
    text
}
