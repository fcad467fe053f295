//! Drawing the buffers of a chain.

use super::draw::{Drawer, Weights};
use super::step::{Buffers, Lengths};

impl Drawer {
    /// The buffers of a chain: mostly a few that fit, now and then all that are free, and seldom absurd ones.
    pub(super) fn chain(&mut self, weights: &Weights) -> (Buffers, Buffers) {
        if self.one_in(40) {
            let chain = (self.absurd(), self.absurd());
            let many = |buffers: Buffers| buffers.count > 32_768;
            // What is wrong with the other direction would hide that there are too many.
            return match chain {
                (readable, _) if many(readable) => (readable, Buffers::NONE),
                (_, writable) if many(writable) => (Buffers::NONE, writable),
                chain => chain,
            };
        }
        let free = self.guess.free().max(1);
        // Filling a queue costs as much as its size, so a large one is filled more seldom.
        let total = if self.one_in(self.guess.size.max(24)) {
            free
        } else {
            1 + self.below(weights.longest.min(free))
        };
        self.guess.descriptors += total;
        // Now and then a long chain is all for the device to write, which gives the most bytes that a driver can count.
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
            // One byte fits any buffer; longer ones are refused where buffers are tiny, now and then.
            1 => Lengths::Cycle { from: 1, to: 1 },
            2 => Lengths::Cycle { from: 1, to: 1 + self.below(7) as u16 },
            _ => {
                let from = 1 + self.below(12) as u16;
                Lengths::Cycle { from, to: from + self.below(5) as u16 }
            }
        };
        Buffers { count, lengths }
    }

    fn absurd(&mut self) -> Buffers {
        let (small, size) = (self.below(4), self.guess.size);
        // What many buffers cost, many steps must make up for.
        let large = if size < 1024 { 40 } else { 4 };
        let count =
            self.choose(&[(0, 48), (small, 140), (size + 1, large), (65_536, 1), (65_537, 2), (131_072, 1)]);
        let lengths = match self.below(4) {
            // More than any queue has: their lengths do not matter, and alike they need not be made anew.
            _ if count > 32_768 => Lengths::Cycle { from: 1, to: 1 },
            0 => Lengths::Cycle { from: 0, to: 0 },
            1 => Lengths::Over,
            2 => Lengths::Huge,
            _ => Lengths::Full,
        };
        if count == 0 { Buffers::NONE } else { Buffers { count, lengths } }
    }
}
