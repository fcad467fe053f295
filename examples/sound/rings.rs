//! The descriptor table and the rings in shared memory.

use crate::variant::{Delaying, Unwanted, Variant};
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Completion, FullBarrier, Geometry, Lent, OrderedLoad, OrderedStore, Provided, Refusal,
    SharedMemory, WatchedMemory,
};
use std::rc::Rc;

const NEXT: u64 = 1;
const WRITE: u64 = 2;

pub struct Rings {
    memory: Rc<WatchedMemory>,
    pub place: Geometry,
    event_index: bool,
    unwanted: Unwanted,
    keeps_delay: bool,
    counts_since_notification: bool,
    /// The element that the device may wait for.
    delayed_to: Option<u16>,
    /// Whether the caller wants used-buffer notifications.
    pub wanted: bool,
    /// The index of the next entry to write.
    next_entry: u16,
    /// The available index when the caller last asked whether to notify; or when it last had to.
    decided: u16,
    /// The index of the next used element.
    pub used: u16,
}

impl Rings {
    pub fn new(variant: &Variant, setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.get();
        let (available, end) = (16 * usize::from(size), 18 * usize::from(size) + 6);
        let mut rings = Self {
            memory: Rc::clone(&provided.rings),
            place: Geometry { size, table: 0, available, used: end.next_multiple_of(4) },
            event_index: setup.event_index,
            unwanted: variant.unwanted,
            keeps_delay: variant.delaying == Delaying::Kept,
            counts_since_notification: variant.counts_since_notification,
            delayed_to: None,
            wanted: true,
            next_entry: 0,
            decided: 0,
            used: 0,
        };
        rings.restart(setup.first_index.get(), true);
        rings
    }

    /// Empties the rings. The device is stopped.
    pub fn restart(&mut self, first: u16, wanted: bool) {
        let Geometry { size, available, used, .. } = self.place;
        (self.next_entry, self.decided, self.used) = (first, first, first);
        self.memory.zero(used, 8 * usize::from(size) + 6);
        self.memory.store_ordered(OrderedStore::AvailableIndex, available + 2, first);
        self.memory.store_ordered(OrderedStore::UsedIndex, used + 2, first);
        self.ask_for_notifications(wanted);
    }

    pub fn write_chain(&self, descriptors: &[u16], buffers: &Lent) {
        let readable = buffers.readable.iter().map(|buffer| (buffer, 0));
        let all = readable.chain(buffers.writable.iter().map(|buffer| (buffer, WRITE)));
        for (at, (buffer, write)) in all.enumerate() {
            let next = descriptors.get(at + 1).copied();
            let flags = write | if next.is_some() { NEXT } else { 0 };
            let rest = u64::from(buffer.length) | flags << 32 | u64::from(next.unwrap_or(0)) << 48;
            let place = self.place.table + 16 * usize::from(descriptors[at]);
            self.memory.store_u64(place, buffer.address.get());
            self.memory.store_u64(place + 8, rest);
        }
    }

    pub fn clear_descriptor(&self, index: u16) {
        self.memory.zero(self.place.table + 16 * usize::from(index), 16);
    }

    pub fn add_entry(&mut self, head: u16) {
        let slot = usize::from(self.next_entry % self.place.size);
        self.memory.store_u16(self.place.available + 4 + 2 * slot, head);
        self.next_entry = self.next_entry.wrapping_add(1);
    }

    pub fn move_available_index(&self) {
        self.memory.store_ordered(OrderedStore::AvailableIndex, self.place.available + 2, self.next_entry);
    }

    /// Whether the device wants to know of the entries since the last call (2.7.10).
    pub fn must_notify(&mut self) -> bool {
        let new = self.next_entry.wrapping_sub(self.decided);
        if new == 0 {
            return false;
        }
        self.memory.barrier(FullBarrier::PublishedThenSuppression);
        let Geometry { size, used, .. } = self.place;
        let notifies = if self.event_index {
            let place = used + 4 + 8 * usize::from(size);
            let event = self.memory.load_ordered(OrderedLoad::AvailableEvent, place);
            event.wrapping_sub(self.decided) < new
        } else {
            self.memory.load_ordered(OrderedLoad::UsedFlags, used) & 1 == 0
        };
        // Older entries are forgotten before the count wraps around.
        if notifies || !self.counts_since_notification || new >= 0x8000 {
            self.decided = self.next_entry;
        }
        notifies
    }

    pub fn used_index(&self) -> u16 {
        self.memory.load_ordered(OrderedLoad::UsedIndex, self.place.used + 2)
    }

    /// Id and length of the next used element.
    pub fn element(&self) -> (u32, u32) {
        let place = self.place.used + 4 + 8 * usize::from(self.used % self.place.size);
        (self.memory.load_u32(place), self.memory.load_u32(place + 4))
    }

    /// Moves to the next used element. `rearm` says whether wanted notifications are requested again.
    pub fn step_over(&mut self, rearm: bool) {
        self.used = self.used.wrapping_add(1);
        if rearm {
            self.rearm();
        }
        if self.event_index && !self.wanted && self.unwanted != Unwanted::BehindOnce {
            self.store_used_event(self.unwanted_event());
        }
    }

    /// Requests a notification of the next element, if the caller wants any. Returns whether it stored the request.
    pub fn rearm(&self) -> bool {
        let waits = |to: u16| self.keeps_delay && to.wrapping_sub(self.used) < 0x8000;
        let requests = self.event_index && self.wanted && !self.delayed_to.is_some_and(waits);
        if requests {
            self.store_used_event(self.used);
        }
        requests
    }

    /// Requests a notification when three quarters of the chains in flight were returned. Returns whether they already were.
    pub fn delay(&mut self) -> bool {
        self.ask_for_notifications(true);
        let in_flight = self.next_entry.wrapping_sub(self.used);
        let most = (u32::from(in_flight) * 3 / 4) as u16;
        if self.event_index {
            self.delayed_to = Some(self.used.wrapping_add(most));
            self.store_used_event(self.used.wrapping_add(most));
        }
        self.used_index().wrapping_sub(self.used) > most
    }

    fn unwanted_event(&self) -> u16 {
        match self.unwanted {
            Unwanted::BehindOnce | Unwanted::Behind => self.used.wrapping_sub(1),
            Unwanted::FarAhead => self.used.wrapping_add(0x8000),
        }
    }

    fn store_used_event(&self, index: u16) {
        let place = self.place.available + 4 + 2 * usize::from(self.place.size);
        self.memory.store_ordered(OrderedStore::UsedEvent, place, index);
        self.memory.barrier(FullBarrier::EnabledThenUsed);
    }

    pub fn ask_for_notifications(&mut self, wanted: bool) {
        (self.wanted, self.delayed_to) = (wanted, None);
        if self.event_index {
            self.store_used_event(if wanted { self.used } else { self.unwanted_event() });
        } else {
            let flags = u16::from(!wanted);
            self.memory.store_ordered(OrderedStore::AvailableFlags, self.place.available, flags);
            self.memory.barrier(FullBarrier::EnabledThenUsed);
        }
    }
}

/// The chain that an answer of `take` returns.
pub fn head_of(answer: &Answer<Completion>) -> Option<u16> {
    match answer {
        Ok(done) => Some(done.head),
        Err(Refusal::Device(refusal)) => refusal.returned,
        Err(_) => None,
    }
}
