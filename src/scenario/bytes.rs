//! Scenarios as bytes. Every byte string is a valid scenario.
//!
//! The format is a header of [`HEADER_BYTES`], then records of [`STEP_BYTES`]. Missing bytes at the end are zero. The
//! first byte of a record is the number of its operation; an unassigned number means `idle`. Sizes are stored as a
//! class and a number: most random bytes give a small value, and every value can be written.

use super::misuse::{BadHead, HeadCall};
use super::step::{Amount, Buffers, Lengths, Op, Pick, Step};
use super::{BUFFER_BYTES_MAX, Ending, Scenario, Setup};
use arbitrary::{Arbitrary, Unstructured};
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};
use ringstorm_sim_device::Fault;

/// The length of the header.
pub const HEADER_BYTES: usize = 8;
/// The length of one step.
pub const STEP_BYTES: usize = 18;

/// A size byte of zero means a queue of 2^3 = 8.
const SIZE_OF_ZERO: u8 = 3;
/// Added to the number of a [`BadHead`] if the call is [`HeadCall::Withdraw`].
const WITHDRAWN: u8 = 128;
/// A class below this value means that only the low byte counts.
const WIDE: u8 = 0xf0;

impl Scenario {
    /// Decodes a scenario. Never fails.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut header = [0; HEADER_BYTES];
        let (front, records) = bytes.split_at(bytes.len().min(HEADER_BYTES));
        header[..front.len()].copy_from_slice(front);
        let steps = records.chunks(STEP_BYTES).map(|chunk| {
            let mut record = [0; STEP_BYTES];
            record[..chunk.len()].copy_from_slice(chunk);
            decode_step(&record)
        });
        Self { setup: decode_setup(&header), steps: steps.collect() }
    }

    /// Encodes this scenario. [`decode`](Self::decode) gives it back.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + STEP_BYTES * self.steps.len());
        bytes.extend_from_slice(&encode_setup(&self.setup));
        for step in &self.steps {
            bytes.extend_from_slice(&encode_step(step));
        }
        bytes
    }
}

/// Decodes all of the remaining input.
impl<'a> Arbitrary<'a> for Scenario {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::decode(input.bytes(input.len())?))
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::decode(input.take_rest()))
    }
}

fn decode_setup(header: &[u8; HEADER_BYTES]) -> Setup {
    let [size, class, low, high, first_low, first_high, flags, more_flags] = *header;
    let exponent = match size ^ SIZE_OF_ZERO {
        literal @ 0..=15 => literal,
        other => other & 7,
    };
    let queue_size = QueueSize::new(1 << exponent).expect("a power of two up to 2^15");
    let buffer_size = match (class, low) {
        (..WIDE, 0) => 64,
        (..WIDE, low) => low.into(),
        (_, low) => u16::from_le_bytes([low, high]).max(1),
    };
    let most = BUFFER_BYTES_MAX / u64::from(queue_size.get());
    Setup {
        queue_size,
        buffer_size: u64::from(buffer_size).min(most) as u16,
        first_index: RingIndex::new(u16::from_le_bytes([first_low, first_high])),
        event_index: flags & 8 != 0,
        policies: Policies {
            after_fault: if flags & 1 == 0 { AfterFault::Broken } else { AfterFault::Continue },
            over_long: if flags & 2 == 0 { OverLong::Clamp } else { OverLong::Refuse },
            writable: if flags & 4 == 0 { WritableBuffers::Unchanged } else { WritableBuffers::Zeroed },
        },
        ending: if more_flags & 1 == 0 { Ending::Released } else { Ending::Dropped },
    }
}

fn encode_setup(setup: &Setup) -> [u8; HEADER_BYTES] {
    let exponent = setup.queue_size.get().trailing_zeros() as u8;
    let [low, high] = setup.buffer_size.to_le_bytes();
    let class = if high == 0 { 0 } else { WIDE };
    let [first_low, first_high] = setup.first_index.get().to_le_bytes();
    let flags = u8::from(setup.continues_after_fault())
        | u8::from(setup.refuses_over_long()) << 1
        | u8::from(setup.zeroes()) << 2
        | u8::from(setup.event_index) << 3;
    [exponent ^ SIZE_OF_ZERO, class, low, high, first_low, first_high, flags, u8::from(setup.is_dropped())]
}

