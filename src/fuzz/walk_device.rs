//! Arbitrary bytes in the table and the available ring, which the device reads.

use super::walk_queue::{BUFFERS_AT, WalkQueue, geometry, overwrite, within};
use super::{Remaining, memory};
use arbitrary::Arbitrary;
use ringstorm_core::SharedMemory;
use ringstorm_sim_device::{
    AddressSpace, ChainError, Descriptor, Device, Effect, Fault, Geometry, Reply, WatchedMemory,
};
use std::rc::Rc;
use strum::VariantArray;

/// The size of the buffer memory in bytes.
const BUFFERS: usize = 1024;
/// `VIRTQ_DESC_F_INDIRECT` (2.7.5).
const INDIRECT: u16 = 4;

#[derive(Debug, Arbitrary)]
pub(super) struct DeviceWalk<'a> {
    /// The bytes that the driver writes over the table and the available ring at the beginning.
    bytes: &'a [u8],
    acts: Remaining<Act>,
}

#[derive(Debug, Arbitrary)]
enum Act {
    /// Writes a descriptor as a driver would, but with an arbitrary address.
    Descriptor {
        index: u8,
        place: u16,
        length: u16,
        flags: u8,
        next: u8,
    },
    /// Writes an available ring entry, `ahead` entries after the next one.
    Entry {
        ahead: u8,
        head: u8,
    },
    /// Moves the available index this far ahead of the next entry.
    AvailableIndex(i8),
    /// Writes any value anywhere.
    Word {
        at: u16,
        value: u64,
    },
    Take,
    Peek(u16),
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
    in_flight: usize,
    took_any: bool,
    effects: Vec<Effect>,
}

impl DeviceWalk<'_> {
    /// The number of acts.
    pub(super) fn acts(&self) -> usize {
        self.acts.0.len()
    }

    pub(super) fn run(&self, queue: &WalkQueue) -> bool {
        let geometry = geometry(queue.size());
        let rings = memory(geometry.used + geometry.used_bytes());
        let buffers = memory(BUFFERS);
        let space = AddressSpace::new([(BUFFERS_AT, Rc::clone(&buffers))]);
        let device = Device::new(Rc::clone(&rings), geometry, space, queue.first_index);
        let device = device.with_event_index(queue.event_index);
        overwrite(&rings, 0, geometry.used, self.bytes);
        let (in_flight, took_any, effects) = (0, false, Vec::new());
        let mut run = Run { device, rings, buffers, geometry, in_flight, took_any, effects };
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
                // About half of the buffers end inside the memory.
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
            Act::Peek(head) => {
                let mut chain = Vec::new();
                let error = self.call(|device| device.peek_chain(head, &mut chain)).err();
                self.check_chain(head, &chain, error);
            }
            Act::GiveBack { pick, written, beyond } => {
                let mut room = None;
                let reply = |most| {
                    room = Some(most);
                    Reply { written, beyond }
                };
                let given = self.call(|device| device.return_chain(pick, reply));
                assert_eq!(
                    given,
                    room.is_some(),
                    "the device asks for a reply exactly if it returns a chain"
                );
                self.in_flight -= usize::from(given);
            }
            Act::Publish => self.call(Device::publish),
            Act::Misbehave { fault, pick, value } => {
                let fault = Fault::VARIANTS[usize::from(fault) % Fault::VARIANTS.len()];
                self.call(|device| device.misbehave(fault, pick, value));
                assert!(
                    self.device.in_flight_count() <= self.in_flight,
                    "the fault {} increased the number of chains in flight",
                    fault.name()
                );
                self.in_flight = self.device.in_flight_count();
            }
            Act::Notifications(wanted) => self.call(|device| device.set_notifications(wanted)),
            Act::Event(ahead) => {
                self.call(|device| device.set_event(ahead));
            }
            Act::Notified => self.device.notified(),
            Act::StopFaults => self.call(Device::stop_faults),
            Act::Reset(first_index) => {
                self.call(|device| device.reset(first_index));
                self.in_flight = 0;
            }
        }
    }

    /// The index of the next available ring entry. The device does not report it, so this is the available index in
    /// memory.
    fn next(&self) -> u16 {
        self.rings.load_u16(self.geometry.available + 2)
    }

    /// Runs one act. It may walk the table only a few times.
    fn call<T>(&mut self, act: impl FnOnce(&mut Device<Rc<WatchedMemory>>) -> T) -> T {
        let Self { device, rings, buffers, geometry, .. } = self;
        within(64 + 16 * u64::from(geometry.size), [rings, buffers], || act(device))
    }

    fn take(&mut self) {
        let taken = self
            .call(|device| device.take().map(|taken| (taken.head, taken.descriptors.to_vec(), taken.error)));
        let Some((head, descriptors, error)) = taken else { return };
        self.check_chain(head, &descriptors, error);
        self.in_flight += 1;
        self.took_any = true;
        assert_eq!(self.device.newest(), descriptors, "the newest chain is the one just taken");
    }

    /// Checks what must be true of any chain, whatever memory contains.
    fn check_chain(&self, head: u16, chain: &[Descriptor], error: Option<ChainError>) {
        let size = self.geometry.size;
        assert_eq!(chain.is_empty(), head >= size, "a chain of {} descriptors at {head}", chain.len());
        assert!(chain.len() <= size.into(), "{} descriptors", chain.len());
        for (position, descriptor) in chain.iter().enumerate() {
            assert!(descriptor.index < size, "{descriptor:?}");
            if let Some(place) = descriptor.place {
                let end = place.offset + u64::from(descriptor.length);
                assert!(
                    place.region == 0 && end <= BUFFERS as u64,
                    "{descriptor:?} is outside of the buffers"
                );
                assert_eq!(
                    BUFFERS_AT + place.offset,
                    descriptor.address,
                    "{descriptor:?} has an offset that is not its address"
                );
            }
            if let Some(next) = chain.get(position + 1) {
                assert!(descriptor.has_next() && next.index == descriptor.next, "{next:?} does not follow");
            }
        }
        if error.is_none() {
            let last = chain.last().expect("a chain has a descriptor");
            let good = |one: &Descriptor| one.place.is_some() && one.flags & INDIRECT == 0;
            assert!(!last.has_next() && chain.iter().all(good), "the device reported no error for {chain:?}");
            assert!(
                chain.is_sorted_by_key(Descriptor::is_writable),
                "the device reported no error for {chain:?}"
            );
        }
    }

    fn check(&mut self) {
        assert_eq!(self.device.in_flight_count(), self.in_flight, "chains in flight at the device");
        assert!(self.device.returnable() <= self.in_flight, "the device can return more chains than it has");
        self.device.take_effects(&mut self.effects);
        for effect in &self.effects {
            if let Effect::BufferWritten { place, length } = effect {
                let end = place.offset + u64::from(*length);
                assert!(place.region == 0 && end <= BUFFERS as u64, "wrote to {place:?}, {length} bytes");
            }
        }
    }
}
