//! The results of a run as JSON: of a whole run, a shard, or an unfinished run.

use super::coverage::CoverageReport;
use super::depth::DepthReport;
use super::finding_report::{FindingReport, finding_report};
use super::pace::{PaceReport, pace, pace_report};
use super::{Interval, PROGRAM, RUN_VERSION};
use crate::campaign::{
    Budget, Canary, Ending, Finding, InvalidShard, Plan, Shard, Summary, SweepHash, Tally, is_masked,
};
use crate::counts::CountsReport;
use crate::outcome::Signature;
use crate::scenario::{Document, GENERATOR, Profile};
use ringstorm_core::QueueSize;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The options on which the result depends. The reports of one run agree in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunOptions {
    /// Version of the object.
    #[schemars(extend("const" = RUN_VERSION))]
    pub version: u32,
    /// The generator of the seeds.
    pub generator: String,
    /// The subject.
    pub subject: String,
    /// The kind of scenarios.
    pub profile: Profile,
    /// Steps of each scenario.
    pub steps_per_seed: usize,
    /// The size of every queue, if the seeds did not select it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_size: Option<u16>,
    /// All seeds of the run, of which a shard is a part; none if the run had a time instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_seeds: Option<Interval>,
    /// The time of the run, in seconds, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// The number of groups of findings after which the run stops.
    pub max_findings: usize,
    /// The signatures that are not reported.
    pub masks: BTreeSet<String>,
}

/// `run --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunReport {
    /// The options of the run.
    #[serde(flatten)]
    pub asked: RunOptions,
    /// The file name of the program that has the subject; empty if the command ran within another program.
    #[serde(default = "usual_program")]
    pub program: String,
    /// The part of the run: K/N; none for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The shards that a merged report lacks: K/N, or K-L/N for several in a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The shards of a merged report that ended early, in the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_early: Vec<String>,
    /// The first seed.
    pub from: u64,
    /// The number of threads.
    pub jobs: usize,
    /// Whether the subject ran in child processes.
    pub isolated: bool,
    /// Whether every seed ran.
    pub complete: bool,
    /// Whether the run ended at its limit of findings.
    pub enough_found: bool,
    /// Seeds that ran.
    pub seeds: u64,
    /// Steps.
    pub steps: u64,
    /// Steps that changed a ring, the table, a buffer or an answer of the driver.
    pub effective_steps: u64,
    /// Steps that the subject does not support.
    pub skipped_steps: u64,
    /// The duration of the run; the sum for merged reports and continued runs.
    pub seconds: f64,
    /// Thread time of constructing queues, summed over the threads.
    pub construction_seconds: f64,
    /// The other thread time of scenarios, summed over the threads.
    pub stepping_seconds: f64,
    /// Effective steps per second of all threads, without the construction of queues.
    pub steps_per_second: f64,
    /// The same for one thread.
    pub steps_per_second_per_core: f64,
    /// The trace hash of all seeds, in their order.
    pub trace_hash: String,
    /// The canary that the run caught first.
    pub canary: Option<Canary>,
    /// The groups of findings, in the order of their lowest seeds.
    pub findings: Vec<FindingReport>,
    /// The masked signatures that were found, with their numbers of seeds.
    pub masked: BTreeMap<String, u64>,
    /// The groups of findings that are not reported, because a mask matches one of their signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked_groups: Vec<FindingReport>,
    /// Signatures that became another one when their first scenario was shrunk.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub aliases: BTreeMap<Signature, Signature>,
    /// Signatures of seeds before shrinking, each with the signature of the group of its first seed, where they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub seen_as: BTreeMap<Signature, Signature>,
    /// The coverage cells that were reached.
    pub coverage: CoverageReport,
    /// How deep the run went; none in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthReport>,
    /// The operations and faults, and how the driver answered.
    pub counts: CountsReport,
    /// The effective steps and their thread time, sampled over the run.
    pub pace: Vec<PaceReport>,
}

impl RunOptions {
    /// The options of a plan. `all_seeds` has all seeds of the run; none for a run with a time.
    pub fn new(plan: &Plan, all_seeds: Option<Interval>) -> Self {
        Self {
            version: RUN_VERSION,
            generator: GENERATOR.to_owned(),
            subject: plan.kind.name(),
            profile: plan.draw.profile,
            steps_per_seed: plan.draw.steps,
            queue_size: plan.draw.queue_size.map(QueueSize::get),
            all_seeds,
            time: match plan.budget {
                Budget::Seeds(_) => None,
                Budget::Time(time) => Some(time.as_secs_f64()),
            },
            max_findings: plan.max_findings,
            masks: plan.masks.clone(),
        }
    }

    /// The first difference, if any: `other` is called "there", and this one "here".
    pub fn difference(&self, other: &Self) -> Option<String> {
        let word =
            |(key, here, there): (String, String, String)| format!("{key} is {there} there and {here} here");
        self.apart(other).next().map(word)
    }

