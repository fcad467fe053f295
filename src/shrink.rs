//! Finds a small scenario with the same finding.
//!
//! The verdict and the failing call stay the same. The faults do not: a fault that the finding does not need is removed.
//! Shrinking first removes the steps after the failing one, and all faults, or all but one kind. Then it removes steps, in
//! ever shorter runs, and simplifies the setup and each remaining step. It repeats this until nothing changes or a limit is reached. The result depends
//! only on the scenario, unless the limit of time ends shrinking.

mod simpler;
mod smaller_queue;

use crate::executor::{Executor, Failure};
use crate::outcome::{Limit, Outcome, Signature, Verdict};
use crate::scenario::{Ending, Scenario, Setup, Step};
use crate::subject::SubjectKind;
use ringstorm_core::{Policies, QueueSize, RingIndex};
use ringstorm_sim_device::Fault;
pub(crate) use simpler::severity;
use simpler::simpler;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Repetitions in a step that together cost as much as one step of the budget. They are faster than steps of their own,
/// and a scenario that needs many of them must still be shrunk.
const REPETITIONS_PER_STEP: u64 = 4;
/// The cost of a process that died, in steps: what could be executed while another process is started.
const RESTART_COST: u64 = 10_000;
/// The cost of a call that does not return, in steps: what could be executed during the timeout.
const TIMEOUT_COST: u64 = 200_000;
/// How many steps can be copied in the time in which one is executed.
const COPIES_PER_STEP: u64 = 16;

/// When shrinking ends, at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of steps to execute.
    pub steps: u64,
    /// The duration. It is meant for slow subjects; usually the number of steps ends shrinking long before.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 4_000_000, time: Duration::from_secs(60) }
    }
}

/// The smallest scenario that shrinking found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// The scenario.
    pub scenario: Scenario,
    /// The signature of its finding.
    pub signature: Signature,
    /// The other findings that the scenario shows if a part of it is missing or simpler. They are likely to have the
    /// same cause.
    pub within: BTreeSet<Signature>,
}

/// Shrinks a scenario whose outcome has this signature.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn shrink(
    executor: &mut dyn Executor,
    kind: SubjectKind,
    signature: &Signature,
    scenario: &Scenario,
    limits: Limits,
) -> Result<Shrunk, Failure> {
    shrink_while(executor, kind, signature, scenario, limits, &mut |_| true)
}

/// Like [`shrink`], but calls `keep_going` with each scenario before running it, and stops with the best result when
/// `keep_going` returns `false`.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn shrink_while(
    executor: &mut dyn Executor,
    kind: SubjectKind,
    signature: &Signature,
    scenario: &Scenario,
    limits: Limits,
    keep_going: &mut dyn FnMut(&Scenario) -> bool,
) -> Result<Shrunk, Failure> {
    let mut shrinker = Shrinker::new(executor, kind, signature, scenario, limits, keep_going);
    loop {
        let before = shrinker.best.clone();
        shrinker.remove_end()?;
        shrinker.remove_faults()?;
        shrinker.remove_steps()?;
        shrinker.remove_lives()?;
        shrinker.simplify_setup()?;
        shrinker.simplify_steps()?;
        if shrinker.best == before || shrinker.is_over() {
            return Ok(shrinker.shrunk());
        }
    }
}

/// Removes all faults from a scenario whose outcome has this signature, or all faults but one kind, if the finding stays
/// the same. This takes a few executions, and shows which fault the finding needs.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub(crate) fn without_needless_faults(
    executor: &mut dyn Executor,
    kind: SubjectKind,
    signature: &Signature,
    scenario: &Scenario,
    keep_going: &mut dyn FnMut(&Scenario) -> bool,
) -> Result<Shrunk, Failure> {
    let mut shrinker = Shrinker::new(executor, kind, signature, scenario, Limits::default(), keep_going);
    shrinker.remove_faults()?;
    Ok(shrinker.shrunk())
}

/// The cost of an execution, in steps of the budget.
fn cost(scenario: &Scenario, outcome: &Outcome) -> u64 {
    match outcome.verdict {
        Verdict::Died(_) => RESTART_COST,
        Verdict::Stuck(Limit::Time) => TIMEOUT_COST,
        Verdict::Pass | Verdict::Violation(_) | Verdict::Panic(_) | Verdict::Stuck(Limit::Accesses) => {
            let executed = scenario.steps.iter().take(outcome.step.saturating_add(1));
            let repetitions: u64 = executed.map(|step| u64::from(step.repetitions())).sum();
            outcome.steps.max(1).saturating_add(repetitions / REPETITIONS_PER_STEP)
        }
    }
}

