//! What an execution of a small scope is made of.

use crate::scenario::{Amount, BadHead, Buffers, Ending, HeadCall, Lengths, Pick, Setup, Step};
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};
use ringstorm_sim_device::Fault;
use strum::VariantArray;

/// Bytes in each buffer: few, but more than one, so that lengths of one and of a full buffer differ.
const BUFFER_SIZE: u16 = 4;
/// The first ring index: one before the wrap, so that nearly every execution crosses it.
const FIRST_INDEX: u16 = u16::MAX;
/// One value for each class of lie: none, the smallest, the largest. Faults in which it turns around have their own.
const LIES: [u32; 3] = [0, 1, u32::MAX];

/// One step that an execution may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// The step.
    pub step: Step,
    /// Tried only as one of the first [`Alphabet::RARE`] steps, since it takes as long as a thousand others. It is refused
    /// by all but a queue that is wrong.
    pub rare: bool,
}

impl Letter {
    /// Whether the device misbehaves, or the memory does.
    pub const fn is_fault(&self) -> bool {
        matches!(self.step, Step::Fault { .. } | Step::MemoryFails { .. })
    }
}

/// Every step that is tried from every state of a queue of one size.
///
/// - Chains of one buffer to read (1 byte), of one to write (full), of one to read (full) and one to write (1 byte),
///   and of all descriptors, at least half of them to write; submitted by copy, and prepared to be published later. One written in place.
/// - Chains to be refused: of no buffer, of an empty one, of one too long, alone or behind a good one, of one that is
///   absurdly long, of one
///   descriptor too many; and, [rarely](Letter::rare), of 65,537.
/// - Taking, collecting; reading, freeing and withdrawing the newest and the oldest; every call with every [`BadHead`]; reset;
///   notifications on and off for both sides.
/// - The device takes one chain; returns the newest or the oldest with nothing or everything written, with bytes
///   written that it does not report, or all chains in one move of the used index.
/// - Every [`Fault`] with each choice of a target, and for what is lied 0, 1 and the largest that is told apart.
/// - Memory that fails at one of the first accesses of the next calls, which counts as a fault.
/// - Settling, which also ends every execution.
///
/// What is left out because it is the same as something that is there: idling, and taking several chains at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    /// Where executions begin.
    pub setups: Vec<Setup>,
    /// The steps.
    pub letters: Vec<Letter>,
}

impl Alphabet {
    /// How many steps an execution may have for its last one to be a [rare](Letter::rare) one.
    pub const RARE: usize = 2;

    /// The alphabet for queues of a size. Without faults, for an honest device.
    pub fn new(queue_size: QueueSize, faults: bool) -> Self {
        let mut steps = Vec::new();
        driver(queue_size.get(), &mut steps);
        device(&mut steps);
        if faults {
            for fault in Fault::VARIANTS {
                misbehaviour(*fault, queue_size.get(), &mut steps);
            }
            steps.extend([0, 1, 2, 4].map(|after| Step::MemoryFails { after }));
        }
        steps.push(Step::Settle);
        let mut letters: Vec<Letter> = steps.into_iter().map(|step| Letter { step, rare: false }).collect();
        let absurd = Step::Submit { readable: Buffers::of(65_537, 1), writable: Buffers::NONE };
        letters.push(Letter { step: absurd, rare: true });
        Self { setups: setups(queue_size), letters }
    }
}

/// Every policy at least once, both ways to ask for notifications, and both ending_variants.
fn setups(queue_size: QueueSize) -> Vec<Setup> {
    let other = Policies {
        after_fault: AfterFault::GoOn,
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

/// The readable and the writable buffers of good chains: each fits into an empty queue.
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
            // Freeing alone has stale names, and what was returned may be freed and read.
            match head {
                BadHead::Stale => *call == HeadCall::Free,
                BadHead::Returned => *call == HeadCall::Withdraw,
                _ => true,
            }
        });
        steps.extend(heads.map(|head| Step::Misuse { call: *call, head: *head, pick: Pick::NEWEST }));
    }
    steps.extend([false, true].map(|wanted| Step::Interrupts { wanted }));
}

