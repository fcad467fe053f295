//! Any bytes in the table and the available ring, in front of the device.

use super::walk::{BUFFERS_AT, Walk, geometry, overwrite, within};
use super::{All, memory};
use arbitrary::Arbitrary;
use ringstorm_core::SharedMemory;
use ringstorm_sim_device::{
    AddressSpace, ChainError, Descriptor, Device, Effect, Fault, Geometry, Reply, WatchedMemory,
};
use std::rc::Rc;
use strum::VariantArray;

/// Bytes of all buffers.
const BUFFERS: usize = 1024;
/// `VIRTQ_DESC_F_INDIRECT` (2.7.5).
const INDIRECT: u16 = 4;

#[derive(Debug, Arbitrary)]
pub(super) struct DeviceWalk<'a> {
    /// What the driver writes over table and available ring at the beginning.
    bytes: &'a [u8],
    acts: All<Act>,
}

#[derive(Debug, Arbitrary)]
enum Act {
    /// A descriptor as a driver would write it, but for what it points to.
    Descriptor {
        index: u8,
        place: u16,
        length: u16,
        flags: u8,
        next: u8,
    },
    /// An entry of the available ring, so far ahead of the next one.
    Entry {
        ahead: u8,
        head: u8,
    },
    /// The available index, so far ahead of the next entry.
    AvailableIndex(i8),
    /// Anything, anywhere.
    Word {
        at: u16,
        value: u64,
    },
    Take,
    Look(u16),
    GiveBack {
        pick: u8,
        written: u32,
        beyond: bool,
    },
    Publish,
    Misbehave {
        fault: u8,
        pick: u8,
        value: u32,
    },
    Notifications(bool),
    Event(u16),
    Notified,
    StopFaults,
    Reset(u16),
}

struct Run {
    device: Device<Rc<WatchedMemory>>,
    rings: Rc<WatchedMemory>,
    buffers: Rc<WatchedMemory>,
    geometry: Geometry,
    held: usize,
    took_any: bool,
    effects: Vec<Effect>,
}

impl DeviceWalk<'_> {
    /// How many acts there are.
    pub(super) fn acts(&self) -> usize {
        self.acts.0.len()
    }

    pub(super) fn run(&self, walk: &Walk<'_>) -> bool {
        let geometry = geometry(walk.size());
        let rings = memory(geometry.used + geometry.used_bytes());
        let buffers = memory(BUFFERS);
        let space = AddressSpace::new([(BUFFERS_AT, Rc::clone(&buffers))]);
        let device = Device::new(Rc::clone(&rings), geometry, space, walk.first_index);
        let device = device.with_event_index(walk.event_index);
        overwrite(&rings, 0, geometry.used, self.bytes);
        let (held, took_any, effects) = (0, false, Vec::new());
        let mut run = Run { device, rings, buffers, geometry, held, took_any, effects };
        for act in &self.acts.0 {
            run.act(act);
            run.check();
        }
        run.took_any
    }
}

