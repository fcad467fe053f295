//! Adds calls to the scenarios of seeds that only some subjects offer.
//!
//! The calls have a generator of their own. So the other steps of a seed are the same for every subject.

use super::draw::{Draw, Drawer};
use super::step::{Op, Step};
use super::{Profile, Scenario, Setup};
use arrayvec::ArrayVec;

/// Distinguishes the numbers that are drawn here from those of the other steps.
const STREAM: u64 = 0x6f66_6665_7265_6421;
/// Resets of larger queues cost too much.
const LARGEST_RESET: u16 = 256;

/// Calls that a subject offers, but need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfferedCalls {
    /// [`Op::DelayInterrupts`].
    pub delayed_used_notifications: bool,
    /// [`Op::TakeBack`] while the device is stopped.
    pub take_back: bool,
    /// [`Op::TakeBack`] while the device is running.
    pub take_back_live: bool,
    /// [`Op::InterruptArrives`].
    pub used_notification_handler: bool,
}

impl OfferedCalls {
    /// Whether a subject that offers these calls can execute this step, or the step is another one.
    pub(crate) const fn include(self, step: &Step) -> bool {
        match step {
            Step::DelayInterrupts => self.delayed_used_notifications,
            Step::InterruptArrives => self.used_notification_handler,
            Step::TakeBack { stopped: true } => self.take_back,
            Step::TakeBack { stopped: false } => self.take_back_live,
            _ => true,
        }
    }

    /// The operations, each with its usual weight.
    fn operations(self, setup: &Setup) -> impl Iterator<Item = (Op, u32)> {
        let resets = setup.queue_size.get() <= LARGEST_RESET;
        let takes_back = self.take_back && (resets || self.take_back_live);
        let operations = [
            (Op::DelayInterrupts, 4, self.delayed_used_notifications),
            (Op::TakeBack, 2, takes_back),
            (Op::InterruptArrives, 8, self.used_notification_handler),
        ];
        operations.into_iter().filter_map(|(op, usual, offered)| offered.then_some((op, usual)))
    }
}

impl Draw {
    /// Generates the scenario of a seed for a subject that offers these calls. Without any, it is the
    /// [scenario](Self::scenario) of the seed.
    pub fn scenario_with(&self, seed: u64, offered: OfferedCalls) -> Scenario {
        let mut scenario = Scenario::default();
        self.scenario_with_into(seed, offered, &mut scenario);
        scenario
    }

    /// Like [`scenario_with`](Self::scenario_with), and uses the memory of `scenario` again.
    pub fn scenario_with_into(&self, seed: u64, offered: OfferedCalls, scenario: &mut Scenario) {
        self.scenario_into(seed, scenario);
        if offered == OfferedCalls::default() {
            return;
        }
        let mut drawer = Drawer::new(seed ^ STREAM);
        let mut weighted: ArrayVec<(Op, u32), 4> = ArrayVec::new();
        for (op, usual) in offered.operations(&scenario.setup) {
            weighted.push((op, drawer.swarm_weight(usual)));
        }
        weighted.retain(|(_, weight)| *weight > 0);
        if weighted.is_empty() {
            return;
        }
        // Steps of these operations do not depend on the weights.
        let weights = drawer.weights(Profile::Honest);
        let every = drawer.choose(&[(3, 1), (6, 2), (12, 2), (24, 1)]);
        for step in std::mem::take(&mut scenario.steps) {
            if drawer.one_in(every) {
                let op = drawer.choose(&weighted);
                scenario.steps.push(match drawer.step_of(op, &scenario.setup, &weights) {
                    Step::TakeBack { .. } if !offered.take_back_live => Step::TakeBack { stopped: true },
                    step => step,
                });
            }
            scenario.steps.push(step);
        }
        scenario.steps.truncate(self.steps);
    }
}
