//! The device: it takes chains, returns them, and records what it did.

use crate::chain::{AddressSpace, BufferPlace, Descriptor, walk};
use crate::effect::{Change, Effect, Reply, Taken};
use crate::geometry::Geometry;
use crate::in_flight::{InFlightChain, Spare, picked_position, remove_at};
use crate::silence::{NotificationLoss, Silence};
use ringstorm_core::{OrderedStore, SharedMemory};
use std::collections::VecDeque;
use std::mem;

/// The number of returned heads that the device remembers, for faults.
const RETURNED_KEPT: usize = 8;

/// A device on one split virtqueue.
#[derive(Debug)]
pub struct Device<M> {
    pub(crate) rings: M,
    pub(crate) geometry: Geometry,
    pub(crate) space: AddressSpace<M>,
    pub(crate) next_available: u16,
    pub(crate) used_index: u16,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    pub(crate) event_index: bool,
    /// The distance from the next entry to the one of which the device wants to be notified, with event indexes; `None` if it
    /// wants no notification.
    pub(crate) event_ahead: Option<u16>,
    /// Chains that the device took and did not return: oldest first, except for those that [`remove_at`] moved.
    pub(crate) in_flight: VecDeque<InFlightChain>,
    /// By descriptor: the number of chains in flight that have it. After faults it can be more than one.
    pub(crate) descriptor_uses: Vec<u16>,
    /// The last heads that the device returned, newest last.
    pub(crate) returned: VecDeque<u16>,
    /// Index and id of a used element that the used index already covers and that is not written yet.
    pub(crate) late_element: Option<(u16, u32)>,
    /// Sum of all jumps of the used index since the device was made or reset.
    pub(crate) total_jump: u16,
    /// The forged available index, and the value that it overwrote.
    pub(crate) overwritten_index: Option<(u16, u16)>,
    /// Overwritten entries of the available ring: slot, forged value, and the value that it overwrote.
    pub(crate) overwritten_entries: Vec<(u16, u16, u16)>,
    pub(crate) silence: Option<Silence>,
    pub(crate) notification_loss: NotificationLoss,
    pub(crate) effects: Vec<Effect>,
    /// The chain that was returned last; `None` once another chain was taken.
    pub(crate) last: Option<InFlightChain>,
    /// Earlier chains, of which the memory is used again.
    pub(crate) spare: Spare,
    /// Buffer for reading a chain.
    pub(crate) walked: Vec<Descriptor>,
    /// Buffer for patterns.
    pub(crate) scratch: Vec<u8>,
    /// Number of patterns written; the seed of the next one.
    pub(crate) replies: u32,
}

