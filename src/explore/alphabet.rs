//! The steps that an execution of a small scope can contain.

use crate::scenario::{Amount, BadHead, Buffers, Ending, HeadCall, Lengths, OfferedCalls, Pick, Setup, Step};
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// The buffer size in bytes: small, but more than one, so that a length of 1 and a full buffer differ.
const BUFFER_SIZE: u16 = 4;
/// The first ring index: the last one before the wrap, so that nearly every execution crosses it.
const FIRST_INDEX: u16 = u16::MAX;
/// One value for each class of forged values: zero, the smallest, and the largest. Faults that compute modulo a
/// number have their own values.
const FORGED_VALUES: [u32; 3] = [0, 1, u32::MAX];

/// One step that the search tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// The step.
    pub step: Step,
    /// The step is tried only as one of the first [`Alphabet::RARE`] steps, because it takes as long as a thousand
    /// others. Any correct queue refuses it.
    pub rare: bool,
}

impl Action {
    /// Whether the step is a fault of the device or of memory.
    pub const fn is_fault(&self) -> bool {
        matches!(self.step, Step::Fault { .. } | Step::MemoryFails { .. })
    }
}

/// All steps that the search tries in every state of a queue of one size.
///
/// - Chains with one device-readable buffer (1 byte); with one device-writable buffer (full); with one
///   device-readable buffer (full) and one device-writable buffer (1 byte); and with all descriptors, at least half
///   of them device-writable. Each is submitted, and also prepared to be published later. One more chain is written
///   in place.
/// - Chains that the queue must refuse: without a buffer; with an empty buffer; with a buffer that is too long, alone
///   or after a valid one; with a buffer that is far too long; with one descriptor too many; and, as a
///   [rare](Action::rare) action, with 65,537 descriptors.
/// - Taking and collecting. Reading, freeing and withdrawing the newest and the oldest chain. Every call with every
///   [`BadHead`]. A reset. Notifications on and off for both sides. The calls that
///   only some subjects offer.
/// - The device takes one chain. It returns the newest or the oldest chain and writes nothing, everything, or bytes
///   that it does not report; or it returns all chains with one change of the used index.
/// - Every [`Fault`] with each target, and with the forged values 0, 1 and the largest one that makes a difference.
/// - Memory that fails at one of the first accesses of the next calls. This counts as a fault.
/// - Settle, which also ends every execution.
///
/// Left out because they add no states: idle, taking several chains at once, and the steps that only repeat others,
/// which are many submissions and many round trips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    /// The setups with which executions begin.
    pub setups: Vec<Setup>,
    /// The actions.
    pub actions: Vec<Action>,
}

impl Alphabet {
    /// The number of steps at the beginning of an execution that may be [rare](Action::rare).
    pub const RARE: usize = 2;

    /// The part of the alphabet for subjects that offer only these calls.
    pub(super) fn offering(mut self, offered: OfferedCalls) -> Self {
        self.actions.retain(|action| offered.include(&action.step));
        self
    }

    /// The alphabet for a queue size. Without `faults`, the device is honest.
    pub fn new(queue_size: QueueSize, faults: bool) -> Self {
        let mut steps = Vec::new();
        driver(queue_size.get(), &mut steps);
        device(&mut steps);
        if faults {
            for fault in Fault::VARIANTS {
                fault_steps(*fault, queue_size.get(), &mut steps);
            }
            steps.extend([0, 1, 2, 4].map(|after| Step::MemoryFails { after }));
        }
        steps.push(Step::Settle);
        let mut actions: Vec<Action> = steps.into_iter().map(|step| Action { step, rare: false }).collect();
        let too_many = Step::Submit { readable: Buffers::of(65_537, 1), writable: Buffers::NONE };
        actions.push(Action { step: too_many, rare: true });
        Self { setups: setups(queue_size), actions }
    }
}

