//! Merges the reports of the shards of a run.

use super::coverage::CoverageReport;
use super::pace::pace_report;
use super::{FindingReport, RunReport};
use crate::campaign::{Canary, Finding, MAX_TIMELINES, Point, Shard, Summary};
use crate::outcome::Signature;
use std::collections::{BTreeMap, BTreeSet};

/// Why reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MergeError {
    /// They are of different runs.
    #[error("{first} and {second} are reports of different runs: {what}")]
    DifferentRuns {
        /// The first file.
        first: String,
        /// The second file.
        second: String,
        /// The difference.
        what: String,
    },
    /// Two reports of one shard, which have the same seeds.
    #[error("{first} and {second} are the same shard: both have the seeds from {from} on")]
    SameShard {
        /// The first file.
        first: String,
        /// The second file.
        second: String,
        /// The first seed of the second file.
        from: u64,
    },
    /// Both are runs with `--time`, which have no shards.
    #[error(
        "{first} and {second} are two runs with --time, not shards of one run (run --shard); compare them with report --compare"
    )]
    TimedRuns {
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// A report is inconsistent.
    #[error("{name}: {what}")]
    Invalid {
        /// The file.
        name: String,
        /// The error.
        what: String,
    },
}

/// Merges the reports of the shards of a run, each given with a name for error messages. The result lists missing shards.
///
/// # Errors
/// [`MergeError`] if they are not shards of one run.
pub(crate) fn merge(reports: Vec<(String, RunReport)>) -> Result<RunReport, MergeError> {
    let mut parts = reports.into_iter().map(Part::new).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| part.shard.number);
    for pair in parts.windows(2) {
        pair[0].goes_with(&pair[1])?;
    }
    let of = parts.first().map_or(1, |part| part.shard.of);
    let numbers = |wanted: &dyn Fn(&Part) -> bool| {
        parts.iter().filter(|part| wanted(part)).map(|part| part.shard.number).collect::<BTreeSet<u64>>()
    };
    let present = numbers(&|_| true);
    let missing = in_rows((1..=of).filter(|number| !present.contains(number)), of);
    let ended_early = in_rows(numbers(&|part| of > 1 && !part.report.complete).into_iter(), of);
    let mut parts = parts.into_iter();
    let Some(Part { report: mut whole, mut summary, .. }) = parts.next() else {
        let what = "expected at least one report".to_owned();
        return Err(MergeError::Invalid { name: "nothing".to_owned(), what });
    };
    let mut files = files_of(&whole);
    for part in parts {
        let Summary { tally, elapsed, .. } = &summary;
        let end =
            Point { elapsed: *elapsed, effective_steps: tally.effective_steps, stepping: tally.stepping };
        summary.pace.append(end, &part.summary.pace);
        summary.elapsed = summary.elapsed.saturating_add(part.summary.elapsed);
        summary.tally.append(&part.summary.tally);
        files.extend(files_of(&part.report));
        summary.append_groups(part.summary);
        append(&mut whole, part.report);
    }
    let file = |finding: &Finding| {
        files.get(&(finding.signature.clone(), finding.shrunk.to_string())).cloned().unwrap_or_default()
    };
    whole.set_groups(&summary, file);
    whole.pace = pace_report(&summary.pace);
    let tally = summary.tally;
    (whole.seeds, whole.steps) = (tally.seeds, tally.steps);
    (whole.effective_steps, whole.skipped_steps) = (tally.effective_steps, tally.skipped_steps);
    whole.trace_hash = tally.trace_hash.to_string();
    whole.coverage = CoverageReport::new(&tally.reach_counts);
    whole.depth = whole.depth.map(|depth| depth.with(&tally.depth));
    whole.counts = tally.counts.into();
    whole.findings.iter_mut().skip(MAX_TIMELINES).for_each(|finding| finding.timeline = None);
    (whole.missing, whole.ended_early) = (missing, ended_early);
    whole.complete &= whole.missing.is_empty();
    if whole.missing.is_empty() {
        whole.shard = None;
    }
    whole.set_speed();
    Ok(whole)
}

/// A report, and the part of the run that it is.
struct Part {
    name: String,
    report: RunReport,
    summary: Summary,
    shard: Shard,
}

impl Part {
    fn new((name, report): (String, RunReport)) -> Result<Self, MergeError> {
        let invalid = |what: String| MergeError::Invalid { name: name.clone(), what };
        let shard = report.part().map_err(invalid)?;
        if !report.missing.is_empty() {
            return Err(invalid(format!(
                "expected a report of all shards, found one without {}",
                report.missing.join(", ")
            )));
        }
        let summary = report.summary().map_err(invalid)?;
        if report.canary.is_none() {
            return Err(invalid("expected a canary that was caught, found none".to_owned()));
        }
        Ok(Self { name, report, summary, shard })
    }

    fn goes_with(&self, next: &Self) -> Result<(), MergeError> {
        let different = |what: String| MergeError::DifferentRuns {
            first: self.name.clone(),
            second: next.name.clone(),
            what,
        };
        if let Some(what) = self.report.asked.difference(&next.report.asked) {
            return Err(different(what));
        }
        let (of, next_of) = (self.shard.of, next.shard.of);
        if of != next_of {
            return Err(different(format!("the first is one of {of} shards, the second one of {next_of}")));
        }
        // Each has exactly the seeds of its part, so only equal parts overlap.
        if self.shard == next.shard && self.report.asked.time.is_some() {
            return Err(MergeError::TimedRuns { first: self.name.clone(), second: next.name.clone() });
        }
        if self.shard == next.shard {
            let from = next.report.from;
            return Err(MergeError::SameShard { first: self.name.clone(), second: next.name.clone(), from });
        }
        Ok(())
    }
}

/// Adds the next part, except for its tally and groups.
fn append(whole: &mut RunReport, part: RunReport) {
    whole.jobs += part.jobs;
    whole.isolated &= part.isolated;
    whole.complete &= part.complete;
    whole.enough_found |= part.enough_found;
    whole.seconds += part.seconds;
    whole.construction_seconds += part.construction_seconds;
    whole.stepping_seconds += part.stepping_seconds;
    whole.canary = slower(whole.canary.take(), part.canary);
}

/// The files of the findings of a report, by signature and scenario.
fn files_of(report: &RunReport) -> BTreeMap<(Signature, String), String> {
    let file = |finding: &FindingReport| {
        ((finding.signature.clone(), finding.scenario.clone()), finding.file.clone())
    };
    report.findings.iter().map(file).collect()
}

/// Shards in words, several in a row as one range.
fn in_rows(numbers: impl Iterator<Item = u64>, of: u64) -> Vec<String> {
    let mut rows: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    let word = |(first, last): (u64, u64)| match first == last {
        true => format!("{first}/{of}"),
        false => format!("{first}-{last}/{of}"),
    };
    rows.into_iter().map(word).collect()
}

/// The canary that took more seeds; none if a part has none.
fn slower(one: Option<Canary>, other: Option<Canary>) -> Option<Canary> {
    let (one, other) = (one?, other?);
    Some(if other.seeds > one.seeds { other } else { one })
}
