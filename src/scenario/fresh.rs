//! Steps to be put into a scenario that is there already, drawn as the generator draws them.

use super::bytes::{decode_step, encode_step};
use super::draw::{Drawer, Weights};
use super::guess::Guess;
use super::{Op, Profile, Setup, Step};
use strum::VariantArray;

/// How often a change of one field is tried: what is drawn may be what stands there.
const TRIES: usize = 100;

/// Draws steps that are to be put somewhere into a scenario. What the queue holds there nobody knows.
pub(crate) struct Fresh {
    drawer: Drawer,
    setup: Setup,
    weights: Weights,
}

impl Fresh {
    /// Draws for scenarios of this setup. All that is drawn is in the seed.
    pub(crate) fn new(seed: u64, setup: &Setup) -> Self {
        let mut drawer = Drawer::new(seed);
        let weights = drawer.weights(Profile::Hostile);
        Self { drawer, setup: *setup, weights }
    }

    /// A number below a limit of at most 2^18.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.drawer.below(limit as u32) as usize
    }

    pub(crate) fn one_in(&mut self, count: u32) -> bool {
        self.drawer.one_in(count)
    }

    /// Another setup, for which steps are drawn from now on.
    pub(crate) fn setup(&mut self) -> Setup {
        self.setup = self.drawer.setup(None);
        self.setup.ending = self.drawer.ending();
        self.setup
    }

    /// One step, of any operation.
    pub(crate) fn step(&mut self) -> Step {
        let op = Op::VARIANTS[self.below(Op::VARIANTS.len())];
        // Most operations hardly differ from step to step, and faults most of all.
        let op = if self.one_in(3) { Op::Fault } else { op };
        self.step_of(op)
    }

    fn step_of(&mut self, op: Op) -> Step {
        let empty = Guess::empty(&self.setup);
        self.drawer.guess = Guess { descriptors: empty.size / 2, held: 1, completed: 1, ..empty };
        self.drawer.step_of(op, &self.setup, &self.weights)
    }

    /// Steps that go together: what a scenario could begin with.
    pub(crate) fn run(&mut self) -> impl Iterator<Item = Step> {
        self.drawer.guess = Guess::empty(&self.setup);
        std::iter::from_fn(|| Some(self.drawer.step(&self.setup, &self.weights)))
    }

    /// The step with one of its fields changed, to another step of the same operation; a fresh one if it has none.
    pub(crate) fn other_field(&mut self, step: Step) -> Step {
        let op = step.op();
        let fields = match op {
            Op::Idle | Op::Publish | Op::Take | Op::Collect | Op::Reset | Op::Settle => return self.step(),
            Op::Submit | Op::Prepare | Op::Write => 2..18,
            Op::Read | Op::DeviceReturn | Op::Fault => 1..8,
            Op::Free | Op::Withdraw => 1..2,
            Op::Misuse => 1..4,
            Op::Interrupts | Op::DeviceNotifications => 2..3,
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
