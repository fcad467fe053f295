//! Finds a small scenario with the same signature.
//!
//! Shrinking first removes steps, in ever shorter runs, then simplifies each remaining step. It repeats this until
//! nothing changes or the budget is used. The result depends only on the scenario.

use crate::executor::{Executor, Failure};
use crate::outcome::{Limit, Outcome, Signature, Verdict};
use crate::scenario::{Amount, Buffers, Ending, Lengths, Pick, Scenario, Setup, Step};
use crate::subject::SubjectKind;
use ringstorm_core::{Policies, QueueSize, RingIndex};

/// The number of steps that shrinking may execute.
pub const BUDGET: u64 = 4_000_000;
/// Repetitions in a step that together cost as much as one step of the budget. They are faster than steps of their own,
/// and a scenario that needs many of them must still be shrunk.
const REPETITIONS_PER_STEP: u64 = 4;
/// The cost of a process that died, in steps: what could be executed while another process is started.
const RESTART_COST: u64 = 10_000;
/// The cost of a call that does not return, in steps: what could be executed during the timeout.
const TIMEOUT_COST: u64 = 200_000;

/// Shrinks a scenario whose outcome has this signature. `budget` is the number of steps to execute.
///
/// # Errors
/// [`Failure`] if a scenario cannot be run.
pub fn shrink(
    executor: &mut dyn Executor,
    kind: SubjectKind,
    signature: &Signature,
    scenario: &Scenario,
    budget: u64,
) -> Result<Scenario, Failure> {
    shrink_while(executor, kind, signature, scenario, budget, &mut |_| true)
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
    budget: u64,
    keep_going: &mut dyn FnMut(&Scenario) -> bool,
) -> Result<Scenario, Failure> {
    let mut shrinker = Shrinker { executor, kind, signature, best: scenario.clone(), budget, keep_going };
    loop {
        let before = shrinker.best.clone();
        shrinker.remove_end()?;
        shrinker.remove_steps()?;
        shrinker.simplify_setup()?;
        shrinker.simplify_steps()?;
        if shrinker.best == before || shrinker.budget == 0 {
            return Ok(shrinker.best);
        }
    }
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
    signature: &'a Signature,
    best: Scenario,
    budget: u64,
    keep_going: &'a mut dyn FnMut(&Scenario) -> bool,
}