impl<M: SharedMemory> Device<M> {
    /// A device on the queue at `geometry` in `rings`. Both ring indexes begin at `first_index`.
    ///
    /// # Panics
    /// If the queue size is not a power of two.
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
            in_flight: VecDeque::new(),
            descriptor_uses: vec![0; geometry.size.into()],
            returned: VecDeque::new(),
            late_element: None,
            total_jump: 0,
            overwritten_index: None,
            overwritten_entries: Vec::new(),
            silence: None,
            notification_loss: NotificationLoss::None,
            effects: Vec::new(),
            last: None,
            spare: Spare::default(),
            walked: Vec::new(),
            scratch: Vec::new(),
            replies: 0,
        }
    }

    /// Sets whether `VIRTIO_F_EVENT_IDX` was negotiated (2.7.10). The default is no.
    #[must_use]
    pub fn with_event_index(mut self, negotiated: bool) -> Self {
        self.event_index = negotiated;
        self.restart_event();
        self
    }

    /// Makes it a device on another queue in the same memory, as [`new`](Self::new) would, but uses its allocated memory
    /// again.
    ///
    /// # Panics
    /// If the queue size is not a power of two.
    pub fn restart(&mut self, geometry: Geometry, first_index: u16, event_index: bool) {
        geometry.check_size();
        self.drop_in_flight();
        self.geometry = geometry;
        self.descriptor_uses.clear();
        self.descriptor_uses.resize(geometry.size.into(), 0);
        self.event_index = event_index;
        self.replies = 0;
        self.reset(first_index);
    }

    /// Resets the device (2.4): it forgets all chains, and both ring indexes begin at `first_index`.
    pub fn reset(&mut self, first_index: u16) {
        self.drop_in_flight();
        self.effects.clear();
        (self.next_available, self.used_index) = (first_index, first_index);
        self.returned.clear();
        self.spare.keep(self.last.take());
        self.total_jump = 0;
        (self.overwritten_index, self.silence, self.notification_loss) = (None, None, NotificationLoss::None);
        self.overwritten_entries.clear();
        self.restart_event();
    }

    /// Number of chains in flight that the device does not withhold.
    pub fn returnable(&self) -> usize {
        self.in_flight.iter().filter(|chain| !chain.withheld).count()
    }

    /// Number of chains in flight: taken and not returned.
    pub fn in_flight_count(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether an available chain waits to be taken.
    pub fn has_available(&self) -> bool {
        self.available_index() != self.next_available
    }

    /// Takes the next available chain (2.7.6). Returns `None` if there is none, or if a fault keeps the device from looking.
    pub fn take(&mut self) -> Option<Taken<'_>> {
        self.write_late_element();
        if self.is_silent() || self.notification_loss == NotificationLoss::Lost || !self.has_available() {
            return None;
        }
        let head = self.available_entry(self.next_available);
        self.next_available = self.next_available.wrapping_add(1);
        if self.event_index && self.event_ahead.is_some() {
            self.write_avail_event();
        }
        let error = walk(&self.rings, &self.geometry, &self.space, head, &mut self.walked).err();
        self.spare.keep(self.last.take());
        let mut chain = self.spare.take(self.walked.len());
        chain.descriptors.clone_from(&self.walked);
        (chain.head, chain.withheld, chain.whole) = (head, false, error.is_none());
        for descriptor in &chain.descriptors {
            self.descriptor_uses[usize::from(descriptor.index)] += 1;
        }
        self.in_flight.push_back(chain);
        let chain = self.in_flight.back()?;
        Some(Taken { head, descriptors: &chain.descriptors, error })
    }

    /// Returns a chain in flight: writes to its buffers and adds a used element. The driver sees it after
    /// [`publish`](Self::publish). `pick` chooses the chain: 0 is the newest, 1 the oldest, 2 the next, and so on. `reply` gets
    /// the number of device-writable bytes. Returns false if there is no such chain, or a fault prevents it.
    pub fn return_chain(&mut self, pick: u8, reply: impl FnOnce(u64) -> Reply) -> bool {
        self.write_late_element();
        let position = self.position(pick).filter(|position| !self.in_flight[*position].withheld);
        let Some(position) = position.filter(|_| !self.is_silent()) else { return false };
        let room = self.in_flight[position].writable_bytes().min(u32::MAX.into());
        let Reply { written, beyond } = reply(room);
        let written = u64::from(written).min(room);
        self.write_reply(position, if beyond { room } else { written });
        let head = self.return_at(position);
        self.add_element(head.into(), written as u32);
        true
    }

    /// Moves the used index over all elements added so far.
    pub fn publish(&mut self) {
        self.rings.store_ordered(OrderedStore::UsedIndex, self.geometry.used + 2, self.used_index);
        self.effects.push(Effect::UsedIndex(self.used_index));
    }

    /// Removes all chains in flight without returning them.
    pub(crate) fn drop_in_flight(&mut self) {
        while !self.in_flight.is_empty() {
            let chain = self.remove(0);
            self.spare.keep(Some(chain));
        }
        self.late_element = None;
    }

    /// Writes the used element that the used index already covers, if there is one.
    pub(crate) fn write_late_element(&mut self) {
        if let Some((index, id)) = self.late_element.take() {
            self.store_element(index, id, 0);
        }
    }

    /// Ends all faults that last: the device reacts again, and will return withheld chains.
    pub fn stop_faults(&mut self) {
        for chain in &mut self.in_flight {
            chain.withheld = false;
        }
        self.write_late_element();
        (self.silence, self.notification_loss) = (None, NotificationLoss::None);
        if self.used_index() != self.used_index {
            self.publish();
        }
    }

    /// Whether there are effects that were not taken.
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Moves the effects since the last call to `out`, oldest first.
    pub fn take_effects(&mut self, out: &mut Vec<Effect>) {
        out.clear();
        mem::swap(out, &mut self.effects);
    }

    /// The descriptors of the chain that was taken last and is in flight; empty if there is none.
    pub fn newest(&self) -> &[Descriptor] {
        self.in_flight.back().map_or(&[], |chain| &chain.descriptors)
    }

    /// Follows a [trap](Effect::Trap) that has changed a value.
    pub fn trap_triggered(&mut self, change: Change) {
        let effect = match change {
            Change::UsedIndex(index) => {
                self.total_jump = self.total_jump.saturating_add(index.wrapping_sub(self.used_index));
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

    /// The driver has moved the available index, so the value in memory is no longer a forged one.
    pub fn available_index_moved(&mut self) {
        self.overwritten_index = None;
    }

    /// The position in `in_flight` that `pick` chooses.
    pub(crate) fn position(&self, pick: u8) -> Option<usize> {
        picked_position(self.in_flight.len(), pick)
    }

    pub(crate) fn in_flight_at(&self, pick: u8) -> Option<&InFlightChain> {
        self.position(pick).map(|position| &self.in_flight[position])
    }

    /// Moves a chain from `in_flight` to the returned ones, and returns its head.
    pub(crate) fn return_at(&mut self, position: usize) -> u16 {
        let chain = self.remove(position);
        let head = chain.head;
        let earlier = self.last.replace(chain);
        self.spare.keep(earlier);
        if self.returned.len() == RETURNED_KEPT {
            self.returned.pop_front();
        }
        self.returned.push_back(head);
        head
    }

    fn remove(&mut self, position: usize) -> InFlightChain {
        let chain = remove_at(&mut self.in_flight, position).expect("a position from `position`");
        for descriptor in &chain.descriptors {
            self.descriptor_uses[usize::from(descriptor.index)] -= 1;
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

    /// Overwrites a buffer with the next pattern. Returns `None` if the buffer is empty.
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
        for descriptor in self.in_flight[position].writable() {
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

/// `length` bytes of a [pattern](fill_pattern), in a buffer that is used again.
fn pattern_in(scratch: &mut Vec<u8>, length: usize, seed: u32) -> &[u8] {
    scratch.resize(scratch.len().max(length), 0);
    let bytes = &mut scratch[..length];
    fill_pattern(bytes, seed);
    bytes
}

/// Fills `out` with nonzero bytes that depend on the seed and on their position.
pub fn fill_pattern(out: &mut [u8], seed: u32) {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(0x2545_f491_4f6c_dd1d);
        ((state ^ state >> 29) | 0x0101_0101_0101_0101).to_le_bytes()
    };
    let (words, rest) = out.as_chunks_mut();
    words.fill_with(&mut next);
    // The rest is the beginning of one more word.
    rest.copy_from_slice(&next()[..rest.len()]);
}
