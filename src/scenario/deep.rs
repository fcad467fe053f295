//! Deep plans: a few steps that do much at once, and so lead further than a scenario of single steps can.
//!
//! A small share of the scenarios begins with one, or has one among its first steps. A plan replaces as many steps as it
//! has, so the number of steps stays. Whether a seed has a plan depends on the seed alone, and the draws of a plan are
//! apart from all others.

use super::Setup;
use super::draw::Drawer;
use super::step::{Amount, Buffers, Pick, Step};
use arrayvec::ArrayVec;
use ringstorm_core::QueueSize;

/// Of so many consecutive seeds, one makes a long journey: the one in the middle. It takes about as long as a thousand
/// ordinary scenarios.
pub const JOURNEYS: u64 = 1 << 16;
/// The round trips that lead a 16-bit count to its last value.
const ALMOST_A_LAP: u32 = 0xffff;
/// Shorter scenarios have no plan: they would consist of little else.
const SHORTEST: usize = 48;
/// A plan begins at one of so many steps.
const LATEST: u32 = 32;

type Plan = ArrayVec<Step, 8>;

impl Drawer {
    /// Puts the plan of a seed into its scenario, if it has one.
    pub(super) fn insert_plan(seed: u64, setup: &Setup, steps: &mut [Step]) {
        if steps.len() < SHORTEST {
            return;
        }
        if seed % JOURNEYS == JOURNEYS / 2 {
            return put(&journey(), 0, steps);
        }
        if is_one_in(fills(setup.queue_size), seed) {
            let mut drawer = Self::new(!seed);
            let at = if drawer.one_in(2) { 0 } else { drawer.below(LATEST) };
            put(&fill(setup.queue_size, &mut drawer), at as usize, steps);
        }
    }
}

/// Inserts a plan, and removes as many steps from the end.
fn put(plan: &Plan, at: usize, steps: &mut [Step]) {
    steps[at..].rotate_right(plan.len());
    steps[at..at + plan.len()].copy_from_slice(plan);
}

/// Whether this seed is one of `count`. Cheaper than a draw, since every seed needs it.
const fn is_one_in(count: u64, seed: u64) -> bool {
    (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).wrapping_mul(count) >> 32 == 0
}

/// How seldom a queue is filled: the larger it is, the longer that takes. But 256 chains overflow a count of 8 bits.
const fn fills(size: QueueSize) -> u64 {
    match size.get() {
        ..=32 | 256 => 32,
        512..=2048 => 64,
        _ => 128,
    }
}

/// Uses every descriptor of the queue, mostly so that each is a chain in flight. The device then returns many chains at
/// once.
fn fill(size: QueueSize, drawer: &mut Drawer) -> Plan {
    let one = if drawer.one_in(2) { (1, 0) } else { (0, 1) };
    let buffers = |count| if count == 0 { Buffers::NONE } else { Buffers::of(count, 1) };
    let many = |(readable, writable)| Step::SubmitMany {
        readable: buffers(readable),
        writable: buffers(writable),
        times: size.get(),
    };
    let mut plan = Plan::new();
    plan.push(Step::Settle);
    if drawer.one_in(4) {
        let readable = drawer.below(3);
        plan.push(many((readable, 3 - readable)));
    }
    // What longer chains leave.
    plan.push(many(one));
    let pick = if drawer.one_in(2) { Pick::NEWEST } else { Pick::OLDEST };
    let give_back = Step::DeviceReturn { pick, written: Amount::Full, count: 255, beyond: false };
    plan.extend([Step::DeviceTake { count: 255 }, give_back, Step::Collect]);
    if drawer.one_in(2) {
        plan.push(Step::Settle);
    }
    plan
}

/// Leads the 16-bit indexes around: 65,535 round trips from the start of the queue, for which the device wants no
/// notification, then a chain for which it wants one. So a 16-bit count of chains since the last notification overflows at
/// the chain that matters. In a queue that starts at index 0, this chain and the steps that follow wrap the indexes around.
fn journey() -> Plan {
    [
        Step::DeviceNotifications { wanted: false },
        Step::Rounds { count: ALMOST_A_LAP },
        Step::DeviceNotifications { wanted: true },
        Step::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) },
    ]
    .into_iter()
    .collect()
}