impl Run {
    fn act(&mut self, act: &Act) {
        let (size, available) = (self.geometry.size, self.geometry.available);
        match *act {
            Act::Descriptor { index, place, length, flags, next } => {
                let at = 16 * usize::from(u16::from(index) % size);
                // Half of them end inside the buffers.
                let address = BUFFERS_AT + u64::from(place) % (2 * BUFFERS as u64);
                let next = u64::from(next) % u64::from(size + 1);
                let shape = u64::from(length % 600) | u64::from(flags & 7) << 32 | next << 48;
                self.rings.store_u64_pair(at, [address, shape]);
            }
            Act::Entry { ahead, head } => {
                let slot = usize::from(self.next().wrapping_add(ahead.into()) % size);
                self.rings.store_u16(available + 4 + 2 * slot, u16::from(head) % (size + 1));
            }
            Act::AvailableIndex(ahead) => {
                self.rings.store_u16(available + 2, self.next().wrapping_add_signed(ahead.into()));
            }
            Act::Word { at, value } => {
                let at = usize::from(at) % (self.rings.len() - 8);
                self.rings.copy_in(at, &value.to_le_bytes());
            }
            Act::Take => self.take(),
            Act::Look(head) => {
                let mut chain = Vec::new();
                let error = self.call(|device| device.peek_chain(head, &mut chain)).err();
                self.plausible(head, &chain, error);
            }
            Act::GiveBack { pick, written, beyond } => {
                let mut room = None;
                let reply = |most| {
                    room = Some(most);
                    Reply { written, beyond }
                };
                let given = self.call(|device| device.return_chain(pick, reply));
                assert_eq!(given, room.is_some(), "a reply is asked for if there is a chain for it");
                self.held -= usize::from(given);
            }
            Act::Publish => self.call(Device::publish),
            Act::Misbehave { fault, pick, value } => {
                let fault = Fault::VARIANTS[usize::from(fault) % Fault::VARIANTS.len()];
                self.call(|device| device.misbehave(fault, pick, value));
                assert!(self.device.in_flight_count() <= self.held, "{} gave it chains", fault.name());
                self.held = self.device.in_flight_count();
            }
            Act::Notifications(wanted) => self.call(|device| device.set_notifications(wanted)),
            Act::Event(ahead) => {
                self.call(|device| device.set_event(ahead));
            }
            Act::Notified => self.device.notified(),
            Act::StopFaults => self.call(Device::stop_faults),
            Act::Reset(first_index) => {
                self.call(|device| device.reset(first_index));
                self.held = 0;
            }
        }
    }

    /// The next entry of the available ring that it will take, as far as can be seen: it is not told.
    fn next(&self) -> u16 {
        self.rings.load_u16(self.geometry.available + 2)
    }

    /// An act, which goes through the table a few times at most.
    fn call<T>(&mut self, act: impl FnOnce(&mut Device<Rc<WatchedMemory>>) -> T) -> T {
        let Self { device, rings, buffers, geometry, .. } = self;
        within(64 + 16 * u64::from(geometry.size), [rings, buffers], || act(device))
    }

    fn take(&mut self) {
        let taken = self
            .call(|device| device.take().map(|taken| (taken.head, taken.descriptors.to_vec(), taken.error)));
        let Some((head, descriptors, error)) = taken else { return };
        self.plausible(head, &descriptors, error);
        self.held += 1;
        self.took_any = true;
        assert_eq!(self.device.newest(), descriptors, "what it took is what it holds");
    }

    /// What a chain can be, whatever stands in memory.
    fn plausible(&self, head: u16, chain: &[Descriptor], error: Option<ChainError>) {
        let size = self.geometry.size;
        assert_eq!(chain.is_empty(), head >= size, "a chain of {} descriptors at {head}", chain.len());
        assert!(chain.len() <= size.into(), "{} descriptors", chain.len());
        for (position, descriptor) in chain.iter().enumerate() {
            assert!(descriptor.index < size, "{descriptor:?}");
            if let Some(place) = descriptor.place {
                let end = place.offset + u64::from(descriptor.length);
                assert!(place.region == 0 && end <= BUFFERS as u64, "{descriptor:?} is not there");
                assert_eq!(BUFFERS_AT + place.offset, descriptor.address, "{descriptor:?} is elsewhere");
            }
            if let Some(next) = chain.get(position + 1) {
                assert!(descriptor.has_next() && next.index == descriptor.next, "{next:?} does not follow");
            }
        }
        if error.is_none() {
            let last = chain.last().expect("a chain has a descriptor");
            let good = |one: &Descriptor| one.place.is_some() && one.flags & INDIRECT == 0;
            assert!(!last.has_next() && chain.iter().all(good), "nothing is wrong with {chain:?}");
            assert!(chain.is_sorted_by_key(Descriptor::is_writable), "nothing is wrong with {chain:?}");
        }
    }

    fn check(&mut self) {
        assert_eq!(self.device.in_flight_count(), self.held, "chains that it holds");
        assert!(self.device.returnable() <= self.held, "it means to return what it has not");
        self.device.take_effects(&mut self.effects);
        for effect in &self.effects {
            if let Effect::BufferWritten { place, length } = effect {
                let end = place.offset + u64::from(*length);
                assert!(place.region == 0 && end <= BUFFERS as u64, "wrote to {place:?}, {length} bytes");
            }
        }
    }
}
