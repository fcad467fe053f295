//! The device: what it holds, what it returns, and what it tells of that.

use crate::chain::{AddressSpace, BufferPlace, Descriptor, walk};
use crate::effect::{Change, Effect, Reply, Taken};
use crate::geometry::Geometry;
use crate::in_flight::{self, Held, Spare};
use crate::responsiveness::{NotificationLoss, Silence};
use ringstorm_core::{OrderedStore, SharedMemory};
use std::collections::VecDeque;
use std::mem;

/// How many heads that were returned are remembered.
const RETURNED_KEPT: usize = 8;

/// A device on one split virtqueue.
#[derive(Debug)]
pub struct Device<M> {
    pub(crate) rings: M,
    pub(crate) geometry: Geometry,
    pub(crate) space: AddressSpace<M>,
    pub(crate) next_available: u16,
    pub(crate) used_index: u16,
    /// Whether notifications are asked for by event index.
    pub(crate) event_index: bool,
    /// How many entries behind the next one it wants to be notified, with event indexes; `None` if not at all.
    pub(crate) event_ahead: Option<u16>,
    /// Oldest first, but for what returning out of order moves.
    pub(crate) held: VecDeque<Held>,
    /// By descriptor: how many held chains have it. Of a queue that was lied to it may be several.
    pub(crate) in_held: Vec<u16>,
    /// Heads returned, the newest last.
    pub(crate) returned: VecDeque<u16>,
    /// The index of an element that is still to be written, and its id.
    pub(crate) late_element: Option<(u16, u32)>,
    /// How far the used index has jumped since the beginning or the last reset.
    pub(crate) jumped: u16,
    /// What the device wrote over the available index, and what stood there.
    pub(crate) overwritten_index: Option<(u16, u16)>,
    /// By slot: what the device wrote over an entry of the available ring, and what stood there.
    pub(crate) overwritten_entries: Vec<(u16, u16, u16)>,
    pub(crate) silence: Option<Silence>,
    pub(crate) hearing: NotificationLoss,
    pub(crate) effects: Vec<Effect>,
    /// The chain that was returned last, until another one is taken.
    pub(crate) last: Option<Held>,
    /// Chains of before, kept for their memory.
    pub(crate) spare: Spare,
    /// Where a chain is read to.
    pub(crate) walked: Vec<Descriptor>,
    pub(crate) scratch: Vec<u8>,
    pub(crate) replies: u32,
}

impl<M: SharedMemory> Device<M> {
    /// A device on the queue at `geometry` in `rings`, whose indexes both begin at `first_index`.
    ///
    /// # Panics
    /// If the number of descriptors is no power of two.
    pub fn new(rings: M, geometry: Geometry, space: AddressSpace<M>, first_index: u16) -> Self {
        geometry.check_size();
        Self {
            rings,
            geometry,
            space,
            next_available: first_index,
            used_index: first_index,
            event_index: false,
            event_ahead: Some(0),
            held: VecDeque::new(),
            in_held: vec![0; geometry.size.into()],
            returned: VecDeque::new(),
            late_element: None,
            jumped: 0,
            overwritten_index: None,
            overwritten_entries: Vec::new(),
            silence: None,
            hearing: NotificationLoss::Good,
            effects: Vec::new(),
            last: None,
            spare: Spare::default(),
            walked: Vec::new(),
            scratch: Vec::new(),
            replies: 0,
        }
    }

    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated (2.7.10). It was not, unless said so.
    #[must_use]
    pub fn with_event_index(mut self, negotiated: bool) -> Self {
        self.event_index = negotiated;
        self.restart_event();
        self
    }

    /// Makes it a new device on another queue in the same memory, which differs from one made by [`new`](Self::new) in
    /// nothing but the memory that it keeps for itself.
    ///
    /// # Panics
    /// If the number of descriptors is no power of two.
    pub fn restart(&mut self, geometry: Geometry, first_index: u16, event_index: bool) {
        geometry.check_size();
        self.forget_all();
        self.geometry = geometry;
        self.in_held.clear();
        self.in_held.resize(geometry.size.into(), 0);
        self.event_index = event_index;
        self.replies = 0;
        self.reset(first_index);
    }

