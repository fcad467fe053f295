//! One report out of those of a run's shards.

use super::RunReport;
use super::coverage::CoverageReport;
use super::pace::pace_report;
use crate::campaign::{Canary, MAX_TIMELINES, Point, Shard, Summary};
use std::collections::BTreeSet;

/// Why reports cannot be made one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Apart {
    /// They are not of one run.
    #[error("{first} and {second} are not of one run: {what}")]
    Strangers {
        /// One of them.
        first: String,
        /// The other one.
        second: String,
        /// In what they differ.
        what: String,
    },
    /// They have seeds in common.
    #[error("{first} and {second} overlap: both have seeds from {from} on")]
    Overlap {
        /// One of them.
        first: String,
        /// The other one.
        second: String,
        /// The first seed of the second one.
        from: u64,
    },
    /// Each is a run of its own, which took as many seeds as there was time for.
    #[error(
        "{first} and {second} are two runs for some time, not parts of one run: those are made by run --shard"
    )]
    Whole {
        /// One of them.
        first: String,
        /// The other one.
        second: String,
    },
    /// One of them makes no sense.
    #[error("{name}: {what}")]
    Nonsense {
        /// That one.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// Makes one report of those of a run's shards, each with a name for whoever reads an error. What is missing is said in
/// the result.
///
/// # Errors
/// [`Apart`] if they are not parts of one run.
pub fn merge(reports: Vec<(String, RunReport)>) -> Result<RunReport, Apart> {
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
        return Err(Apart::Nonsense { name: "nothing".to_owned(), what });
    };
    for part in parts {
        let Summary { tally, elapsed, .. } = &summary;
        let end =
            Point { elapsed: *elapsed, effective_steps: tally.effective_steps, stepping: tally.stepping };
        summary.pace.append(end, &part.summary.pace);
        summary.elapsed = summary.elapsed.saturating_add(part.summary.elapsed);
        summary.tally.append(&part.summary.tally);
        append(&mut whole, part.report);
    }
    whole.pace = pace_report(&summary.pace);
    let tally = summary.tally;
    (whole.seeds, whole.steps) = (tally.seeds, tally.steps);
    (whole.effective_steps, whole.skipped_steps) = (tally.effective_steps, tally.skipped_steps);
    whole.trace_hash = tally.trace_hash.to_string();
    whole.coverage = CoverageReport::new(&tally.reach_counts);
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

/// A report and which part of its run it is.
struct Part {
    name: String,
    report: RunReport,
    summary: Summary,
    shard: Shard,
}

impl Part {
    fn new((name, report): (String, RunReport)) -> Result<Self, Apart> {
        let nonsense = |what: String| Apart::Nonsense { name: name.clone(), what };
        let shard = report.part().map_err(nonsense)?;
        if !report.missing.is_empty() {
            return Err(nonsense(format!("it was merged without {}", report.missing.join(", "))));
        }
        let summary = report.summary().map_err(nonsense)?;
        if report.canary.is_none() {
            return Err(nonsense("it says of no canary that it was caught".to_owned()));
        }
        Ok(Self { name, report, summary, shard })
    }

    fn goes_with(&self, next: &Self) -> Result<(), Apart> {
        let strangers =
            |what: String| Apart::Strangers { first: self.name.clone(), second: next.name.clone(), what };
        if let Some(what) = self.report.asked.difference(&next.report.asked) {
            return Err(strangers(what));
        }
        let (of, next_of) = (self.shard.of, next.shard.of);
        if of != next_of {
            return Err(strangers(format!("the first is of {of} shards, the second of {next_of}")));
        }
        // Each has the seeds of its part and no others, so only the same part overlaps.
        if self.shard == next.shard && self.report.asked.time.is_some() {
            return Err(Apart::Whole { first: self.name.clone(), second: next.name.clone() });
        }
        if self.shard == next.shard {
            let from = next.report.from;
            return Err(Apart::Overlap { first: self.name.clone(), second: next.name.clone(), from });
        }
        Ok(())
    }
}

/// Adds what is not in the tally of the part that comes next.
fn append(whole: &mut RunReport, part: RunReport) {
    whole.jobs += part.jobs;
    whole.isolated &= part.isolated;
    whole.complete &= part.complete;
    whole.enough_found |= part.enough_found;
    whole.seconds += part.seconds;
    whole.construction_seconds += part.construction_seconds;
    whole.stepping_seconds += part.stepping_seconds;
    for finding in part.findings {
        match whole.findings.iter_mut().find(|group| group.signature == finding.signature) {
            // Parts come in the order of their seeds, so the lowest one is known.
            Some(group) => group.count += finding.count,
            None => whole.findings.push(finding),
        }
    }
    for (signature, count) in part.masked {
        *whole.masked.entry(signature).or_default() += count;
    }
    whole.canary = slower(whole.canary.take(), part.canary);
}

/// Parts in words, several in a row as one.
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

/// The canary that took longer to be caught; none if one part had none.
fn slower(one: Option<Canary>, other: Option<Canary>) -> Option<Canary> {
    let (one, other) = (one?, other?);
    Some(if other.seeds > one.seeds { other } else { one })
}
