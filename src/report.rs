//! What a run came to, for people and for machines.

use crate::calibrate::Caught;
use crate::campaign::{Ending, Finding, Plan, Summary};
use crate::coverage::Coverage;
use crate::outcome::Expected;
use crate::scenario::{GENERATOR, Profile};
use ringstorm_core::QueueSize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// As many pairs that were not reached are listed in text.
const FEW_MISSED: usize = 10;

/// Version of the JSON objects.
pub const JSON_VERSION: u32 = 1;

/// `run --json`.
#[derive(Debug, Serialize)]
pub struct RunReport<'a> {
    version: u32,
    generator: &'static str,
    subject: String,
    profile: Profile,
    from: u64,
    steps_per_seed: usize,
    /// The size of every queue, if it was not drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_size: Option<u16>,
    jobs: usize,
    /// Whether every seed of the plan was run.
    complete: bool,
    seeds: u64,
    steps: u64,
    effective_steps: u64,
    skipped_steps: u64,
    seconds: f64,
    /// Thread time, summed over the jobs.
    construction_seconds: f64,
    /// Effective steps by the time that the jobs spent on steps, all jobs together.
    steps_per_second: f64,
    steps_per_second_per_core: f64,
    trace_hash: String,
    findings: Vec<FindingReport<'a>>,
    masked: &'a BTreeMap<String, u64>,
    coverage: CoverageReport,
}

#[derive(Debug, Serialize)]
struct FindingReport<'a> {
    signature: String,
    invariant: Option<&'static str>,
    detail: String,
    seed: u64,
    step: usize,
    count: u64,
    steps_after_shrinking: usize,
    file: &'a str,
}

#[derive(Debug, Serialize)]
struct CoverageReport {
    pairs_hit: u32,
    pairs_total: u32,
    /// The pairs that were not reached.
    missed: Vec<String>,
}

impl<'a> RunReport<'a> {
    /// A report of a run. `files` says where each finding was written.
    pub fn new(plan: &Plan, summary: &'a Summary, files: &'a [String]) -> Self {
        let per_core = summary.effective_steps as f64 / summary.stepping.as_secs_f64().max(1e-9);
        let finding = |(finding, file): (&Finding, &'a String)| FindingReport {
            signature: finding.signature.to_string(),
            invariant: finding.signature.expected.invariant().map(ringstorm_model::Invariant::name),
            detail: finding.verdict.to_string(),
            seed: finding.seed,
            step: finding.outcome.step,
            count: finding.count,
            steps_after_shrinking: finding.shrunk.steps.len(),
            file,
        };
        Self {
            version: JSON_VERSION,
            generator: GENERATOR,
            subject: plan.kind.name(),
            profile: plan.draw.profile,
            from: plan.from,
            steps_per_seed: plan.draw.steps,
            queue_size: plan.draw.queue_size.map(QueueSize::get),
            jobs: plan.jobs,
            complete: summary.ending == Ending::Complete,
            seeds: summary.seeds,
            steps: summary.steps,
            effective_steps: summary.effective_steps,
            skipped_steps: summary.skipped_steps,
            seconds: summary.elapsed.as_secs_f64(),
            construction_seconds: summary.constructing.as_secs_f64(),
            steps_per_second: per_core * plan.jobs as f64,
            steps_per_second_per_core: per_core,
            trace_hash: format!("{:#018x}", summary.trace_hash),
            findings: summary.findings.iter().zip(files).map(finding).collect(),
            masked: &summary.masked,
            coverage: CoverageReport {
                pairs_hit: summary.coverage.pairs_hit(),
                pairs_total: Coverage::pairs_total(),
                missed: missed(&summary.coverage),
            },
        }
    }

    /// The report as text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let profile: &str = self.profile.into();
        let share = 100.0 * self.effective_steps as f64 / (self.steps as f64).max(1.0);
        let _ = writeln!(
            text,
            "{} under the {profile} storm{}: {} seeds from {}, {} steps, {} of them effective ({share:.0} %)",
            self.subject,
            self.queue_size.map_or(String::new(), |size| format!(", queues of {size}")),
            grouped(self.seeds),
            self.from,
            grouped(self.steps),
            grouped(self.effective_steps),
        );
        if self.skipped_steps > 0 {
            let _ = writeln!(
                text,
                "  skipped, since the subject cannot do them: {} steps",
                grouped(self.skipped_steps)
            );
        }
        let _ = writeln!(
            text,
            "  speed      {} effective steps per second and core; {:.1} s with {} jobs, {:.1} s of thread time for making queues left out",
            grouped(self.steps_per_second_per_core as u64),
            self.seconds,
            self.jobs,
            self.construction_seconds
        );
        let CoverageReport { pairs_hit, pairs_total, missed } = &self.coverage;
        let _ = writeln!(text, "  coverage   {pairs_hit} of {pairs_total} pairs of driver state and fault");
        if !missed.is_empty() && missed.len() <= FEW_MISSED {
            let _ = writeln!(text, "             not reached: {}", missed.join("; "));
        }
        let _ = writeln!(text, "  trace      {} ({})", self.trace_hash, self.generator);
        if !self.complete {
            let _ = writeln!(text, "  not all     the run ended early; this is what it came to so far");
        }
        for (signature, count) in self.masked {
            let _ = writeln!(text, "  masked     {signature}: {count} seeds");
        }
        if self.findings.is_empty() {
            let _ = writeln!(text, "nothing found");
        }
        for finding in &self.findings {
            let _ = writeln!(
                text,
                "FOUND {}\n  {}\n  {} seeds, the lowest is {}; {} steps after shrinking, in {}",
                finding.signature,
                finding.detail,
                grouped(finding.count),
                finding.seed,
                finding.steps_after_shrinking,
                finding.file
            );
        }
        text
    }
}

/// The pairs that were not reached, as text.
fn missed(coverage: &Coverage) -> Vec<String> {
    coverage.missed().map(|(state, fault)| format!("{state} x {}", fault.name())).collect()
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `calibrate --json`.
#[derive(Debug, Serialize)]
pub struct CalibrationReport<'a> {
    /// Version of the object.
    pub version: u32,
    /// The generator whose seeds these are.
    pub generator: &'static str,
    /// One for each specimen.
    pub specimens: &'a [Caught],
}

/// The header of the calibration table: medians, and the worst of all starts.
pub const CALIBRATION_HEADER: &str =
    "specimen                                   caught by            seeds  worst  seconds   worst  steps";

/// One line of the calibration table.
pub fn calibration_line(caught: &Caught) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let seeds = |seeds: Option<u64>| or_none(seeds.map(|seeds| seeds.to_string()));
    let seconds = |seconds: Option<f64>| or_none(seconds.map(|seconds| format!("{seconds:.4}")));
    format!(
        "{:<42} {:<18} {:>7} {:>6} {:>8} {:>7} {:>6}",
        caught.name,
        match (&caught.invariant, caught.found) {
            (Some(invariant), true) => invariant.as_str(),
            (Some(_), false) => "not always",
            (None, _) => "NOT CAUGHT",
        },
        seeds(caught.median_seeds),
        seeds(caught.worst_seeds),
        seconds(caught.median_seconds),
        seconds(caught.worst_seconds),
        or_none(caught.steps_after_shrinking.map(|steps| steps.to_string())),
    )
}

/// The name of the file that a finding is kept in.
pub fn file_name(finding: &Finding) -> String {
    let signature = finding.signature.to_string().replace('/', "-");
    debug_assert!(finding.signature.expected != Expected::Pass, "a finding is never a pass");
    format!("{signature}.storm")
}
