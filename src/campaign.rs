//! Many scenarios: a sweep over seeds, on as many threads as asked for.
//!
//! Seeds are handed out in blocks. Whatever depends on order (the trace hash, which seed of a group is the
//! lowest, where a run stops early) is decided when a block's results are taken in, in the order of seeds;
//! so the result does not depend on the number of threads.

use crate::coverage::Coverage;
use crate::execution::Rig;
use crate::outcome::{Outcome, Signature, Verdict};
use crate::scenario::{Draw, Scenario};
use crate::shrink::{BUDGET, shrink};
use crate::subject::Kind;
use ringstorm_core::SystemError;
use ringstorm_model::TraceHash;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Seeds that a thread takes at once.
const BLOCK: u64 = 32;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The queue under test.
    pub kind: Kind,
    /// Which scenarios.
    pub draw: Draw,
    /// The first seed.
    pub from: u64,
    /// How much.
    pub extent: Extent,
    /// Threads.
    pub jobs: usize,
    /// Groups of findings after which the run stops.
    pub max_findings: usize,
    /// Signatures that are known and not to be reported.
    pub masks: BTreeSet<String>,
}

/// How much to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// So many seeds.
    Seeds(u64),
    /// As many as fit.
    Time(Duration),
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was complete.
    Complete,
    /// It had found enough.
    EnoughFindings,
    /// It was interrupted.
    Interrupted,
}

/// One group of findings.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What they have in common.
    pub signature: Signature,
    /// How many seeds.
    pub count: u64,
    /// The lowest.
    pub seed: u64,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its scenario, shrunk.
    pub shrunk: Scenario,
    /// What goes wrong in the shrunk scenario.
    pub verdict: Verdict,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Seeds that were run.
    pub seeds: u64,
    /// Steps.
    pub steps: u64,
    /// Effective steps.
    pub effective_steps: u64,
    /// Steps that the subject cannot do.
    pub skipped_steps: u64,
    /// Over all seeds, in their order.
    pub trace_hash: u64,
    /// The groups of findings, in the order of their lowest seeds.
    pub findings: Vec<Finding>,
    /// Signatures that were masked, with their counts.
    pub masked: BTreeMap<String, u64>,
    /// The pairs reached.
    pub coverage: Coverage,
    /// From the beginning to the end.
    pub elapsed: Duration,
    /// Thread time spent on scenarios, the construction of subjects left out.
    pub stepping: Duration,
    /// Thread time spent on constructing subjects.
    pub constructing: Duration,
    /// Why it ended.
    pub ending: Ending,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Seeds done.
    pub seeds: u64,
    /// Effective steps done.
    pub effective_steps: u64,
    /// Groups of findings.
    pub findings: usize,
}

/// The results of one block, in the order of its seeds.
#[derive(Default)]
struct Block {
    seeds: u64,
    steps: u64,
    effective_steps: u64,
    skipped_steps: u64,
    traces: Vec<u64>,
    findings: Vec<(u64, Outcome)>,
    coverage: Coverage,
    stepping: Duration,
    constructing: Duration,
}

