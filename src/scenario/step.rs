//! One step: an action of the driver's caller or of the device.

use super::misuse::{BadHead, HeadCall};
use ringstorm_sim_device::Fault;
use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// The operations, each with its number in bytes and its words in text. Existing numbers never change.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
    FromRepr,
)]
#[repr(u8)]
pub enum Op {
    /// Nothing happens.
    #[strum(serialize = "idle")]
    Idle = 0,
    /// The caller submits a chain and publishes it. The queue copies the payload.
    #[strum(serialize = "driver submit")]
    Submit = 1,
    /// The caller submits a chain and does not publish it yet. The queue copies the payload.
    #[strum(serialize = "driver prepare")]
    Prepare = 2,
    /// The caller submits a chain and publishes it. The caller writes the payload directly into the queue's buffers.
    #[strum(serialize = "driver write")]
    Write = 3,
    /// The caller publishes all chains that are submitted and not published.
    #[strum(serialize = "driver publish")]
    Publish = 4,
    /// The caller takes one used chain from the queue.
    #[strum(serialize = "driver take")]
    Take = 5,
    /// The caller takes used chains until there are no more.
    #[strum(serialize = "driver collect")]
    Collect = 6,
    /// The caller reads what the device wrote to a taken chain.
    #[strum(serialize = "driver read")]
    Read = 7,
    /// The caller frees a taken chain.
    #[strum(serialize = "driver free")]
    Free = 8,
    /// The device is stopped, the queue is reset, and the device is started again.
    #[strum(serialize = "driver reset")]
    Reset = 9,
    /// The caller passes a handle that it must not pass in this call.
    #[strum(serialize = "driver misuse")]
    Misuse = 10,
    /// The caller turns used-buffer notifications on or off.
    #[strum(serialize = "driver interrupts")]
    Interrupts = 11,
    /// Shared memory panics at a later access of the driver, and the driver's call unwinds.
    #[strum(serialize = "driver memory-fails")]
    MemoryFails = 12,
    /// The caller withdraws a chain that is submitted and not published.
    #[strum(serialize = "driver withdraw")]
    Withdraw = 13,
    /// The caller submits several equal chains and publishes each of them, until the queue refuses one.
    #[strum(serialize = "driver submit times")]
    SubmitMany = 14,
    /// The caller turns used-buffer notifications on, and lets the device delay the next one until it has returned several
    /// chains.
    #[strum(serialize = "driver delay-interrupts")]
    DelayInterrupts = 15,
    /// The device is stopped, the caller takes back the chains that `take` has not returned, and the queue is reset. Or the
    /// caller does so while the device runs; then only chains that are not published can be taken back.
    #[strum(serialize = "driver take-back")]
    TakeBack = 16,
    /// A used-buffer notification arrives, with or without a reason, and the queue handles it.
    #[strum(serialize = "driver interrupt-arrives")]
    InterruptArrives = 17,
    /// The device takes chains from the available ring.
    #[strum(serialize = "device take")]
    DeviceTake = 32,
    /// The device returns chains and moves the used index once over all of them.
    #[strum(serialize = "device return")]
    DeviceReturn = 33,
    /// The device turns available-buffer notifications on or off.
    #[strum(serialize = "device notifications")]
    DeviceNotifications = 34,
    /// The device sets avail_event, to be notified when the available index passes it.
    #[strum(serialize = "device event")]
    DeviceEvent = 35,
    /// The device misbehaves in one way.
    #[strum(serialize = "device fault")]
    Fault = 64,
    /// All faults stop, the device returns every chain, and the caller takes and frees them.
    #[strum(serialize = "settle")]
    Settle = 128,
    /// Several round trips, until the queue refuses a chain or the device returns none. In each, the caller submits and
    /// publishes a chain, the device takes a chain and returns its newest one, and the caller takes one and frees it.
    #[strum(serialize = "rounds")]
    Rounds = 129,
}

impl Op {
    /// The words of the operation in text.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// One sentence that describes what the operation does.
    pub(crate) fn description(self) -> &'static str {
        self.get_documentation().expect("every operation has a doc line")
    }
}

