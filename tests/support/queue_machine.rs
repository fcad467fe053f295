//! A state machine for proptest: a reference of the queue, the steps that it makes likely, and the rig that executes them.
//!
//! The reference counts the chains and their descriptors on its own. With an honest device the counts are exact, and the model
//! in the rig must agree. After a fault they are estimates until a reset or a drain. The reference only weights the steps and
//! forbids none, so that any part of a scenario is a scenario. Shrinking needs that.

use super::quiet::quietly;
use super::step_strategy::{acceptable, setups, steps};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, Sequential, StateMachineTest};
use ringstorm::execution::{Rig, Stop};
use ringstorm::scenario::{Buffers, Op, Pick, Scenario, Setup, Step};
use ringstorm::subject::SubjectKind;
use ringstorm_core::AfterFault;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// The default number of steps of a case.
pub const CASE_STEPS: RangeInclusive<usize> = 1..=64;

/// The strategy that generates cases.
pub type Sequence = Sequential<QueueReference, Step, BoxedStrategy<QueueReference>, BoxedStrategy<Step>>;

/// The state of the queue as the steps so far imply it. A chain is represented by its number of descriptors.
#[derive(Clone)]
pub struct QueueReference {
    kind: SubjectKind,
    /// The setup of the queue.
    pub setup: Setup,
    steps: Vec<Step>,
    /// Whether the scenario may contain faults.
    hostile: bool,
    prepared: VecDeque<u32>,
    available: VecDeque<u32>,
    at_device: VecDeque<u32>,
    used: VecDeque<u32>,
    returned: VecDeque<u32>,
    /// Chains made since no chain was live.
    made: u32,
    /// The counts are exact: there was no fault since the last reset or drain.
    exact: bool,
    /// Memory may fail, or has failed, since the last drain. It may interrupt a reset, so a reset does not make counts exact.
    fails: bool,
    /// The queue probably waits for a reset.
    broken: bool,
}

impl fmt::Debug for QueueReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt(f)
    }
}

impl QueueReference {
    /// The reference of a new queue.
    pub fn new(kind: SubjectKind, setup: Setup, hostile: bool) -> Self {
        let none = VecDeque::new;
        Self {
            kind,
            setup,
            steps: Vec::new(),
            hostile,
            prepared: none(),
            available: none(),
            at_device: none(),
            used: none(),
            returned: none(),
            made: 0,
            exact: true,
            fails: false,
            broken: false,
        }
    }

    /// Any setup, honest or hostile.
    pub fn any(kind: SubjectKind) -> BoxedStrategy<Self> {
        let new = move |(setup, hostile)| Self::new(kind, setup, hostile);
        (setups(), any::<bool>()).prop_map(new).boxed()
    }

    fn scenario(&self) -> Scenario {
        Scenario { setup: self.setup, steps: self.steps.clone() }
    }

    /// Ends the case.
    fn fail<F: OnFailure>(&self, what: &str) -> ! {
        F::fail(self.kind, &self.scenario(), what)
    }

    fn chains(&self) -> impl Iterator<Item = u32> {
        let Self { prepared, available, at_device, used, returned, .. } = self;
        [prepared, available, at_device, used, returned].into_iter().flatten().copied()
    }

    fn descriptors(&self) -> u32 {
        self.chains().sum()
    }

    fn free(&self) -> u32 {
        u32::from(self.setup.queue_size.get()) - self.descriptors()
    }

    /// The weight of an operation: high if it probably has an effect.
    fn weight(&self, op: Op) -> u32 {
        let (has_work, usual) = match op {
            Op::Idle => (false, 1),
            Op::Write if !self.kind.capabilities().write_in_place => return 0,
            Op::Submit => (self.free() > 0 && !self.broken, 30),
            Op::SubmitMany | Op::Rounds => (self.free() > 0 && !self.broken, 3),
            Op::Prepare | Op::Write => (self.free() > 0 && !self.broken, 15),
            Op::Publish => (!self.prepared.is_empty() && !self.broken, 20),
            Op::Take | Op::Collect => (!self.used.is_empty() && !self.broken || self.may_report_fault(), 15),
            Op::Read => (!self.returned.is_empty(), 15),
            Op::Withdraw => (!self.prepared.is_empty(), 5),
            Op::Free => (!self.returned.is_empty(), 30),
            Op::Reset => (self.broken, 60),
            Op::Misuse => (true, 10),
            Op::Interrupts | Op::DeviceNotifications | Op::DeviceEvent => (true, 3),
            // Core does not offer these.
            Op::DelayInterrupts | Op::TakeBack | Op::InterruptArrives => return 0,
            Op::MemoryFails => return if self.hostile { 2 } else { 0 },
            Op::DeviceTake => (!self.available.is_empty(), 30),
            Op::DeviceReturn => (!self.at_device.is_empty(), 30),
            Op::Fault => return if self.hostile { 15 } else { 0 },
            Op::Settle => (self.made > 0, 2),
        };
        if has_work { usual } else { 1 }
    }