/// Setups that contain every policy at least once, with and without event indexes, and both endings.
fn setups(queue_size: QueueSize) -> Vec<Setup> {
    let other = Policies {
        after_fault: AfterFault::Continue,
        over_long: OverLong::Refuse,
        writable: WritableBuffers::Zeroed,
    };
    let setup = |policies, event_index, ending| Setup {
        queue_size,
        buffer_size: BUFFER_SIZE,
        first_index: RingIndex::new(FIRST_INDEX),
        event_index,
        policies,
        ending,
    };
    vec![setup(Policies::default(), false, Ending::Released), setup(other, true, Ending::Dropped)]
}

/// The device-readable and device-writable buffers of valid chains. Each chain fits into an empty queue.
fn chains(size: u16) -> Vec<(Buffers, Buffers)> {
    let mut chains = vec![(Buffers::of(1, 1), Buffers::NONE), (Buffers::NONE, Buffers::full(1))];
    if size > 1 {
        chains.push((Buffers::full(1), Buffers::of(1, 1)));
        let readable = if size > 2 { u32::from(size / 2) } else { 0 };
        let first = if readable > 0 { Buffers::of(readable, 1) } else { Buffers::NONE };
        chains.push((first, Buffers::full(u32::from(size) - readable)));
    }
    chains
}

fn driver(size: u16, steps: &mut Vec<Step>) {
    let chains = chains(size);
    steps.extend(chains.iter().map(|&(readable, writable)| Step::Submit { readable, writable }));
    steps.extend(chains.iter().map(|&(readable, writable)| Step::Prepare { readable, writable }));
    let second = if size > 1 { Buffers::of(1, 1) } else { Buffers::NONE };
    steps.push(Step::Write { readable: Buffers::full(1), writable: second });
    let over = |lengths| Buffers { count: 1, lengths };
    let bad = [
        (Buffers::NONE, Buffers::NONE),
        (Buffers::of(1, 0), Buffers::NONE),
        (over(Lengths::Over), Buffers::NONE),
        (Buffers::of(1, 1), over(Lengths::Over)),
        (Buffers::NONE, over(Lengths::Huge)),
        (Buffers::NONE, Buffers::of(u32::from(size) + 1, 1)),
    ];
    steps.extend(bad.map(|(readable, writable)| Step::Submit { readable, writable }));
    steps.extend([Step::Publish, Step::Take, Step::Collect]);
    let picks = picks(size);
    for pick in picks.iter().copied() {
        steps.push(Step::Read { pick, limit: Amount::Full });
        steps.push(Step::Free { pick });
        steps.push(Step::Withdraw { pick });
    }
    steps.push(Step::Read { pick: Pick::OLDEST, limit: Amount::Bytes(1) });
    steps.push(Step::Reset);
    for call in HeadCall::VARIANTS {
        let heads = BadHead::VARIANTS.iter().filter(|head| {
            // Only freeing uses stale handles, and only withdrawing a taken chain is a misuse.
            match head {
                BadHead::Stale => *call == HeadCall::Free,
                BadHead::Returned => *call == HeadCall::Withdraw,
                _ => true,
            }
        });
        steps.extend(heads.map(|head| Step::Misuse { call: *call, head: *head, pick: Pick::NEWEST }));
    }
    steps.extend([false, true].map(|wanted| Step::Interrupts { wanted }));
    steps.extend([Step::DelayInterrupts, Step::InterruptArrives]);
    steps.extend([true, false].map(|stopped| Step::TakeBack { stopped }));
}

fn device(steps: &mut Vec<Step>) {
    let return_step = |pick, written, count, beyond| Step::DeviceReturn { pick, written, count, beyond };
    steps.push(Step::DeviceTake { count: 1 });
    for pick in [Pick::OLDEST, Pick::NEWEST] {
        for written in [Amount::Full, Amount::Bytes(0)] {
            steps.push(return_step(pick, written, 1, false));
        }
    }
    steps.push(return_step(Pick::OLDEST, Amount::Full, u8::MAX, false));
    steps.push(return_step(Pick::OLDEST, Amount::Bytes(0), 1, true));
    steps.extend([false, true].map(|wanted| Step::DeviceNotifications { wanted }));
    // Ask for a notification at the entry after the next one.
    steps.push(Step::DeviceEvent { ahead: 1 });
}