struct Shrinker<'a> {
    executor: &'a mut dyn Executor,
    kind: SubjectKind,
    /// The signature of the best scenario so far.
    signature: Signature,
    best: Scenario,
    /// The other findings of the best scenario if a part of it is missing or simpler.
    within: BTreeSet<Signature>,
    /// The number of steps that may still be executed.
    budget: u64,
    end: Option<Instant>,
    keep_going: &'a mut dyn FnMut(&Scenario) -> bool,
}

impl<'a> Shrinker<'a> {
    fn new(
        executor: &'a mut dyn Executor,
        kind: SubjectKind,
        signature: &Signature,
        scenario: &Scenario,
        limits: Limits,
        keep_going: &'a mut dyn FnMut(&Scenario) -> bool,
    ) -> Self {
        let end = Instant::now().checked_add(limits.time);
        let (signature, best, within) = (signature.clone(), scenario.clone(), BTreeSet::new());
        Self { executor, kind, signature, best, within, budget: limits.steps, end, keep_going }
    }

    fn shrunk(self) -> Shrunk {
        Shrunk { scenario: self.best, signature: self.signature, within: self.within }
    }

    /// Whether a limit is reached. Then nothing is tried any more.
    fn is_over(&self) -> bool {
        self.budget == 0
    }

    /// Runs a scenario, unless `keep_going` or a limit ends shrinking.
    fn run(&mut self, scenario: &Scenario) -> Result<Option<Outcome>, Failure> {
        let late = self.end.is_some_and(|end| Instant::now() >= end);
        if self.is_over() || late || !(self.keep_going)(scenario) {
            self.budget = 0;
            return Ok(None);
        }
        let outcome = self.executor.run(self.kind, scenario)?;
        let copied = self.best.steps.len() as u64 / COPIES_PER_STEP;
        self.budget = self.budget.saturating_sub(cost(scenario, &outcome).max(copied));
        Ok(Some(outcome))
    }

    /// Runs a candidate, and keeps it if it has the same finding, with any fault. Returns whether it was kept.
    fn accept(&mut self, candidate: Scenario) -> Result<bool, Failure> {
        self.accept_or_note(candidate, false)
    }

    /// Like [`accept`](Self::accept), for a candidate that only lacks steps or has a simpler argument: a different finding
    /// is noted.
    fn accept_part(&mut self, candidate: Scenario) -> Result<bool, Failure> {
        self.accept_or_note(candidate, true)
    }

    fn accept_or_note(&mut self, candidate: Scenario, is_part: bool) -> Result<bool, Failure> {
        if self.is_over() || candidate == self.best {
            return Ok(false);
        }
        let Some(outcome) = self.run(&candidate)? else { return Ok(false) };
        if !outcome.is_finding() {
            return Ok(false);
        }
        let signature = outcome.signature(&self.signature.subject);
        let same = signature.is_same_failure(&self.signature);
        if same {
            (self.best, self.signature) = (candidate, signature);
            self.within.clear();
        } else if is_part {
            self.within.insert(signature);
        }
        Ok(same)
    }

    /// Accepts the best scenario without the steps that are not `kept`.
    fn keep_steps(&mut self, kept: impl Fn(&Step) -> bool) -> Result<bool, Failure> {
        let mut candidate = self.best.clone();
        candidate.steps.retain(kept);
        self.accept_part(candidate)
    }

    /// Removes all faults, or all but one kind.
    fn remove_faults(&mut self) -> Result<(), Failure> {
        let kinds = self.best.steps.iter().filter_map(fault_of).map(|fault| (severity(fault), fault));
        let kinds: BTreeMap<_, Fault> = kinds.collect();
        if kinds.is_empty() || self.keep_steps(|step| fault_of(step).is_none())? || kinds.len() == 1 {
            return Ok(());
        }
        for kept in kinds.into_values() {
            if self.keep_steps(|step| fault_of(step).is_none_or(|fault| fault == kept))? {
                break;
            }
        }
        Ok(())
    }

    /// Removes the steps after the failing one.
    fn remove_end(&mut self) -> Result<(), Failure> {
        let mut candidate = self.best.clone();
        let Some(outcome) = self.run(&candidate)? else { return Ok(()) };
        candidate.steps.truncate(outcome.step + 1);
        self.accept(candidate)?;
        Ok(())
    }

    /// Removes runs of steps, the longest first.
    fn remove_steps(&mut self) -> Result<(), Failure> {
        let mut run = self.best.steps.len().next_power_of_two();
        while run > 0 {
            let mut end = self.best.steps.len();
            while end > 0 && !self.is_over() {
                let start = end.saturating_sub(run);
                self.remove(&(start..end).collect::<Vec<usize>>())?;
                end = start.min(self.best.steps.len());
            }
            run /= 2;
        }
        Ok(())
    }

