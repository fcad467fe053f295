//! A state machine for proptest: books of a queue, the steps that they make likely, and the rig that does them.
//!
//! The reference keeps books of its own: which chains there are and how many descriptors they have. While the
//! device is honest they are exact, and the rig and its model must agree with them; a fault makes them a guess,
//! until a reset or a settling. Steps are weighted by them, and none is forbidden: so any part of a scenario
//! is a scenario, which is what shrinking needs.

use super::quiet::quietly;
use super::step_strategy::{acceptable, setups, steps};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, Sequential, StateMachineTest};
use ringstorm::execution::{Rig, Stop};
use ringstorm::scenario::{Buffers, Op, Scenario, Setup, Step};
use ringstorm::subject::SubjectKind;
use ringstorm_core::AfterFault;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// Steps of a case, unless somebody wants others.
pub const CASE_STEPS: RangeInclusive<usize> = 1..=64;

/// Cases, to be drawn from.
pub type Sequence = Sequential<Books, Step, BoxedStrategy<Books>, BoxedStrategy<Step>>;

/// What is known of the queue without asking it. Each chain is the number of its descriptors.
#[derive(Clone)]
pub struct Books {
    kind: SubjectKind,
    /// What it is made from.
    pub setup: Setup,
    steps: Vec<Step>,
    /// Whether the device misbehaves in this scenario at all.
    hostile: bool,
    prepared: VecDeque<u32>,
    available: VecDeque<u32>,
    held: VecDeque<u32>,
    used: VecDeque<u32>,
    returned: VecDeque<u32>,
    /// Chains made since all were last home.
    made: u32,
    /// No fault since all chains were last home: the books are exact.
    exact: bool,
    /// Memory may fail, or has failed, since the last settling: a reset may be what it cuts short, and then nothing is known.
    fails: bool,
    /// The queue probably waits for a reset.
    broken: bool,
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt(f)
    }
}