    /// All differences. `other` is the later one.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let word = |(key, before, after): (String, String, String)| format!("{key} is {after}, was {before}");
        self.apart(other).map(word).collect()
    }

    /// Whether both runs have the same kind of scenarios, apart from their seeds.
    pub(super) fn same_scenarios(&self, other: &Self) -> bool {
        (self.profile, self.steps_per_seed, self.queue_size)
            == (other.profile, other.steps_per_seed, other.queue_size)
    }

    /// Each key that differs, with both values.
    fn apart(&self, other: &Self) -> impl Iterator<Item = (String, String, String)> + use<> {
        let [here, there] = [self, other].map(|asked| serde_json::to_value(asked).expect("keys are strings"));
        let keys =
            |value: &serde_json::Value| value.as_object().map(|object| object.keys().cloned().collect());
        let [mut all, more]: [Vec<String>; 2] = [&here, &there].map(|value| keys(value).unwrap_or_default());
        all.extend(more.into_iter().filter(|key| here.get(key).is_none()));
        let shown =
            |value: Option<&serde_json::Value>| value.map_or("not given".to_owned(), ToString::to_string);
        all.into_iter().filter_map(move |key| {
            let (one, two) = (here.get(&key), there.get(&key));
            (one != two).then(|| (shown(one), shown(two))).map(|(one, two)| (key, one, two))
        })
    }
}

impl RunOptions {
    /// The signature of a group that a mask matches.
    fn masked_name(&self, group: &FindingReport) -> Option<String> {
        let mut names = [&group.signature].into_iter().chain(group.also.keys()).map(Signature::to_string);
        names.find(|name| self.masks.iter().any(|mask| is_masked(mask, name)))
    }
}

impl RunReport {
    /// The signature of the group that has the seeds with this signature.
    pub(super) fn group_of<'a>(&'a self, signature: &'a Signature) -> &'a Signature {
        self.aliases.get(signature).or_else(|| self.seen_as.get(signature)).unwrap_or(signature)
    }