    /// Forgets everything and begins at `first_index` again: a device reset (2.4).
    pub fn reset(&mut self, first_index: u16) {
        self.forget_all();
        self.effects.clear();
        (self.next_available, self.used_index) = (first_index, first_index);
        self.returned.clear();
        self.spare.keep(self.last.take());
        self.jumped = 0;
        (self.overwritten_index, self.silence, self.hearing) = (None, None, NotificationLoss::Good);
        self.overwritten_entries.clear();
        self.restart_event();
    }

    /// Number of chains that the device holds and means to return.
    pub fn returnable(&self) -> usize {
        self.held.iter().filter(|chain| !chain.withheld).count()
    }

    /// Number of chains that the device holds.
    pub fn in_flight_count(&self) -> usize {
        self.held.len()
    }

    /// Whether a chain is available that was not taken.
    pub fn has_available(&self) -> bool {
        self.available_index() != self.next_available
    }

    /// Takes the next available chain (2.7.6), if there is one.
    pub fn take(&mut self) -> Option<Taken<'_>> {
        self.write_late_element();
        if self.is_silent() || self.hearing == NotificationLoss::Lost || !self.has_available() {
            return None;
        }
        let head = self.available_entry(self.next_available);
        self.next_available = self.next_available.wrapping_add(1);
        if self.event_index && self.event_ahead.is_some() {
            self.tell_event();
        }
        let error = walk(&self.rings, &self.geometry, &self.space, head, &mut self.walked).err();
        self.spare.keep(self.last.take());
        let mut chain = self.spare.take(self.walked.len());
        chain.descriptors.clone_from(&self.walked);
        (chain.head, chain.withheld, chain.whole) = (head, false, error.is_none());
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
    pub fn return_chain(&mut self, pick: u8, reply: impl FnOnce(u64) -> Reply) -> bool {
        self.write_late_element();
        let position = self.position(pick).filter(|position| !self.held[*position].withheld);
        let Some(position) = position.filter(|_| !self.is_silent()) else { return false };
        let room = self.held[position].writable_bytes().min(u32::MAX.into());
        let Reply { written, beyond } = reply(room);
        let written = u64::from(written).min(room);
        self.write_reply(position, if beyond { room } else { written });
        let head = self.forget(position);
        self.add_element(head.into(), written as u32);
        true
    }

    /// Moves the used index behind the elements added so far.
    pub fn publish(&mut self) {
        self.rings.store_ordered(OrderedStore::UsedIndex, self.geometry.used + 2, self.used_index);
        self.effects.push(Effect::UsedIndex(self.used_index));
    }

    /// Lets go of every chain.
    pub(crate) fn forget_all(&mut self) {
        while !self.held.is_empty() {
            let chain = self.let_go(0);
            self.spare.keep(Some(chain));
        }
        self.late_element = None;
    }

    /// Writes the element that the index was moved over before it was there.
    pub(crate) fn write_late_element(&mut self) {
        if let Some((index, id)) = self.late_element.take() {
            self.store_element(index, id, 0);
        }
    }

    /// Means to return everything again.
    pub fn stop_faults(&mut self) {
        for chain in &mut self.held {
            chain.withheld = false;
        }
        self.write_late_element();
        (self.silence, self.hearing) = (None, NotificationLoss::Good);
        if self.used_index() != self.used_index {
            self.publish();
        }
    }

    /// Whether something was done since the effects were last taken.
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Moves what was done since the last time to `out`.
    pub fn take_effects(&mut self, out: &mut Vec<Effect>) {
        out.clear();
        mem::swap(out, &mut self.effects);
    }

    /// The chain that was taken last of those that are held: its descriptors as they stood in memory.
    pub fn newest(&self) -> &[Descriptor] {
        self.held.back().map_or(&[], |chain| &chain.descriptors)
    }

    /// A [trap](Effect::Trap) was sprung: the device goes on from there.
    pub fn trap_triggered(&mut self, change: Change) {
        let effect = match change {
            Change::UsedIndex(index) => {
                self.jumped = self.jumped.saturating_add(index.wrapping_sub(self.used_index));
                self.used_index = index;
                Effect::UsedIndex(index)
            }
            Change::UsedElement { index } => {
                let (id, length) = self.used_element(index);
                Effect::UsedElement { index, id, length }
            }
            Change::Descriptor { index } => Effect::Descriptor { index },
        };
        self.effects.push(effect);
    }

