//! Generates scenarios from seeds.
//!
//! In the swarm profile, each seed draws its own weights. So some scenarios repeat a few operations, and others mix
//! all of them. While it draws steps, the generator keeps a rough estimate of the queue's contents, so that most
//! steps have an effect. The execution does not depend on this estimate.

use super::choices::{Choices, MAX_ITEMS, Weighted};
use super::guess::{Guess, is_among};
use super::misuse::{BadHead, HeadCall};
use super::step::{Amount, Op, Pick, Step};
use super::{Profile, Scenario, Setup, tour};
use arrayvec::ArrayVec;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use ringstorm_core::QueueSize;
use ringstorm_sim_device::{Fault, Target};
use strum::VariantArray;

/// The generator and its version. A seed identifies a scenario only together with this.
pub const GENERATOR: &str = "swarm-7 (xoshiro256++)";

// `Weighted` has a fixed capacity. Increase `MAX_ITEMS` if operations or faults become too many.
const _: () = assert!(Op::VARIANTS.len() <= MAX_ITEMS && Fault::VARIANTS.len() <= MAX_ITEMS);

/// The settings of the generator. With a seed, they determine a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The kind of scenarios.
    pub profile: Profile,
    /// The number of steps.
    pub steps: usize,
    /// The queue size; `None` draws one for each seed.
    pub queue_size: Option<QueueSize>,
}

impl Draw {
    /// Generates the scenario of a seed.
    pub fn scenario(&self, seed: u64) -> Scenario {
        let mut scenario = Scenario::default();
        self.scenario_into(seed, &mut scenario);
        scenario
    }

    /// Generates the scenario of a seed in `scenario` and uses its memory again.
    pub fn scenario_into(&self, seed: u64, scenario: &mut Scenario) {
        let mut drawer = Drawer::new(seed);
        scenario.setup = drawer.setup(self.queue_size);
        drawer.guess = Guess::empty(&scenario.setup);
        let weights = drawer.weights(self.profile);
        scenario.steps.clear();
        scenario.steps.extend((0..self.steps).map(|_| drawer.step(&scenario.setup, &weights)));
        scenario.setup.ending = drawer.ending();
        Drawer::insert_plan(seed, &scenario.setup, &mut scenario.steps);
    }
}

/// Generates the scenario of a seed, with `steps` steps and any queue size.
pub fn generate(seed: u64, profile: Profile, steps: usize) -> Scenario {
    Draw { profile, steps, queue_size: None }.scenario(seed)
}

/// The weights of operations and faults.
pub(super) struct Weights {
    ops: Choices<Op>,
    faults: Choices<Fault>,
    /// The most descriptors in an ordinary chain.
    pub(super) longest: u32,
}

pub(super) struct Drawer {
    rng: Xoshiro256PlusPlus,
    pub(super) guess: Guess,
    /// Planned steps that come next, and how many of them were returned already.
    tour: tour::Steps,
    toured: usize,
}

impl Drawer {
    pub(super) fn new(seed: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self { rng, guess: Guess::default(), tour: ArrayVec::new(), toured: 0 }
    }

    /// A uniformly distributed value.
    pub(super) fn any<T>(&mut self) -> T
    where
        rand::distr::StandardUniform: rand::distr::Distribution<T>,
    {
        self.rng.random()
    }

