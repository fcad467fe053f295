//! The results of a run: as text, JSON, JUnit, SARIF and a page.

mod compare;
mod coverage;
mod depth;
mod finding_report;
mod junit;
mod merge;
mod pace;
mod page;
mod repeat;
mod run;
mod sarif;

pub use compare::{Comparison, Findings, Pairs, Seen, Side};
pub use coverage::CoverageReport;
pub use depth::{DepthReport, InFlight};
pub use finding_report::FindingReport;
pub use junit::junit;
pub(crate) use merge::merge;
pub use pace::PaceReport;
pub use page::page;
pub(crate) use page::visible;
pub(crate) use repeat::{command_line, quoted};
pub use run::{RunOptions, RunReport};
pub use sarif::sarif;

use crate::calibrate::Caught;
use crate::campaign::MAX_TIMELINES;
use crate::outcome::{Expected, Signature};
use crate::scenario::Profile;
use crate::subject::SubjectKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The most missed coverage cells that the text lists.
const FEW_MISSED: usize = 10;

/// Version of the object of `run --json`.
pub(crate) const RUN_VERSION: u32 = 3;
/// Version of the other JSON objects.
pub(crate) const JSON_VERSION: u32 = 1;

/// The program that has the subjects of ringstorm itself.
pub const PROGRAM: &str = "ringstorm";

/// Consecutive seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interval {
    /// The first seed.
    pub from: u64,
    /// The number of seeds.
    pub count: u64,
}

/// Reads the JSON of `run --json`.
///
/// # Errors
/// A message of one line if it is not such a report.
pub fn read(text: &str) -> Result<RunReport, String> {
    read_version(text, "run --json", RUN_VERSION)
}

/// Reads the JSON of `calibrate --json`.
///
/// # Errors
/// A message of one line if it is not such a report.
pub fn read_calibration(text: &str) -> Result<CalibrationReport, String> {
    read_version(text, "calibrate --json", JSON_VERSION)
}

/// The kinds of JSON objects, each with a key that only it has.
const KINDS: [(&str, &str); 4] = [
    ("trace_hash", "run --json"),
    ("specimens", "calibrate --json"),
    ("scopes", "explore --json"),
    ("pairs", "report --compare --json"),
];

/// Reads an object of this version.
fn read_version<T: DeserializeOwned>(text: &str, what: &str, expected: u32) -> Result<T, String> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("expected a report as JSON: {error}"))?;
    if let Some((_, found)) = KINDS.iter().find(|(key, kind)| *kind != what && value.get(key).is_some()) {
        return Err(format!("expected a report of `{what}`, found one of `{found}`"));
    }
    match value.get("version").and_then(serde_json::Value::as_u64) {
        None => return Err(format!("expected a report of `{what}`, found no version")),
        Some(version) if version != u64::from(expected) => {
            return Err(format!("expected version {expected} of the report, found version {version}"));
        }
        Some(_) => {}
    }
    serde_json::from_value(value).map_err(|error| format!("expected a report of `{what}`: {error}"))
}

impl RunReport {
    /// The parts of the run that did not run, in words. Nothing is known of them. Empty if the run ended because it found
    /// enough.
    pub(crate) fn gaps(&self) -> Vec<String> {
        if self.complete || self.enough_found && self.missing.is_empty() {
            return Vec::new();
        }
        let which = [("is missing", &self.missing), ("ended early", &self.ended_early)]
            .map(|(what, shards)| shards.iter().map(move |shard| format!("shard {shard} {what}")));
        let which: Vec<String> = which.into_iter().flatten().collect();
        match which.is_empty() {
            true => vec![format!("the run ended early, after {}", counted(self.seeds, "seed"))],
            false => which,
        }
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let mut text = self.summary_text();
        for (number, finding) in self.findings.iter().enumerate() {
            let so_far = self.is_unshrunk(number);
            let _ = writeln!(
                text,
                "FOUND {}\n  {}\n{}{}  {}, lowest seed {}; {} {}; {}",
                one_line(&finding.signature.to_string()),
                finding.detail.replace('\n', "\n  "),
                finding.rule().map_or(String::new(), |rule| format!("  {rule}\n")),
                finding.also_seen_as().map_or(String::new(), |also| format!("  {}\n", one_line(&also))),
                counted(finding.count, "seed"),
                finding.seed,
                counted(finding.steps_after_shrinking as u64, "step"),
                if so_far { "so far" } else { "after shrinking" },
                match finding.file.as_str() {
                    "" => "its file could not be written".to_owned(),
                    file => format!("file {}", one_line(file)),
                }
            );
        }
        visible(&text)
    }

    /// The report as text with one line for each finding, for a caller that adds one of them, the finding `shown`, in full.
    pub(crate) fn brief_text(&self, shown: Option<usize>) -> String {
        let mut text = self.summary_text();
        for (number, finding) in self.findings.iter().enumerate() {
            let FindingReport { signature, count, seed, steps_after_shrinking: steps, file, .. } = finding;
            let so_far = if self.is_unshrunk(number) { " so far" } else { "" };
            let (signature, count) = (one_line(&signature.to_string()), counted(*count, "seed"));
            let (steps, written) = (counted(*steps as u64, "step"), !file.is_empty());
            let unwritten = if written { "" } else { "; its file could not be written" };
            let below = if shown == Some(number) { "; shown below" } else { "" };
            let also = match finding.also.len() as u64 {
                0 => String::new(),
                others => format!("; {}", counted(others, "other signature")),
            };
            let _ = writeln!(
                text,
                "FOUND {signature}: {count}, lowest seed {seed}; {steps}{so_far}{also}{below}{unwritten}"
            );
        }
        visible(&text)
    }

