//! The queue under steps that proptest generates and shrinks, judged by the model after each.
//!
//! A run of 96 cases takes about a second in a debug build. `PROPTEST_CASES=20000 cargo test --release --test
//! state_machine_queue` makes it a long one. What fails is shrunk, printed as a scenario, and kept as a .storm
//! file under `target/tmp`, with the command that replays it; `ringstorm shrink` can make it smaller still.
//!
//! The reference keeps books of its own: which chains there are and how many descriptors they have. While the
//! device is honest they are exact, and the rig and its model must agree with them; a fault makes them a guess,
//! until a reset or a settling. Steps are weighted by them, and none is forbidden: so any part of a scenario
//! is a scenario, which is what shrinking needs.

#[path = "support/step_strategy.rs"]
mod step_strategy;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use ringstorm::execution::{Rig, Stop};
use ringstorm::scenario::{Buffers, Op, Scenario, Setup, Step};
use ringstorm::story;
use ringstorm::subject::Kind;
use ringstorm_core::AfterFault;
use std::collections::VecDeque;
use std::fmt;
use step_strategy::{acceptable, config, fail, quietly, setups, steps};

const KIND: Kind = Kind::Core;

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn the_queue_keeps_every_invariant(sequential 1..=64 => QueueTest);
}

/// What is known of the queue without asking it. Each chain is the number of its descriptors.
#[derive(Clone)]
struct Books {
    setup: Setup,
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
    /// The queue probably waits for a reset.
    broken: bool,
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt(f)
    }
}

impl Books {
    fn new(setup: Setup, hostile: bool) -> Self {
        let none = VecDeque::new;
        Self {
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
            broken: false,
        }
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
            Op::Submit => (self.free() > 0 && !self.broken, 30),
            Op::Prepare | Op::Write => (self.free() > 0 && !self.broken, 15),
            Op::Publish => (!self.prepared.is_empty() && !self.broken, 20),
            Op::Take | Op::Collect => (!self.used.is_empty() && !self.broken || self.mistrusted(), 15),
            Op::Read => (!self.returned.is_empty(), 15),
            Op::Free => (!self.returned.is_empty(), 30),
            Op::Reset => (self.broken, 60),
            Op::Misuse => (true, 10),
            Op::Interrupts | Op::DeviceNotifications | Op::DeviceEvent => (true, 3),
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

    fn scenario(&self) -> Scenario {
        Scenario { setup: self.setup, steps: self.steps.clone() }
    }

    /// Ends the test with everything that there is to know.
    fn fail(&self, what: &str) -> ! {
        let scenario = self.scenario();
        let told = quietly(|| story::tell(&mut Rig::new()?, KIND, &scenario));
        let story = match &told {
            Ok(Ok((story, _))) => story,
            Ok(Err(_)) | Err(_) => "the story cannot be told",
        };
        let what = format!("{what}\n\n{story}");
        fail("state_machine_queue", &scenario, &what, "cargo run --release -- replay PATH")
    }
}

impl ReferenceStateMachine for Books {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        (setups(), any::<bool>()).prop_map(|(setup, hostile)| Self::new(setup, hostile)).boxed()
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
            Step::Reset | Step::Settle => {
                let steps = std::mem::take(&mut books.steps);
                books = Self { steps, ..Self::new(books.setup, books.hostile) };
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

struct QueueTest;

impl StateMachineTest for QueueTest {
    type SystemUnderTest = Rig;
    type Reference = Books;

    fn init_test(books: &Books) -> Rig {
        let mut rig = Rig::new().expect("there is memory");
        guard(books, || rig.begin(KIND, &books.setup).expect("there is memory"));
        rig
    }

    fn apply(mut rig: Rig, books: &Books, step: Step) -> Rig {
        guard(books, || rig.step(&step));
        rig
    }

    fn check_invariants(rig: &Rig, books: &Books) {
        let model = rig.model();
        let (size, live) = (books.setup.queue_size.get(), model.live_chains());
        let owned = (0..size).filter(|index| model.owner(*index).is_some()).count() as u32;
        let check = |holds: bool, what: &str| {
            if !holds {
                let (chains, descriptors) = (books.chains().count(), books.descriptors());
                books.fail(&format!(
                    "{what}\n  the model: {live} chains of {owned} descriptors, broken: {}\n  \
                     the books: {chains} chains of {descriptors} descriptors, exact: {}, {} made",
                    model.is_broken(),
                    books.exact,
                    books.made,
                ));
            }
        };
        check(live <= owned, "every chain has a descriptor of its own");
        check(live <= books.made, "no chain comes from nothing");
        check(!books.exact || !model.is_broken(), "no queue breaks under an honest device");
        check(!books.exact || live == books.chains().count() as u32, "all chains are accounted for");
        check(!books.exact || owned == books.descriptors(), "all descriptors are accounted for");
        let home = matches!(books.steps.last(), Some(Step::Reset | Step::Settle));
        check(!home || owned == 0 && live == 0, "reset and settling bring everything home");
    }

    fn teardown(mut rig: Rig, books: Books) {
        guard(&books, || rig.finish());
    }
}

/// Does something with the rig, and fails with the scenario if that stops or panics.
fn guard(books: &Books, act: impl FnOnce() -> Result<(), Stop>) {
    match quietly(act) {
        Ok(Ok(())) => {}
        Ok(Err(stop)) => books.fail(&format!("stopped: {stop:?}")),
        Err(panic) => books.fail(&format!("panicked: {panic}")),
    }
}
