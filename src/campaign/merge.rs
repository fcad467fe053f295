//! Merges results in the order of seeds, and shrinks findings.

use super::summary::{Ending, Finding};
use super::{MAX_TIMELINES, Observer, Plan, SharedProgress};
use crate::execution::SharedProgressCell;
use crate::executor::{Executor, Failure};
use crate::shrink::{BUDGET, shrink_while};
use crate::tally::Block;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The least call timeout while shrinking. It is long enough even if the thread has to wait for a processor.
const SHORT_TIMEOUT: Duration = Duration::from_millis(200);

/// Merges the blocks in the order of seeds. The watchdog can read the results so far while a call does not return.
pub(super) struct Merge<'a> {
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a SharedProgress,
    pub(super) interrupted: &'a AtomicBool,
    pub(super) shrinking: &'a SharedProgressCell,
    pub(super) start: Instant,
    pub(super) before: Duration,
}

impl Merge<'_> {
    pub(super) fn merge_all(
        self,
        receiver: &mpsc::Receiver<(u64, Result<Block, Failure>)>,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        // Shrinking may wait for a stuck call many times.
        let call_timeout = (self.plan.call_timeout / 10).max(SHORT_TIMEOUT);
        let mut executor = self.plan.executor_reporting_to(self.shrinking, call_timeout)?;
        self.shrink_unfinished(&mut *executor, observer)?;
        if self.has_enough() {
            return Ok(());
        }
        let (mut waiting, mut expected) = (BTreeMap::new(), 0);
        for (number, block) in receiver {
            waiting.insert(number, block?);
            while let Some(block) = waiting.remove(&expected) {
                expected += 1;
                self.merge_block(block, &mut *executor, observer)?;
                let mut summary = self.progress.summary();
                summary.elapsed = self.before + self.start.elapsed();
                summary.note_pace();
                observer.progress(&summary);
                drop(summary);
                if self.has_enough() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether there are enough findings. The run ends only when their scenarios are shrunk, too.
    fn has_enough(&self) -> bool {
        let mut summary = self.progress.summary();
        let enough = summary.findings.len() >= self.plan.max_findings;
        if enough && summary.unshrunk().next().is_none() {
            summary.ending = Ending::EnoughFindings;
        }
        enough
    }

    fn merge_block(
        &self,
        block: Block,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let Self { plan, progress, .. } = self;
        progress.summary().tally.append(&block.tally);
        block.slow.iter().for_each(|seed| observer.slow(*seed));
        let mut new = Vec::new();
        for (seed, outcome) in block.findings {
            let signature = outcome.signature(&plan.kind.name());
            let mut summary = progress.summary();
            if plan.masks_signature(&signature) {
                *summary.masked.entry(signature.to_string()).or_default() += 1;
            } else if !summary.count(&signature) {
                let (step, detail) = (outcome.step, outcome.verdict.to_string());
                let (shrunk, timeline) = (plan.draw.scenario(seed), Timeline::default());
                let finding = Finding { signature, count: 1, seed, step, shrunk, detail, timeline };
                let number = summary.findings.len();
                summary.findings.push(finding.clone());
                drop(summary);
                observer.found(&finding);
                new.push((number, finding));
                if number + 1 >= plan.max_findings {
                    break;
                }
            }
        }
        // Merge the whole block before running a scenario again, which may end the process.
        new.into_iter().try_for_each(|(number, finding)| self.shrink(number, finding, executor, observer))
    }

    /// Shrinks the scenarios whose shrinking an earlier part of the run did not finish. It starts from the seed's
    /// scenario, so the interruption does not change the result.
    fn shrink_unfinished(
        &self,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let unshrunk: Vec<usize> = self.progress.summary().unshrunk().collect();
        for number in unshrunk {
            let mut finding = self.progress.summary().findings[number].clone();
            finding.shrunk = self.plan.draw.scenario(finding.seed);
            self.shrink(number, finding, executor, observer)?;
        }
        Ok(())
    }

    /// Shrinks the scenario of a group's first finding.
    fn shrink(
        &self,
        number: usize,
        mut finding: Finding,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let Self { plan, progress, .. } = self;
        self.shrinking.handle().begin_seed(finding.seed);
        let mut keep_going = |scenario: &_| {
            progress.candidate().clone_from(scenario);
            !self.is_interrupted()
        };
        finding.shrunk =
            shrink_while(executor, plan.kind, &finding.signature, &finding.shrunk, BUDGET, &mut keep_going)?;
        if keep_going(&finding.shrunk) {
            // A subject that depends on more than its scenario may not fail again.
            let (timeline, again) = executor.record(plan.kind, &finding.shrunk)?;
            if number < MAX_TIMELINES {
                finding.timeline = timeline;
            }
            if again.is_finding() {
                finding.detail = again.verdict.to_string();
            }
        }
        // If the process ends, these results are saved. Meanwhile other findings may have been counted in the group.
        let mut summary = progress.summary();
        finding.count = summary.findings[number].count;
        summary.findings[number] = finding.clone();
        drop(summary);
        observer.shrunk(&finding);
        Ok(())
    }
}
