//! A rough guess of what the queue holds, so that most steps that are drawn find something to do.

use super::Op;

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
    /// Whether the device probably does nothing any more.
    pub(super) silent: bool,
}

impl Guess {
    pub(super) fn chains(&self) -> u32 {
        self.prepared + self.available + self.held + self.used + self.completed
    }

    pub(super) fn free(&self) -> u32 {
        self.size.saturating_sub(self.descriptors)
    }

    /// Whether an operation probably finds something to do.
    pub(super) fn has_work(&self, op: Op) -> bool {
        match op {
            Op::Idle => false,
            Op::Submit | Op::Prepare | Op::Write => self.free() > 0 && !self.broken,
            Op::Publish => self.prepared > 0 && !self.broken,
            Op::Take | Op::Collect => (self.used > 0 || self.poisoned) && !self.broken,
            Op::Read | Op::Free => self.completed > 0,
            Op::Reset => self.size < 512 && (self.broken || self.chains() > 0),
            Op::Misuse | Op::Interrupts | Op::DeviceNotifications | Op::DeviceEvent | Op::Settle => true,
            Op::DeviceTake => self.available > 0 && !self.silent,
            Op::DeviceReturn => self.held > 0 && !self.silent,
            Op::Fault => !self.broken && !self.silent,
        }
    }

    pub(super) fn restart(&mut self) {
        *self = Self { size: self.size, ..Self::default() };
    }
}
