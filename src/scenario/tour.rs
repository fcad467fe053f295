//! Tours: short ways to states that chance seldom finds.

use super::step::{Amount, Buffers, Pick, Step};
use arrayvec::ArrayVec;
use ringstorm_sim_device::Fault;

/// The largest queue that a tour fills: it costs a step for each chain.
const LARGEST: u32 = 16;

/// A tour, with what is added at its end: some forty steps at most, where it fills the largest queue.
pub(super) type Steps = ArrayVec<Step, 48>;

const ONE: Step = Step::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) };
const RETURN_NEWEST: Step =
    Step::DeviceReturn { pick: Pick::NEWEST, written: Amount::Full, count: 1, beyond: false };
const TAKE_ALL: Step = Step::DeviceTake { count: 255 };

const fn fault(fault: Fault, value: u32) -> Step {
    Step::Fault { fault, pick: Pick::NEWEST, value }
}

/// The chain that most faults have use for: one with something to read, and something to write behind it.
const fn pair(direction: u32) -> Step {
    match direction % 3 {
        0 => Step::Submit { readable: Buffers::of(1, 1), writable: Buffers::of(1, 1) },
        1 => Step::Submit { readable: Buffers::of(2, 1), writable: Buffers::NONE },
        _ => Step::Submit { readable: Buffers::NONE, writable: Buffers::of(2, 1) },
    }
}

/// From an empty queue: the driver has no chain, but the device still holds one, since the driver was made to take it
/// early. With `broken`, the driver has seen through another lie by then.
pub(super) fn ghost(steps: &mut Steps, size: u32, direction: u32, broken: bool) {
    let chain = if size > 1 { pair(direction) } else { ONE };
    let home = [TAKE_ALL, RETURN_NEWEST, Step::Collect, Step::Free { pick: Pick::NEWEST }];
    steps.push(chain);
    steps.extend(home);
    // The descriptors that were freed last are used again, so the id of the chain before names this one.
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

/// From an empty queue: all descriptors are in chains that the device holds, and one was freed out of order. With
/// `broken`, the driver has seen through a lie by then.
pub(super) fn crowded(steps: &mut Steps, size: u32, direction: u32, broken: bool) {
    if !(4..=LARGEST).contains(&size) {
        return;
    }
    steps.push(pair(direction));
    steps.extend((2..size).map(|_| ONE));
    steps.extend([TAKE_ALL, RETURN_NEWEST, Step::Collect, Step::Free { pick: Pick::NEWEST }, ONE]);
    // What is left in the available ring can be overwritten.
    if direction.is_multiple_of(2) {
        steps.push(TAKE_ALL);
    }
    if broken {
        steps.extend([fault(Fault::IndexJump, 0x7ffe), Step::Take]);
    }
}
