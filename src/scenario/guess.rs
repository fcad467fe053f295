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
    #[inline]
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
        let bits = |ops: u64, useful: bool| ops & u64::from(useful).wrapping_neg();
        let whole = !self.broken;
        let responsive = !self.unresponsive;
        ALWAYS
            | bits(SUBMIT, self.free() > 0 && whole)
            | bits(bit(Op::Withdraw), self.prepared > 0)
            | bits(bit(Op::Publish), self.prepared > 0 && whole)
            | bits(TAKE, (self.returned > 0 || self.bad_element) && whole)
            | bits(TAKEN, self.taken > 0)
            | bits(bit(Op::Reset), self.size < 512 && (self.broken || self.chains() > 0))
            // Large queues are not reset, so they would stay broken.
            | bits(bit(Op::MemoryFails), self.size < 512 && whole && !self.memory_fails)
            | bits(bit(Op::DeviceTake), self.available > 0 && responsive)
            | bits(bit(Op::DeviceReturn), self.at_device > 0 && responsive)
            | bits(bit(Op::DeviceEvent), self.event_index)
            | bits(bit(Op::Fault), whole && responsive)
            | bits(bit(Op::Rounds), self.free() > 0 && whole && responsive)
    }

    pub(super) fn restart(&mut self) {
        *self = Self { size: self.size, event_index: self.event_index, ..Self::default() };
    }
}
