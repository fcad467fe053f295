//! One step: what the driver's caller does, or the device.

use ringstorm_sim_device::Fault;
use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// The operations, each with its number in bytes and its words in text. Numbers are only ever appended.
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
    /// The caller submits a chain by copy and publishes it.
    #[strum(serialize = "driver submit")]
    Submit = 1,
    /// The caller submits a chain by copy, to be published later.
    #[strum(serialize = "driver prepare")]
    Prepare = 2,
    /// The caller submits a chain whose payload is written in place, and publishes it.
    #[strum(serialize = "driver write")]
    Write = 3,
    /// The caller publishes what was prepared.
    #[strum(serialize = "driver publish")]
    Publish = 4,
    /// The caller takes one used chain.
    #[strum(serialize = "driver take")]
    Take = 5,
    /// The caller takes used chains until there is none.
    #[strum(serialize = "driver collect")]
    Collect = 6,
    /// The caller reads what the device wrote to a returned chain.
    #[strum(serialize = "driver read")]
    Read = 7,
    /// The caller frees a returned chain.
    #[strum(serialize = "driver free")]
    Free = 8,
    /// The device is stopped, the queue reset, the device started again.
    #[strum(serialize = "driver reset")]
    Reset = 9,
    /// The caller names a chain that it must not name.
    #[strum(serialize = "driver misuse")]
    Misuse = 10,
    /// The caller wants to be notified of used chains, or not.
    #[strum(serialize = "driver interrupts")]
    Interrupts = 11,
    /// The caller's memory fails at an access of the next calls, which unwind.
    #[strum(serialize = "driver memory-fails")]
    MemoryFails = 12,
    /// The caller takes back a chain that was submitted and not published.
    #[strum(serialize = "driver withdraw")]
    Withdraw = 13,
    /// The device takes available chains.
    #[strum(serialize = "device take")]
    DeviceTake = 32,
    /// The device returns chains, all in one move of the used index.
    #[strum(serialize = "device return")]
    DeviceReturn = 33,
    /// The device wants to be notified of available chains, or not.
    #[strum(serialize = "device notifications")]
    DeviceNotifications = 34,
    /// The device wants to be notified of a chain further ahead, by event index.
    #[strum(serialize = "device event")]
    DeviceEvent = 35,
    /// The device misbehaves.
    #[strum(serialize = "device fault")]
    Fault = 64,
    /// The faults stop, the device returns everything, the caller takes and frees it.
    #[strum(serialize = "settle")]
    Settle = 128,
}

impl Op {
    /// The words in text.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it does.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every operation has a doc line")
    }
}

/// Which of several: 0 is the newest, 1 the oldest, 2 the one after the oldest, and so on, around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Pick(pub u8);

impl Pick {
    /// The newest.
    pub const NEWEST: Self = Self(0);
    /// The oldest.
    pub const OLDEST: Self = Self(1);

    /// The position among `count` that are ordered from the oldest on; `None` if there is none.
    pub fn of(self, count: usize) -> Option<usize> {
        match (count, self.0) {
            (0, _) => None,
            (count, 0) => Some(count - 1),
            (count, pick) => Some((usize::from(pick) - 1) % count),
        }
    }
}

/// How long the buffers of one direction are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lengths {
    /// From `from` bytes to `to` bytes, one more with each buffer, and around. `from` is at most `to`.
    Cycle {
        /// The first length.
        from: u16,
        /// The last.
        to: u16,
    },
    /// As long as a buffer can be.
    Full,
    /// One byte more than that.
    Over,
    /// Absurdly long: 2^32-1 bytes for the device to write, a page over the limit for it to read.
    Huge,
}

/// The buffers of one direction. None at all is always written as [`Buffers::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buffers {
    /// How many: up to [`Buffers::MAX`].
    pub count: u32,
    /// How long.
    pub lengths: Lengths,
}

impl Buffers {
    /// The most that can be asked for in one direction: four times what the largest queue holds.
    pub const MAX: u32 = 1 << 17;

