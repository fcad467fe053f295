//! One number for everything that happened.

use crate::{Answer, Event, Refusal};

/// A running hash over events. The same events give the same hash, on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHash(u64);

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

    /// Folds a number in.
    #[inline]
    pub const fn number(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    /// Folds bytes in, and how many they are: in four lanes, since one would wait for itself.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let (blocks, rest) = bytes.as_chunks::<32>();
        if !blocks.is_empty() {
            let mut lanes =
                [Self(self.0), Self(!self.0), Self(self.0.rotate_left(21)), Self(self.0.rotate_left(42))];
            for block in blocks {
                for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
                    lane.number(u64::from_le_bytes(*word));
                }
            }
            lanes.iter().for_each(|lane| self.number(lane.0));
        }
        let (words, rest) = rest.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.number(u64::from_le_bytes(last));
    }

    /// Folds an event in: which one, and what it says; of a refused submission only how many buffers it had,
    /// and of a read only what the driver answered.
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Submit { readable, writable, answer } => {
                self.number(1);
                self.number(readable.len() as u64);
                self.number(writable.len() as u64);
                if self.answer(answer).is_some() {
                    readable.iter().for_each(|bytes| self.bytes(bytes));
                    writable.iter().for_each(|length| self.number(u64::from(*length)));
                }
                self.number(answer.map_or(0, u64::from));
            }
            Event::Publish { notify } => self.numbers(2, [u64::from(*notify)]),
            Event::Take { answer } => {
                self.number(3);
                if let Some(Some(completion)) = self.answer(answer) {
                    self.numbers(completion.head.into(), [completion.length.into()]);
                }
            }
            Event::Read { head, limit, answer, standing: _ } => {
                self.numbers(4, [u64::from(*head), u64::from(*limit)]);
                if let Some(bytes) = self.answer(answer) {
                    self.bytes(bytes);
                }
            }
            Event::Free { head, name, answer } => {
                self.numbers(5, [u64::from(*head), *name as u64]);
                self.answer(answer);
            }
            Event::Reset { first_index } => self.numbers(6, [u64::from(*first_index)]),
            Event::Stores { count, foreign } => self.numbers(7, [u64::from(*count), u64::from(*foreign)]),
            Event::FreeCount { count } => self.numbers(8, [u64::from(*count)]),
            Event::AvailableIndex { index } => self.numbers(9, [u64::from(*index)]),
            Event::Chain { head, descriptors, flaw, unclean } => {
                self.numbers(
                    10,
                    [u64::from(*head), flaw.map_or(0, |flaw| flaw as u64 + 1), u64::from(*unclean)],
                );
                self.chain(descriptors);
            }
            Event::Fetched { head, whole, descriptors, payload } => {
                self.numbers(11, [u64::from(*head), u64::from(*whole)]);
                self.chain(descriptors);
                self.bytes(payload);
            }
            Event::UsedElement { index, id, length } => {
                self.numbers(12, [u64::from(*index), u64::from(*id), u64::from(*length)]);
            }
            Event::UsedIndex { index } => self.numbers(13, [u64::from(*index)]),
            Event::Notifications { wanted } => self.numbers(14, [u64::from(*wanted)]),
            Event::Tampered { descriptor } => self.numbers(15, [u64::from(*descriptor)]),
            Event::Withheld { head } => self.numbers(16, [u64::from(*head)]),
            Event::Settled => self.number(17),
            Event::Released { left } => self.numbers(18, [u64::from(*left)]),
            Event::Panic => self.number(19),
            Event::Available { head } => self.numbers(20, [u64::from(*head)]),
            Event::Wrote { place, length } => {
                self.numbers(22, [u64::from(place.region), place.offset, u64::from(*length)]);
            }
            Event::Stored { place, length } => {
                self.numbers(23, [u64::from(place.region), place.offset, u64::from(*length)]);
            }
            Event::UsedEvent { index } => self.numbers(24, [u64::from(*index)]),
            Event::AvailableEvent { index } => self.numbers(25, [u64::from(*index)]),
            Event::Refetched { offset } => self.numbers(26, [*offset]),
            Event::StoredLate { offset } => self.numbers(27, [*offset]),
            Event::RingTampered => self.number(28),
            Event::Silent => self.number(29),
            Event::Spurious => self.number(30),
            Event::Trap => self.number(31),
            Event::Interrupts { wanted, flags, used_event, waiting } => {
                let waiting = waiting.map_or(0, |waiting| u64::from(waiting) + 1);
                self.numbers(21, [u64::from(*wanted), u64::from(*flags), u64::from(*used_event), waiting]);
            }
        }
    }

    fn numbers<const N: usize>(&mut self, first: u64, rest: [u64; N]) {
        self.number(first);
        rest.into_iter().for_each(|number| self.number(number));
    }

    fn answer<T: Copy>(&mut self, answer: &Answer<T>) -> Option<T> {
        match *answer {
            Ok(value) => {
                self.number(0);
                Some(value)
            }
            Err(refusal) => {
                match refusal {
                    Refusal::Misuse(kind) => self.numbers(1, [kind as u64]),
                    Refusal::Device(device) => {
                        let returned = device.returned.map_or(0, |head| u64::from(head) + 1);
                        self.numbers(2, [u64::from(device.consumed), u64::from(device.broken), returned]);
                    }
                    Refusal::System => self.number(3),
                    Refusal::Broken => self.number(4),
                }
                None
            }
        }
    }

    fn chain(&mut self, descriptors: &[crate::Descriptor]) {
        self.number(descriptors.len() as u64);
        for descriptor in descriptors {
            let place =
                descriptor.place.map_or(u64::MAX, |place| u64::from(place.region) << 48 | place.offset);
            let shape = u64::from(descriptor.length) | u64::from(descriptor.index) << 32;
            self.numbers(place, [shape | u64::from(descriptor.writable) << 48]);
        }
    }
}
