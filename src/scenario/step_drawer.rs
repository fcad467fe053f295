//! Draws steps for mutations of existing scenarios, in the same way as the generator.

use super::bytes::{decode_step, encode_step};
use super::draw::{Drawer, Weights};
use super::guess::Guess;
use super::{Op, Profile, Setup, Step};
use strum::VariantArray;

/// The most attempts to change one field, because a drawn value may equal the old one.
const TRIES: usize = 100;

/// Draws steps to insert into a scenario. It does not know what the queue contains at that position.
pub(crate) struct StepDrawer {
    drawer: Drawer,
    setup: Setup,
    weights: Weights,
}

impl StepDrawer {
    /// Draws steps for scenarios of this setup. All draws depend on the seed only.
    pub(crate) fn new(seed: u64, setup: &Setup) -> Self {
        let mut drawer = Drawer::new(seed);
        let weights = drawer.weights(Profile::Hostile);
        Self { drawer, setup: *setup, weights }
    }

    /// A number below `limit`, which is at most 2^18.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.drawer.below(limit as u32) as usize
    }

    pub(crate) fn one_in(&mut self, count: u32) -> bool {
        self.drawer.one_in(count)
    }

    /// Draws another setup. Later steps are drawn for it.
    pub(crate) fn setup(&mut self) -> Setup {
        self.setup = self.drawer.setup(None);
        self.setup.ending = self.drawer.ending();
        self.setup
    }

    /// Draws one step of any operation.
    pub(crate) fn step(&mut self) -> Step {
        let op = Op::VARIANTS[self.below(Op::VARIANTS.len())];
        // Prefer faults: they have the most variants.
        let op = if self.one_in(3) { Op::Fault } else { op };
        self.step_of(op)
    }

    fn step_of(&mut self, op: Op) -> Step {
        let empty = Guess::empty(&self.setup);
        self.drawer.guess = Guess { descriptors: empty.size / 2, at_device: 1, taken: 1, ..empty };
        self.drawer.step_of(op, &self.setup, &self.weights)
    }

    /// Draws steps that fit together, as if at the beginning of a scenario.
    pub(crate) fn sequence(&mut self) -> impl Iterator<Item = Step> {
        self.drawer.guess = Guess::empty(&self.setup);
        std::iter::from_fn(|| Some(self.drawer.step(&self.setup, &self.weights)))
    }

    /// Changes one field of a step and keeps its operation. Draws a new step if the operation has no fields.
    pub(crate) fn other_field(&mut self, step: Step) -> Step {
        let op = step.op();
        let fields = match op {
            Op::Idle | Op::Publish | Op::Take | Op::Collect | Op::Reset | Op::Settle => return self.step(),
            Op::DelayInterrupts | Op::InterruptArrives => return self.step(),
            Op::Submit | Op::Prepare | Op::Write => 2..18,
            Op::SubmitMany => 1..18,
            Op::Rounds => 4..5,
            Op::Read | Op::DeviceReturn | Op::Fault => 1..8,
            Op::Free | Op::Withdraw => 1..2,
            Op::Misuse => 1..4,
            Op::Interrupts | Op::TakeBack | Op::DeviceNotifications => 2..3,
            Op::DeviceTake => 3..4,
            Op::DeviceEvent | Op::MemoryFails => 4..6,
        };
        for _ in 0..TRIES {
            let (mut record, fresh) = (encode_step(&step), encode_step(&self.step_of(op)));
            let at = fields.start + self.below(fields.len());
            record[at] = match self.below(4) {
                0 => self.drawer.any(),
                1 => record[at] ^ 1 << self.below(8),
                _ => fresh[at],
            };
            let changed = decode_step(&record);
            if changed != step && changed.op() == op {
                return changed;
            }
        }
        self.step()
    }
}
