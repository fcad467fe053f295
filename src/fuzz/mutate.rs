//! Changing scenarios by whole steps, in place of libFuzzer's changes of bytes.
//!
//! What is made is always the bytes of a scenario as [`Scenario::encode`] writes them, and it is all in the seed that
//! libFuzzer gives.

use crate::scenario::{Buffers, Fresh, HEADER_BYTES, Op, STEP_BYTES, Scenario, Step};
use strum::VariantArray;

/// Steps that a scenario has at least, if there is room for them: a shorter one says little of a queue.
pub const LEAST_STEPS: usize = 32;
/// From here on, none are inserted.
const MANY_STEPS: usize = 40;
/// What lies behind it is cut off, but for now and then.
const MOST_STEPS: usize = 48;
/// Steps that are deleted, duplicated or drawn together at most.
const SPAN: usize = 12;
/// Descriptors of a queue that takes long to make. It is left for a smaller one by most changes.
const LARGE: u16 = 256;

/// What is done to a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Change {
    /// A step is put in somewhere.
    Insert,
    /// Steps that go together are put in.
    InsertRun,
    /// Some that follow each other are deleted.
    Delete,
    /// Some that follow each other happen once more, somewhere.
    Duplicate,
    /// Two change places.
    Swap,
    /// A field of one step is another.
    Field,
    /// The setup is another.
    Setup,
}

/// Changes the scenario that `bytes[..size]` are, to one of at most `most` bytes, and says how long that is. There is a
/// step in it, unless `most` has no room for one.
pub fn mutate(bytes: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut scenario = Scenario::decode(&bytes[..size]);
    change(&mut scenario, room(most), seed);
    write(&scenario, &mut bytes[..most])
}

/// Makes a scenario of two: steps of the one, then steps of the other, with the setup of either.
pub fn cross(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let (one, other) = (Scenario::decode(one), Scenario::decode(other));
    let setup = if seed.is_multiple_of(2) { one.setup } else { other.setup };
    let mut fresh = Fresh::new(seed.into(), &setup);
    let most = room(out.len());
    let mut scenario = Scenario { setup, ..one };
    let begin = fresh.below(scenario.steps.len() + 1).min(most.saturating_sub(1)).max(1);
    scenario.steps.truncate(begin);
    // Where the other goes on is where the one breaks off, or anywhere.
    let rest = other.steps.len().saturating_sub(1);
    let from = if fresh.one_in(2) { begin } else { fresh.below(rest + 1) }.min(rest);
    scenario.steps.extend_from_slice(&other.steps[from..]);
    fill(&mut scenario, &mut fresh, most);
    write(&scenario, out)
}

/// Changes a scenario to one of at most `most` steps, and says how.
pub fn change(scenario: &mut Scenario, most: usize, seed: u32) -> Change {
    let mut fresh = Fresh::new(seed.into(), &scenario.setup);
    let steps = &mut scenario.steps;
    let possible = |change: &&Change| match change {
        Change::Insert | Change::InsertRun | Change::Duplicate => (1..MANY_STEPS).contains(&steps.len()),
        Change::Delete | Change::Swap => steps.len() > 1,
        Change::Field => !steps.is_empty(),
        Change::Setup => true,
    };
    let mut changes: Vec<Change> = Change::VARIANTS.iter().filter(possible).copied().collect();
    // The setup is one thing, the steps are many.
    if changes.len() > 1 && !fresh.one_in(4) {
        changes.retain(|change| *change != Change::Setup);
    }
    let change = changes[fresh.below(changes.len())];
    let span = 1 + fresh.below(SPAN);
    match change {
        Change::Insert => {
            let step = fresh.step();
            steps.insert(fresh.below(steps.len() + 1), step);
        }
        Change::InsertRun => {
            let at = fresh.below(steps.len() + 1);
            let run: Vec<_> = fresh.run().take(span).collect();
            steps.splice(at..at, run);
        }
        Change::Delete => {
            let span = span.min(steps.len() - 1);
            let at = fresh.below(steps.len() - span + 1);
            steps.drain(at..at + span);
        }
        Change::Duplicate => {
            let span = span.min(steps.len());
            let from = fresh.below(steps.len() - span + 1);
            let again = steps[from..from + span].to_vec();
            let at = fresh.below(steps.len() + 1);
            steps.splice(at..at, again);
        }
        Change::Swap => {
            let (one, other) = (fresh.below(steps.len()), fresh.below(steps.len()));
            steps.swap(one, other);
        }
        Change::Field => {
            let at = fresh.below(steps.len());
            steps[at] = fresh.other_field(steps[at]);
        }
        Change::Setup => scenario.setup = fresh.setup(),
    }
    fill(scenario, &mut fresh, most);
    change
}

/// Mostly makes it as long as it should be, and its queue small again if it is a large one. Sees that it reaches the queue.
fn fill(scenario: &mut Scenario, fresh: &mut Fresh, most: usize) {
    if scenario.setup.queue_size.get() > LARGE && !fresh.one_in(4) {
        scenario.setup = fresh.setup();
    }
    let missing = LEAST_STEPS.min(most).saturating_sub(scenario.steps.len());
    scenario.steps.extend(fresh.run().take(missing));
    let most = if fresh.one_in(8) { most } else { most.min(MOST_STEPS) };
    scenario.steps.truncate(most);
    if !scenario.steps.iter().any(reaches_the_queue)
        && let Some(step) = scenario.steps.first_mut()
    {
        *step = Step::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) };
    }
}

/// Whether a step does something to a queue, whatever came before: if it is broken by then, that was something.
const fn reaches_the_queue(step: &Step) -> bool {
    match step.op() {
        Op::Submit | Op::Prepare | Op::Write | Op::Reset | Op::Interrupts | Op::DeviceNotifications => true,
        Op::Idle | Op::Publish | Op::Take | Op::Collect | Op::Read | Op::Free | Op::Misuse => false,
        Op::MemoryFails | Op::Withdraw => false,
        Op::DeviceTake | Op::DeviceReturn | Op::DeviceEvent | Op::Fault | Op::Settle => false,
    }
}

/// Steps that so many bytes have room for.
const fn room(bytes: usize) -> usize {
    bytes.saturating_sub(HEADER_BYTES) / STEP_BYTES
}

fn write(scenario: &Scenario, out: &mut [u8]) -> usize {
    let bytes = scenario.encode();
    let length = bytes.len().min(out.len());
    out[..length].copy_from_slice(&bytes[..length]);
    length
}
