//! Merges results in the order of seeds, and groups and shrinks findings.
//!
//! A seed's finding first loses the faults that it does not need. If the signature that is left belongs to no group, its
//! scenario is shrunk, and the signature of the shrunk scenario decides: it names a new group or a known one. So a group
//! depends on the order of the seeds, which is fixed, and not on threads.

use super::summary::{Ending, Finding};
use super::{MAX_TIMELINES, Observer, Plan, SharedProgress};
use crate::execution::SharedProgressCell;
use crate::executor::{Executor, Failure};
use crate::outcome::{Outcome, Signature};
use crate::scenario::Scenario;
use crate::shrink::{Limits, Shrunk, shrink_while, without_needless_faults};
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
        let enough = summary.reported().count() >= self.plan.max_findings;
        if enough && summary.first_unshrunk().is_none() {
            summary.ending = Ending::EnoughFindings;
        }
        enough
    }

    /// Merges a block, except if the run was interrupted before its findings were known.
    fn merge_block(
        &self,
        block: Block,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let mut findings = Vec::new();
        for (seed, outcome) in block.findings {
            match self.reduced(seed, &outcome, executor)? {
                Some(signature) => findings.push((seed, outcome, signature)),
                None => return Ok(()),
            }
        }
        self.progress.summary().tally.append(&block.tally);
        block.slow.iter().for_each(|seed| observer.slow(*seed));
        for (seed, outcome, signature) in findings {
            self.merge_finding(seed, &outcome, signature, executor, observer)?;
        }
        Ok(())
    }

    /// The signature of a seed's finding without the faults that it does not need. `None` if the run was interrupted.
    fn reduced(
        &self,
        seed: u64,
        outcome: &Outcome,
        executor: &mut dyn Executor,
    ) -> Result<Option<Signature>, Failure> {
        let signature = outcome.signature(&self.plan.kind.name());
        if signature.last_fault.is_none() || self.plan.masks_signature(&signature) {
            return Ok(Some(signature));
        }
        let mut scenario = self.plan.scenario(seed);
        scenario.steps.truncate(outcome.step + 1);
        self.shrinking.handle().begin_seed(seed);
        let mut keep_going = |scenario: &Scenario| self.tries(scenario);
        let kind = self.plan.kind;
        let reduced = without_needless_faults(executor, kind, &signature, &scenario, &mut keep_going)?;
        Ok((!self.is_interrupted()).then_some(reduced.signature))
    }

    /// Notes the scenario that is run next. Returns whether shrinking continues.
    fn tries(&self, scenario: &Scenario) -> bool {
        self.progress.candidate().clone_from(scenario);
        !self.is_interrupted()
    }

    /// Adds a finding to its group. A new group begins with the seed's scenario, which is then shrunk.
    fn merge_finding(
        &self,
        seed: u64,
        outcome: &Outcome,
        reduced: Signature,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let Self { plan, progress, .. } = self;
        let original = outcome.signature(&plan.kind.name());
        let mut summary = progress.summary();
        let signature = summary.resolve(&reduced).clone();
        if original != signature {
            summary.seen_as.entry(original.clone()).or_insert_with(|| signature.clone());
        }
        let mask = [&original, &reduced].into_iter().find(|known| plan.masks_signature(known));
        if let Some(group) = summary.group(&signature) {
            match mask {
                Some(mask) if !group.masked => *summary.masked.entry(mask.to_string()).or_default() += 1,
                _ => group.count += 1,
            }
            return Ok(());
        }
        // A mask of an earlier version can name a fault that the finding does not need.
        if let Some(mask) = mask.filter(|mask| **mask != reduced) {
            *summary.masked.entry(mask.to_string()).or_default() += 1;
            return Ok(());
        }
        if mask.is_none() && summary.shrunk_groups() >= plan.max_findings {
            return Ok(());
        }
        let mut finding = Finding::unshrunk(signature, seed, plan.scenario(seed));
        (finding.step, finding.detail) = (outcome.step, outcome.verdict.to_string());
        finding.masked = mask.is_some();
        let number = summary.findings.len();
        summary.findings.push(finding.clone());
        drop(summary);
        if !finding.masked {
            observer.found(&finding);
        }
        self.shrink(number, finding, executor, observer)
    }

    /// Shrinks the scenarios whose shrinking an earlier part of the run did not finish. It starts from the seed's
    /// scenario, so the interruption does not change the result.
    fn shrink_unfinished(
        &self,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        while !self.is_interrupted() {
            let mut summary = self.progress.summary();
            if summary.shrunk_groups() >= self.plan.max_findings {
                summary.findings.retain(|finding| !finding.unshrunk || finding.masked);
            }
            let Some(number) = summary.first_unshrunk() else { break };
            let mut finding = summary.findings[number].clone();
            drop(summary);
            finding.shrunk = self.plan.scenario(finding.seed);
            self.shrink(number, finding, executor, observer)?;
        }
        Ok(())
    }

    /// Shrinks the scenario of a group's first finding. The signature of the result can belong to another group.
    fn shrink(
        &self,
        number: usize,
        mut finding: Finding,
        executor: &mut dyn Executor,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let Self { plan, progress, .. } = self;
        let before = finding.signature.clone();
        if self.shrink_finding(&mut finding, executor)? && number >= MAX_TIMELINES {
            finding.timeline = Timeline::default();
        }
        // If the process ends, these results are saved. Meanwhile other findings may have been counted in the group.
        let mut summary = progress.summary();
        let renamed = if finding.unshrunk {
            finding.count = summary.findings[number].count;
            summary.findings[number] = finding.clone();
            Vec::new()
        } else {
            finding.masked = plan.masks_signature(&finding.signature);
            let count = summary.findings[number].count;
            let renamed = summary.settle(number, finding.clone());
            // A mask that names the finding before shrinking does not hide the whole group.
            if plan.masks_signature(&before) {
                summary.mask_seeds(&before, count);
            }
            renamed
        };
        let name = summary.resolve(&finding.signature).clone();
        let group = summary.group(&name).cloned();
        drop(summary);
        renamed.iter().for_each(|(before, after)| observer.renamed(before, after));
        match group {
            Some(group) if !group.is_reported() => observer.masked(&group),
            Some(group) if group.signature == finding.signature => observer.shrunk(&group),
            _ => {}
        }
        Ok(())
    }

    /// Shrinks the scenario of a finding. Returns `false` if the run was interrupted.
    fn shrink_finding(&self, finding: &mut Finding, executor: &mut dyn Executor) -> Result<bool, Failure> {
        let plan = self.plan;
        self.shrinking.handle().begin_seed(finding.seed);
        let mut keep_going = |scenario: &Scenario| self.tries(scenario);
        let Shrunk { scenario, signature, within } = shrink_while(
            executor,
            plan.kind,
            &finding.signature,
            &finding.shrunk,
            Limits::default(),
            &mut keep_going,
        )?;
        finding.shrunk = scenario;
        if !keep_going(&finding.shrunk) {
            return Ok(false);
        }
        // A subject that depends on more than its scenario may not fail again.
        let (timeline, again) = executor.record(plan.kind, &finding.shrunk)?;
        finding.timeline = timeline;
        if again.is_finding() {
            (finding.detail, finding.unwound) = (again.verdict.to_string(), again.unwound);
        }
        (finding.signature, finding.within, finding.unshrunk) = (signature, within, false);
        Ok(true)
    }
}