    fn may_report_fault(&self) -> bool {
        !self.exact && !self.broken
    }

    fn make(&mut self, readable: Buffers, writable: Buffers, publish: bool) {
        if !self.broken && acceptable(readable, writable, &self.setup, self.free()) {
            self.prepared.push_back(readable.count + writable.count);
            if publish {
                self.available.append(&mut self.prepared);
            }
        }
        self.made += 1;
    }

    /// Takes `count` chains from the available ring.
    fn device_take(&mut self, count: usize) {
        let count = self.available.len().min(count);
        self.at_device.extend(self.available.drain(..count));
    }

    /// Returns a chain as the simulated device does. Returns whether there was one.
    fn device_return(&mut self, pick: Pick) -> bool {
        let Some(position) = pick.of(self.at_device.len()) else { return false };
        let chain = match position {
            0 => self.at_device.pop_front(),
            // The newest chain takes its place, as in the simulated device.
            _ => self.at_device.swap_remove_back(position),
        };
        self.used.extend(chain);
        true
    }

    fn round_trips(&mut self, count: u32) {
        for _ in 0..count {
            let before = self.chains().count();
            self.make(Buffers::NONE, Buffers::of(1, 1), true);
            if self.chains().count() == before {
                return;
            }
            self.device_take(1);
            let returned = self.device_return(Pick::NEWEST);
            self.take(1);
            self.returned.pop_back();
            if !returned {
                return;
            }
        }
    }

    fn take(&mut self, most: usize) {
        let count = self.used.len().min(most);
        self.returned.extend(self.used.drain(..count));
        self.broken |= self.may_report_fault() && self.setup.policies.after_fault == AfterFault::Broken;
    }
}

impl ReferenceStateMachine for QueueReference {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Self::any(SubjectKind::Core)
    }

    fn transitions(reference: &Self) -> BoxedStrategy<Step> {
        steps(&reference.setup, reference.free(), |op| reference.weight(op))
    }

    fn apply(mut reference: Self, step: &Step) -> Self {
        reference.steps.push(*step);
        match *step {
            Step::Submit { readable, writable } | Step::Write { readable, writable } => {
                reference.make(readable, writable, true);
            }
            Step::Prepare { readable, writable } => reference.make(readable, writable, false),
            Step::Publish => reference.available.append(&mut reference.prepared),
            Step::Take => reference.take(1),
            Step::Collect => reference.take(usize::MAX),
            Step::Free { pick } => {
                pick.of(reference.returned.len()).and_then(|position| reference.returned.remove(position));
            }
            Step::Withdraw { pick } => {
                pick.of(reference.prepared.len()).and_then(|position| reference.prepared.remove(position));
            }
            Step::SubmitMany { readable, writable, times } => {
                let most = reference.made + u32::from(times);
                for _ in 0..times {
                    let before = reference.chains().count();
                    reference.make(readable, writable, true);
                    if reference.chains().count() == before {
                        break;
                    }
                }
                // The queue may have accepted more than the estimate.
                reference.made = most;
            }
            Step::Rounds { count } => {
                let most = reference.made + count;
                reference.round_trips(count);
                reference.made = most;
            }
            Step::DeviceTake { count } => reference.device_take(count.into()),
            Step::DeviceReturn { pick, count, .. } => {
                for _ in 0..count {
                    if !reference.device_return(pick) {
                        break;
                    }
                }
            }
            Step::Fault { .. } => reference.exact = false,
            Step::MemoryFails { .. } => (reference.exact, reference.fails) = (false, true),
            Step::Reset if reference.fails => reference.broken = false,
            Step::Reset | Step::Settle => {
                let steps = std::mem::take(&mut reference.steps);
                reference = Self { steps, ..Self::new(reference.kind, reference.setup, reference.hostile) };
            }
            Step::Idle
            | Step::Read { .. }
            | Step::Misuse { .. }
            | Step::Interrupts { .. }
            | Step::DelayInterrupts
            | Step::InterruptArrives
            | Step::TakeBack { .. }
            | Step::DeviceEvent { .. }
            | Step::DeviceNotifications { .. } => {}
        }
        reference
    }
}

