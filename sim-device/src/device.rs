//! The device: what it holds, what it returns, and what it tells of that.

use crate::chain::{AddressSpace, ChainError, Descriptor, Place, walk};
use crate::geometry::Geometry;
use ringstorm_core::{OrderedLoad, OrderedStore, SharedMemory};
use std::collections::VecDeque;
use std::mem;

/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 0x1;

/// A chain that the device took and has not returned.
#[derive(Debug, Default, Clone, Hash)]
pub(crate) struct Held {
    pub(crate) head: u16,
    pub(crate) descriptors: Vec<Descriptor>,
    /// Whether the device could make sense of it. If not, it neither reads nor writes.
    pub(crate) whole: bool,
    /// Kept back until the faults stop.
    pub(crate) withheld: bool,
}

impl Held {
    pub(crate) fn writable_bytes(&self) -> u64 {
        self.writable().map(|descriptor| u64::from(descriptor.length)).sum()
    }

    /// The buffers that can be written to.
    fn writable(&self) -> impl Iterator<Item = &Descriptor> {
        let usable =
            |descriptor: &&Descriptor| self.whole && descriptor.is_writable() && descriptor.place.is_some();
        self.descriptors.iter().filter(usable)
    }
}

/// A chain that the device just took.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The entry of the available ring.
    pub head: u16,
    /// The chain, as far as it could be followed.
    pub descriptors: &'a [Descriptor],
    /// What is wrong with it. The device then reads and writes nothing of it, but returns it like any other.
    pub error: Option<ChainError>,
}

/// How a chain is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Bytes written and reported; at most what the chain has room for.
    pub written: u32,
    /// Whether the bytes behind those are written too, which 2.7.8.2 allows.
    pub beyond: bool,
}

/// What the device did to shared memory, or left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It wrote an element of the used ring, at the place of this index.
    UsedElement {
        /// The free-running index.
        index: u16,
        /// The id written.
        id: u32,
        /// The length written.
        length: u32,
    },
    /// It wrote to a buffer.
    Wrote {
        /// Where.
        place: Place,
        /// How many bytes.
        length: u32,
    },
    /// It moved the used index.
    UsedIndex(u16),
    /// It said whether it wants to be notified.
    Notifications(bool),
    /// It scribbled on a descriptor.
    Descriptor {
        /// Its index in the table.
        index: u16,
    },
    /// It will not return a chain before the faults stop.
    Withheld {
        /// The chain.
        head: u16,
    },
}

/// A device on one split virtqueue.
#[derive(Debug)]
pub struct Device<M> {
    pub(crate) rings: M,
    pub(crate) geometry: Geometry,
    pub(crate) space: AddressSpace<M>,
    pub(crate) next_available: u16,
    pub(crate) used_index: u16,
    /// Oldest first, but for what returning out of order moves.
    pub(crate) held: VecDeque<Held>,
    /// By descriptor: how many held chains have it. Of a queue that was lied to it may be several.
    pub(crate) in_held: Vec<u16>,
    pub(crate) last_returned: Option<u16>,
    pub(crate) effects: Vec<Effect>,
    /// Chains that were returned, kept for their memory.
    pub(crate) spare: Vec<Held>,
    pub(crate) scratch: Vec<u8>,
    pub(crate) replies: u32,
}

impl<M: SharedMemory> Device<M> {
    /// A device on the queue at `geometry` in `rings`, whose indexes both begin at `first_index`.
    pub fn new(rings: M, geometry: Geometry, space: AddressSpace<M>, first_index: u16) -> Self {
        Self {
            rings,
            geometry,
            space,
            next_available: first_index,
            used_index: first_index,
            held: VecDeque::new(),
            in_held: vec![0; geometry.size.into()],
            last_returned: None,
            effects: Vec::new(),
            spare: Vec::new(),
            scratch: Vec::new(),
            replies: 0,
        }
    }

    /// The memory that the device was told of.
    pub const fn space(&self) -> &AddressSpace<M> {
        &self.space
    }

    /// Forgets everything and begins at `first_index` again: a device reset (2.4).
    pub fn reset(&mut self, first_index: u16) {
        self.spare.extend(self.held.drain(..));
        self.in_held.fill(0);
        self.effects.clear();
        (self.next_available, self.used_index) = (first_index, first_index);
        self.last_returned = None;
    }

    /// Number of chains that the device holds and means to return.
    pub fn returnable(&self) -> usize {
        self.held.iter().filter(|chain| !chain.withheld).count()
    }

    /// Number of chains that the device holds.
    pub fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Whether a chain is available that was not taken.
    pub fn has_available(&self) -> bool {
        self.available_index() != self.next_available
    }

