//! The trace hash: one number for all events of an execution.

use crate::{Answer, ChainFlaw, Event, ObservedDescriptor, Place, Refusal};

/// A running hash over events. The same events give the same hash on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHash(u64);

/// An odd number with half of its bits set.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for TraceHash {
    fn default() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }
}

impl TraceHash {
    /// The hash so far.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Adds a number.
    #[inline(always)]
    pub const fn number(&mut self, number: u64) {
        self.pair(number, 0);
    }

    /// Adds two numbers by one multiplication of double width, which is the cost of an event. The earlier hash is added to
    /// the product, so no number can erase it.
    #[inline(always)]
    const fn pair(&mut self, one: u64, other: u64) {
        let product = (self.0 ^ one) as u128 * (other ^ MULTIPLIER) as u128;
        self.0 = self.0.rotate_left(23).wrapping_add(product as u64 ^ (product >> 64) as u64);
    }

    /// Adds bytes and their number. Long strings use four lanes, since the multiplications of one lane depend on each other.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0 ^= (bytes.len() as u64).wrapping_add(1).wrapping_mul(MULTIPLIER);
        let (blocks, rest) = bytes.as_chunks::<64>();
        if !blocks.is_empty() {
            let mut lanes =
                [Self(self.0), Self(!self.0), Self(self.0.rotate_left(21)), Self(self.0.rotate_left(42))];
            for block in blocks {
                for (lane, words) in lanes.iter_mut().zip(block.as_chunks::<16>().0) {
                    let (one, other) = ends(words);
                    lane.pair(one, other);
                }
            }
            self.pair(lanes[0].0, lanes[1].0);
            self.pair(lanes[2].0, lanes[3].0);
        }
        for words in rest.chunks(16) {
            let (one, other) = ends(words);
            self.pair(one, other);
        }
    }

    /// Adds the kind and the fields of an event. Left out: the contents of a refused submission, of which only the numbers of
    /// buffers count, and the memory contents of a read.
    #[inline(always)]
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Submit { readable, writable, answer } => {
                let buffers = readable.len() as u64 | (writable.len() as u64) << 32;
                self.pair(1 | answer_code(answer, |head| u64::from(*head)) << 8, buffers);
                if answer.is_ok() {
                    readable.iter().for_each(|bytes| self.bytes(bytes));
                    writable.chunks(2).for_each(|lengths| {
                        self.pair(lengths[0].into(), lengths.get(1).copied().unwrap_or_default().into());
                    });
                }
            }
            Event::Publish { notify } => self.pair(2, u64::from(*notify)),
            Event::Take { answer } => {
                let completion = answer.ok().flatten();
                let done =
                    completion.map_or(0, |done| 1 | u64::from(done.head) << 8 | u64::from(done.length) << 32);
                self.pair(3 | answer_code(answer, |_| 0) << 8, done);
            }
            Event::Read { head, limit, answer, in_memory: _ } => {
                let asked = u64::from(*head) | u64::from(*limit) << 32;
                self.pair(4 | answer_code(answer, |_| 0) << 8, asked);
                if let Ok(bytes) = answer {
                    self.bytes(bytes);
                }
            }
            Event::Free { head, handle, answer } => {
                self.pair(5 | answer_code(answer, |()| 0) << 8, u64::from(*head) | (*handle as u64) << 16);
            }
            Event::Reset { first_index } => self.pair(6, u64::from(*first_index)),
            Event::Stores { count, to_device_area } => {
                self.pair(7 | u64::from(*to_device_area) << 8, u64::from(*count))
            }
            Event::FreeCount { count } => self.pair(8, u64::from(*count)),
            Event::AvailableIndex { index } => self.pair(9, u64::from(*index)),
            Event::Chain { head, descriptors, flaw, not_zeroed } => {
                let flaw = flaw.map_or(0, ChainFlaw::number);
                self.chain(
                    10 | flaw << 8 | u64::from(*not_zeroed) << 16 | u64::from(*head) << 24,
                    descriptors,
                );
            }
            Event::DeviceTook { head, whole, descriptors, payload } => {
                self.chain(11 | u64::from(*whole) << 8 | u64::from(*head) << 16, descriptors);
                self.bytes(payload);
            }
            Event::UsedElement { index, id, length } => {
                self.pair(12 | u64::from(*index) << 8, u64::from(*id) | u64::from(*length) << 32);
            }
            Event::UsedIndex { index } => self.pair(13, u64::from(*index)),
            Event::AvailableNotifications { wanted } => self.pair(14, u64::from(*wanted)),
            Event::DescriptorCorrupted { descriptor } => self.pair(15, u64::from(*descriptor)),
            Event::Withheld { head } => self.pair(16, u64::from(*head)),
            Event::Drained => self.pair(17, 0),
            Event::Released { left } => self.pair(18, u64::from(*left)),
            Event::Panic => self.pair(19, 0),
            Event::Available { head } => self.pair(20, u64::from(*head)),
            Event::UsedNotifications { wanted, flags, used_event, waiting } => {
                let waiting = waiting.map_or(0, |waiting| u64::from(waiting) + 1);
                let wish = u64::from(*flags) | u64::from(*used_event) << 16;
                self.pair(21 | u64::from(*wanted) << 8 | waiting << 16, wish);
            }
            Event::DeviceWrote { place, length } => self.run(22, place, *length),
            Event::DriverWrote { place, length } => self.run(23, place, *length),
            Event::UsedEvent { index } => self.pair(24, u64::from(*index)),
            Event::AvailableEvent { index } => self.pair(25, u64::from(*index)),
            Event::DoubleFetch { offset } => self.pair(26, *offset),
            Event::LateWrite { offset } => self.pair(27, *offset),
            Event::DescriptorChanged { head, descriptor } => {
                self.pair(36, u64::from(*head) | u64::from(*descriptor) << 16)
            }
            Event::AccessOrder { flaw } => self.pair(37, *flaw as u64),
            Event::Layout { table, available, used } => {
                self.pair(38, *table);
                self.pair(*available, *used);
            }
            Event::AvailableRingCorrupted => self.pair(28, 0),
            Event::Silent => self.pair(29, 0),
            Event::SpuriousNotification => self.pair(30, 0),
            Event::Trap => self.pair(31, 0),
            Event::AvailableFlags { flags } => self.pair(32, u64::from(*flags)),
            Event::Withdraw { head, answer } => {
                self.pair(35 | answer_code(answer, |()| 0) << 8, u64::from(*head));
            }
            Event::DelayedNotifications { flags, used_event, waiting } => {
                let waiting = waiting.map_or(0, |waiting| u64::from(waiting) + 1);
                self.pair(41 | waiting << 16, u64::from(*flags) | u64::from(*used_event) << 16);
            }
            Event::Interrupted { on, flags, used_event } => {
                let on = on.map_or(0, |on| u64::from(on) + 1);
                self.pair(42 | on << 16, u64::from(*flags) | u64::from(*used_event) << 16);
            }
            Event::TakeBack { stopped, head } => {
                self.pair(40 | u64::from(*stopped) << 8, head.map_or(0, |head| 1 + u64::from(head)));
            }
            Event::Dropped { rings, buffers } => self.pair(33, u64::from(*rings) | u64::from(*buffers) << 8),
            Event::Unwound { broken, changed, available } => {
                self.pair(34 | u64::from(*broken) << 8 | u64::from(*changed) << 9, u64::from(*available));
            }
        }
    }

    #[inline(always)]
    fn run(&mut self, event: u64, place: &Place, length: u32) {
        self.pair(event | u64::from(place.region) << 8 | u64::from(length) << 24, place.offset);
    }

    fn chain(&mut self, event: u64, descriptors: &[ObservedDescriptor]) {
        self.pair(event, descriptors.len() as u64);
        for descriptor in descriptors {
            let place =
                descriptor.place.map_or(u64::MAX, |place| u64::from(place.region) << 48 | place.offset);
            let shape = u64::from(descriptor.length) | u64::from(descriptor.index) << 32;
            self.pair(place, shape | u64::from(descriptor.writable) << 48);
        }
    }
}

/// An answer in 56 bits: the result, or the reason of the refusal.
#[inline(always)]
fn answer_code<T>(answer: &Answer<T>, done: impl FnOnce(&T) -> u64) -> u64 {
    match answer {
        Ok(value) => done(value) << 8,
        Err(Refusal::Misuse(kind)) => 1 | (*kind as u64) << 8,
        Err(Refusal::Device(device)) => {
            let returned = device.returned.map_or(0, |head| u64::from(head) + 1);
            2 | u64::from(device.consumed) << 8 | u64::from(device.broken) << 9 | returned << 16
        }
        Err(Refusal::System) => 3,
        Err(Refusal::Broken) => 4,
    }
}

/// At most 16 bytes in two words: the first and the last ones. Together the words hold all bytes.
#[inline(always)]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    let at = |place: usize| u64::from(bytes.get(place).copied().unwrap_or_default());
    (at(0) | at(1) << 8 | at(2) << 16, 0)
}
