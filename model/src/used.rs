//! The used ring, and what the device claims in it.

use crate::chains::Chains;
use std::hash::{Hash, Hasher};

/// The used ring as the device wrote it, and how far the driver has consumed it.
#[derive(Debug, Default, Clone)]
pub(crate) struct UsedRing {
    /// By slot: epoch, id and length. Elements of other epochs are of earlier queues.
    elements: Vec<(u32, u32, u32)>,
    size: u16,
    /// Counts the queues that began.
    epoch: u32,
    /// The used index, as the device last stored it.
    pub(crate) index: u16,
    /// The index of the first element that the driver has not consumed.
    pub(crate) next: u16,
    /// The used index that claims most. A driver may still act on it after the device moved the index back.
    furthest: u16,
    /// Elements that the device overwrote after the used index covered them. A driver may have read them before.
    overwritten: Vec<Overwritten>,
    /// Whether the device broke the specification in this ring since the last reset, whatever the ring contains now.
    pub(crate) device_lied: bool,
    /// The index after the element that the device wrote last. The used index may be behind it: the device has not published
    /// the element yet, or has moved the index back.
    written: u16,
}

/// An element that the device overwrote.
#[derive(Debug, Clone, Copy)]
struct Overwritten {
    /// The lowest index at which the driver may have read it.
    first: u16,
    /// How many elements the used index claimed at that time, from this index on. If they go around the ring, the driver may
    /// have read the element at each of these indexes that has its slot.
    claimed: u16,
    id: u32,
    length: u32,
}

impl Overwritten {
    /// Whether the used index claimed the element at this index.
    fn covers(&self, index: u16) -> bool {
        (0..self.claimed).contains(&index.wrapping_sub(self.first))
    }
}

/// What the next used element contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// There is no new element.
    Nothing,
    /// Its id is the head of a chain in flight.
    Good { head: u16, length: u32 },
    /// Its id is not the head of a chain in flight.
    Bad,
}

