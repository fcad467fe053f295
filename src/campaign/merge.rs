//! Taking results in, in the order of seeds, and shrinking what was found.

use super::summary::{Ending, Finding};
use super::{MOST_TIMELINES, Observer, Plan, SharedProgress};
use crate::execution::SharedProgressCell;
use crate::executor::{Executor, Failure};
use crate::shrink::{BUDGET, shrink_while};
use crate::tally::Block;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A call that takes longer while its scenario is shrunk is not so for lack of a processor.
const SHORT_TIMEOUT: Duration = Duration::from_millis(200);

/// Takes the blocks in, in the order of seeds. What is known stands where the watchdog finds it, while a call that may not
/// return goes on.
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
        // What is stuck is waited for many times over.
        let call_timeout = (self.plan.call_timeout / 10).max(SHORT_TIMEOUT);
        let mut executor = self.plan.executor_reporting_to(self.shrinking, call_timeout)?;
        self.shrink_the_rest(&mut *executor, observer)?;
        if self.has_enough() {
            return Ok(());
        }
        let (mut waiting, mut expected) = (BTreeMap::new(), 0);
        for (number, block) in receiver {
            waiting.insert(number, block?);
            while let Some(block) = waiting.remove(&expected) {
                expected += 1;
                self.block(block, &mut *executor, observer)?;
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

    /// Whether the run is over since enough was found. It is not while something is left to be shrunk.
    fn has_enough(&self) -> bool {
        let mut summary = self.progress.summary();
        let enough = summary.findings.len() >= self.plan.max_findings;
        if enough && summary.unshrunk().next().is_none() {
            summary.ending = Ending::EnoughFindings;
        }
        enough
    }

    fn block(
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
        // All of the block is known before a scenario is run again, which may be the end of the process.
        new.into_iter().try_for_each(|(number, finding)| self.shrink(number, finding, executor, observer))
    }

    /// Shrinks the scenarios whose shrinking was interrupted in the run before, from the beginning, so that nobody sees it of
    /// what they come to.
    fn shrink_the_rest(
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

    /// Shrinks the scenario of the first of a group.
    fn shrink(
        &self,
        number: usize,
        mut finding: Finding,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let Self { plan, progress, .. } = self;
        self.shrinking.handle().begin(finding.seed);
        let mut go_on = |scenario: &_| {
            progress.candidate().clone_from(scenario);
            !self.is_interrupted()
        };
        finding.shrunk =
            shrink_while(executor, plan.kind, &finding.signature, &finding.shrunk, BUDGET, &mut go_on)?;
        if go_on(&finding.shrunk) {
            // What went wrong once may not do so again, if the subject depends on more than its scenario.
            let (timeline, again) = executor.record(plan.kind, &finding.shrunk)?;
            if number < MOST_TIMELINES {
                finding.timeline = timeline;
            }
            if again.is_finding() {
                finding.detail = again.verdict.to_string();
            }
        }
        // Whoever ends the process writes down what stands here; others of the group may have been counted meanwhile.
        let mut summary = progress.summary();
        finding.count = summary.findings[number].count;
        summary.findings[number] = finding.clone();
        drop(summary);
        observer.shrunk(&finding);
        Ok(())
    }
}