    /// Whether the run may have ended before it shrunk this finding. Each of the first findings has a timeline once it is shrunk.
    fn is_unshrunk(&self, number: usize) -> bool {
        !self.complete && number < MAX_TIMELINES && self.findings[number].timeline.is_none()
    }

    /// The report without the findings.
    fn summary_text(&self) -> String {
        let mut text = String::new();
        let profile: &str = self.asked.profile.into();
        let share = 100.0 * self.effective_steps as f64 / (self.steps as f64).max(1.0);
        let _ = writeln!(
            text,
            "{} under the {profile} storm{}: {} from {}, {}, {} of them effective ({share:.0} %)",
            one_line(&self.asked.subject),
            self.asked.queue_size.map_or(String::new(), |size| format!(", queues of {size}")),
            counted(self.seeds, "seed"),
            self.from,
            counted(self.steps, "step"),
            grouped(self.effective_steps),
        );
        if self.skipped_steps > 0 {
            let _ = writeln!(
                text,
                "  skipped    {}, which the subject does not support",
                counted(self.skipped_steps, "step")
            );
        }
        let _ = writeln!(
            text,
            "  speed      {} effective steps per second and core; {:.1} s with {}; without {:.1} s of thread time for making queues",
            grouped(self.steps_per_second_per_core as u64),
            self.seconds,
            counted(self.jobs as u64, "job"),
            self.construction_seconds
        );
        if let Some(canary) = &self.canary {
            let _ = writeln!(
                text,
                "  canary     {} was caught after {}",
                one_line(&canary.subject),
                counted(canary.seeds, "seed")
            );
        }
        let CoverageReport { pairs_hit, pairs_total, missed, .. } = &self.coverage;
        let honest = self.asked.profile == Profile::Honest;
        let _ = match honest && *pairs_hit == 0 {
            true => writeln!(text, "  coverage   none: it counts faults, and an honest device has none"),
            false => writeln!(
                text,
                "  coverage   {pairs_hit} of {pairs_total} coverage cells (driver state and fault)"
            ),
        };
        if !missed.is_empty() && missed.len() <= FEW_MISSED {
            let _ = writeln!(text, "             not reached: {}", one_line(&missed.join("; ")));
        }
        if let Some(depth) = &self.depth {
            let _ = writeln!(text, "  depth      {}", depth.line());
            if let missed @ [_, ..] = &depth.missed()[..] {
                let _ = writeln!(text, "             not reached: {}", missed.join("; "));
            }
        }
        let _ = writeln!(
            text,
            "  trace      {} ({})",
            one_line(&self.trace_hash),
            one_line(&self.asked.generator)
        );
        for shard in &self.missing {
            let _ = writeln!(text, "  missing    shard {}", one_line(shard));
        }
        for shard in &self.ended_early {
            let _ = writeln!(text, "  incomplete shard {} ended early", one_line(shard));
        }
        if !self.complete && self.missing.is_empty() && self.ended_early.is_empty() {
            let _ = match self.enough_found {
                true => writeln!(
                    text,
                    "  stopped    at {} of findings (--max-findings)",
                    counted(self.findings.len() as u64, "group")
                ),
                false => writeln!(text, "  incomplete the run ended early; these are its results so far"),
            };
        }
        for (signature, count) in &self.masked {
            let _ = writeln!(text, "  masked     {}: {}", one_line(signature), counted(*count, "seed"));
        }
        if self.findings.is_empty() {
            let _ = writeln!(text, "nothing found{}", if self.complete { "" } else { " so far" });
        }
        text
    }
}

/// A name without line breaks.
fn one_line(name: &str) -> String {
    name.replace('\n', " ")
}

/// A number with commas between its thousands.
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

/// A number of things, singular or plural.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `calibrate --json`.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CalibrationReport {
    /// Version of the object.
    #[schemars(extend("const" = JSON_VERSION))]
    pub version: u32,
    /// The generator of the seeds.
    pub generator: String,
    /// The result of each specimen.
    pub specimens: Vec<Caught>,
}

/// The header of the calibration table: medians, and the worst start.
pub(crate) const CALIBRATION_HEADER: &str =
    "specimen                                   caught by            seeds  worst  seconds   worst  steps";

/// One line of the calibration table.
pub(crate) fn calibration_line(caught: &Caught) -> String {
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

/// The name of the file of a group of findings.
pub fn file_name(signature: &Signature) -> String {
    debug_assert!(signature.expected != Expected::Pass, "a finding is not a pass");
    format!("{}.storm", signature.to_string().replace('/', "-"))
}

/// How to make a regression of the file of a finding.
pub fn as_regression(subject: &str, expected: Expected) -> String {
    match subject == SubjectKind::Core.name() {
        true => {
            "to keep this as a regression, copy this file to corpus/regressions: core must pass it".to_owned()
        }
        false => format!("to keep this as a regression, add the last line: expect {subject} {expected}"),
    }
}