pub(super) fn decode_step(record: &[u8; STEP_BYTES]) -> Step {
    let [number, pick, rest @ ..] = *record;
    let pick = Pick(pick);
    let [a, b, value @ ..] = *rest.first_chunk::<6>().expect("a record is longer");
    let value = u32::from_le_bytes(value);
    let Some(op) = Op::from_repr(number) else { return Step::Idle };
    let buffers = || {
        let (readable, writable) = rest.split_at(8);
        (decode_buffers(readable), decode_buffers(writable))
    };
    match op {
        Op::Idle => Step::Idle,
        Op::Submit => {
            let (readable, writable) = buffers();
            Step::Submit { readable, writable }
        }
        Op::Prepare => {
            let (readable, writable) = buffers();
            Step::Prepare { readable, writable }
        }
        Op::Write => {
            let (readable, writable) = buffers();
            Step::Write { readable, writable }
        }
        Op::Publish => Step::Publish,
        Op::Take => Step::Take,
        Op::Collect => Step::Collect,
        Op::Read => Step::Read { pick, limit: decode_amount(a, value) },
        Op::Free => Step::Free { pick },
        Op::Reset => Step::Reset,
        Op::Misuse => {
            // The first byte distinguishes reading and freeing. Withdrawing was added later: its heads have numbers
            // from [`WITHDRAWN`] on.
            let (call, head) = match b.checked_sub(WITHDRAWN) {
                Some(head) => (Some(HeadCall::Withdraw), head),
                None => (HeadCall::from_repr(a & 1), b),
            };
            match (call, BadHead::from_repr(head)) {
                (Some(call), Some(head)) => Step::Misuse { call, head, pick },
                _ => Step::Idle,
            }
        }
        Op::Interrupts => Step::Interrupts { wanted: a & 1 == 0 },
        Op::MemoryFails => Step::MemoryFails { after: value as u16 },
        Op::Withdraw => Step::Withdraw { pick },
        Op::SubmitMany => decode_submit_many(record),
        Op::DelayInterrupts => Step::DelayInterrupts,
        Op::InterruptArrives => Step::InterruptArrives,
        Op::TakeBack => Step::TakeBack { stopped: a & 1 == 0 },
        Op::DeviceTake => Step::DeviceTake { count: b.max(1) },
        Op::DeviceEvent => Step::DeviceEvent { ahead: value as u16 },
        Op::DeviceReturn => {
            Step::DeviceReturn { pick, written: decode_amount(a, value), count: b.max(1), beyond: a & 2 != 0 }
        }
        Op::DeviceNotifications => Step::DeviceNotifications { wanted: a & 1 == 0 },
        Op::Fault => match Fault::from_repr(b) {
            Some(fault) => Step::Fault { fault, pick, value },
            None => Step::Idle,
        },
        Op::Settle => Step::Settle,
        Op::Rounds => Step::Rounds { count: decode_rounds(a, value) },
    }
}

pub(super) fn encode_step(step: &Step) -> [u8; STEP_BYTES] {
    let mut record = [0; STEP_BYTES];
    record[0] = step.op() as u8;
    let mut small = |pick: Pick, a: u8, b: u8, value: u32| {
        (record[1], record[2], record[3]) = (pick.0, a, b);
        record[4..8].copy_from_slice(&value.to_le_bytes());
    };
    match *step {
        Step::Idle | Step::Publish | Step::Take | Step::Collect | Step::Reset | Step::Settle => {}
        Step::DelayInterrupts | Step::InterruptArrives => {}
        Step::Submit { readable, writable }
        | Step::Prepare { readable, writable }
        | Step::Write { readable, writable } => {
            record[2..10].copy_from_slice(&encode_buffers(&readable));
            record[10..18].copy_from_slice(&encode_buffers(&writable));
        }
        Step::Read { pick, limit } => {
            let (a, value) = encode_amount(limit);
            small(pick, a, 0, value);
        }
        Step::Free { pick } | Step::Withdraw { pick } => small(pick, 0, 0, 0),
        Step::Misuse { call: HeadCall::Withdraw, head, pick } => small(pick, 0, WITHDRAWN + head as u8, 0),
        Step::Misuse { call, head, pick } => small(pick, call as u8, head as u8, 0),
        Step::Interrupts { wanted } | Step::DeviceNotifications { wanted } => {
            small(Pick::NEWEST, u8::from(!wanted), 0, 0);
        }
        Step::SubmitMany { readable, writable, times } => {
            encode_submit_many(&mut record, &readable, &writable, times);
        }
        Step::TakeBack { stopped } => small(Pick::NEWEST, u8::from(!stopped), 0, 0),
        Step::Rounds { count } => small(Pick::NEWEST, if count < 8 { 0 } else { WIDE }, 0, count),
        Step::DeviceTake { count } => small(Pick::NEWEST, 0, count, 0),
        Step::MemoryFails { after } => small(Pick::NEWEST, 0, 0, after.into()),
        Step::DeviceEvent { ahead } => small(Pick::NEWEST, 0, 0, ahead.into()),
        Step::DeviceReturn { pick, written, count, beyond } => {
            let (a, value) = encode_amount(written);
            small(pick, a | u8::from(beyond) << 1, count, value);
        }
        Step::Fault { fault, pick, value } => small(pick, 0, fault as u8, value),
    }
    record
}