/// Cases that begin with a state of `begin`. [`ReferenceStateMachine::sequential_strategy`] does the same without a choice of
/// the first state.
pub fn cases<F>(steps: RangeInclusive<usize>, begin: F) -> Sequence
where
    F: Fn() -> BoxedStrategy<QueueReference> + Send + Sync + 'static,
{
    Sequential::new(
        steps.into(),
        begin,
        QueueReference::preconditions,
        QueueReference::transitions,
        QueueReference::apply,
    )
}

/// The report of a failing case.
pub trait OnFailure {
    /// Ends the case by a panic.
    fn fail(kind: SubjectKind, scenario: &Scenario, what: &str) -> !;
}

thread_local! {
    /// The rig of a case that passed, for the next case.
    static SPARE: Cell<Option<Rig>> = const { Cell::new(None) };
}

/// The test: a rig executes the steps, and is compared with the reference.
pub struct QueueTest<F>(PhantomData<F>);

impl<F: OnFailure> StateMachineTest for QueueTest<F> {
    type SystemUnderTest = Rig;
    type Reference = QueueReference;

    fn init_test(reference: &QueueReference) -> Rig {
        let mut rig = SPARE.take().unwrap_or_else(|| Rig::new().expect("there is memory"));
        guard::<F>(reference, || rig.begin(reference.kind, &reference.setup).expect("there is memory"));
        rig
    }

    fn apply(mut rig: Rig, reference: &QueueReference, step: Step) -> Rig {
        guard::<F>(reference, || rig.step(&step));
        rig
    }

    fn check_invariants(rig: &Rig, reference: &QueueReference) {
        let model = rig.model();
        let (size, live) = (reference.setup.queue_size.get(), model.live_chains());
        let owned = (0..size).filter(|index| model.owner(*index).is_some()).count() as u32;
        let check = |holds: bool, what: &str| {
            if !holds {
                let (chains, descriptors) = (reference.chains().count(), reference.descriptors());
                let message = format!(
                    "{what}\n  the model: {live} chains of {owned} descriptors, broken: {}\n  \
                     the reference: {chains} chains of {descriptors} descriptors, exact: {}, {} made",
                    model.is_broken(),
                    reference.exact,
                    reference.made,
                );
                reference.fail::<F>(&message);
            }
        };
        check(live <= owned, "expected at least one descriptor for each live chain");
        check(live <= reference.made, "expected no more live chains than were made");
        check(
            !reference.exact || !model.is_broken(),
            "expected a queue that is not broken, since the device is honest",
        );
        check(
            !reference.exact || live == reference.chains().count() as u32,
            "expected the reference's number of chains",
        );
        check(
            !reference.exact || owned == reference.descriptors(),
            "expected the reference's number of descriptors",
        );
        let empty = match reference.steps.last() {
            Some(Step::Reset) => !rig.memory_failed_in_last_step(),
            last => last == Some(&Step::Settle),
        };
        check(!empty || owned == 0 && live == 0, "expected no live chain after a reset or a drain");
    }

    fn teardown(mut rig: Rig, reference: QueueReference) {
        guard::<F>(&reference, || rig.finish());
        SPARE.set(Some(rig));
    }
}

/// Calls `act`, and reports the scenario if the execution ends or `act` panics.
fn guard<F: OnFailure>(reference: &QueueReference, act: impl FnOnce() -> Result<(), Stop>) {
    match quietly(act) {
        Ok(Ok(())) => {}
        Ok(Err(Stop::Violation(violation))) => reference.fail::<F>(&violation.to_string()),
        Err(panic) => reference.fail::<F>(&format!("panic: {panic}")),
    }
}