    /// A number below `limit`, which is at most 2^18. The distribution is not exactly uniform: probabilities differ
    /// by less than one in ten thousand, which does not matter here.
    #[inline]
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.rng.random::<u32>()) * u64::from(limit)) >> 32) as u32
    }

    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    pub(super) fn choose<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *choice,
            }
        }
        unreachable!("the weights add up to more than what was drawn")
    }

    pub(super) fn weights(&mut self, profile: Profile) -> Weights {
        let swarm = profile == Profile::Swarm;
        let ops: Weighted<Op> = Op::VARIANTS
            .iter()
            .map(|op| {
                let (least, usual) = match op {
                    Op::Idle => (0, 0),
                    Op::Collect | Op::Free | Op::DeviceTake | Op::DeviceReturn => (2, 12),
                    // Another chain nearly always fits, so a larger weight would leave too few other steps.
                    Op::Submit => (2, 8),
                    Op::Prepare | Op::Write => (0, 5),
                    Op::Publish | Op::Take | Op::Read => (0, 8),
                    Op::Misuse => (0, 4),
                    Op::Reset | Op::Interrupts | Op::DeviceNotifications | Op::Settle => (0, 1),
                    Op::Withdraw => (0, 2),
                    // It breaks most queues, and until the next reset few steps have an effect.
                    Op::MemoryFails => (0, if self.one_in(4) { 2 } else { 0 }),
                    Op::DeviceEvent => (0, 2),
                    // They do much at once, so they are planned and not drawn.
                    Op::SubmitMany | Op::Rounds => (0, 0),
                    // These are added for subjects that offer them.
                    Op::DelayInterrupts | Op::TakeBack | Op::InterruptArrives => (0, 0),
                    Op::Fault => (0, if profile == Profile::Honest { 0 } else { 8 }),
                };
                let weight = if swarm && usual > 0 { least.max(self.swarm_weight(usual)) } else { usual };
                (*op, weight)
            })
            .collect();
        let faults: Weighted<Fault> = match profile {
            Profile::Honest => Weighted::new(),
            Profile::Hostile => Fault::VARIANTS.iter().map(|fault| (*fault, 1)).collect(),
            Profile::Swarm => Fault::VARIANTS.iter().map(|fault| (*fault, self.swarm_weight(4))).collect(),
        };
        let faults = Choices::new(faults.into_iter(), Fault::SpuriousNotification);
        let useful = ops.into_iter().filter(|(op, _)| *op != Op::Fault || !faults.is_empty());
        let longest = self.choose(&[(1, 2), (2, 4), (4, 4), (9, 1)]);
        Weights { ops: Choices::new(useful, Op::Idle), faults, longest }
    }

    /// Zero in a third of the cases, else from a quarter of the usual weight to eight times as much.
    pub(super) fn swarm_weight(&mut self, usual: u32) -> u32 {
        if self.one_in(3) { 0 } else { (usual << self.below(6)).div_ceil(4) }
    }

    pub(super) fn step(&mut self, setup: &Setup, weights: &Weights) -> Step {
        // A reset zeroes table and rings. In a large queue that costs as much as many other steps.
        if self.guess.broken && self.one_in(2 + self.guess.size / 32) {
            self.guess.restart();
            return Step::Reset;
        }
        if self.guess.memory_fails && self.one_in(4) {
            (self.guess.memory_fails, self.guess.broken) = (false, true);
        }
        if self.guess.unresponsive && self.one_in(8) {
            self.guess.restart();
            return Step::Settle;
        }
        if let Some(step) = self.tour.get(self.toured) {
            self.toured += 1;
            return *step;
        }
        if self.guess.chains() == 0 && !weights.faults.is_empty() && self.one_in(16) {
            self.plan_tour();
        }
        let Some(op) = self.operation(weights) else {
            // None of this scenario's operations would have an effect: drain the queue.
            self.guess.restart();
            return Step::Settle;
        };
        self.step_of(op, setup, weights)
    }

    /// Draws a step of this operation.
    pub(super) fn step_of(&mut self, op: Op, setup: &Setup, weights: &Weights) -> Step {
        match op {
            Op::Idle => Step::Idle,
            Op::Submit => {
                let (readable, writable) = self.chain(weights);
                self.guess.available += 1 + std::mem::take(&mut self.guess.prepared);
                Step::Submit { readable, writable }
            }
            Op::SubmitMany => {
                let (readable, writable) = self.chain(weights);
                let times = 1 + self.below(16) as u16;
                self.guess.available += u32::from(times) + std::mem::take(&mut self.guess.prepared);
                Step::SubmitMany { readable, writable, times }
            }
            Op::Rounds => Step::Rounds { count: 1 + self.below(16) },
            Op::Prepare => {
                let (readable, writable) = self.chain(weights);
                self.guess.prepared += 1;
                Step::Prepare { readable, writable }
            }
            Op::Write => {
                let (readable, writable) = self.chain(weights);
                self.guess.available += 1 + std::mem::take(&mut self.guess.prepared);
                Step::Write { readable, writable }
            }
            Op::Publish => {
                self.guess.available += std::mem::take(&mut self.guess.prepared);
                Step::Publish
            }
            Op::Take => {
                self.take(setup, 1);
                Step::Take
            }
            Op::Collect => {
                self.take(setup, u32::MAX);
                Step::Collect
            }
            Op::Read => Step::Read { pick: self.pick(), limit: self.amount(setup) },
            Op::Free => {
                let chains = self.guess.chains().max(1);
                self.guess.descriptors -= self.guess.descriptors.div_ceil(chains).min(self.guess.descriptors);
                self.guess.taken = self.guess.taken.saturating_sub(1);
                Step::Free { pick: self.pick() }
            }
            Op::Reset => {
                self.guess.restart();
                Step::Reset
            }
            Op::Misuse => {
                let head = BadHead::VARIANTS[self.below(BadHead::VARIANTS.len() as u32) as usize];
                let call = HeadCall::VARIANTS[self.below(HeadCall::VARIANTS.len() as u32) as usize];
                let call = match head {
                    // Reading and withdrawing always use the newest handle.
                    BadHead::Stale => HeadCall::Free,
                    BadHead::Returned => HeadCall::Withdraw,
                    _ => call,
                };
                Step::Misuse { call, head, pick: self.pick() }
            }
            Op::Interrupts => Step::Interrupts { wanted: self.one_in(2) },
            Op::MemoryFails => {
                self.guess.memory_fails = true;
                // A call accesses memory a few times, and for a long chain a few times for each buffer.
                let limit = self.choose(&[(2, 1), (8, 2), (64, 1)]);
                Step::MemoryFails { after: self.below(limit) as u16 }
            }
            Op::Withdraw => {
                let chains = self.guess.chains().max(1);
                self.guess.descriptors -= self.guess.descriptors.div_ceil(chains).min(self.guess.descriptors);
                self.guess.prepared = self.guess.prepared.saturating_sub(1);
                Step::Withdraw { pick: self.pick() }
            }
            Op::DelayInterrupts => Step::DelayInterrupts,
            Op::InterruptArrives => Step::InterruptArrives,
            Op::TakeBack => Step::TakeBack { stopped: self.one_in(4) },
            Op::DeviceTake => {
                let count = self.count();
                let moved = self.guess.available.min(count.into());
                self.guess.available -= moved;
                self.guess.at_device += moved;
                Step::DeviceTake { count }
            }
            Op::DeviceReturn => {
                let count = self.count();
                let moved = self.guess.at_device.min(count.into());
                self.guess.at_device -= moved;
                self.guess.returned += moved;
                Step::DeviceReturn {
                    pick: self.pick(),
                    written: self.amount(setup),
                    count,
                    beyond: self.one_in(8),
                }
            }
            Op::DeviceNotifications => Step::DeviceNotifications { wanted: self.one_in(2) },
            Op::DeviceEvent => Step::DeviceEvent { ahead: self.below(6) as u16 },
            Op::Fault => self.fault(weights),
            Op::Settle => {
                self.guess.restart();
                Step::Settle
            }
        }
    }

    /// Draws an operation that probably has an effect; one time in 32, any operation.
    fn operation(&mut self, weights: &Weights) -> Option<Op> {
        let work = if self.one_in(32) { u64::MAX } else { self.guess.useful_ops() };
        let has_work = |op| is_among(op, work);
        // One of eight tries usually succeeds. That is cheaper than to filter the operations first.
        let tries = self.rng.random::<u64>().to_le_bytes();
        if let Some(op) = tries.into_iter().map(|place| weights.ops.at(place)).find(|op| has_work(*op)) {
            return Some(op);
        }
        let useful: Weighted<Op> = weights.ops.only(has_work).collect();
        (!useful.is_empty()).then(|| self.choose(&useful))
    }

    /// Plans steps that lead to a rare state, then faults, then calls that could notice them. At the end the queue is
    /// empty again.
    fn plan_tour(&mut self) {
        let (size, direction, broken) = (self.guess.size, self.below(6), self.one_in(2));
        let way = if self.one_in(2) { tour::chain_only_at_device } else { tour::full_queue };
        self.tour.clear();
        self.toured = 0;
        way(&mut self.tour, size, direction, broken);
        if self.tour.is_empty() {
            return;
        }
        for _ in 0..3 {
            let fault = Fault::VARIANTS[self.below(Fault::VARIANTS.len() as u32) as usize];
            let value = self.value();
            self.tour.push(Step::Fault { fault, pick: Pick::NEWEST, value });
            let calls = [Step::Take, Step::Publish, Step::Interrupts { wanted: true }];
            self.tour.extend(calls);
        }
        self.tour.push(Step::Settle);
    }

    fn take(&mut self, setup: &Setup, most: u32) {
        if std::mem::take(&mut self.guess.bad_element) {
            self.guess.broken = !setup.continues_after_fault() || self.one_in(3);
        }
        let moved = self.guess.returned.min(most);
        self.guess.returned -= moved;
        self.guess.taken += moved;
    }

    fn fault(&mut self, weights: &Weights) -> Step {
        let mut fault = weights.faults.at(self.rng.random());
        if self.guess.at_device == 0 && fault.needs_chain_in_flight() {
            // The device may have a chain although the estimate has none, so the second draw is not checked.
            fault = weights.faults.at(self.rng.random());
        }
        let guess = &mut self.guess;
        match fault {
            Fault::LengthTooLong | Fault::LengthForReadable | Fault::LengthUnwritten => {
                guess.bad_element |= fault != Fault::LengthUnwritten;
                guess.returned += u32::from(guess.at_device > 0);
                guess.at_device = guess.at_device.saturating_sub(1);
            }
            Fault::NeverReturned => guess.at_device = guess.at_device.saturating_sub(1),
            Fault::StopsAnswering | Fault::NeedsReset => guess.unresponsive = true,
            _ => guess.bad_element |= fault.target() == Target::UsedRing,
        }
        let value = self.value();
        Step::Fault { fault, pick: self.pick(), value }
    }

    fn value(&mut self) -> u32 {
        match self.below(8) {
            0 | 1 => 0,
            2 | 3 => self.below(8),
            4 => u32::MAX,
            // Values that become small, or nearly wrap around, when cut to 16 bits.
            5 => 0xfff8 + self.below(16),
            _ => self.rng.random(),
        }
    }

    fn pick(&mut self) -> Pick {
        match self.below(4) {
            0 => Pick::NEWEST,
            1 | 2 => Pick::OLDEST,
            _ => Pick(self.rng.random()),
        }
    }

    fn count(&mut self) -> u8 {
        match self.below(8) {
            0..5 => 1,
            5 | 6 => 1 + self.below(4) as u8,
            _ => 255,
        }
    }

    fn amount(&mut self, setup: &Setup) -> Amount {
        match self.below(4) {
            0 | 1 => Amount::Full,
            2 => Amount::Bytes(self.below(u32::from(setup.buffer_size) + 2)),
            _ => Amount::Bytes(self.below(4)),
        }
    }
}
