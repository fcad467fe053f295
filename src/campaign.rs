//! Runs many scenarios: a sweep over seeds, on several threads.
//!
//! Threads take seeds in blocks. Everything that depends on order (the trace hash, the lowest seed of a group, where a
//! run stops early) is decided when the blocks are merged in the order of seeds, so the result does not depend on the
//! number of threads. For the same reason, a run that was ended can continue from its [`Summary`].

mod canary;
mod cause;
mod grouping;
mod mask;
mod merge;
mod pace;
mod shard;
mod summary;
mod watch;

pub use crate::tally::{Block, SweepHash, Tally};
pub use canary::{Canary, CanaryMissed, canary};
pub(crate) use mask::is_masked;
pub use pace::{Pace, Point};
pub use shard::{InvalidShard, Shard};
pub use summary::{Ending, Finding, Summary};
pub use watch::Hang;

use crate::execution::{Rig, SharedProgressCell};
use crate::executor::{Executor, Failure};
use crate::isolation::{Child, Isolation};
use crate::outcome::{Expected, Limit, Signature, Verdict};
use crate::scenario::{Draw, Scenario};
use crate::subject::SubjectKind;
use merge::Merge;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Seeds in one block.
const BLOCK: u64 = 32;
/// How many groups of findings have a timeline. These are the first groups, so the result does not depend on how a run
/// was split.
pub(crate) const MAX_TIMELINES: usize = 100;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The queue under test.
    pub kind: SubjectKind,
    /// How seeds become scenarios.
    pub draw: Draw,
    /// The first seed.
    pub from: u64,
    /// When the run is complete.
    pub budget: Budget,
    /// The number of threads.
    pub jobs: usize,
    /// The run stops after this many groups of findings.
    pub max_findings: usize,
    /// Signatures of known findings, which are not reported.
    pub masks: BTreeSet<String>,
    /// How long a call of the subject may take before it is stuck.
    pub call_timeout: Duration,
    /// How to run the subject in child processes; `None` runs it in this process.
    pub isolation: Option<Isolation>,
}

impl Plan {
    /// The default call timeout: far longer than any call, even on a busy machine.
    pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

    /// The scenario of a seed.
    fn scenario(&self, seed: u64) -> Scenario {
        self.draw.scenario_with(seed, self.kind.offered_calls())
    }

    /// Whether findings of this signature are known and not reported.
    fn masks_signature(&self, signature: &Signature) -> bool {
        let text = signature.to_string();
        self.masks.iter().any(|mask| is_masked(mask, &text))
    }

    /// Makes an executor for this plan's scenarios.
    ///
    /// # Errors
    /// [`Failure`] if there is no memory for a rig, or a child's files cannot be created.
    pub fn executor(&self) -> Result<Box<dyn Executor>, Failure> {
        self.executor_reporting_to(&SharedProgressCell::default(), self.call_timeout)
    }

    /// Makes an executor that reports its position to this cell, or, with a child process, has this call timeout.
    fn executor_reporting_to(
        &self,
        progress_cell: &SharedProgressCell,
        call_timeout: Duration,
    ) -> Result<Box<dyn Executor>, Failure> {
        Ok(match &self.isolation {
            Some(isolation) => Box::new(Child::new(isolation.clone(), call_timeout)?),
            None => {
                let mut rig = Rig::new()?;
                rig.report_progress_to(progress_cell.handle());
                Box::new(rig)
            }
        })
    }
}

/// When a run is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// After this many seeds.
    Seeds(u64),
    /// After this time.
    Time(Duration),
}

/// Is notified about a campaign.
pub trait Observer {
    /// The results of a block of seeds were merged.
    fn progress(&mut self, summary: &Summary) {
        let _ = summary;
    }

    /// The first finding of a new group. Its scenario is not shrunk yet.
    fn found(&mut self, finding: &Finding) {
        let _ = finding;
    }

    /// In a child process, a call of this seed exceeded the call timeout, but did not when the seed was run again.
    fn slow(&mut self, seed: u64) {
        let _ = seed;
    }

    /// Shrinking changed the signature of a group that was [found](Self::found), perhaps to that of a known group.
    fn renamed(&mut self, before: &Signature, after: &Signature) {
        let _ = (before, after);
    }

    /// A mask matches a signature of this group.
    fn masked(&mut self, finding: &Finding) {
        let _ = finding;
    }

    /// The scenario of a group is shrunk.
    fn shrunk(&mut self, finding: &Finding) {
        let _ = finding;
    }
}

/// Ignores everything.
impl Observer for () {}

/// Runs the rest of a plan after `summary`, which is empty for a new run. When `interrupted` becomes true, the run ends
/// early and returns its results so far.
///
/// If the subject does not return from a call in this process, the call cannot be stopped. Then `on_hang` is called,
/// with the results so far, in which that call is a finding. It should end the process.
///
/// # Errors
/// [`Stopped`] if a scenario cannot be run, with the results so far.
pub fn run(
    plan: &Plan,
    summary: Summary,
    interrupted: &AtomicBool,
    on_hang: &(dyn Fn(&Hang, &Summary) + Sync),
    observer: &mut dyn Observer,
) -> Result<Summary, Stopped> {
    let before = summary.elapsed;
    let start = Instant::now();
    let progress = SharedProgress { summary: Mutex::new(summary), candidate: Mutex::default() };
    let result = run_on(plan, &progress, interrupted, on_hang, observer);
    let mut summary = progress.summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.elapsed = before + start.elapsed();
    match result {
        Ok(()) => Ok(summary),
        Err(failure) => Err(Stopped { summary: Box::new(summary), failure }),
    }
}