    /// The driver has moved the available index: what stands there is its own, whatever it is from now on.
    pub fn available_index_moved(&mut self) {
        self.overwritten_index = None;
    }

    /// The place in `held` that `pick` chooses.
    pub(crate) fn position(&self, pick: u8) -> Option<usize> {
        in_flight::picked(self.held.len(), pick)
    }

    pub(crate) fn held_at(&self, pick: u8) -> Option<&Held> {
        self.position(pick).map(|position| &self.held[position])
    }

    /// Returns a held chain, in constant time at either end and nearly so elsewhere.
    pub(crate) fn forget(&mut self, position: usize) -> u16 {
        let chain = self.let_go(position);
        let head = chain.head;
        let before = self.last.replace(chain);
        self.spare.keep(before);
        if self.returned.len() == RETURNED_KEPT {
            self.returned.pop_front();
        }
        self.returned.push_back(head);
        head
    }

    fn let_go(&mut self, position: usize) -> Held {
        let chain = in_flight::let_go(&mut self.held, position).expect("a position from `position`");
        for descriptor in &chain.descriptors {
            self.in_held[usize::from(descriptor.index)] -= 1;
        }
        chain
    }

    pub(crate) fn add_element(&mut self, id: u32, length: u32) {
        self.store_element(self.used_index, id, length);
        self.used_index = self.used_index.wrapping_add(1);
    }

    fn store_element(&mut self, index: u16, id: u32, length: u32) {
        let at = self.geometry.used_element(index);
        self.rings.store_u32(at, id);
        self.rings.store_u32(at + 4, length);
        self.effects.push(Effect::UsedElement { index, id, length });
    }

    /// Overwrites a buffer with the next pattern; `None` if it is empty.
    pub(crate) fn overwrite(&mut self, place: BufferPlace, length: u32) -> Option<()> {
        self.replies = self.replies.wrapping_add(1);
        let mut pattern = mem::take(&mut self.scratch);
        let bytes = pattern_in(&mut pattern, length as usize, self.replies);
        self.space.memory(place.region).copy_in(place.offset as usize, bytes);
        self.scratch = pattern;
        if length > 0 {
            self.effects.push(Effect::BufferWritten { place, length });
        }
        (length > 0).then_some(())
    }

    /// Writes the next pattern into the first `count` bytes of the chain's device-writable buffers.
    pub(crate) fn write_reply(&mut self, position: usize, count: u64) {
        self.replies = self.replies.wrapping_add(1);
        let mut pattern = mem::take(&mut self.scratch);
        let mut left = count;
        for descriptor in self.held[position].writable() {
            let Some(place) = descriptor.place else { continue };
            let now = left.min(descriptor.length.into()) as usize;
            let seed = self.replies.wrapping_add(descriptor.index.into());
            let bytes = pattern_in(&mut pattern, now, seed);
            if now > 0 {
                self.space.memory(place.region).copy_in(place.offset as usize, bytes);
                self.effects.push(Effect::BufferWritten { place, length: now as u32 });
            }
            left -= now as u64;
        }
        self.scratch = pattern;
    }
}

/// `length` bytes of a [pattern](fill_pattern), in memory that is kept.
fn pattern_in(scratch: &mut Vec<u8>, length: usize, seed: u32) -> &[u8] {
    scratch.resize(scratch.len().max(length), 0);
    let bytes = &mut scratch[..length];
    fill_pattern(bytes, seed);
    bytes
}

/// Fills `out` with bytes that differ from seed to seed and from place to place, and are never zero.
pub fn fill_pattern(out: &mut [u8], seed: u32) {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x2545_f491_4f6c_dd1d);
        ((state ^ state >> 29) | 0x0101_0101_0101_0101).to_le_bytes()
    };
    let (words, rest) = out.as_chunks_mut();
    words.fill_with(&mut next);
    // As many bytes as are left, of one more.
    rest.copy_from_slice(&next()[..rest.len()]);
}
