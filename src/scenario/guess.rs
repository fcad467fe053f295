//! A rough guess of what the queue holds, so that most steps that are drawn find something to do.

use super::{Op, Setup};
use strum::VariantArray;

/// A bit for each operation: their numbers are in groups of at most 16 that begin 32 apart, but for the last one, which is alone.
pub(super) const fn bit(op: Op) -> u64 {
    let number = op as u32;
    let group = if number < 128 { number / 32 } else { 3 };
    assert!(
        number % 32 < 16 && !(96 <= number && number < 128),
        "operations of two groups would share a bit"
    );
    1 << (group * 16 + number % 32)
}

/// What the queue probably holds.
#[derive(Default)]
pub(super) struct Guess {
    pub(super) size: u32,
    /// Descriptors in live chains.
    pub(super) descriptors: u32,
    /// Chains by where they are.
    pub(super) prepared: u32,
    pub(super) available: u32,
    pub(super) held: u32,
    pub(super) used: u32,
    pub(super) completed: u32,
    /// Whether the queue is probably broken.
    pub(super) broken: bool,
    /// Whether something bad stands in the used ring.
    pub(super) poisoned: bool,
    /// Whether notifications go by event indexes.
    pub(super) event_index: bool,
    /// Whether memory is to fail.
    pub(super) fails: bool,
    /// Whether the device probably does nothing any more.
    pub(super) silent: bool,
}

impl Guess {
    /// Nothing.
    pub(super) fn empty(setup: &Setup) -> Self {
        let Setup { queue_size, event_index, .. } = *setup;
        Self { size: queue_size.get().into(), event_index, ..Self::default() }
    }

    pub(super) fn chains(&self) -> u32 {
        self.prepared + self.available + self.held + self.used + self.completed
    }

    pub(super) fn free(&self) -> u32 {
        self.size.saturating_sub(self.descriptors)
    }

    /// The operations that probably find something to do, as [bits](bit).
    #[inline]
    pub(super) fn work(&self) -> u64 {
        const fn of<const N: usize>(ops: [Op; N]) -> u64 {
            let (mut bits, mut at) = (0, 0);
            while at < N {
                bits |= bit(ops[at]);
                at += 1;
            }
            bits
        }
        const ALWAYS: u64 = of([Op::Misuse, Op::Interrupts, Op::DeviceNotifications, Op::Settle]);
        const SUBMIT: u64 = of([Op::Submit, Op::Prepare, Op::Write]);
        const TAKE: u64 = of([Op::Take, Op::Collect]);
        const OWN: u64 = of([Op::Read, Op::Free]);
        /// Each of the other operations has a line below.
        const OTHERS: u64 = of([
            Op::Publish,
            Op::Reset,
            Op::MemoryFails,
            Op::Withdraw,
            Op::DeviceTake,
            Op::DeviceReturn,
            Op::DeviceEvent,
            Op::Fault,
        ]);
        const _: () = assert!(
            (ALWAYS | SUBMIT | TAKE | OWN | OTHERS | bit(Op::Idle)).count_ones() as usize
                == Op::VARIANTS.len(),
            "an operation of which nobody says when it has work"
        );
        let bits = |ops: u64, work: bool| ops & u64::from(work).wrapping_neg();
        let whole = !self.broken;
        let heard = !self.silent;
        ALWAYS
            | bits(SUBMIT, self.free() > 0 && whole)
            | bits(bit(Op::Withdraw), self.prepared > 0)
            | bits(bit(Op::Publish), self.prepared > 0 && whole)
            | bits(TAKE, (self.used > 0 || self.poisoned) && whole)
            | bits(OWN, self.completed > 0)
            | bits(bit(Op::Reset), self.size < 512 && (self.broken || self.chains() > 0))
            // What breaks a large queue breaks it for good, since it is not reset.
            | bits(bit(Op::MemoryFails), self.size < 512 && whole && !self.fails)
            | bits(bit(Op::DeviceTake), self.available > 0 && heard)
            | bits(bit(Op::DeviceReturn), self.held > 0 && heard)
            | bits(bit(Op::DeviceEvent), self.event_index)
            | bits(bit(Op::Fault), whole && heard)
    }

    pub(super) fn restart(&mut self) {
        *self = Self { size: self.size, event_index: self.event_index, ..Self::default() };
    }
}