    /// Removes chains, each with the next steps that return it, take it and free it.
    fn remove_lives(&mut self) -> Result<(), Failure> {
        let mut start = self.best.steps.len();
        while start > 0 && !self.is_over() {
            start -= 1;
            if self.best.steps.get(start).is_some_and(submits) {
                let life = life_of_chain(&self.best.steps, start);
                // A chain need not be freed, taken or returned.
                for length in (2..=life.len()).rev() {
                    if self.remove(&life[..length])? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the steps at these places, in ascending order.
    ///
    /// A failure at the 16-bit wrap needs a certain number of chains. If fewer do not fail, this raises the first index by
    /// the number of chains that were removed.
    fn remove(&mut self, places: &[usize]) -> Result<bool, Failure> {
        let mut candidate = self.best.clone();
        let (mut place, mut chains) = (0, 0);
        candidate.steps.retain(|step| {
            let removed = places.binary_search(&place).is_ok();
            place += 1;
            chains += u16::from(removed && submits(step));
            !removed
        });
        let reaches_wrap = usize::from(u16::MAX - self.best.setup.first_index.get()) < self.best.steps.len();
        if self.accept_part(candidate.clone())? {
            return Ok(true);
        }
        let mut raised = vec![chains, 1];
        raised.dedup();
        for raise in raised.into_iter().filter(|raise| reaches_wrap && *raise > 0) {
            candidate.setup.first_index = self.best.setup.first_index.advanced(raise);
            if self.accept(candidate.clone())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn simplify_setup(&mut self) -> Result<(), Failure> {
        let with = |best: &Scenario, change: &dyn Fn(&mut Setup)| {
            let mut candidate = best.clone();
            change(&mut candidate.setup);
            candidate
        };
        let candidate = with(&self.best, &|setup| setup.policies = Policies::default());
        self.accept(candidate)?;
        let candidate = with(&self.best, &|setup| setup.ending = Ending::Released);
        self.accept(candidate)?;
        let candidate = with(&self.best, &|setup| setup.first_index = RingIndex::new(0));
        self.accept(candidate)?;
        let candidate = with(&self.best, &|setup| setup.event_index = false);
        self.accept(candidate)?;
        self.simplify_queue_size()?;
        for size in [1, 8, 64] {
            if size < self.best.setup.buffer_size {
                let candidate = with(&self.best, &|setup| setup.buffer_size = size);
                if self.accept(candidate)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Makes the queue smaller, and its chains with it.
    fn simplify_queue_size(&mut self) -> Result<(), Failure> {
        for exponent in 0..self.best.setup.queue_size.get().trailing_zeros() {
            let size = QueueSize::new(1 << exponent).expect("a power of two");
            for candidate in smaller_queue::variants(&self.best, size) {
                if self.accept(candidate)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn simplify_steps(&mut self) -> Result<(), Failure> {
        for at in 0..self.best.steps.len() {
            if self.is_over() {
                break;
            }
            // The simpler step has simpler candidates of its own.
            while self.simplify_step(at)? {}
        }
        Ok(())
    }

    /// Replaces a step with its simplest variant that keeps the signature. Returns whether there was one.
    fn simplify_step(&mut self, at: usize) -> Result<bool, Failure> {
        for simpler in simpler(self.best.steps[at]) {
            let mut candidate = self.best.clone();
            candidate.steps[at] = simpler;
            if self.accept_or_note(candidate, is_like(self.best.steps[at], simpler))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether two steps differ only in their arguments.
fn is_like(step: Step, other: Step) -> bool {
    std::mem::discriminant(&step) == std::mem::discriminant(&other) && fault_of(&step) == fault_of(&other)
}

/// The fault of a step that is a fault.
const fn fault_of(step: &Step) -> Option<Fault> {
    match step {
        Step::Fault { fault, .. } => Some(*fault),
        _ => None,
    }
}

/// Whether the step submits a chain.
const fn submits(step: &Step) -> bool {
    matches!(step, Step::Submit { .. } | Step::SubmitMany { .. } | Step::Prepare { .. } | Step::Write { .. })
}

/// The places of a submission and of the next steps that return, take and free a chain.
fn life_of_chain(steps: &[Step], submission: usize) -> Vec<usize> {
    let stages: [fn(&Step) -> bool; 3] = [
        |step| matches!(step, Step::DeviceReturn { .. }),
        |step| matches!(step, Step::Take | Step::Collect),
        |step| matches!(step, Step::Free { .. }),
    ];
    let mut life = vec![submission];
    for stage in stages {
        let from = life[life.len() - 1] + 1;
        let Some(next) = steps[from..].iter().position(stage) else { break };
        life.push(from + next);
    }
    life
}
