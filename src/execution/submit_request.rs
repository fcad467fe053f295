//! The buffers of a `submit` step: device-readable payload and device-writable lengths.

use crate::scenario::{Buffers, Lengths, Setup};

/// The range of offsets at which payloads start, in bytes.
const BEGINNINGS: usize = 0x1000;
/// The bytes that payloads are cut from: room for the longest buffer at every offset.
const PAYLOAD_BYTES: usize = 0x1_0000 + 2 * BEGINNINGS;

/// The payload of every submission is a slice of this.
static PAYLOAD: [u8; PAYLOAD_BYTES] = payload();

/// Payload for a buffer that is left unwritten, where memory is zero.
static ZEROS: [u8; PAYLOAD_BYTES] = [0; PAYLOAD_BYTES];

/// Makes bytes that differ from place to place and are never zero.
const fn payload() -> [u8; PAYLOAD_BYTES] {
    let (mut bytes, mut state, mut at) = ([0; PAYLOAD_BYTES], 1_u64, 0);
    while at < PAYLOAD_BYTES {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x2545_f491_4f6c_dd1d);
        bytes[at] = (state >> 56) as u8 | 1;
        at += 1;
    }
    bytes
}

/// The buffers of one chain. The allocations are used again.
#[derive(Default)]
pub(super) struct SubmitRequest {
    readable: List<&'static [u8]>,
    writable: List<u32>,
}

impl SubmitRequest {
    /// Fills in the buffers of submission `number`. With `in_place` and at least two device-readable buffers, the last
    /// of these contains only zeros.
    pub(super) fn fill(
        &mut self,
        setup: &Setup,
        number: u32,
        readable: Buffers,
        writable: Buffers,
        in_place: bool,
    ) {
        let (buffer_size, most) = (setup.buffer_size, setup.queue_size.get().into());
        let length = |lengths| match lengths {
            // A device-readable buffer must exist, so the oversized one is only one page too long.
            Lengths::Huge => u32::from(buffer_size) + 0x1000,
            lengths => first_length(lengths, buffer_size),
        };
        let mut start = number as usize * 37 % BEGINNINGS;
        let mut lengths = Cycle::new(length(readable.lengths), readable.lengths);
        self.readable.fill(readable.count, most, &PAYLOAD[..1], || {
            let bytes = &PAYLOAD[start..start + lengths.next() as usize];
            start = (start + 11) % BEGINNINGS;
            bytes
        });
        let mut lengths = Cycle::new(first_length(writable.lengths, buffer_size), writable.lengths);
        self.writable.fill(writable.count, most, 1, || lengths.next());
        if let (true, 0, [_, .., last]) = (in_place, self.readable.count, &mut self.readable.few[..]) {
            *last = &ZEROS[..last.len()];
        }
    }

    pub(super) fn readable(&self) -> &[&'static [u8]] {
        self.readable.items()
    }

    pub(super) fn writable(&self) -> &[u32] {
        self.writable.items()
    }
}

/// The buffers of one direction.
#[derive(Default)]
struct List<T> {
    few: Vec<T>,
    /// For requests of more buffers than the queue has descriptors: one byte each. They are made once, since the driver
    /// refuses them because of their number.
    many: Vec<T>,
    /// The number of buffers in use in `many`; 0 if `few` is used.
    count: usize,
}

impl<T: Copy> List<T> {
    fn fill(&mut self, count: u32, most: u32, short: T, mut item: impl FnMut() -> T) {
        self.few.clear();
        self.count = 0;
        if count <= most {
            return self.few.extend((0..count).map(|_| item()));
        }
        self.count = count as usize;
        if self.many.len() < self.count {
            self.many.resize(self.count, short);
        }
    }

    fn items(&self) -> &[T] {
        if self.count > 0 { &self.many[..self.count] } else { &self.few }
    }
}

/// The length of the first buffer in bytes.
fn first_length(lengths: Lengths, buffer_size: u16) -> u32 {
    match lengths {
        Lengths::Cycle { from, .. } => from.into(),
        Lengths::Full => buffer_size.into(),
        Lengths::Over => u32::from(buffer_size) + 1,
        Lengths::Huge => u32::MAX,
    }
}

/// Lengths that grow by one with each buffer and start again after the last.
struct Cycle {
    first: u32,
    last: u32,
    now: u32,
}

impl Cycle {
    fn new(first: u32, lengths: Lengths) -> Self {
        let last = match lengths {
            Lengths::Cycle { to, .. } => to.into(),
            Lengths::Full | Lengths::Over | Lengths::Huge => first,
        };
        Self { first, last, now: first }
    }

    fn next(&mut self) -> u32 {
        let now = self.now;
        self.now = if now == self.last { self.first } else { now + 1 };
        now
    }
}