impl UsedRing {
    pub(crate) fn begin(&mut self, queue_size: u16, first_index: u16) {
        self.size = queue_size;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // The counter has wrapped: elements of old epochs would look current.
            self.elements.clear();
            self.epoch = 1;
        }
        self.elements.resize(self.elements.len().max(queue_size.into()), (0, 0, 0));
        (self.index, self.next) = (first_index, first_index);
        (self.furthest, self.written) = (first_index, first_index);
        self.overwritten.clear();
        self.device_lied = false;
    }

    /// A distance modulo the ring size, which is a power of two.
    fn wrap(&self, distance: u16) -> u16 {
        distance & (self.size - 1)
    }

    fn slot(&self, index: u16) -> usize {
        usize::from(self.wrap(index))
    }

    /// Id and length of the element in a slot; zero if the device has not written it.
    fn element(&self, slot: usize) -> (u32, u32) {
        let (epoch, id, length) = self.elements[slot];
        if epoch == self.epoch { (id, length) } else { (0, 0) }
    }

    /// Records an element that the device wrote. Returns the id that it overwrote, if it differs and the driver had not
    /// consumed that element.
    pub(crate) fn write(&mut self, index: u16, id: u32, length: u32) -> Option<u32> {
        let slot = self.slot(index);
        let (overwritten, old_length) = self.element(slot);
        self.elements[slot] = (self.epoch, id, length);
        let ahead = self.wrap((slot as u16).wrapping_sub(self.next));
        let (claimed, unconsumed) = (self.ever_claimed(), self.ever_claimed().max(self.written_ahead()));
        self.written = index.wrapping_add(1);
        if ahead < claimed && (overwritten, old_length) != (id, length) {
            self.device_lied = true;
            let (next, size) = (self.next, self.size);
            self.overwritten
                .retain(|old| old.covers(next) || (0..size).contains(&old.first.wrapping_sub(next)));
            let (first, claimed) = (next.wrapping_add(ahead), claimed - ahead);
            self.overwritten.push(Overwritten { first, claimed, id: overwritten, length: old_length });
        }
        (ahead < unconsumed && overwritten != id).then_some(overwritten)
    }

    /// How many elements the device wrote that the driver has not consumed, whatever the used index claims now.
    fn written_ahead(&self) -> u16 {
        Some(self.written.wrapping_sub(self.next)).filter(|ahead| *ahead < 0x8000).unwrap_or(0)
    }

    /// Moves the used index, and records whether the device lies: the index only grows, each new element is the head of a chain
    /// in flight that was not returned before, and its length fits the chain (2.7.8).
    pub(crate) fn move_index(&mut self, index: u16, chains: &mut Chains) {
        let (old, added) = (self.index, index.wrapping_sub(self.index));
        self.index = index;
        if self.claimed() > self.ever_claimed() {
            self.furthest = index;
        }
        if self.device_lied {
            return;
        }
        self.device_lied = u32::from(added) > chains.in_flight
            || (0..added).any(|step| {
                let (id, length) = self.element(self.slot(old.wrapping_add(step)));
                !chains.mark_claimed(id, length)
            });
    }

    /// How many elements the used index claims, or has claimed before, that the driver has not consumed.
    pub(crate) fn ever_claimed(&self) -> u16 {
        self.furthest.wrapping_sub(self.next)
    }

    /// Consumes the elements up to the first one that names this chain, now or before the device overwrote it. Returns its length
    /// and the number of elements before it. For a device that lied: the driver may have read the elements in earlier calls, and
    /// may have skipped those that were bad at that time.
    pub(crate) fn consume_up_to(&mut self, head: u16, fits: impl Fn(u32) -> bool) -> Option<(u32, u16)> {
        for ahead in 0..self.ever_claimed().min(self.size) {
            let index = self.next.wrapping_add(ahead);
            let (id, length) = self.element(self.slot(index));
            let now = (id == u32::from(head) && fits(length)).then_some(length);
            let may_be_here =
                |old: &&Overwritten| self.wrap(index.wrapping_sub(old.first)) == 0 && old.covers(index);
            let before = || {
                let mut here = self.overwritten.iter().filter(may_be_here);
                here.find(|old| old.id == u32::from(head) && fits(old.length))
            };
            if let Some(length) = now.or_else(|| before().map(|old| old.length)) {
                self.next = index;
                self.consume();
                return Some((length, ahead));
            }
        }
        None
    }

    /// How many elements the used index claims that the driver has not consumed.
    pub(crate) fn claimed(&self) -> u16 {
        self.index.wrapping_sub(self.next)
    }

    pub(crate) fn consume(&mut self) {
        if self.next == self.furthest {
            // It claimed nothing more.
            self.furthest = self.next.wrapping_add(1);
        }
        self.next = self.next.wrapping_add(1);
    }

    /// The id of the next element.
    pub(crate) fn next_id(&self) -> u32 {
        self.element(self.slot(self.next)).0
    }

    /// What the next element contains.
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

    /// Consumes elements that name no chain in flight, since a driver may ignore them, and returns what the next one contains.
    pub(crate) fn skip_bad(&mut self, chains: &Chains) -> Claim {
        loop {
            match self.claim(chains) {
                Claim::Bad => self.consume(),
                claim => return claim,
            }
        }
    }

    /// Whether an unconsumed element names this chain.
    pub(crate) fn names(&self, head: u16) -> bool {
        let ahead = 0..self.claimed().min(self.size);
        ahead
            .into_iter()
            .any(|step| self.element(self.slot(self.next.wrapping_add(step))).0 == u32::from(head))
    }

    /// The head of the first chain in flight that an unconsumed element names.
    pub(crate) fn first_good(&self, chains: &Chains) -> Option<u16> {
        let ahead = 0..self.claimed().min(self.size);
        let ids = ahead.map(|step| self.element(self.slot(self.next.wrapping_add(step))).0);
        ids.into_iter().find(|id| chains.in_flight(*id).is_some()).map(|id| id as u16)
    }

    /// Hashes the ring, with indexes relative to `base`.
    pub(crate) fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self { elements: _, size, epoch: _, index, next, furthest, written: _, overwritten, device_lied } =
            self;
        (0..usize::from(*size)).for_each(|slot| self.element(slot).hash(state));
        (index.wrapping_sub(base), next.wrapping_sub(base)).hash(state);
        (furthest.wrapping_sub(base), self.written_ahead(), device_lied).hash(state);
        for Overwritten { first, claimed, id, length } in overwritten {
            (first.wrapping_sub(base), claimed, id, length).hash(state);
        }
    }
}