    /// The report as JSON.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report has only string keys");
        text.push('\n');
        text
    }

    /// The report of a run, or of its results so far.
    pub fn new(
        asked: RunOptions,
        program: String,
        shard: Option<String>,
        plan: &Plan,
        summary: &Summary,
        canary: Option<Canary>,
        file: impl Fn(&Finding) -> String,
    ) -> Self {
        let Tally { stepping, constructing, reach_counts, counts, .. } = &summary.tally;
        let mut report = Self {
            asked,
            program,
            shard,
            missing: Vec::new(),
            ended_early: Vec::new(),
            from: plan.from,
            jobs: plan.jobs,
            isolated: plan.isolation.is_some(),
            complete: summary.ending == Ending::Complete,
            enough_found: summary.ending == Ending::EnoughFindings,
            seeds: summary.tally.seeds,
            steps: summary.tally.steps,
            effective_steps: summary.tally.effective_steps,
            skipped_steps: summary.tally.skipped_steps,
            seconds: summary.elapsed.as_secs_f64(),
            construction_seconds: constructing.as_secs_f64(),
            stepping_seconds: stepping.as_secs_f64(),
            steps_per_second: 0.0,
            steps_per_second_per_core: 0.0,
            trace_hash: summary.tally.trace_hash.to_string(),
            canary,
            findings: Vec::new(),
            masked: BTreeMap::new(),
            masked_groups: Vec::new(),
            aliases: BTreeMap::new(),
            seen_as: BTreeMap::new(),
            coverage: CoverageReport::new(reach_counts),
            depth: Some(DepthReport::new(plan, &summary.tally.depth)),
            counts: (*counts).into(),
            pace: pace_report(&summary.pace.until(summary.elapsed, &summary.tally)),
        };
        report.set_speed();
        report.set_groups(summary, file);
        report
    }

    /// Fills in the groups of findings, each with the file of its scenario.
    pub(super) fn set_groups(&mut self, summary: &Summary, file: impl Fn(&Finding) -> String) {
        self.findings = summary.reported().map(|finding| finding_report(finding, &file)).collect();
        let masked = summary.findings.iter().filter(|finding| !finding.is_reported());
        let without_timeline =
            |finding| FindingReport { timeline: None, ..finding_report(finding, |_| String::new()) };
        self.masked_groups = masked.map(without_timeline).collect();
        self.masked.clone_from(&summary.masked);
        for group in &self.masked_groups {
            if let Some(mask) = self.asked.masked_name(group) {
                *self.masked.entry(mask).or_default() += group.count;
            }
        }
        (self.aliases, self.seen_as) = (summary.aliases.clone(), summary.seen_as.clone());
    }

    /// Computes the speeds from the other numbers.
    pub(super) fn set_speed(&mut self) {
        self.steps_per_second_per_core = self.effective_steps as f64 / self.stepping_seconds.max(1e-9);
        self.steps_per_second = self.steps_per_second_per_core * self.jobs as f64;
    }

    /// The summary from which a run can continue.
    ///
    /// # Errors
    /// A message if the numbers of the report are inconsistent.
    pub fn summary(&self) -> Result<Summary, String> {
        self.check()?;
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
        let finding = |report: &FindingReport| {
            let document: Document = report.scenario.parse().map_err(|error| format!("scenario: {error}"))?;
            Ok(Finding {
                signature: report.signature.clone(),
                count: report.count,
                seed: report.seed,
                step: report.step,
                shrunk_seed: report.shrunk_seed.unwrap_or(report.seed),
                shrunk: document.scenario,
                detail: report.detail.clone(),
                timeline: report.timeline.clone().unwrap_or_default(),
                also: report.also.clone(),
                within: report.within.clone(),
                unwound: report.unwound,
                masked: self.asked.masked_name(report).is_some(),
                unshrunk: report.unshrunk,
            })
        };
        let groups = self.findings.iter().chain(&self.masked_groups).map(finding);
        let mut findings: Vec<Finding> = groups.collect::<Result<_, String>>()?;
        findings.sort_by_key(|finding| finding.seed);
        let mut masked = self.masked.clone();
        for group in &self.masked_groups {
            let Some(mask) = self.asked.masked_name(group) else { continue };
            let left = masked.remove(&mask).unwrap_or_default().saturating_sub(group.count);
            if left > 0 {
                masked.insert(mask, left);
            }
        }
        Ok(Summary {
            tally: Tally {
                seeds: self.seeds,
                steps: self.steps,
                effective_steps: self.effective_steps,
                skipped_steps: self.skipped_steps,
                trace_hash: self.hash().ok_or("trace_hash: expected 0x and 16 digits")?,
                reach_counts: self.coverage.read().map_err(|what| format!("coverage: {what}"))?,
                counts: self.counts.clone().try_into().map_err(|what| format!("counts: {what}"))?,
                depth: self.depth.as_ref().map(DepthReport::read).transpose()?.unwrap_or_default(),
                stepping: seconds(self.stepping_seconds)?,
                constructing: seconds(self.construction_seconds)?,
            },
            findings,
            masked,
            aliases: self.aliases.clone(),
            seen_as: self.seen_as.clone(),
            elapsed: seconds(self.seconds)?,
            pace: pace(&self.pace).map_err(|what| format!("pace: {what}"))?,
            ending: match (self.complete, self.enough_found) {
                (true, _) => Ending::Complete,
                (false, true) => Ending::EnoughFindings,
                (false, false) => Ending::Unfinished,
            },
        })
    }

    /// The part of the run.
    pub(super) fn part(&self) -> Result<Shard, String> {
        let Some(shard) = &self.shard else { return Ok(Shard::WHOLE) };
        shard.parse().map_err(|error: InvalidShard| format!("shard: {error}"))
    }

    /// Checks that the numbers can be those of one run.
    fn check(&self) -> Result<(), String> {
        let limit = |key: &str, is: u64, most: u64| match is <= most {
            true => Ok(()),
            false => Err(format!("{key}: expected at most {most}, found {is}")),
        };
        let shard = self.part()?;
        if let Some(Interval { from, count }) = self.asked.all_seeds {
            let (start, most) = shard.range_of(count);
            if from.checked_add(start) != Some(self.from) {
                return Err(format!("from: expected the first seed of its shard, found {}", self.from));
            }
            limit("seeds", self.seeds, most)?;
            if self.complete && self.seeds < most && self.missing.is_empty() {
                return Err(format!("seeds: expected {most} in a complete shard, found {}", self.seeds));
            }
        }
        // Each scenario ends with a drain.
        let steps = (self.asked.steps_per_seed as u64).saturating_add(1).saturating_mul(self.seeds);
        limit("steps", self.steps, steps)?;
        limit("effective_steps", self.effective_steps, self.steps)?;
        limit("skipped_steps", self.skipped_steps, self.steps)?;
        limit("counts", self.counts.highest(), self.steps)?;
        let heat = self.coverage.seeds.values().flatten().copied().max();
        limit("coverage: seeds", heat.unwrap_or_default(), self.seeds)?;
        limit("jobs", self.jobs as u64, 1 << 32)?;
        // A call that does not return ends a run, or each of its shards, before its seed is counted.
        let hangs = if self.ended_early.is_empty() { u64::from(!self.complete) } else { Shard::MAX };
        let most = self.seeds.saturating_add(hangs);
        self.findings.iter().try_for_each(|finding| limit("findings: count", finding.count, most))
    }

    /// The trace hash as a number.
    pub(super) fn hash(&self) -> Option<SweepHash> {
        let digits = self.trace_hash.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok().map(SweepHash::from_number)
    }
}

/// The program of a report that names none.
fn usual_program() -> String {
    PROGRAM.to_owned()
}