/// The newest and the oldest chain. In a queue of one descriptor they are the same.
fn picks(size: u16) -> &'static [Pick] {
    if size > 1 { &[Pick::OLDEST, Pick::NEWEST] } else { &[Pick::OLDEST] }
}

/// Adds a fault with every target and every forged value. Parts that a fault ignores are left out here if they are
/// known. A fault that is not listed gets all of them; equal results are one state.
fn fault_steps(fault: Fault, size: u16, steps: &mut Vec<Step>) {
    // Odd picks select a descriptor by its index.
    let descriptors = || (0..size).map(|index| Pick(2 * index as u8 + 1)).collect::<Vec<_>>();
    // The largest index before the fault's addition wraps around.
    let last_index = 0xffff - u32::from(size);
    let (targets, values): (Vec<Pick>, &[u32]) = match fault {
        Fault::IndexJump | Fault::IndexBackwards => (vec![Pick::NEWEST], &[0, 1, 0x7ffe]),
        Fault::IdOutOfRange
        | Fault::DuplicateId
        | Fault::FlagsGarbage
        | Fault::EventGarbage
        | Fault::AvailableIndexOverwritten => (vec![Pick::NEWEST], &FORGED_VALUES),
        // The value is the descriptor at which the search for a free one begins.
        Fault::FreeId => (vec![Pick::NEWEST], &[0, 1, 2, 3][..usize::from(size).min(4)]),
        Fault::NextToFree => (picks(size).to_vec(), &[0, 1, 2, 3][..usize::from(size).min(4)]),
        Fault::TruncatedId => (picks(size).to_vec(), &[0, 1, 0xfffe]),
        // Any of the chains that were returned earlier.
        Fault::StaleId => ((0..8).map(Pick).collect(), &FORGED_VALUES[..1]),
        Fault::MidChainId | Fault::LengthForReadable | Fault::LengthUnwritten => {
            (picks(size).to_vec(), &FORGED_VALUES)
        }
        // 65,535 too long: truncated to 16 bits, the length is one less than the correct one.
        Fault::LengthTooLong => (picks(size).to_vec(), &[0, 0xffff, u32::MAX]),
        Fault::NextToHead
        | Fault::NextToMiddle
        | Fault::NextSet
        | Fault::NextCleared
        | Fault::IndexBeforeElement
        | Fault::ReadableWritten
        | Fault::NeverReturned => (picks(size).to_vec(), &FORGED_VALUES[..1]),
        Fault::LengthScribbled | Fault::LengthGrown | Fault::AddressOfAnother | Fault::AddressOutside => {
            (descriptors(), &FORGED_VALUES)
        }
        Fault::NextOutOfRange => return every(&descriptors(), &[0, 1, last_index], fault, steps),
        Fault::NextToSelf
        | Fault::WriteFlipped
        | Fault::IndirectFlipped
        | Fault::LengthZeroed
        | Fault::AddressZero => (descriptors(), &FORGED_VALUES[..1]),
        Fault::WrittenAfterReturn
        | Fault::SpuriousNotification
        | Fault::LostNotification
        | Fault::StopsAnswering
        | Fault::NeedsReset => (vec![Pick::NEWEST], &FORGED_VALUES[..1]),
        // The pick selects what changes: the used index, the id or length of the last element, or a descriptor. A
        // queue that does not read descriptors back treats all of them alike, so two are enough.
        Fault::ChangedBetweenReads => ([0, 1, 2, 3, 7].map(Pick).to_vec(), &FORGED_VALUES),
        _ => ([vec![Pick::NEWEST], descriptors()].concat(), &FORGED_VALUES),
    };
    every(&targets, values, fault, steps);
}

/// Adds a fault with each of these targets and values.
fn every(targets: &[Pick], values: &[u32], fault: Fault, steps: &mut Vec<Step>) {
    for pick in targets {
        steps.extend(values.iter().map(|value| Step::Fault { fault, pick: *pick, value: *value }));
    }
}
