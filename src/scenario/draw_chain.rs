//! Draws the buffers of a chain.

use super::draw::{Drawer, Weights};
use super::step::{Buffers, Lengths};

impl Drawer {
    /// Draws the buffers of a chain: usually a few that fit, sometimes as many as there are free descriptors, seldom
    /// invalid ones.
    pub(super) fn chain(&mut self, weights: &Weights) -> (Buffers, Buffers) {
        if self.one_in(40) {
            let chain = (self.invalid_buffers(), self.invalid_buffers());
            let many = |buffers: Buffers| buffers.count > 32_768;
            // An error in the other direction would hide that there are too many buffers.
            return match chain {
                (readable, _) if many(readable) => (readable, Buffers::NONE),
                (_, writable) if many(writable) => (Buffers::NONE, writable),
                chain => chain,
            };
        }
        let free = self.guess.free().max(1);
        // The cost of filling a queue grows with its size, so large queues are filled less often.
        let total = if self.one_in(self.guess.size.max(24)) {
            free
        } else {
            1 + self.below(weights.longest.min(free))
        };
        self.guess.descriptors += total;
        // Some long chains are only device-writable. They have the largest number of bytes that a driver may have to
        // count.
        let readable = if total == free && total >= 16 && self.one_in(2) { 0 } else { self.below(total + 1) };
        (self.buffers(readable), self.buffers(total - readable))
    }

    fn buffers(&mut self, count: u32) -> Buffers {
        if count == 0 {
            return Buffers::NONE;
        }
        let lengths = match self.below(4) {
            0 => Lengths::Full,
            _ if count >= 16 && self.one_in(2) => Lengths::Full,
            // One byte fits any buffer. Other lengths may exceed tiny buffers, and the queue then refuses the chain.
            1 => Lengths::Cycle { from: 1, to: 1 },
            2 => Lengths::Cycle { from: 1, to: 1 + self.below(7) as u16 },
            _ => {
                let from = 1 + self.below(12) as u16;
                Lengths::Cycle { from, to: from + self.below(5) as u16 }
            }
        };
        Buffers { count, lengths }
    }

    fn invalid_buffers(&mut self) -> Buffers {
        let (small, size) = (self.below(4), self.guess.size);
        // Many buffers take long, so they must be seldom.
        let large = if size < 1024 { 40 } else { 4 };
        let count =
            self.choose(&[(0, 48), (small, 140), (size + 1, large), (65_536, 1), (65_537, 2), (131_072, 1)]);
        let lengths = match self.below(4) {
            // The queue refuses this many whatever their lengths are. Equal lengths are the fastest to prepare.
            _ if count > 32_768 => Lengths::Cycle { from: 1, to: 1 },
            0 => Lengths::Cycle { from: 0, to: 0 },
            1 => Lengths::Over,
            2 => Lengths::Huge,
            _ => Lengths::Full,
        };
        if count == 0 { Buffers::NONE } else { Buffers { count, lengths } }
    }
}
