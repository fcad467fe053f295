//! What the device claims in the used ring.

use crate::chains::Chains;
use std::hash::{Hash, Hasher};

/// The used ring as the device wrote it, and how far the driver has read.
#[derive(Debug, Default, Clone)]
pub(crate) struct UsedRing {
    /// By slot: id and length. Zero where the device never wrote.
    elements: Vec<(u32, u32)>,
    /// Where the device says that it is.
    pub(crate) index: u16,
    /// The first element that the driver has not consumed.
    pub(crate) next: u16,
}

/// What the next element is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// There is none.
    Nothing,
    /// It names a chain that the device has.
    Good { head: u16, length: u32 },
    /// It names none.
    Bad,
}

impl UsedRing {
    pub(crate) fn begin(&mut self, queue_size: u16, first_index: u16) {
        self.elements.clear();
        self.elements.resize(queue_size.into(), (0, 0));
        (self.index, self.next) = (first_index, first_index);
    }

    fn slot(&self, index: u16) -> usize {
        usize::from(index) % self.elements.len()
    }

    /// The device wrote an element. Says which id stood there if the driver had not come so far.
    pub(crate) fn write(&mut self, index: u16, id: u32, length: u32) -> Option<u32> {
        let slot = self.slot(index);
        let before = std::mem::replace(&mut self.elements[slot], (id, length)).0;
        let ahead = (slot as u16).wrapping_sub(self.next) as usize % self.elements.len();
        (ahead < self.claimed().into() && before != id).then_some(before)
    }

    /// How many elements the device claims to have added.
    pub(crate) fn claimed(&self) -> u16 {
        self.index.wrapping_sub(self.next)
    }

    pub(crate) fn consume(&mut self) {
        self.next = self.next.wrapping_add(1);
    }

    pub(crate) fn claim(&self, chains: &Chains) -> Claim {
        if self.claimed() == 0 {
            return Claim::Nothing;
        }
        let (id, length) = self.elements[self.slot(self.next)];
        match chains.in_flight(id) {
            Some(_) => Claim::Good { head: id as u16, length },
            None => Claim::Bad,
        }
    }

    /// Steps over elements that name no chain: a driver may ignore them.
    pub(crate) fn skip_bad(&mut self, chains: &Chains) -> Claim {
        loop {
            match self.claim(chains) {
                Claim::Bad => self.consume(),
                claim => return claim,
            }
        }
    }

    /// Folds the ring in, with indexes counted from `base`.
    pub(crate) fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self { elements, index, next } = self;
        elements.hash(state);
        (index.wrapping_sub(base), next.wrapping_sub(base)).hash(state);
    }
}