/// Selects one of several chains or descriptors: 0 is the newest, 1 the oldest, 2 the one after the oldest, and so
/// on, modulo their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Pick(pub u8);

impl Pick {
    /// The newest one.
    pub const NEWEST: Self = Self(0);
    /// The oldest one.
    pub const OLDEST: Self = Self(1);

    /// The position in a list of `count`, which is ordered from the oldest to the newest. `None` if the list is
    /// empty.
    pub fn of(self, count: usize) -> Option<usize> {
        match (count, self.0) {
            (0, _) => None,
            (count, 0) => Some(count - 1),
            (count, pick) => Some((usize::from(pick) - 1) % count),
        }
    }
}

/// The lengths of the buffers of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lengths {
    /// The first buffer has `from` bytes and each next one a byte more; after `to` bytes it begins again with `from`.
    /// `from` is at most `to`.
    Cycle {
        /// The least length in bytes.
        from: u16,
        /// The greatest length in bytes.
        to: u16,
    },
    /// The buffer size of the setup.
    Full,
    /// One byte more than the buffer size.
    Over,
    /// Far too long: 2^32-1 bytes if device-writable, a page more than the buffer size if device-readable.
    Huge,
}

/// The buffers of one direction. Zero buffers are always represented as [`Buffers::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buffers {
    /// The number of buffers, up to [`Buffers::MAX`].
    pub count: u32,
    /// Their lengths.
    pub lengths: Lengths,
}

impl Buffers {
    /// The most buffers in one direction: four times the largest queue size.
    pub const MAX: u32 = 1 << 17;

    /// No buffers.
    pub const NONE: Self = Self { count: 0, lengths: Lengths::Cycle { from: 1, to: 1 } };

    /// `count` buffers of `length` bytes.
    pub const fn of(count: u32, length: u16) -> Self {
        Self { count, lengths: Lengths::Cycle { from: length, to: length } }
    }

    /// `count` buffers of the buffer size.
    pub const fn full(count: u32) -> Self {
        Self { count, lengths: Lengths::Full }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amount {
    /// All bytes.
    Full,
    /// This number of bytes, or all if there are fewer.
    Bytes(u32),
}

/// One step of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`Op::Idle`].
    Idle,
    /// [`Op::Submit`].
    Submit {
        /// The device-readable buffers.
        readable: Buffers,
        /// The device-writable buffers.
        writable: Buffers,
    },
    /// [`Op::Prepare`].
    Prepare {
        /// The device-readable buffers.
        readable: Buffers,
        /// The device-writable buffers.
        writable: Buffers,
    },
    /// [`Op::Write`].
    Write {
        /// The device-readable buffers.
        readable: Buffers,
        /// The device-writable buffers.
        writable: Buffers,
    },
    /// [`Op::Publish`].
    Publish,
    /// [`Op::Take`].
    Take,
    /// [`Op::Collect`].
    Collect,
    /// [`Op::Read`].
    Read {
        /// Which of the taken chains.
        pick: Pick,
        /// The most bytes to read.
        limit: Amount,
    },
    /// [`Op::Free`].
    Free {
        /// Which of the taken chains.
        pick: Pick,
    },
    /// [`Op::Reset`].
    Reset,
    /// [`Op::Misuse`].
    Misuse {
        /// The call.
        call: HeadCall,
        /// The kind of handle.
        head: BadHead,
        /// Which handle of this kind.
        pick: Pick,
    },
    /// [`Op::Interrupts`].
    Interrupts {
        /// Whether notifications are turned on.
        wanted: bool,
    },
    /// [`Op::MemoryFails`].
    MemoryFails {
        /// The number of accesses that succeed before one fails.
        after: u16,
    },
    /// [`Op::Withdraw`].
    Withdraw {
        /// Which of the chains that are submitted and not published.
        pick: Pick,
    },
    /// [`Op::SubmitMany`].
    SubmitMany {
        /// The device-readable buffers of each chain.
        readable: Buffers,
        /// The device-writable buffers of each chain.
        writable: Buffers,
        /// The number of chains, at least 1.
        times: u16,
    },
    /// [`Op::DelayInterrupts`].
    DelayInterrupts,
    /// [`Op::TakeBack`].
    TakeBack {
        /// Whether the device is stopped before.
        stopped: bool,
    },
    /// [`Op::InterruptArrives`].
    InterruptArrives,
    /// [`Op::DeviceTake`].
    DeviceTake {
        /// The number of chains, at least 1.
        count: u8,
    },
    /// [`Op::DeviceReturn`].
    DeviceReturn {
        /// Which of the chains in flight at the device. Each further chain is selected in the same way.
        pick: Pick,
        /// The number of bytes that the device writes and reports.
        written: Amount,
        /// The number of chains, at least 1.
        count: u8,
        /// Whether the device also writes bytes after those, without reporting them.
        beyond: bool,
    },
    /// [`Op::DeviceNotifications`].
    DeviceNotifications {
        /// Whether notifications are turned on.
        wanted: bool,
    },
    /// [`Op::DeviceEvent`].
    DeviceEvent {
        /// The distance from the next entry that the device will take, in entries.
        ahead: u16,
    },
    /// [`Op::Fault`].
    Fault {
        /// The fault.
        fault: Fault,
        /// Which chain or descriptor the fault changes.
        pick: Pick,
        /// A number from which the fault makes its forged value.
        value: u32,
    },
    /// [`Op::Settle`].
    Settle,
    /// [`Op::Rounds`].
    Rounds {
        /// The number of round trips, from 1 to [`Step::MAX_ROUNDS`].
        count: u32,
    },
}

impl Step {
    /// How often the step does the same once more, at most.
    pub(crate) const fn repetitions(&self) -> u32 {
        match self {
            Self::SubmitMany { times, .. } => *times as u32 - 1,
            Self::Rounds { count } => *count - 1,
            _ => 0,
        }
    }

