//! A device that somebody else wrote, in an execution: what it is told, and what is seen of it.

use super::honest_device::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
use super::{BUFFERS_ADDRESS, RINGS_ADDRESS};
use ringstorm_model::{self as model, ObservedDescriptor};
use ringstorm_sim_device::{
    BufferPlace, Device, Effect, Reply, WatchedMemory, fill_pattern, picked_position, remove_at,
};
use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;

/// What is seen of the memory: a simulated device that does nothing.
type Eyes = Device<Rc<WatchedMemory>>;

/// Somebody else's device, and what a scenario needs to know of it.
pub(super) struct ExternalDevice {
    device: Box<dyn HonestDevice>,
    event_index: bool,
    /// As of the simulated device: how many entries behind the next one it wants to be notified.
    event_ahead: Option<u16>,
    held: VecDeque<Held>,
    chain: TakenChain,
    /// The index of the next element that it will write.
    next_used: u16,
    replies: u32,
    reply: Vec<u8>,
    effects: Vec<Effect>,
}

/// A chain that it holds: the head, and the buffers that it can write to, each with its descriptor's index.
struct Held {
    head: u16,
    writable: Vec<(u16, BufferPlace, u32)>,
}

impl ExternalDevice {
    pub(super) fn new(device: Box<dyn HonestDevice>) -> Self {
        Self {
            device,
            event_index: false,
            event_ahead: None,
            held: VecDeque::new(),
            chain: TakenChain::default(),
            next_used: 0,
            replies: 0,
            reply: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(super) fn restart(&mut self, eyes: &Eyes, first_index: u16, event_index: bool) {
        (self.event_index, self.replies) = (event_index, 0);
        self.reset(eyes, first_index);
    }

    pub(super) fn reset(&mut self, eyes: &Eyes, first_index: u16) {
        self.held.clear();
        self.effects.clear();
        self.next_used = first_index;
        self.device.start(&memory(eyes), first_index, self.event_index);
        self.event_ahead = Some(0);
        if self.event_index {
            self.tell_event(eyes);
        }
    }

    pub(super) fn notified(&mut self, eyes: &Eyes) {
        self.device.notified(&memory(eyes));
    }

    /// As [`DeviceSlot::take`](super::device_slot::DeviceSlot::take).
    pub(super) fn take(
        &mut self,
        eyes: &Eyes,
        descriptors: &mut Vec<ObservedDescriptor>,
        payload: &mut Vec<u8>,
    ) -> Option<(u16, bool)> {
        let Self { device, chain, held, .. } = self;
        (chain.head, chain.whole) = (0, false);
        chain.buffers.clear();
        chain.payload.clear();
        if !device.take(&memory(eyes), chain) {
            return None;
        }
        mem::swap(payload, &mut chain.payload);
        descriptors.clear();
        let mut usable = Vec::new();
        for ChainBuffer { index, address, length, writable } in chain.buffers.iter().copied() {
            let place = eyes.space().locate(address, length);
            usable.extend(place.filter(|_| chain.whole && writable).map(|place| (index, place, length)));
            let place = place.map(|BufferPlace { region, offset }| model::Place { region, offset });
            descriptors.push(ObservedDescriptor { index, place, length, writable });
        }
        held.push_back(Held { head: chain.head, writable: usable });
        let taken = (chain.head, chain.whole);
        if self.event_index && self.event_ahead.is_some() {
            self.tell_event(eyes);
        }
        Some(taken)
    }

    /// As [`Device::return_chain`].
    pub(super) fn return_chain(&mut self, eyes: &Eyes, pick: u8, reply: impl FnOnce(u64) -> Reply) -> bool {
        let position = picked_position(self.held.len(), pick);
        let Some(held) = position.and_then(|position| remove_at(&mut self.held, position)) else {
            return false;
        };
        let room = held.writable.iter().map(|(.., length)| u64::from(*length)).sum::<u64>();
        let Reply { written, beyond } = reply(room.min(u32::MAX.into()));
        self.write_reply(eyes, &held, if beyond { room } else { written.into() });
        self.device.return_chain(&memory(eyes), held.head, written);
        let (id, length) = eyes.used_element(self.next_used);
        self.effects.push(Effect::UsedElement { index: self.next_used, id, length });
        self.next_used = self.next_used.wrapping_add(1);
        true
    }

    /// Lets it write what the simulated device writes: a pattern in each buffer.
    fn write_reply(&mut self, eyes: &Eyes, held: &Held, count: u64) {
        self.replies = self.replies.wrapping_add(1);
        self.reply.clear();
        for (index, place, length) in &held.writable {
            let start = self.reply.len();
            let now = (count - start as u64).min((*length).into()) as usize;
            self.reply.resize(start + now, 0);
            fill_pattern(&mut self.reply[start..], self.replies.wrapping_add((*index).into()));
            if now > 0 {
                self.effects.push(Effect::BufferWritten { place: *place, length: now as u32 });
            }
        }
        self.device.write(&memory(eyes), held.head, &self.reply);
    }

    pub(super) fn publish(&mut self, eyes: &Eyes) {
        self.device.publish(&memory(eyes));
        self.effects.push(Effect::UsedIndex(eyes.used_index()));
    }

    /// As [`Device::set_notifications`]: with event indexes, not to be notified is to ask for the furthest entry.
    pub(super) fn set_notifications(&mut self, eyes: &Eyes, wanted: bool) {
        if self.event_index {
            self.event_ahead = wanted.then_some(0);
            return self.tell_event(eyes);
        }
        self.device.set_notifications(&memory(eyes), wanted);
        self.effects.push(Effect::UsedFlags(eyes.used_flags()));
    }

    /// As [`Device::set_event`].
    pub(super) fn set_event(&mut self, eyes: &Eyes, ahead: u16) -> bool {
        if self.event_index {
            self.event_ahead = Some(ahead);
            self.tell_event(eyes);
        }
        self.event_index
    }

    fn tell_event(&mut self, eyes: &Eyes) {
        self.device.set_event(&memory(eyes), self.event_ahead.unwrap_or(u16::MAX));
        self.effects.push(Effect::AvailableEvent(eyes.available_event()));
    }

    pub(super) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    pub(super) fn take_effects(&mut self, out: &mut Vec<Effect>) {
        out.clear();
        mem::swap(out, &mut self.effects);
    }
}

fn memory(eyes: &Eyes) -> DeviceMemory<'_> {
    DeviceMemory {
        rings: eyes.rings(),
        rings_address: RINGS_ADDRESS,
        geometry: *eyes.geometry(),
        buffers: eyes.space().memory(0),
        buffers_address: BUFFERS_ADDRESS,
    }
}
