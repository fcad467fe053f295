//! What the device claims in the used ring.

use crate::chains::Chains;
use std::hash::{Hash, Hasher};

/// The used ring as the device wrote it, and how far the driver has read.
#[derive(Debug, Default, Clone)]
pub(crate) struct UsedRing {
    /// By slot: when it was written, id and length. Of an earlier queue unless it was in this epoch.
    elements: Vec<(u32, u32, u32)>,
    size: u16,
    /// Counts beginnings.
    epoch: u32,
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
        self.size = queue_size;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // What is left of the first epochs would be taken for new.
            self.elements.clear();
            self.epoch = 1;
        }
        self.elements.resize(self.elements.len().max(queue_size.into()), (0, 0, 0));
        (self.index, self.next) = (first_index, first_index);
    }

    /// A distance in the ring, the size of which is a power of two.
    fn around(&self, distance: u16) -> u16 {
        distance & (self.size - 1)
    }

    fn slot(&self, index: u16) -> usize {
        usize::from(self.around(index))
    }

    /// Id and length of an element, zero where the device never wrote.
    fn element(&self, slot: usize) -> (u32, u32) {
        let (epoch, id, length) = self.elements[slot];
        if epoch == self.epoch { (id, length) } else { (0, 0) }
    }

    /// The device wrote an element. Says which id stood there if the driver had not come so far.
    pub(crate) fn write(&mut self, index: u16, id: u32, length: u32) -> Option<u32> {
        let slot = self.slot(index);
        let (before, _) = self.element(slot);
        self.elements[slot] = (self.epoch, id, length);
        let ahead = self.around((slot as u16).wrapping_sub(self.next));
        (ahead < self.claimed() && before != id).then_some(before)
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
        let (id, length) = self.element(self.slot(self.next));
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

    /// The head of the first element that names a chain which the device has.
    pub(crate) fn first_good(&self, chains: &Chains) -> Option<u16> {
        let ahead = 0..self.claimed().min(self.size);
        let ids = ahead.map(|step| self.element(self.slot(self.next.wrapping_add(step))).0);
        ids.into_iter().find(|id| chains.in_flight(*id).is_some()).map(|id| id as u16)
    }

    /// Folds the ring in, with indexes counted from `base`.
    pub(crate) fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self { elements: _, size, epoch: _, index, next } = self;
        (0..usize::from(*size)).for_each(|slot| self.element(slot).hash(state));
        (index.wrapping_sub(base), next.wrapping_sub(base)).hash(state);
    }
}
