//! A rough estimate of the queue's contents, so that most drawn steps have an effect.

use super::{Op, Setup};
use strum::VariantArray;

/// One bit for each operation: 32 bits for the caller's operations, 16 for the device's, eight for faults, and eight for
/// the operations from 128 on.
const fn bit(op: Op) -> u64 {
    let bit = match op as u32 {
        number @ ..48 => number,
        number @ 64..72 => number - 64 + 48,
        number @ 128..136 => number - 128 + 56,
        _ => panic!("the operation has no bit"),
    };
    1 << bit
}

/// By number: the position of the operation's [bit].
const POSITIONS: [u8; 136] = {
    let mut positions = [0; 136];
    let mut at = 0;
    while at < Op::VARIANTS.len() {
        let op = Op::VARIANTS[at];
        positions[op as usize] = bit(op).trailing_zeros() as u8;
        at += 1;
    }
    positions
};

/// Whether an operation is among these [bits](bit).
#[inline(always)]
pub(super) const fn is_among(op: Op, ops: u64) -> bool {
    ops >> POSITIONS[op as usize] & 1 != 0
}

/// By a set of facts, as bits: the operations whose condition, also a set of facts, is in it.
const fn table<const N: usize>(conditions: [(u64, usize); N]) -> [u64; 64] {
    let mut table = [0; 64];
    let mut facts = 0;
    while facts < table.len() {
        let mut at = 0;
        while at < N {
            let (ops, condition) = conditions[at];
            if facts & condition == condition {
                table[facts] |= ops;
            }
            at += 1;
        }
        facts += 1;
    }
    table
}

/// The estimated state of the queue.
#[derive(Default)]
pub(super) struct Guess {
    pub(super) size: u32,
    /// Descriptors in live chains.
    pub(super) descriptors: u32,
    /// The number of chains in each stage.
    pub(super) prepared: u32,
    pub(super) available: u32,
    pub(super) at_device: u32,
    pub(super) returned: u32,
    pub(super) taken: u32,
    /// Whether the queue is probably broken.
    pub(super) broken: bool,
    /// Whether the used ring probably has a bad element.
    pub(super) bad_element: bool,
    /// Whether event indexes are negotiated.
    pub(super) event_index: bool,
    /// Whether memory will fail at one of the next accesses.
    pub(super) memory_fails: bool,
    /// Whether the device probably no longer answers.
    pub(super) unresponsive: bool,
}

impl Guess {
    /// An empty queue.
    pub(super) fn empty(setup: &Setup) -> Self {
        let Setup { queue_size, event_index, .. } = *setup;
        Self { size: queue_size.get().into(), event_index, ..Self::default() }
    }

    pub(super) fn chains(&self) -> u32 {
        self.prepared + self.available + self.at_device + self.returned + self.taken
    }

    pub(super) fn free(&self) -> u32 {
        self.size.saturating_sub(self.descriptors)
    }

    /// The operations that probably have an effect, as [bits](bit).
    #[inline(always)]
    pub(super) fn useful_ops(&self) -> u64 {
        const fn of<const N: usize>(ops: [Op; N]) -> u64 {
            let (mut bits, mut at) = (0, 0);
            while at < N {
                bits |= bit(ops[at]);
                at += 1;
            }
            bits
        }
        const ALWAYS: u64 = of([Op::Misuse, Op::Interrupts, Op::DeviceNotifications, Op::Settle]);
        const SUBMIT: u64 = of([Op::Submit, Op::Prepare, Op::Write, Op::SubmitMany]);
        const TAKE: u64 = of([Op::Take, Op::Collect]);
        const TAKEN: u64 = of([Op::Read, Op::Free]);
        /// These operations are added later, for subjects that offer them.
        const OFFERED: u64 = of([Op::DelayInterrupts, Op::TakeBack, Op::InterruptArrives]);
        /// Each of these operations has a line of its own below.
        const OTHERS: u64 = of([
            Op::Publish,
            Op::Reset,
            Op::MemoryFails,
            Op::Withdraw,
            Op::DeviceTake,
            Op::DeviceReturn,
            Op::DeviceEvent,
            Op::Fault,
            Op::Rounds,
        ]);
        const _: () = assert!(
            (ALWAYS | SUBMIT | TAKE | TAKEN | OFFERED | OTHERS | bit(Op::Idle)).count_ones() as usize
                == Op::VARIANTS.len(),
            "an operation is missing: add when it has an effect"
        );
        const WHOLE: usize = 1;
        const RESPONSIVE: usize = 1 << 1;
        const FREE: usize = 1 << 2;
        const PREPARED: usize = 1 << 3;
        const RETURNED: usize = 1 << 4;
        const TAKEN_CHAINS: usize = 1 << 5;
        /// The operations that depend on the driver's part of the state. The index is the sum of the facts that are true.
        static FOR_DRIVER: [u64; 64] = table([
            (SUBMIT, FREE | WHOLE),
            (bit(Op::Withdraw), PREPARED),
            (bit(Op::Publish), PREPARED | WHOLE),
            (TAKE, RETURNED | WHOLE),
            (TAKEN, TAKEN_CHAINS),
            (bit(Op::Fault), WHOLE | RESPONSIVE),
            (bit(Op::Rounds), FREE | WHOLE | RESPONSIVE),
        ]);
        const AVAILABLE: usize = 1;
        const AT_DEVICE: usize = 1 << 2;
        const EVENT_INDEX: usize = 1 << 3;
        const RESET_HELPS: usize = 1 << 4;
        const MAY_FAIL: usize = 1 << 5;
        /// The others, in the same way.
        static FOR_DEVICE: [u64; 64] = table([
            (bit(Op::DeviceTake), AVAILABLE | RESPONSIVE),
            (bit(Op::DeviceReturn), AT_DEVICE | RESPONSIVE),
            (bit(Op::DeviceEvent), EVENT_INDEX),
            (bit(Op::Reset), RESET_HELPS),
            (bit(Op::MemoryFails), MAY_FAIL),
        ]);
        let fact = |fact: usize, is_true: bool| usize::from(is_true) * fact;
        let responsive = fact(RESPONSIVE, !self.unresponsive);
        let driver = responsive
            | fact(WHOLE, !self.broken)
            | fact(FREE, self.free() > 0)
            | fact(PREPARED, self.prepared > 0)
            | fact(RETURNED, (self.returned > 0) | self.bad_element)
            | fact(TAKEN_CHAINS, self.taken > 0);
        // Large queues are not reset, so they would stay broken.
        let small = self.size < 512;
        let device = responsive
            | fact(AVAILABLE, self.available > 0)
            | fact(AT_DEVICE, self.at_device > 0)
            | fact(EVENT_INDEX, self.event_index)
            | fact(RESET_HELPS, small & (self.broken | (self.chains() > 0)))
            | fact(MAY_FAIL, small & !self.broken & !self.memory_fails);
        ALWAYS | FOR_DRIVER[driver % 64] | FOR_DEVICE[device % 64]
    }

    pub(super) fn restart(&mut self) {
        *self = Self { size: self.size, event_index: self.event_index, ..Self::default() };
    }
}