/// A number of round trips: few, unless `class` is [`WIDE`].
fn decode_rounds(class: u8, value: u32) -> u32 {
    let count = if class < WIDE { value & 7 } else { value };
    count.clamp(1, Step::MAX_ROUNDS)
}

/// The record has one byte less for each direction than those of other chains: in the byte of the kind, the lowest two
/// bits belong to the count. One class for the whole record tells whether the high bytes count.
fn decode_submit_many(record: &[u8; STEP_BYTES]) -> Step {
    let [_, class, low, high, rest @ ..] = *record;
    let is_wide = class >= WIDE;
    let times = if is_wide { u16::from_le_bytes([low, high]) } else { u16::from(low & 15) };
    let buffers = |bytes: &[u8]| {
        let [low, high, kind, from_low, from_high, to_low, to_high] =
            *bytes.first_chunk::<7>().expect("seven bytes");
        let class = if is_wide { WIDE | kind & 3 } else { 0 };
        let kind = if is_wide && kind < 0x80 { 0x80 } else { kind };
        decode_buffers(&[class, low, high, kind, from_low, from_high, to_low, to_high])
    };
    let (readable, writable) = rest.split_at(7);
    Step::SubmitMany { readable: buffers(readable), writable: buffers(writable), times: times.max(1) }
}

fn encode_submit_many(record: &mut [u8; STEP_BYTES], readable: &Buffers, writable: &Buffers, times: u16) {
    record[1] = WIDE;
    record[2..4].copy_from_slice(&times.to_le_bytes());
    for (at, buffers) in [(4, readable), (11, writable)] {
        let [class, low, high, kind, lengths @ ..] = encode_buffers(buffers);
        let top = if class >= WIDE { class & 3 } else { 0 };
        record[at..at + 3].copy_from_slice(&[low, high, kind | top]);
        record[at + 3..at + 7].copy_from_slice(&lengths);
    }
}

fn decode_amount(class: u8, value: u32) -> Amount {
    if class & 1 == 0 { Amount::Full } else { Amount::Bytes(value) }
}

fn encode_amount(amount: Amount) -> (u8, u32) {
    match amount {
        Amount::Full => (0, 0),
        Amount::Bytes(value) => (1, value),
    }
}

fn decode_buffers(bytes: &[u8]) -> Buffers {
    let [class, low, high, kind, from @ .., to_low, to_high] =
        *bytes.first_chunk::<8>().expect("eight bytes");
    let count = match class {
        0..0xc0 => u32::from(low & 7),
        0xc0..WIDE => low.into(),
        WIDE.. => (u32::from(class & 3) << 16 | u32::from(high) << 8 | u32::from(low)).min(Buffers::MAX),
    };
    let cycle = |from: u16, to: u16| Lengths::Cycle { from: from.min(to), to: from.max(to) };
    let lengths = match kind {
        0..0x80 => cycle(from[0].into(), to_low.into()),
        0x80..0xc0 => cycle(u16::from_le_bytes(from), u16::from_le_bytes([to_low, to_high])),
        0xc0..0xe0 => Lengths::Full,
        0xe0..WIDE => Lengths::Over,
        WIDE.. => Lengths::Huge,
    };
    if count == 0 { Buffers::NONE } else { Buffers { count, lengths } }
}

fn encode_buffers(buffers: &Buffers) -> [u8; 8] {
    let [low, high, top, _] = buffers.count.to_le_bytes();
    let class = match buffers.count {
        0..8 => 0,
        8..256 => 0xc0,
        _ => WIDE | top,
    };
    let (kind, from, to) = match buffers.lengths {
        Lengths::Cycle { from, to } if to < 256 => (0, from, to),
        Lengths::Cycle { from, to } => (0x80, from, to),
        Lengths::Full => (0xc0, 0, 0),
        Lengths::Over => (0xe0, 0, 0),
        Lengths::Huge => (WIDE, 0, 0),
    };
    let ([from_low, from_high], [to_low, to_high]) = (from.to_le_bytes(), to.to_le_bytes());
    [class, low, high, kind, from_low, from_high, to_low, to_high]
}