/// Runs a plan. `progress` is called now and then, `found` for each new group of findings as soon as it is
/// known. The run ends early, with what is done so far, when `interrupted` becomes true.
///
/// # Errors
/// [`SystemError`] if there is no memory for a scenario.
pub fn run(
    plan: &Plan,
    interrupted: &AtomicBool,
    mut progress: impl FnMut(Progress),
    mut found: impl FnMut(&Finding),
) -> Result<Summary, SystemError> {
    let start = Instant::now();
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::sync_channel(64 * plan.jobs);
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                let wanted = || match plan.extent {
                    _ if stop.load(Ordering::Relaxed) || interrupted.load(Ordering::Relaxed) => None,
                    Extent::Time(limit) if start.elapsed() >= limit => None,
                    Extent::Time(_) => Some((next.fetch_add(1, Ordering::Relaxed), BLOCK)),
                    Extent::Seeds(seeds) => {
                        let block = next.fetch_add(1, Ordering::Relaxed);
                        let left = seeds.saturating_sub(block * BLOCK);
                        (left > 0).then_some((block, left.min(BLOCK)))
                    }
                };
                let mut rig = match Rig::new() {
                    Ok(rig) => rig,
                    Err(error) => return drop(sender.send((0, Err(error)))),
                };
                while let Some((number, count)) = wanted() {
                    let result = run_block(plan, &mut rig, plan.from.wrapping_add(number * BLOCK), count);
                    if sender.send((number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let result = take_in(plan, &receiver, &mut progress, &mut found);
        stop.store(true, Ordering::Relaxed);
        drop(receiver);
        let mut summary = result?;
        summary.elapsed = start.elapsed();
        if interrupted.load(Ordering::Relaxed) && summary.ending == Ending::Complete {
            summary.ending = Ending::Interrupted;
        }
        Ok(summary)
    })
}

fn run_block(plan: &Plan, rig: &mut Rig, first: u64, count: u64) -> Result<Block, SystemError> {
    let mut block = Block { seeds: count, ..Block::default() };
    let mut scenario = Scenario::default();
    let start = Instant::now();
    for seed in (0..count).map(|offset| first.wrapping_add(offset)) {
        plan.draw.scenario_into(seed, &mut scenario);
        let outcome = rig.run(plan.kind, &scenario, &mut ())?;
        block.constructing += rig.construction_time();
        block.steps += outcome.steps;
        block.effective_steps += outcome.effective_steps;
        block.skipped_steps += outcome.skipped_steps;
        block.traces.push(outcome.trace_hash);
        block.coverage.merge(&outcome.coverage);
        if outcome.is_finding() {
            block.findings.push((seed, outcome));
        }
    }
    block.stepping = start.elapsed().saturating_sub(block.constructing);
    Ok(block)
}

/// Takes the blocks in, in the order of seeds.
fn take_in(
    plan: &Plan,
    receiver: &mpsc::Receiver<(u64, Result<Block, SystemError>)>,
    progress: &mut impl FnMut(Progress),
    found: &mut impl FnMut(&Finding),
) -> Result<Summary, SystemError> {
    let mut summary = Summary {
        seeds: 0,
        steps: 0,
        effective_steps: 0,
        skipped_steps: 0,
        trace_hash: 0,
        findings: Vec::new(),
        masked: BTreeMap::new(),
        coverage: Coverage::default(),
        elapsed: Duration::ZERO,
        stepping: Duration::ZERO,
        constructing: Duration::ZERO,
        ending: Ending::Complete,
    };
    let mut hash = TraceHash::default();
    let mut waiting = BTreeMap::new();
    let mut expected = 0;
    let mut shrinking = Rig::new()?;
    for (number, block) in receiver {
        waiting.insert(number, block?);
        while let Some(block) = waiting.remove(&expected) {
            expected += 1;
            summary.seeds += block.seeds;
            summary.steps += block.steps;
            summary.effective_steps += block.effective_steps;
            summary.skipped_steps += block.skipped_steps;
            summary.stepping += block.stepping;
            summary.constructing += block.constructing;
            summary.coverage.merge(&block.coverage);
            block.traces.iter().for_each(|trace| hash.number(*trace));
            summary.trace_hash = hash.get();
            for (seed, outcome) in block.findings {
                let signature = outcome.signature(&plan.kind.name());
                if plan.masks.contains(&signature.to_string()) {
                    *summary.masked.entry(signature.to_string()).or_default() += 1;
                    continue;
                }
                if let Some(group) = summary.findings.iter_mut().find(|group| group.signature == signature) {
                    group.count += 1;
                    continue;
                }
                let scenario = plan.draw.scenario(seed);
                let shrunk = shrink(&mut shrinking, plan.kind, &signature, &scenario, BUDGET)?;
                let verdict = shrinking.run(plan.kind, &shrunk, &mut ())?.verdict;
                let finding = Finding { signature, count: 1, seed, outcome, shrunk, verdict };
                found(&finding);
                summary.findings.push(finding);
                if summary.findings.len() >= plan.max_findings {
                    break;
                }
            }
            progress(Progress {
                seeds: summary.seeds,
                effective_steps: summary.effective_steps,
                findings: summary.findings.len(),
            });
            if summary.findings.len() >= plan.max_findings {
                summary.ending = Ending::EnoughFindings;
                return Ok(summary);
            }
        }
    }
    Ok(summary)
}
