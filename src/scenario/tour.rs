//! Tours: short fixed sequences of steps that lead to states which random steps seldom reach.

use super::step::{Amount, Buffers, Pick, Step};
use arrayvec::ArrayVec;
use ringstorm_sim_device::Fault;

/// The largest queue that a tour fills, since filling needs a step for each chain.
const LARGEST_FILLED: u32 = 16;

/// The steps of a tour and those that are added at its end: about forty if it fills the largest queue.
pub(super) type Steps = ArrayVec<Step, 48>;

const ONE: Step = Step::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) };
const RETURN_NEWEST: Step =
    Step::DeviceReturn { pick: Pick::NEWEST, written: Amount::Full, count: 1, beyond: false };
const TAKE_ALL: Step = Step::DeviceTake { count: 255 };

const fn fault(fault: Fault, value: u32) -> Step {
    Step::Fault { fault, pick: Pick::NEWEST, value }
}

/// A chain of two buffers, which most faults need.
const fn two_buffers(direction: u32) -> Step {
    match direction % 3 {
        0 => Step::Submit { readable: Buffers::of(1, 1), writable: Buffers::of(1, 1) },
        1 => Step::Submit { readable: Buffers::of(2, 1), writable: Buffers::NONE },
        _ => Step::Submit { readable: Buffers::NONE, writable: Buffers::of(2, 1) },
    }
}

/// Starts with an empty queue. At the end the driver has no chain, but the device still has one: a duplicate id made
/// the driver take it too early. With `broken`, the driver then also detects a jump of the used index.
pub(super) fn chain_only_at_device(steps: &mut Steps, size: u32, direction: u32, broken: bool) {
    let chain = if size > 1 { two_buffers(direction) } else { ONE };
    let complete = [TAKE_ALL, RETURN_NEWEST, Step::Collect, Step::Free { pick: Pick::NEWEST }];
    steps.push(chain);
    steps.extend(complete);
    // The queue uses the descriptors again that were freed last, so the id of the previous chain is also the id of
    // this one.
    steps.extend([
        chain,
        TAKE_ALL,
        fault(Fault::DuplicateId, 0),
        Step::Take,
        Step::Free { pick: Pick::NEWEST },
    ]);
    if broken {
        steps.extend([fault(Fault::IndexJump, 0x7ffe), Step::Take]);
    }
}

/// Starts with an empty queue. At the end all descriptors are in chains in flight, and one chain was freed out of
/// order. With `broken`, the driver then also detects a jump of the used index.
pub(super) fn full_queue(steps: &mut Steps, size: u32, direction: u32, broken: bool) {
    if !(4..=LARGEST_FILLED).contains(&size) {
        return;
    }
    steps.push(two_buffers(direction));
    steps.extend((2..size).map(|_| ONE));
    steps.extend([TAKE_ALL, RETURN_NEWEST, Step::Collect, Step::Free { pick: Pick::NEWEST }, ONE]);
    // Otherwise one entry stays in the available ring, which a fault can overwrite.
    if direction.is_multiple_of(2) {
        steps.push(TAKE_ALL);
    }
    if broken {
        steps.extend([fault(Fault::IndexJump, 0x7ffe), Step::Take]);
    }
}
