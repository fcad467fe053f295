//! Runs the storm over all specimens, or over other queues with known defects: is each defect found, by which invariant,
//! and how fast?

use crate::execution::Rig;
use crate::executor::Failure;
use crate::outcome::{Expected, Signature};
use crate::scenario::{Draw, Profile, Scenario};
use crate::shrink::{Limits, shrink};
use crate::subject::{Defect, SubjectKind};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use strum::VariantArray;

/// Starting seeds for each subject.
const STARTS: u64 = 20;
/// The distance between starting seeds.
const STRIDE: u64 = 1_000_000;
/// How many seeds are tried from each start. Among so many, one makes a journey that overflows a 16-bit count.
const SEEDS: u64 = 70_000;

/// The results of one specimen, or of another subject.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Caught {
    /// The specimen.
    pub name: String,
    /// Whether its defect was found from every start.
    pub found: bool,
    /// The invariant that found it from most starts.
    pub invariant: Option<String>,
    /// The median number of seeds until the first finding.
    pub median_seeds: Option<u64>,
    /// The median time in seconds until the first finding: drawing and running the scenarios, without making the rig.
    pub median_seconds: Option<f64>,
    /// The number of seeds from the start that needed most seeds.
    pub worst_seeds: Option<u64>,
    /// The time in seconds from the start that took longest.
    pub worst_seconds: Option<f64>,
    /// Steps of the shrunk scenario, from the first start with that invariant.
    pub steps_after_shrinking: Option<usize>,
    /// The shrunk scenario, as text.
    pub scenario: Option<String>,
}

/// Finds the first seed, from `start` on, that is a finding. Returns the seed, its signature and its scenario.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn first_catch(
    rig: &mut Rig,
    kind: SubjectKind,
    start: u64,
    steps: usize,
) -> Result<Option<(u64, Signature, Scenario)>, Failure> {
    for seed in start..start + SEEDS {
        let draw = Draw { profile: Profile::Swarm, steps, queue_size: None };
        let scenario = draw.scenario_with(seed, kind.offered_calls());
        let outcome = rig.run(kind, &scenario, &mut ())?;
        if outcome.is_finding() {
            return Ok(Some((seed, outcome.signature(&kind.name()), scenario)));
        }
    }
    Ok(None)
}

/// Runs the storm over one specimen, from each starting seed.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn calibrate(rig: &mut Rig, defect: Defect, steps: usize) -> Result<Caught, Failure> {
    calibrate_subject(rig, SubjectKind::Specimen(Some(defect)), steps)
}

/// Like [`calibrate`], for any subject with a known defect.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn calibrate_subject(rig: &mut Rig, kind: SubjectKind, steps: usize) -> Result<Caught, Failure> {
    let (mut seeds, mut seconds, mut catches) = (Vec::new(), Vec::new(), Vec::new());
    for start in (0..STARTS).map(|start| start * STRIDE) {
        let begin = Instant::now();
        // If one start finds nothing, the defect counts as not found.
        let Some((seed, signature, scenario)) = first_catch(rig, kind, start, steps)? else { break };
        seeds.push(seed - start + 1);
        seconds.push(begin.elapsed().as_secs_f64());
        catches.push((signature, scenario));
    }
    let found = seeds.len() as u64 == STARTS;
    seeds.sort_unstable();
    seconds.sort_unstable_by(f64::total_cmp);
    let most_common = most_common(&catches);
    let shrunk = match most_common {
        Some((signature, scenario)) => {
            Some(shrink(rig, kind, signature, scenario, Limits::default())?.scenario)
        }
        None => None,
    };
    Ok(Caught {
        name: kind.name(),
        found,
        invariant: most_common
            .and_then(|(signature, _)| Expected::invariant(signature.expected))
            .map(|invariant| invariant.to_string()),
        median_seeds: seeds.get(seeds.len() / 2).copied(),
        median_seconds: seconds.get(seconds.len() / 2).copied(),
        worst_seeds: seeds.last().copied().filter(|_| found),
        worst_seconds: seconds.last().copied().filter(|_| found),
        steps_after_shrinking: shrunk.as_ref().map(|scenario| scenario.steps.len()),
        scenario: shrunk.map(|scenario| scenario.to_string()),
    })
}

/// The first finding by the invariant that most findings violate.
fn most_common(catches: &[(Signature, Scenario)]) -> Option<&(Signature, Scenario)> {
    let invariant = |catch: &(Signature, Scenario)| catch.0.expected.invariant();
    let alike = |catch| catches.iter().filter(|other| invariant(other) == invariant(catch)).count();
    // `max_by_key` returns the last maximum; reversed, this is the first.
    catches.iter().rev().max_by_key(|catch| alike(catch))
}

/// Every specimen with a defect.
pub(crate) fn specimens() -> Vec<SubjectKind> {
    Defect::VARIANTS.iter().map(|defect| SubjectKind::Specimen(Some(*defect))).collect()
}

/// Runs the storm over these subjects. Calls `done` with each result.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub(crate) fn calibrate_all(
    kinds: &[SubjectKind],
    steps: usize,
    mut done: impl FnMut(&Caught),
) -> Result<Vec<Caught>, Failure> {
    let mut rig = Rig::new()?;
    kinds
        .iter()
        .map(|kind| {
            let caught = calibrate_subject(&mut rig, *kind, steps)?;
            done(&caught);
            Ok(caught)
        })
        .collect()
}