    /// Takes the next available chain (2.7.6), if there is one.
    pub fn take(&mut self) -> Option<Taken<'_>> {
        if !self.has_available() {
            return None;
        }
        let head = self.rings.load_u16(self.geometry.available_entry(self.next_available));
        self.next_available = self.next_available.wrapping_add(1);
        let mut chain = self.spare.pop().unwrap_or_default();
        (chain.head, chain.withheld) = (head, false);
        let error = walk(&self.rings, &self.geometry, &self.space, head, &mut chain.descriptors).err();
        chain.whole = error.is_none();
        for descriptor in &chain.descriptors {
            self.in_held[usize::from(descriptor.index)] += 1;
        }
        self.held.push_back(chain);
        let chain = self.held.back()?;
        Some(Taken { head, descriptors: &chain.descriptors, error })
    }

    /// Writes to a held chain's buffers and puts it into the used ring; the driver sees it after
    /// [`publish`](Self::publish). `pick` is 0 for the newest, 1 for the oldest, and so on from the oldest.
    /// Says whether there was one.
    pub fn give_back(&mut self, pick: u8, reply: impl FnOnce(u64) -> Reply) -> bool {
        let Some(position) = self.position(pick).filter(|position| !self.held[*position].withheld) else {
            return false;
        };
        let room = self.held[position].writable_bytes().min(u32::MAX.into());
        let Reply { written, beyond } = reply(room);
        let written = u64::from(written).min(room);
        self.write_reply(position, if beyond { room } else { written });
        let head = self.forget(position);
        self.last_returned = Some(head);
        self.add_element(head.into(), written as u32);
        true
    }

    /// Moves the used index behind the elements added so far.
    pub fn publish(&mut self) {
        self.rings.store_ordered(OrderedStore::UsedIndex, self.geometry.used + 2, self.used_index);
        self.effects.push(Effect::UsedIndex(self.used_index));
    }

    /// Tells the driver whether to notify of what it makes available (2.7.10).
    pub fn set_notifications(&mut self, wanted: bool) {
        let flags = if wanted { 0 } else { F_NO_NOTIFY };
        self.rings.store_ordered(OrderedStore::UsedFlags, self.geometry.used, flags);
        self.effects.push(Effect::Notifications(wanted));
    }

    /// Means to return everything again.
    pub fn repent(&mut self) {
        for chain in &mut self.held {
            chain.withheld = false;
        }
    }

    /// Hands out what was done since the last time.
    pub fn take_effects(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.effects.drain(..)
    }

    /// The available index as it stands in memory.
    pub fn available_index(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableIndex, self.geometry.available + 2)
    }

    /// The available flags as they stand in memory.
    pub fn available_flags(&self) -> u16 {
        self.rings.load_ordered(OrderedLoad::AvailableFlags, self.geometry.available)
    }

    /// The entry of the available ring at a free-running index, as it stands in memory.
    pub fn available_entry(&self, index: u16) -> u16 {
        self.rings.load_u16(self.geometry.available_entry(index))
    }

    /// Reads a chain as it stands in memory, without taking it.
    ///
    /// # Errors
    /// [`ChainError`], as for [`walk`].
    pub fn look(&self, head: u16, out: &mut Vec<Descriptor>) -> Result<(), ChainError> {
        walk(&self.rings, &self.geometry, &self.space, head, out)
    }

    /// The place in `held` that `pick` chooses: 0 the newest, others from the oldest on.
    pub(crate) fn position(&self, pick: u8) -> Option<usize> {
        match (self.held.len(), pick) {
            (0, _) => None,
            (count, 0) => Some(count - 1),
            (count, pick) => Some((usize::from(pick) - 1) % count),
        }
    }

    pub(crate) fn held_at(&self, pick: u8) -> Option<&Held> {
        self.position(pick).map(|position| &self.held[position])
    }

    /// Lets go of a held chain, in constant time at either end and nearly so elsewhere.
    pub(crate) fn forget(&mut self, position: usize) -> u16 {
        let chain = match position {
            0 => self.held.pop_front(),
            _ => self.held.swap_remove_back(position),
        };
        let chain = chain.expect("a position from `position`");
        let head = chain.head;
        for descriptor in &chain.descriptors {
            self.in_held[usize::from(descriptor.index)] -= 1;
        }
        self.spare.push(chain);
        head
    }

    pub(crate) fn add_element(&mut self, id: u32, length: u32) {
        let at = self.geometry.used_element(self.used_index);
        self.rings.store_u32(at, id);
        self.rings.store_u32(at + 4, length);
        self.effects.push(Effect::UsedElement { index: self.used_index, id, length });
        self.used_index = self.used_index.wrapping_add(1);
    }

    /// Writes the next pattern into the first `count` bytes of the chain's device-writable buffers.
    fn write_reply(&mut self, position: usize, count: u64) {
        self.replies = self.replies.wrapping_add(1);
        let mut pattern = mem::take(&mut self.scratch);
        let mut left = count;
        for descriptor in self.held[position].writable() {
            let Some(place) = descriptor.place else { continue };
            let now = left.min(descriptor.length.into()) as usize;
            pattern.resize(now, 0);
            fill_pattern(&mut pattern, self.replies.wrapping_add(descriptor.index.into()));
            if now > 0 {
                self.space.memory(place.region).copy_in(place.offset as usize, &pattern);
                self.effects.push(Effect::Wrote { place, length: now as u32 });
            }
            left -= now as u64;
        }
        self.scratch = pattern;
    }
}

/// Fills `out` with bytes that differ from seed to seed and from place to place, and are never zero.
pub fn fill_pattern(out: &mut [u8], seed: u32) {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for chunk in out.chunks_mut(8) {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x2545_f491_4f6c_dd1d);
        let word = (state ^ state >> 29) | 0x0101_0101_0101_0101;
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
}
