//! One report out of those of a run's shards.

use super::RunReport;
use super::run::coverage_report;
use crate::campaign::Canary;

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
    parts.sort_by_key(|part| (part.number, part.report.from));
    for pair in parts.windows(2) {
        pair[0].goes_with(&pair[1])?;
    }
    let of = parts.first().map_or(1, |part| part.of);
    let present = |number: u64| parts.iter().any(|part| part.number == number);
    let missing =
        (1..=of).filter(|number| !present(*number)).map(|number| format!("{number}/{of}")).collect();
    let mut parts = parts.into_iter().map(|part| part.report);
    let Some(mut whole) = parts.next() else {
        let what = "expected at least one report".to_owned();
        return Err(Apart::Nonsense { name: "nothing".to_owned(), what });
    };
    for part in parts {
        append(&mut whole, part);
    }
    whole.missing = missing;
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
    number: u64,
    of: u64,
}

impl Part {
    fn new((name, report): (String, RunReport)) -> Result<Self, Apart> {
        let nonsense = |what: String| Apart::Nonsense { name: name.clone(), what };
        let (number, of) = match report.shard.as_deref().map(|shard| (shard, shard.split_once('/'))) {
            None => (1, 1),
            Some((shard, parts)) => parts
                .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)))
                .filter(|(number, of)| (1..=*of).contains(number))
                .ok_or_else(|| nonsense(format!("{shard} is no shard")))?,
        };
        if !report.missing.is_empty() {
            return Err(nonsense(format!("it was merged without {}", report.missing.join(", "))));
        }
        report.summary().map_err(nonsense)?;
        Ok(Self { name, report, number, of })
    }

    fn goes_with(&self, next: &Self) -> Result<(), Apart> {
        let strangers =
            |what: String| Apart::Strangers { first: self.name.clone(), second: next.name.clone(), what };
        if let Some(what) = self.report.asked.difference(&next.report.asked) {
            return Err(strangers(what));
        }
        if self.of != next.of {
            return Err(strangers(format!("the first is of {} shards, the second of {}", self.of, next.of)));
        }
        let overlap =
            self.report.from.saturating_add(self.report.seeds) > next.report.from && next.report.seeds > 0;
        if self.number == next.number || overlap {
            let from = next.report.from;
            return Err(Apart::Overlap { first: self.name.clone(), second: next.name.clone(), from });
        }
        Ok(())
    }
}

/// Adds the part that comes next.
fn append(whole: &mut RunReport, part: RunReport) {
    let summaries = (whole.summary(), part.summary());
    let (Ok(mut summary), Ok(next)) = summaries else { unreachable!("each was looked at before") };
    summary.tally.append(&next.tally);
    whole.seeds = summary.tally.seeds;
    whole.steps = summary.tally.steps;
    whole.effective_steps = summary.tally.effective_steps;
    whole.skipped_steps = summary.tally.skipped_steps;
    whole.trace_hash = summary.tally.trace_hash.to_string();
    whole.coverage = coverage_report(&summary.tally.coverage);
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

/// The canary that took longer to be caught; none if one part had none.
fn slower(one: Option<Canary>, other: Option<Canary>) -> Option<Canary> {
    let (one, other) = (one?, other?);
    Some(if other.seeds > one.seeds { other } else { one })
}