impl Shrinker<'_> {
    /// Runs a scenario, unless `keep_going` stops shrinking.
    fn run(&mut self, scenario: &Scenario) -> Result<Option<Outcome>, Failure> {
        if !(self.keep_going)(scenario) {
            self.budget = 0;
            return Ok(None);
        }
        let outcome = self.executor.run(self.kind, scenario)?;
        self.budget = self.budget.saturating_sub(cost(scenario, &outcome));
        Ok(Some(outcome))
    }

    /// Runs a candidate, and keeps it if it has the same signature. Returns whether it was kept.
    fn accept(&mut self, candidate: Scenario) -> Result<bool, Failure> {
        if self.budget == 0 || candidate == self.best {
            return Ok(false);
        }
        let Some(outcome) = self.run(&candidate)? else { return Ok(false) };
        let same = outcome.is_finding() && outcome.signature(&self.signature.subject) == *self.signature;
        if same {
            self.best = candidate;
        }
        Ok(same)
    }

    /// Removes the steps after the failing one.
    fn remove_end(&mut self) -> Result<(), Failure> {
        let mut candidate = self.best.clone();
        let Some(outcome) = self.run(&candidate)? else { return Ok(()) };
        candidate.steps.truncate(outcome.step + 1);
        self.accept(candidate)?;
        Ok(())
    }

    fn remove_steps(&mut self) -> Result<(), Failure> {
        let mut run = self.best.steps.len().next_power_of_two();
        while run > 0 {
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(run);
                let mut candidate = self.best.clone();
                candidate.steps.drain(start..end);
                let first = candidate.setup.first_index;
                if !self.accept(candidate.clone())? && run == 1 && first.get() != 0 {
                    // A failure at the 16-bit wrap needs a certain number of publications. With one fewer, start one
                    // index later.
                    candidate.setup.first_index = first.advanced(1);
                    self.accept(candidate)?;
                }
                end = start.min(self.best.steps.len());
            }
            run /= 2;
        }
        Ok(())
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
        for exponent in 0..self.best.setup.queue_size.get().trailing_zeros() {
            let size = QueueSize::new(1 << exponent).expect("a power of two");
            let candidate = with(&self.best, &|setup| setup.queue_size = size);
            if self.accept(candidate)? {
                break;
            }
        }
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

    fn simplify_steps(&mut self) -> Result<(), Failure> {
        for at in 0..self.best.steps.len() {
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
            if self.accept(candidate)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Simpler variants of a step, the simplest first. Each is strictly simpler, so shrinking ends.
fn simpler(step: Step) -> Vec<Step> {
    match step {
        Step::Submit { readable, writable } => chains(readable, writable)
            .into_iter()
            .map(|(readable, writable)| Step::Submit { readable, writable })
            .collect(),
        Step::SubmitMany { readable, writable, times } => {
            let simpler = chains(readable, writable);
            let fewer = fewer(times.into()).map(move |times| (readable, writable, times as u16));
            let with = simpler.into_iter().map(move |(readable, writable)| (readable, writable, times));
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(fewer.chain(with).map(|(readable, writable, times)| Step::SubmitMany {
                    readable,
                    writable,
                    times,
                }))
                .collect()
        }
        Step::Rounds { count } => fewer(count).map(|count| Step::Rounds { count }).collect(),
        Step::Prepare { readable, writable } => {
            let simpler = chains(readable, writable);
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(simpler.into_iter().map(|(readable, writable)| Step::Prepare { readable, writable }))
                .collect()
        }
        Step::Write { readable, writable } => {
            let simpler = chains(readable, writable);
            [Step::Submit { readable, writable }]
                .into_iter()
                .chain(simpler.into_iter().map(|(readable, writable)| Step::Write { readable, writable }))
                .collect()
        }
        Step::Collect => vec![Step::Take],
        Step::Read { pick, limit } => {
            let limits = amounts(limit).into_iter().map(move |limit| Step::Read { pick, limit });
            picks(pick).into_iter().map(|pick| Step::Read { pick, limit }).chain(limits).collect()
        }
        Step::Withdraw { pick } => picks(pick).into_iter().map(|pick| Step::Withdraw { pick }).collect(),
        Step::Free { pick } => picks(pick).into_iter().map(|pick| Step::Free { pick }).collect(),
        Step::Misuse { call, head, pick } => {
            picks(pick).into_iter().map(|pick| Step::Misuse { call, head, pick }).collect()
        }
        Step::DeviceTake { count } if count > 1 => vec![Step::DeviceTake { count: 1 }],
        Step::DeviceReturn { pick, written, count, beyond } => {
            let with = |pick, written, count, beyond| Step::DeviceReturn { pick, written, count, beyond };
            let mut steps: Vec<Step> =
                picks(pick).into_iter().map(|pick| with(pick, written, count, beyond)).collect();
            steps.extend(amounts(written).into_iter().map(|written| with(pick, written, count, beyond)));
            if count > 1 {
                steps.push(with(pick, written, 1, beyond));
            }
            if beyond {
                steps.push(with(pick, written, count, false));
            }
            steps
        }
        Step::Fault { fault, pick, value } => {
            let values = [0, 1].into_iter().filter(move |plain| *plain < value);
            picks(pick)
                .into_iter()
                .map(|pick| Step::Fault { fault, pick, value })
                .chain(values.map(|value| Step::Fault { fault, pick, value }))
                .collect()
        }
        Step::DeviceEvent { ahead } if ahead > 0 => {
            vec![Step::DeviceEvent { ahead: 0 }, Step::DeviceEvent { ahead: ahead - 1 }]
        }
        Step::MemoryFails { after } if after > 0 => {
            vec![Step::MemoryFails { after: 0 }, Step::MemoryFails { after: after - 1 }]
        }
        Step::Idle
        | Step::MemoryFails { .. }
        | Step::Publish
        | Step::Take
        | Step::Reset
        | Step::Interrupts { .. }
        | Step::DeviceTake { .. }
        | Step::DeviceEvent { .. }
        | Step::DeviceNotifications { .. }
        | Step::Settle => Vec::new(),
    }
}

/// Smaller numbers, at least 1: the smallest first, then ever closer to `number`. So a number that must stay above a limit
/// comes close to it in a few steps.
fn fewer(number: u32) -> impl Iterator<Item = u32> {
    let closer = (1..u32::BITS).map(move |shift| number - (number >> shift)).filter(|fewer| *fewer > 2);
    let fewer = [1, 2].into_iter().chain(closer).chain([number.saturating_sub(1)]);
    fewer.filter(move |fewer| (1..number).contains(fewer))
}

fn picks(pick: Pick) -> Vec<Pick> {
    [Pick::NEWEST, Pick::OLDEST, Pick(2)].into_iter().filter(|plain| plain.0 < pick.0).collect()
}

fn amounts(amount: Amount) -> Vec<Amount> {
    match amount {
        Amount::Full => Vec::new(),
        Amount::Bytes(bytes) => {
            let fewer = [0, 1].into_iter().filter(|fewer| *fewer < bytes).map(Amount::Bytes);
            [Amount::Full].into_iter().chain(fewer).collect()
        }
    }
}

fn chains(readable: Buffers, writable: Buffers) -> Vec<(Buffers, Buffers)> {
    let readables = buffers(readable).into_iter().map(move |readable| (readable, writable));
    readables.chain(buffers(writable).into_iter().map(|writable| (readable, writable))).collect()
}

fn buffers(buffers: Buffers) -> Vec<Buffers> {
    let Buffers { count, lengths } = buffers;
    let mut simpler = Vec::new();
    let mut fewer = vec![0, 1, 2, count / 2, count.saturating_sub(1)];
    fewer.sort_unstable();
    fewer.dedup();
    for count in fewer.into_iter().filter(|fewer| *fewer < count) {
        simpler.push(if count == 0 { Buffers::NONE } else { Buffers { count, lengths } });
    }
    if let Lengths::Cycle { from, to } = lengths {
        for length in [1, from] {
            if count > 0 && (length, length) < (from, to) {
                simpler.push(Buffers::of(count, length));
            }
        }
    } else if count > 0 {
        simpler.push(Buffers::of(count, 1));
    }
    simpler
}