impl Books {
    /// Books of a queue that was just made.
    pub fn new(kind: SubjectKind, setup: Setup, hostile: bool) -> Self {
        let none = VecDeque::new;
        Self {
            kind,
            setup,
            steps: Vec::new(),
            hostile,
            prepared: none(),
            available: none(),
            held: none(),
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
    fn fail<F: Failing>(&self, what: &str) -> ! {
        F::fail(self.kind, &self.scenario(), what)
    }

    fn chains(&self) -> impl Iterator<Item = u32> {
        let Self { prepared, available, held, used, returned, .. } = self;
        [prepared, available, held, used, returned].into_iter().flatten().copied()
    }

    fn descriptors(&self) -> u32 {
        self.chains().sum()
    }

    fn free(&self) -> u32 {
        u32::from(self.setup.queue_size.get()) - self.descriptors()
    }

    /// How often an operation is drawn: often if it probably finds something to do.
    fn weight(&self, op: Op) -> u32 {
        let (has_work, usual) = match op {
            Op::Idle => (false, 1),
            Op::Write if !self.kind.capabilities().write_in_place => return 0,
            Op::Submit => (self.free() > 0 && !self.broken, 30),
            Op::Prepare | Op::Write => (self.free() > 0 && !self.broken, 15),
            Op::Publish => (!self.prepared.is_empty() && !self.broken, 20),
            Op::Take | Op::Collect => (!self.used.is_empty() && !self.broken || self.mistrusted(), 15),
            Op::Read => (!self.returned.is_empty(), 15),
            Op::Withdraw => (!self.prepared.is_empty(), 5),
            Op::Free => (!self.returned.is_empty(), 30),
            Op::Reset => (self.broken, 60),
            Op::Misuse => (true, 10),
            Op::Interrupts | Op::DeviceNotifications | Op::DeviceEvent => (true, 3),
            Op::MemoryFails => return if self.hostile { 2 } else { 0 },
            Op::DeviceTake => (!self.available.is_empty(), 30),
            Op::DeviceReturn => (!self.held.is_empty(), 30),
            Op::Fault => return if self.hostile { 15 } else { 0 },
            Op::Settle => (self.made > 0, 2),
        };
        if has_work { usual } else { 1 }
    }

    fn mistrusted(&self) -> bool {
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

    fn take(&mut self, most: usize) {
        let count = self.used.len().min(most);
        self.returned.extend(self.used.drain(..count));
        self.broken |= self.mistrusted() && self.setup.policies.after_fault == AfterFault::Broken;
    }
}

impl ReferenceStateMachine for Books {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Self::any(SubjectKind::Core)
    }

    fn transitions(books: &Self) -> BoxedStrategy<Step> {
        steps(&books.setup, books.free(), |op| books.weight(op))
    }

    fn apply(mut books: Self, step: &Step) -> Self {
        books.steps.push(*step);
        match *step {
            Step::Submit { readable, writable } | Step::Write { readable, writable } => {
                books.make(readable, writable, true);
            }
            Step::Prepare { readable, writable } => books.make(readable, writable, false),
            Step::Publish => books.available.append(&mut books.prepared),
            Step::Take => books.take(1),
            Step::Collect => books.take(usize::MAX),
            Step::Free { pick } => {
                pick.of(books.returned.len()).and_then(|position| books.returned.remove(position));
            }
            Step::Withdraw { pick } => {
                pick.of(books.prepared.len()).and_then(|position| books.prepared.remove(position));
            }
            Step::DeviceTake { count } => {
                let count = books.available.len().min(count.into());
                books.held.extend(books.available.drain(..count));
            }
            Step::DeviceReturn { pick, count, .. } => {
                for _ in 0..count {
                    let Some(position) = pick.of(books.held.len()) else { break };
                    let chain = match position {
                        0 => books.held.pop_front(),
                        // The newest takes its place, as in the device.
                        _ => books.held.swap_remove_back(position),
                    };
                    books.used.extend(chain);
                }
            }
            Step::Fault { .. } => books.exact = false,
            Step::MemoryFails { .. } => (books.exact, books.fails) = (false, true),
            Step::Reset if books.fails => books.broken = false,
            Step::Reset | Step::Settle => {
                let steps = std::mem::take(&mut books.steps);
                books = Self { steps, ..Self::new(books.kind, books.setup, books.hostile) };
            }
            Step::Idle
            | Step::Read { .. }
            | Step::Misuse { .. }
            | Step::Interrupts { .. }
            | Step::DeviceEvent { .. }
            | Step::DeviceNotifications { .. } => {}
        }
        books
    }
}

/// Cases that begin as `begin` says: what [`ReferenceStateMachine::sequential_strategy`] makes, which takes no
/// beginning.
pub fn cases<F>(steps: RangeInclusive<usize>, begin: F) -> Sequence
where
    F: Fn() -> BoxedStrategy<Books> + Send + Sync + 'static,
{
    Sequential::new(steps.into(), begin, Books::preconditions, Books::transitions, Books::apply)
}

/// What becomes of a failure.
pub trait Failing {
    /// Ends the case by a panic.
    fn fail(kind: SubjectKind, scenario: &Scenario, what: &str) -> !;
}

thread_local! {
    /// A rig of a case that passed. As everywhere, its memory is used again.
    static SPARE: Cell<Option<Rig>> = const { Cell::new(None) };
}

/// The rig beside the books.
pub struct QueueTest<F>(PhantomData<F>);

impl<F: Failing> StateMachineTest for QueueTest<F> {
    type SystemUnderTest = Rig;
    type Reference = Books;

    fn init_test(books: &Books) -> Rig {
        let mut rig = SPARE.take().unwrap_or_else(|| Rig::new().expect("there is memory"));
        guard::<F>(books, || rig.begin(books.kind, &books.setup).expect("there is memory"));
        rig
    }

    fn apply(mut rig: Rig, books: &Books, step: Step) -> Rig {
        guard::<F>(books, || rig.step(&step));
        rig
    }

    fn check_invariants(rig: &Rig, books: &Books) {
        let model = rig.model();
        let (size, live) = (books.setup.queue_size.get(), model.live_chains());
        let owned = (0..size).filter(|index| model.owner(*index).is_some()).count() as u32;
        let check = |holds: bool, what: &str| {
            if !holds {
                let (chains, descriptors) = (books.chains().count(), books.descriptors());
                let told = format!(
                    "{what}\n  the model: {live} chains of {owned} descriptors, broken: {}\n  \
                     the books: {chains} chains of {descriptors} descriptors, exact: {}, {} made",
                    model.is_broken(),
                    books.exact,
                    books.made,
                );
                books.fail::<F>(&told);
            }
        };
        check(live <= owned, "every chain has a descriptor of its own");
        check(live <= books.made, "no chain comes from nothing");
        check(!books.exact || !model.is_broken(), "no queue breaks under an honest device");
        check(!books.exact || live == books.chains().count() as u32, "all chains are accounted for");
        check(!books.exact || owned == books.descriptors(), "all descriptors are accounted for");
        let home = match books.steps.last() {
            Some(Step::Reset) => !rig.memory_failed_in_last_step(),
            last => last == Some(&Step::Settle),
        };
        check(!home || owned == 0 && live == 0, "reset and settling bring everything home");
    }

    fn teardown(mut rig: Rig, books: Books) {
        guard::<F>(&books, || rig.finish());
        SPARE.set(Some(rig));
    }
}

/// Does something with the rig, and fails with the scenario if that stops or panics.
fn guard<F: Failing>(books: &Books, act: impl FnOnce() -> Result<(), Stop>) {
    match quietly(act) {
        Ok(Ok(())) => {}
        Ok(Err(stop)) => books.fail::<F>(&format!("stopped: {stop:?}")),
        Err(panic) => books.fail::<F>(&format!("panicked: {panic}")),
    }
}
