//! Runs an external device within an execution: calls it, and reads from shared memory what it did.

use super::external_device_trait::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
use super::{BUFFERS_ADDRESS, RINGS_ADDRESS};
use ringstorm_model::{self as model, ObservedDescriptor};
use ringstorm_sim_device::{
    BufferPlace, Device, DeviceSide, Effect, Reply, fill_pattern, picked_position, remove_at,
};
use std::collections::VecDeque;
use std::mem;

/// Reads the shared memory: a simulated device that does nothing.
type Observer = Device<DeviceSide>;

/// An external device, and what the harness has to record about it.
pub(super) struct ExternalDevice {
    device: Box<dyn HonestDevice>,
    event_index: bool,
    /// How many entries after the next one the device requests a notification for; `None` if it requests none. As in
    /// the simulated device.
    event_ahead: Option<u16>,
    in_flight: VecDeque<InFlight>,
    chain: TakenChain,
    /// The used index of the next element that the device will write.
    next_used: u16,
    replies: u32,
    reply: Vec<u8>,
    effects: Vec<Effect>,
}

/// A chain that the device has: the head and the device-writable buffers, each with the index of its descriptor, its
/// place, and its length in bytes.
struct InFlight {
    head: u16,
    writable: Vec<(u16, BufferPlace, u32)>,
}

impl ExternalDevice {
    pub(super) fn new(device: Box<dyn HonestDevice>) -> Self {
        Self {
            device,
            event_index: false,
            event_ahead: None,
            in_flight: VecDeque::new(),
            chain: TakenChain::default(),
            next_used: 0,
            replies: 0,
            reply: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(super) fn restart(&mut self, observer: &Observer, first_index: u16, event_index: bool) {
        (self.event_index, self.replies) = (event_index, 0);
        self.reset(observer, first_index);
    }

    pub(super) fn reset(&mut self, observer: &Observer, first_index: u16) {
        self.in_flight.clear();
        self.effects.clear();
        self.next_used = first_index;
        self.device.start(&memory(observer), first_index, self.event_index);
        self.event_ahead = Some(0);
        if self.event_index {
            self.set_available_event(observer);
        }
    }

    pub(super) fn notified(&mut self, observer: &Observer) {
        self.device.notified(&memory(observer));
    }

    /// Like [`SimulatedOrExternalDevice::take`](super::simulated_or_external_device::SimulatedOrExternalDevice::take).
    pub(super) fn take(
        &mut self,
        observer: &Observer,
        descriptors: &mut Vec<ObservedDescriptor>,
        payload: &mut Vec<u8>,
    ) -> Option<(u16, bool)> {
        let Self { device, chain, in_flight, .. } = self;
        (chain.head, chain.whole) = (0, false);
        chain.buffers.clear();
        chain.payload.clear();
        if !device.take(&memory(observer), chain) {
            return None;
        }
        mem::swap(payload, &mut chain.payload);
        descriptors.clear();
        let mut usable = Vec::new();
        for ChainBuffer { index, address, length, writable } in chain.buffers.iter().copied() {
            let place = observer.space().locate(address, length);
            usable.extend(place.filter(|_| chain.whole && writable).map(|place| (index, place, length)));
            let place = place.map(|BufferPlace { region, offset }| model::Place { region, offset });
            descriptors.push(ObservedDescriptor { index, place, length, writable });
        }
        in_flight.push_back(InFlight { head: chain.head, writable: usable });
        let taken = (chain.head, chain.whole);
        if self.event_index && self.event_ahead.is_some() {
            self.set_available_event(observer);
        }
        Some(taken)
    }

    /// Like [`Device::return_chain`].
    pub(super) fn return_chain(
        &mut self,
        observer: &Observer,
        pick: u8,
        reply: impl FnOnce(u64) -> Reply,
    ) -> bool {
        let position = picked_position(self.in_flight.len(), pick);
        let Some(in_flight) = position.and_then(|position| remove_at(&mut self.in_flight, position)) else {
            return false;
        };
        let room = in_flight.writable.iter().map(|(.., length)| u64::from(*length)).sum::<u64>();
        let Reply { written, beyond } = reply(room.min(u32::MAX.into()));
        self.write_reply(observer, &in_flight, if beyond { room } else { written.into() });
        self.device.return_chain(&memory(observer), in_flight.head, written);
        let (id, length) = observer.used_element(self.next_used);
        self.effects.push(Effect::UsedElement { index: self.next_used, id, length });
        self.next_used = self.next_used.wrapping_add(1);
        true
    }

    /// Makes the device write what the simulated device would write: a pattern in each buffer.
    fn write_reply(&mut self, observer: &Observer, in_flight: &InFlight, count: u64) {
        self.replies = self.replies.wrapping_add(1);
        self.reply.clear();
        for (index, place, length) in &in_flight.writable {
            let start = self.reply.len();
            let now = (count - start as u64).min((*length).into()) as usize;
            self.reply.resize(start + now, 0);
            fill_pattern(&mut self.reply[start..], self.replies.wrapping_add((*index).into()));
            if now > 0 {
                self.effects.push(Effect::BufferWritten { place: *place, length: now as u32 });
            }
        }
        self.device.write(&memory(observer), in_flight.head, &self.reply);
    }

    pub(super) fn publish(&mut self, observer: &Observer) {
        self.device.publish(&memory(observer));
        self.effects.push(Effect::UsedIndex(observer.used_index()));
    }

    /// Like [`Device::set_notifications`]. With event indexes, a device that wants no notifications sets `avail_event`
    /// to the most distant entry.
    pub(super) fn set_notifications(&mut self, observer: &Observer, wanted: bool) {
        if self.event_index {
            self.event_ahead = wanted.then_some(0);
            return self.set_available_event(observer);
        }
        self.device.set_notifications(&memory(observer), wanted);
        self.effects.push(Effect::UsedFlags(observer.used_flags()));
    }

    /// Like [`Device::set_event`].
    pub(super) fn set_event(&mut self, observer: &Observer, ahead: u16) -> bool {
        if self.event_index {
            self.event_ahead = Some(ahead);
            self.set_available_event(observer);
        }
        self.event_index
    }

    fn set_available_event(&mut self, observer: &Observer) {
        self.device.set_event(&memory(observer), self.event_ahead.unwrap_or(u16::MAX));
        self.effects.push(Effect::AvailableEvent(observer.available_event()));
    }

    pub(super) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    pub(super) fn take_effects(&mut self, out: &mut Vec<Effect>) {
        out.clear();
        mem::swap(out, &mut self.effects);
    }
}

fn memory(observer: &Observer) -> DeviceMemory<'_> {
    DeviceMemory {
        rings: observer.rings().memory(),
        rings_address: RINGS_ADDRESS,
        geometry: *observer.geometry(),
        buffers: observer.space().memory(0).memory(),
        buffers_address: BUFFERS_ADDRESS,
    }
}