    /// The most round trips of one step: enough to advance a 16-bit index twice around.
    pub const MAX_ROUNDS: u32 = 1 << 17;

    /// The steps of which one round trip consists.
    pub const ROUND_TRIP: [Self; 5] = [
        Self::Submit { readable: Buffers::NONE, writable: Buffers::of(1, 1) },
        Self::DeviceTake { count: 1 },
        Self::DeviceReturn { pick: Pick::NEWEST, written: Amount::Full, count: 1, beyond: false },
        Self::Take,
        Self::Free { pick: Pick::NEWEST },
    ];

    /// The operation.
    pub const fn op(&self) -> Op {
        match self {
            Self::Idle => Op::Idle,
            Self::Submit { .. } => Op::Submit,
            Self::Prepare { .. } => Op::Prepare,
            Self::Write { .. } => Op::Write,
            Self::Publish => Op::Publish,
            Self::Take => Op::Take,
            Self::Collect => Op::Collect,
            Self::Read { .. } => Op::Read,
            Self::Free { .. } => Op::Free,
            Self::Reset => Op::Reset,
            Self::Misuse { .. } => Op::Misuse,
            Self::Interrupts { .. } => Op::Interrupts,
            Self::MemoryFails { .. } => Op::MemoryFails,
            Self::Withdraw { .. } => Op::Withdraw,
            Self::SubmitMany { .. } => Op::SubmitMany,
            Self::DelayInterrupts => Op::DelayInterrupts,
            Self::TakeBack { .. } => Op::TakeBack,
            Self::InterruptArrives => Op::InterruptArrives,
            Self::DeviceTake { .. } => Op::DeviceTake,
            Self::DeviceReturn { .. } => Op::DeviceReturn,
            Self::DeviceNotifications { .. } => Op::DeviceNotifications,
            Self::DeviceEvent { .. } => Op::DeviceEvent,
            Self::Fault { .. } => Op::Fault,
            Self::Settle => Op::Settle,
            Self::Rounds { .. } => Op::Rounds,
        }
    }
}
