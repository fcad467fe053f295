//! Mutations of scenarios by whole steps. They replace libFuzzer's mutations of bytes.
//!
//! The result is always the bytes of a scenario as [`Scenario::encode`] writes them. It depends only on the input and
//! the seed from libFuzzer.

use crate::scenario::{Buffers, HEADER_BYTES, Op, STEP_BYTES, Scenario, Step, StepDrawer};
use strum::VariantArray;

/// The least number of steps, if so many fit into the buffer. Shorter scenarios exercise a queue too little.
pub const MIN_STEPS: usize = 32;
/// Nothing is inserted into a scenario with this many steps.
const MANY_STEPS: usize = 40;
/// Most changes cut a scenario to this many steps.
const MAX_STEPS: usize = 48;
/// The most steps that one change deletes, duplicates or inserts.
const MAX_SPAN: usize = 12;
/// A queue with more descriptors than this takes long to make. Most changes replace its setup.
const LARGE_QUEUE: u16 = 256;

/// One way to change a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Change {
    /// Inserts one step at a random position.
    Insert,
    /// Inserts several steps that fit together.
    InsertRun,
    /// Deletes consecutive steps.
    Delete,
    /// Copies consecutive steps to a random position.
    Duplicate,
    /// Swaps two steps.
    Swap,
    /// Changes one field of one step.
    Field,
    /// Replaces the setup.
    Setup,
}

/// Changes the scenario in `bytes[..size]` to one of at most `most` bytes and returns the new length. The result has
/// at least one step if one fits into `most` bytes.
pub fn mutate(bytes: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut scenario = Scenario::decode(&bytes[..size]);
    change(&mut scenario, steps_that_fit(most), seed);
    write(&scenario, &mut bytes[..most])
}

/// Combines two scenarios: steps of `one`, then steps of `other`, with the setup of either. Returns the length.
pub fn crossover(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let (one, other) = (Scenario::decode(one), Scenario::decode(other));
    let setup = if seed.is_multiple_of(2) { one.setup } else { other.setup };
    let mut drawer = StepDrawer::new(seed.into(), &setup);
    let most = steps_that_fit(out.len());
    let mut scenario = Scenario { setup, ..one };
    let begin = drawer.below(scenario.steps.len() + 1).min(most.saturating_sub(1)).max(1);
    scenario.steps.truncate(begin);
    // The steps of `other` begin at the position where `one` is cut, or at a random position.
    let rest = other.steps.len().saturating_sub(1);
    let from = if drawer.one_in(2) { begin } else { drawer.below(rest + 1) }.min(rest);
    scenario.steps.extend_from_slice(&other.steps[from..]);
    complete(&mut scenario, &mut drawer, most);
    write(&scenario, out)
}

/// Changes a scenario to one of at most `most` steps and returns which change was made.
pub fn change(scenario: &mut Scenario, most: usize, seed: u32) -> Change {
    let mut drawer = StepDrawer::new(seed.into(), &scenario.setup);
    let steps = &mut scenario.steps;
    let possible = |change: &&Change| match change {
        Change::Insert | Change::InsertRun | Change::Duplicate => (1..MANY_STEPS).contains(&steps.len()),
        Change::Delete | Change::Swap => steps.len() > 1,
        Change::Field => !steps.is_empty(),
        Change::Setup => true,
    };
    let mut changes: Vec<Change> = Change::VARIANTS.iter().filter(possible).copied().collect();
    // Change the setup seldom: it is one value, and there are many steps.
    if changes.len() > 1 && !drawer.one_in(4) {
        changes.retain(|change| *change != Change::Setup);
    }
    let change = changes[drawer.below(changes.len())];
    let span = 1 + drawer.below(MAX_SPAN);
    match change {
        Change::Insert => {
            let step = drawer.step();
            steps.insert(drawer.below(steps.len() + 1), step);
        }
        Change::InsertRun => {
            let at = drawer.below(steps.len() + 1);
            let run: Vec<_> = drawer.sequence().take(span).collect();
            steps.splice(at..at, run);
        }
        Change::Delete => {
            let span = span.min(steps.len() - 1);
            let at = drawer.below(steps.len() - span + 1);
            steps.drain(at..at + span);
        }
        Change::Duplicate => {
            let span = span.min(steps.len());
            let from = drawer.below(steps.len() - span + 1);
            let again = steps[from..from + span].to_vec();
            let at = drawer.below(steps.len() + 1);
            steps.splice(at..at, again);
        }
        Change::Swap => {
            let (one, other) = (drawer.below(steps.len()), drawer.below(steps.len()));
            steps.swap(one, other);
        }
        Change::Field => {
            let at = drawer.below(steps.len());
            steps[at] = drawer.other_field(steps[at]);
        }
        Change::Setup => scenario.setup = drawer.setup(),
    }
    complete(scenario, &mut drawer, most);
    change
}

/// Adds steps up to the least number, usually cuts to the most, usually replaces the setup of a large queue, and
/// makes sure that a step reaches the queue.
fn complete(scenario: &mut Scenario, drawer: &mut StepDrawer, most: usize) {
    if scenario.setup.queue_size.get() > LARGE_QUEUE && !drawer.one_in(4) {
        scenario.setup = drawer.setup();
    }
    let missing = MIN_STEPS.min(most).saturating_sub(scenario.steps.len());
    scenario.steps.extend(drawer.sequence().take(missing));
    let most = if drawer.one_in(8) { most } else { most.min(MAX_STEPS) };
    scenario.steps.truncate(most);
    if !scenario.steps.iter().any(reaches_the_queue)
        && let Some(step) = scenario.steps.first_mut()
    {
        *step = Step::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) };
    }
}

/// Whether a step changes something in any state of a queue. (In a broken queue, an earlier step has already changed
/// something.)
const fn reaches_the_queue(step: &Step) -> bool {
    match step.op() {
        Op::Submit | Op::SubmitMany | Op::Rounds => true,
        Op::Prepare | Op::Write | Op::Reset | Op::Interrupts | Op::DeviceNotifications => true,
        Op::Idle | Op::Publish | Op::Take | Op::Collect | Op::Read | Op::Free | Op::Misuse => false,
        Op::MemoryFails | Op::Withdraw | Op::DelayInterrupts => false,
        Op::TakeBack | Op::InterruptArrives => false,
        Op::DeviceTake | Op::DeviceReturn | Op::DeviceEvent | Op::Fault | Op::Settle => false,
    }
}

/// The number of steps that fit into `bytes` bytes.
const fn steps_that_fit(bytes: usize) -> usize {
    bytes.saturating_sub(HEADER_BYTES) / STEP_BYTES
}

fn write(scenario: &Scenario, out: &mut [u8]) -> usize {
    let bytes = scenario.encode();
    let length = bytes.len().min(out.len());
    out[..length].copy_from_slice(&bytes[..length]);
    length
}