fn device(steps: &mut Vec<Step>) {
    let give = |pick, written, count, beyond| Step::DeviceReturn { pick, written, count, beyond };
    steps.push(Step::DeviceTake { count: 1 });
    for pick in [Pick::OLDEST, Pick::NEWEST] {
        for written in [Amount::Full, Amount::Bytes(0)] {
            steps.push(give(pick, written, 1, false));
        }
    }
    steps.push(give(Pick::OLDEST, Amount::Full, u8::MAX, false));
    steps.push(give(Pick::OLDEST, Amount::Bytes(0), 1, true));
    steps.extend([false, true].map(|wanted| Step::DeviceNotifications { wanted }));
    // Of the entry after the next.
    steps.push(Step::DeviceEvent { ahead: 1 });
}

/// The newest and the oldest, which are one of a queue of one descriptor.
fn picks(size: u16) -> &'static [Pick] {
    if size > 1 { &[Pick::OLDEST, Pick::NEWEST] } else { &[Pick::OLDEST] }
}

/// A fault with every target and every lie. What a fault does not look at is told here where it is known; one that is not
/// named gets all of them, and what comes out the same is one state.
fn misbehaviour(fault: Fault, size: u16, steps: &mut Vec<Step>) {
    // Odd choices name any descriptor.
    let descriptors = || (0..size).map(|index| Pick(2 * index as u8 + 1)).collect::<Vec<_>>();
    // What turns around is largest just before.
    let last_index = 0xffff - u32::from(size);
    let (targets, lies): (Vec<Pick>, &[u32]) = match fault {
        Fault::IndexJump | Fault::IndexBackwards => (vec![Pick::NEWEST], &[0, 1, 0x7ffe]),
        Fault::IdOutOfRange
        | Fault::DuplicateId
        | Fault::FlagsGarbage
        | Fault::EventGarbage
        | Fault::AvailableIndexOverwritten => (vec![Pick::NEWEST], &LIES),
        // The value is where the search for a free one begins.
        Fault::FreeId => (vec![Pick::NEWEST], &[0, 1, 2, 3][..usize::from(size).min(4)]),
        Fault::NextToFree => (picks(size).to_vec(), &[0, 1, 2, 3][..usize::from(size).min(4)]),
        Fault::TruncatedId => (picks(size).to_vec(), &[0, 1, 0xfffe]),
        // One that was returned a while ago: of those, any.
        Fault::StaleId => ((0..8).map(Pick).collect(), &LIES[..1]),
        Fault::MidChainId | Fault::LengthForReadable | Fault::LengthUnwritten => {
            (picks(size).to_vec(), &LIES)
        }
        // By 65,535: cut to 16 bits, the length is one less than what is there.
        Fault::LengthTooLong => (picks(size).to_vec(), &[0, 0xffff, u32::MAX]),
        Fault::NextToHead
        | Fault::NextToMiddle
        | Fault::NextSet
        | Fault::NextCleared
        | Fault::IndexBeforeElement
        | Fault::ReadableWritten
        | Fault::NeverReturned => (picks(size).to_vec(), &LIES[..1]),
        Fault::LengthScribbled | Fault::LengthGrown | Fault::AddressOfAnother | Fault::AddressOutside => {
            (descriptors(), &LIES)
        }
        Fault::NextOutOfRange => return every(&descriptors(), &[0, 1, last_index], fault, steps),
        Fault::NextToSelf
        | Fault::WriteFlipped
        | Fault::IndirectFlipped
        | Fault::LengthZeroed
        | Fault::AddressZero => (descriptors(), &LIES[..1]),
        Fault::WrittenAfterReturn
        | Fault::SpuriousNotification
        | Fault::LostNotification
        | Fault::StopsAnswering
        | Fault::NeedsReset => (vec![Pick::NEWEST], &LIES[..1]),
        // The place that changes: the used index, its last element's id or length, or a descriptor. Which descriptor is of
        // no matter to a queue that reads none back; two stand for all.
        Fault::ChangedBetweenReads => ([0, 1, 2, 3, 7].map(Pick).to_vec(), &LIES),
        _ => ([vec![Pick::NEWEST], descriptors()].concat(), &LIES),
    };
    every(&targets, lies, fault, steps);
}

/// A fault with each of these targets and each of these lies.
fn every(targets: &[Pick], lies: &[u32], fault: Fault, steps: &mut Vec<Step>) {
    for pick in targets {
        steps.extend(lies.iter().map(|value| Step::Fault { fault, pick: *pick, value: *value }));
    }
}