    /// No buffer at all.
    pub const NONE: Self = Self { count: 0, lengths: Lengths::Cycle { from: 1, to: 1 } };

    /// `count` buffers of `length` bytes.
    pub const fn of(count: u32, length: u16) -> Self {
        Self { count, lengths: Lengths::Cycle { from: length, to: length } }
    }

    /// `count` buffers as long as they can be.
    pub const fn full(count: u32) -> Self {
        Self { count, lengths: Lengths::Full }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amount {
    /// As many as there are.
    Full,
    /// So many, if there are.
    Bytes(u32),
}

/// The calls that name a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, FromRepr)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum HeadCall {
    /// Free.
    Free = 0,
    /// Read.
    Read = 1,
    /// Withdraw.
    Withdraw = 2,
}

/// What a caller must not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, FromRepr)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum BadHead {
    /// The queue size, one too many.
    OutOfRange = 0,
    /// 65535.
    Far = 1,
    /// A free descriptor.
    FreeDescriptor = 2,
    /// A descriptor inside a live chain.
    MidChain = 3,
    /// A chain that was freed, where another live one begins now.
    Stale = 4,
    /// A chain that the device has.
    InFlight = 5,
    /// A chain that the device returned: of the calls, withdrawing alone must not name it.
    Returned = 6,
}

/// One step of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`Op::Idle`].
    Idle,
    /// [`Op::Submit`].
    Submit {
        /// For the device to read.
        readable: Buffers,
        /// For the device to write.
        writable: Buffers,
    },
    /// [`Op::Prepare`].
    Prepare {
        /// For the device to read.
        readable: Buffers,
        /// For the device to write.
        writable: Buffers,
    },
    /// [`Op::Write`].
    Write {
        /// For the device to read.
        readable: Buffers,
        /// For the device to write.
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
        /// Which of the returned chains.
        pick: Pick,
        /// At most so many bytes.
        limit: Amount,
    },
    /// [`Op::Free`].
    Free {
        /// Which of the returned chains.
        pick: Pick,
    },
    /// [`Op::Reset`].
    Reset,
    /// [`Op::Misuse`].
    Misuse {
        /// The call.
        call: HeadCall,
        /// What it names.
        head: BadHead,
        /// Which of those.
        pick: Pick,
    },
    /// [`Op::Interrupts`].
    Interrupts {
        /// Whether they are wanted.
        wanted: bool,
    },
    /// [`Op::MemoryFails`].
    MemoryFails {
        /// How many accesses do not fail before the one that does.
        after: u16,
    },
    /// [`Op::Withdraw`].
    Withdraw {
        /// Which of the chains that are not published.
        pick: Pick,
    },
    /// [`Op::DeviceTake`].
    DeviceTake {
        /// How many, at least 1.
        count: u8,
    },
    /// [`Op::DeviceReturn`].
    DeviceReturn {
        /// Which of the held chains; the same choice again for each further one.
        pick: Pick,
        /// Bytes written and reported.
        written: Amount,
        /// How many chains, at least 1.
        count: u8,
        /// Whether the bytes behind those are written too.
        beyond: bool,
    },
    /// [`Op::DeviceNotifications`].
    DeviceNotifications {
        /// Whether they are wanted.
        wanted: bool,
    },
    /// [`Op::DeviceEvent`].
    DeviceEvent {
        /// How many entries behind the next one that it will take.
        ahead: u16,
    },
    /// [`Op::Fault`].
    Fault {
        /// The fault.
        fault: Fault,
        /// Which chain or descriptor.
        pick: Pick,
        /// What is lied.
        value: u32,
    },
    /// [`Op::Settle`].
    Settle,
}

impl Step {
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
            Self::DeviceTake { .. } => Op::DeviceTake,
            Self::DeviceReturn { .. } => Op::DeviceReturn,
            Self::DeviceNotifications { .. } => Op::DeviceNotifications,
            Self::DeviceEvent { .. } => Op::DeviceEvent,
            Self::Fault { .. } => Op::Fault,
            Self::Settle => Op::Settle,
        }
    }
}
