//! What a run came to, for people and for machines.

mod compare;
mod coverage;
mod junit;
mod merge;
mod pace;
mod page;
mod repeat;
mod run;
mod sarif;

pub use compare::{Comparison, Findings, Pairs, Seen, Side};
pub use coverage::CoverageReport;
pub use junit::junit;
pub use merge::{Apart, merge};
pub use pace::PaceReport;
pub use page::page;
pub(crate) use page::visible;
pub(crate) use repeat::{command_line, quoted};
pub use run::{Asked, FindingReport, RunReport};
pub use sarif::sarif;

use crate::calibrate::Caught;
use crate::campaign::MAX_TIMELINES;
use crate::outcome::{Expected, Signature};
use crate::subject::SubjectKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// As many pairs that were not reached are listed in text.
const FEW_MISSED: usize = 10;

/// Version of what `run --json` prints.
pub const RUN_VERSION: u32 = 3;
/// Version of the other JSON objects.
pub const JSON_VERSION: u32 = 1;

/// The program whose subjects are those that come with ringstorm.
pub const PROGRAM: &str = "ringstorm";

/// Neighbouring seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interval {
    /// The first.
    pub from: u64,
    /// How many.
    pub count: u64,
}

/// Reads a report.
///
/// # Errors
/// In one line, what was expected.
pub fn read(text: &str) -> Result<RunReport, String> {
    read_version(text, "run --json", RUN_VERSION)
}

/// Reads what `calibrate --json` printed.
///
/// # Errors
/// In one line, what was expected.
pub fn read_calibration(text: &str) -> Result<CalibrationReport, String> {
    read_version(text, "calibrate --json", JSON_VERSION)
}

/// What is printed as JSON, by a key that no other kind has.
const KINDS: [(&str, &str); 4] = [
    ("trace_hash", "run --json"),
    ("specimens", "calibrate --json"),
    ("scopes", "explore --json"),
    ("pairs", "report --compare --json"),
];

/// Reads an object of some version.
fn read_version<T: DeserializeOwned>(text: &str, what: &str, expected: u32) -> Result<T, String> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("expected a report as JSON: {error}"))?;
    if let Some((_, found)) = KINDS.iter().find(|(key, kind)| *kind != what && value.get(key).is_some()) {
        return Err(format!("expected a report of `{what}`, found one of `{found}`"));
    }
    match value.get("version").and_then(serde_json::Value::as_u64) {
        None => return Err(format!("expected a report of `{what}`: it has no version")),
        Some(version) if version != u64::from(expected) => {
            return Err(format!("a report of version {version}, where version {expected} is understood"));
        }
        Some(_) => {}
    }
    serde_json::from_value(value).map_err(|error| format!("expected a report of `{what}`: {error}"))
}

impl RunReport {
    /// What was not run, for which nothing found means nothing, in words for each part of the run. If it ended since enough was
    /// found, nothing is amiss.
    pub(crate) fn gaps(&self) -> Vec<String> {
        if self.complete || self.enough_found && self.missing.is_empty() {
            return Vec::new();
        }
        let which = [("missing", &self.missing), ("ended early", &self.ended_early)]
            .map(|(what, shards)| shards.iter().map(move |shard| format!("shard {shard}: {what}")));
        let which: Vec<String> = which.into_iter().flatten().collect();
        match which.is_empty() {
            true => vec![format!("the run ended early, after {}", counted(self.seeds, "seed"))],
            false => which,
        }
    }

    /// The report as text for people.
    pub fn text(&self) -> String {
        let mut text = self.summary_text();
        for (number, finding) in self.findings.iter().enumerate() {
            let so_far = self.is_unshrunk(number);
            let _ = writeln!(
                text,
                "FOUND {}\n  {}\n  {}, the lowest is {}; {} {}, {}",
                one_line(&finding.signature.to_string()),
                finding.detail.replace('\n', "\n  "),
                counted(finding.count, "seed"),
                finding.seed,
                counted(finding.steps_after_shrinking as u64, "step"),
                if so_far { "so far" } else { "after shrinking" },
                match finding.file.as_str() {
                    "" => "which could not be written".to_owned(),
                    file => format!("in {}", one_line(file)),
                }
            );
        }
        visible(&text)
    }

    /// The same with a line for each finding, where one of them is told in full behind it.
    pub(crate) fn brief_text(&self) -> String {
        let mut text = self.summary_text();
        for (number, finding) in self.findings.iter().enumerate() {
            let FindingReport { signature, count, seed, steps_after_shrinking: steps, file, .. } = finding;
            let so_far = if self.is_unshrunk(number) { " so far" } else { "" };
            let (signature, count) = (one_line(&signature.to_string()), counted(*count, "seed"));
            let (steps, written) = (counted(*steps as u64, "step"), !file.is_empty());
            let unwritten = if written { "" } else { ", which could not be written" };
            let _ = writeln!(text, "FOUND {signature}: {count} from {seed} on, {steps}{so_far}{unwritten}");
        }
        visible(&text)
    }

    /// Whether the run may have ended before it shrunk this finding. Of the first ones it is told what happened, once they are.
    fn is_unshrunk(&self, number: usize) -> bool {
        !self.complete && number < MAX_TIMELINES && self.findings[number].timeline.is_none()
    }

    /// All but the findings.
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
                "  skipped, since the subject cannot do them: {}",
                counted(self.skipped_steps, "step")
            );
        }
        let _ = writeln!(
            text,
            "  speed      {} effective steps per second and core; {:.1} s with {}, {:.1} s of thread time for making queues left out",
            grouped(self.steps_per_second_per_core as u64),
            self.seconds,
            counted(self.jobs as u64, "job"),
            self.construction_seconds
        );
        if let Some(canary) = &self.canary {
            let _ = writeln!(
                text,
                "  canary     {} was caught by {}",
                one_line(&canary.subject),
                counted(canary.seeds, "seed")
            );
        }
        let CoverageReport { pairs_hit, pairs_total, missed, .. } = &self.coverage;
        let _ = writeln!(text, "  coverage   {pairs_hit} of {pairs_total} pairs of driver state and fault");
        if !missed.is_empty() && missed.len() <= FEW_MISSED {
            let _ = writeln!(text, "             not reached: {}", one_line(&missed.join("; ")));
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
            let _ = writeln!(text, "  not all    shard {} ended early", one_line(shard));
        }
        if !self.complete && self.missing.is_empty() && self.ended_early.is_empty() {
            let _ = writeln!(text, "  not all     the run ended early; this is what it came to so far");
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

/// A name that stays in its line, whatever a report says.
fn one_line(name: &str) -> String {
    name.replace('\n', " ")
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

/// So many of something.
fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `calibrate --json`.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CalibrationReport {
    /// Version of the object.
    #[schemars(extend("const" = JSON_VERSION))]
    pub version: u32,
    /// The generator whose seeds these are.
    pub generator: String,
    /// One for each specimen.
    pub specimens: Vec<Caught>,
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

/// The name of the file that the first of a group of findings is kept in.
pub fn file_name(signature: &Signature) -> String {
    debug_assert!(signature.expected != Expected::Pass, "a finding is never a pass");
    format!("{}.storm", signature.to_string().replace('/', "-"))
}

/// What makes the file of a finding a regression, in words.
pub fn as_regression(subject: &str, expected: Expected) -> String {
    match subject == SubjectKind::Core.name() {
        // Once it is mended.
        true => "as a regression, this file is copied to corpus/regressions as it is: core must pass it"
            .to_owned(),
        false => format!("as a regression, this file ends in: expect {subject} {expected}"),
    }
}
