//! The reference of the state-machine test of the descriptor table. It knows only the lengths of the chains.

use crate::step_strategy::{acceptable, lengths_of, setups, steps};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use ringstorm::scenario::{Op, Setup, Step};

/// The expected live chains, oldest first: for each buffer its length, and whether it is writable.
#[derive(Debug, Clone)]
pub struct Expected {
    pub setup: Setup,
    pub steps: Vec<Step>,
    pub live: Vec<Vec<(u32, bool)>>,
}

impl Expected {
    pub const fn new(setup: Setup) -> Self {
        Self { setup, steps: Vec::new(), live: Vec::new() }
    }

    pub fn free(&self) -> u32 {
        u32::from(self.setup.queue_size.get()) - self.live.iter().map(Vec::len).sum::<usize>() as u32
    }

    fn weight(&self, op: Op) -> u32 {
        let (has_work, usual) = match op {
            Op::Submit | Op::Prepare | Op::Write => (self.free() > 0, 8),
            Op::Free => (!self.live.is_empty(), 12),
            Op::Read | Op::DeviceReturn => (!self.live.is_empty(), 6),
            Op::Misuse => (true, 8),
            // This test performs only four faults, so it draws many.
            Op::Fault => (true, 16),
            Op::Reset => (true, 1),
            Op::Idle
            | Op::Publish
            | Op::Take
            | Op::Collect
            | Op::Interrupts
            | Op::MemoryFails
            | Op::Withdraw
            | Op::DelayInterrupts
            | Op::InterruptArrives
            | Op::TakeBack
            | Op::SubmitMany
            | Op::Rounds => return 0,
            Op::DeviceTake | Op::DeviceNotifications | Op::DeviceEvent | Op::Settle => return 0,
        };
        if has_work { usual } else { 1 }
    }
}

impl ReferenceStateMachine for Expected {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        setups().prop_map(Self::new).boxed()
    }

    fn transitions(expected: &Self) -> BoxedStrategy<Step> {
        steps(&expected.setup, expected.free(), |op| expected.weight(op))
    }

    fn apply(mut expected: Self, step: &Step) -> Self {
        expected.steps.push(*step);
        let setup = expected.setup;
        match *step {
            Step::Submit { readable, writable }
            | Step::Prepare { readable, writable }
            | Step::Write { readable, writable }
                if acceptable(readable, writable, &setup, expected.free()) =>
            {
                let sides = [(readable, false), (writable, true)].into_iter();
                let chain = sides.flat_map(|(buffers, writable)| {
                    lengths_of(buffers, &setup, u32::MAX).map(move |length| (length, writable))
                });
                expected.live.push(chain.collect());
            }
            Step::Free { pick } => {
                pick.of(expected.live.len()).map(|position| expected.live.remove(position));
            }
            Step::Reset => expected.live.clear(),
            _ => {}
        }
        expected
    }
}