/// A run that failed.
#[derive(Debug)]
pub struct Stopped {
    /// The results so far.
    pub summary: Box<Summary>,
    /// The reason.
    pub failure: Failure,
}

fn run_on(
    plan: &Plan,
    progress: &SharedProgress,
    interrupted: &AtomicBool,
    on_hang: &(dyn Fn(&Hang, &Summary) + Sync),
    observer: &mut dyn Observer,
) -> Result<(), Failure> {
    let (start, (before, done)) = (Instant::now(), {
        let mut summary = progress.summary();
        if summary.reported().count() >= plan.max_findings && summary.first_unshrunk().is_none() {
            summary.ending = Ending::EnoughFindings;
            return Ok(());
        }
        summary.ending = Ending::Unfinished;
        (summary.elapsed, summary.tally.seeds)
    });
    let seed_blocks = SeedBlocks { plan, done, next: AtomicU64::new(0), start, before };
    let stop = AtomicBool::new(false);
    // One for each thread, and the first for shrinking.
    let progress_cells: Vec<SharedProgressCell> =
        (0..=plan.jobs).map(|_| SharedProgressCell::default()).collect();
    let (shrinking, working) = progress_cells.split_first().expect("there is one for shrinking");
    let (sender, receiver) = mpsc::sync_channel(64 * plan.jobs);
    let on_hang = |hang: &Hang| on_hang(hang, &progress.with_hang(plan, hang));
    std::thread::scope(|scope| {
        let watching = watch::watch(scope, plan, &progress_cells, &on_hang);
        let start_one = |progress_cell| {
            let (sender, seed_blocks, stop) = (sender.clone(), &seed_blocks, &stop);
            scope.spawn(move || {
                let mut executor = match plan.executor_reporting_to(progress_cell, plan.call_timeout) {
                    Ok(executor) => executor,
                    Err(error) => return drop(sender.send((0, Err(error)))),
                };
                while !stop.load(Ordering::Relaxed) && !interrupted.load(Ordering::Relaxed) {
                    let Some((number, first, count)) = seed_blocks.next_block() else { return };
                    let result = executor.run_seeds(plan.kind, &plan.draw, first, count);
                    if sender.send((number, result)).is_err() {
                        return;
                    }
                }
            })
        };
        let workers: Vec<_> = working.iter().map(start_one).collect();
        drop(sender);
        let merge = Merge { plan, progress, interrupted, shrinking, start, before };
        let result = merge.merge_all(&receiver, observer);
        stop.store(true, Ordering::Relaxed);
        drop(receiver);
        // Wait for the blocks in progress.
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        drop(watching);
        result
    })?;
    let mut summary = progress.summary();
    if summary.ending == Ending::Unfinished && !interrupted.load(Ordering::Relaxed) {
        summary.ending = Ending::Complete;
    }
    Ok(())
}

/// The results of a run so far, shared between the merge and the watchdog.
struct SharedProgress {
    summary: Mutex<Summary>,
    /// The scenario that shrinking tries now.
    candidate: Mutex<Scenario>,
}

impl SharedProgress {
    fn summary(&self) -> MutexGuard<'_, Summary> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn candidate(&self) -> MutexGuard<'_, Scenario> {
        self.candidate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The results so far, with a call that does not return as a finding.
    fn with_hang(&self, plan: &Plan, hang: &Hang) -> Summary {
        let mut summary = self.summary().clone();
        let Hang { seed: Some(seed), shrinking, step, call, last_fault, .. } = *hang else { return summary };
        let mut detail = Verdict::Stuck(Limit::Time).to_string();
        let mut shrunk = match shrinking {
            true => self.candidate().clone(),
            false => plan.scenario(seed),
        };
        if shrinking {
            detail.push_str(", while a finding of its seed was shrunk");
        }
        // Later steps cannot matter.
        shrunk.steps.truncate(step as usize + 1);
        let signature = Signature { subject: plan.kind.name(), expected: Expected::Stuck, call, last_fault };
        let group = summary.resolve(&signature).clone();
        if let Some(group) = summary.group(&group) {
            group.count += 1;
            return summary;
        }
        let masked = plan.masks_signature(&signature);
        let finding = Finding::unshrunk(signature, seed, shrunk);
        summary.findings.push(Finding { step: step as usize, detail, masked, unshrunk: false, ..finding });
        summary
    }
}

/// Hands out the remaining seeds in blocks.
struct SeedBlocks<'a> {
    plan: &'a Plan,
    /// Seeds that an earlier part of the run completed.
    done: u64,
    /// The number of the next block.
    next: AtomicU64,
    start: Instant,
    /// The time that earlier parts of the run took.
    before: Duration,
}

impl SeedBlocks<'_> {
    /// Returns the number of the next block, its first seed, and its length; `None` if the run is complete.
    fn next_block(&self) -> Option<(u64, u64, u64)> {
        let take = || self.next.fetch_add(1, Ordering::Relaxed);
        let (number, count) = match self.plan.budget {
            Budget::Time(limit) if self.before + self.start.elapsed() >= limit => return None,
            Budget::Time(_) => (take(), BLOCK),
            Budget::Seeds(seeds) => {
                let number = take();
                let left = seeds.saturating_sub(self.done).saturating_sub(number * BLOCK);
                (number, left.min(BLOCK))
            }
        };
        let first = self.plan.from.wrapping_add(self.done).wrapping_add(number * BLOCK);
        (count > 0).then_some((number, first, count))
    }
}
