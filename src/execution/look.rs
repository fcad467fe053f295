//! Looking at what a call did to shared memory, and telling it.

use super::{Listener, Rig, Scratch, Stop};
use crate::outcome::Call;
use ringstorm_model::{ChainFlaw, Descriptor, Event, Place};
use ringstorm_sim_device::{self as sim, ChainError, Fault, Part};

/// The number of the buffers' region, the only one.
const BUFFERS_REGION: u16 = 0;

impl Rig {
    /// Looks at what the last call did to the memory, and tells it.
    pub(super) fn look_after(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let [rings, buffers] = self.scratch.reports;
        if self.current().can.watched {
            let count = rings.stores.saturating_add(buffers.stores);
            let foreign = rings.foreign.or(buffers.foreign).is_some();
            self.look_at_trap(rings.trapped, listener)?;
            // A call that stored nothing cannot have stored what it must not.
            if count > 0 {
                self.tell(&Event::Stores { count, foreign }, listener)?;
            }
            if buffers.stores > 0 {
                self.look_at_places(listener)?;
            }
            if let Some(offset) = rings.refetched.or(buffers.refetched) {
                self.tell(&Event::Refetched { offset: offset as u64 }, listener)?;
            }
            if rings.late {
                self.look_at_late_stores(listener)?;
            }
        }
        let run = self.current();
        let moved = run.device.available_index() != run.available;
        if moved || run.call == Call::Publish {
            self.look_at_available(listener)?;
        }
        self.look_at_free_count(listener)
    }

    /// Tells what changed in the last call behind the driver's back.
    fn look_at_trap(&mut self, sprung: bool, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = self.current();
        match run.trap.take_if(|_| sprung) {
            Some(change) => {
                run.coverage.reach(run.trap_state, Fault::ChangedBetweenReads);
                run.device.sprung(change);
                self.tell_effects(listener)
            }
            None => Ok(()),
        }
    }

    /// Looks for stores to what the last call had published before: entries, and descriptors of chains.
    fn look_at_late_stores(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let mut late = std::mem::take(&mut self.scratch.late);
        self.provided.rings.take_late_stores(&mut late);
        let Self { run, model, .. } = self;
        let device = &run.as_ref().expect("an execution was begun").device;
        let (from, to) = (run.as_ref().map_or(0, |run| run.available), device.available_index());
        let first = late.iter().copied().find(|offset| match device.whose(*offset) {
            Some(Part::Descriptor(index)) => model.owner(index).is_some_and(|head| {
                let new = |step| device.available_entry(from.wrapping_add(step)) == head;
                (0..to.wrapping_sub(from)).any(new)
            }),
            Some(Part::AvailableEntry(slot)) => {
                to.wrapping_sub(from) > slot.wrapping_sub(from) % device.size()
            }
            None => false,
        });
        self.scratch.late = late;
        match first {
            Some(offset) => self.tell(&Event::StoredLate { offset: offset as u64 }, listener),
            None => Ok(()),
        }
    }

    /// Looks at where in the buffers the last call stored.
    fn look_at_places(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let mut places = std::mem::take(&mut self.scratch.places);
        self.provided.buffers.take_places(&mut places);
        let told = places.iter().try_for_each(|(offset, length)| {
            let place = Place { region: BUFFERS_REGION, offset: *offset as u64 };
            self.tell(&Event::Stored { place, length: *length as u32 }, listener)
        });
        self.scratch.places = places;
        told
    }

    pub(super) fn look_at_free_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = self.current();
        if !run.can.free_count {
            return Ok(());
        }
        let guilty = run.call;
        let count = self.call(Call::FreeCount, |subject| subject.free_count());
        // What the count shows is the doing of the call before it.
        self.current().call = guilty;
        let [rings, buffers] = self.scratch.reports;
        self.look_at_trap(rings.trapped, listener)?;
        if let Some(offset) = rings.refetched.or(buffers.refetched) {
            self.tell(&Event::Refetched { offset: offset as u64 }, listener)?;
        }
        self.tell(&Event::FreeCount { count }, listener)
    }

    /// Looks at the driver's event after a call that may have to move it.
    pub(super) fn look_at_event(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = self.current();
        if !(run.setup.event_index && run.can.interrupts) {
            return Ok(());
        }
        let index = run.device.used_event();
        self.tell(&Event::UsedEvent { index }, listener)
    }

    /// Looks at the new entries of the available ring.
    fn look_at_available(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = self.current();
        let (from, to) = (run.available, run.device.available_index());
        self.tell(&Event::AvailableIndex { index: to }, listener)?;
        self.current().available = to;
        for step in 0..to.wrapping_sub(from) {
            let head = self.current().device.available_entry(from.wrapping_add(step));
            self.tell(&Event::Available { head }, listener)?;
        }
        Ok(())
    }

    /// Looks at a chain that was just submitted, as a device would.
    pub(super) fn look_at_chain(&mut self, head: u16, listener: &mut impl Listener) -> Result<(), Stop> {
        let mut seen = std::mem::take(&mut self.scratch.seen);
        let flaw = self.current().device.look(head, &mut seen).err().map(flaw);
        let mut descriptors = std::mem::take(&mut self.scratch.descriptors);
        to_model(&seen, &mut descriptors);
        self.scratch.seen = seen;
        let unclean = self.current().setup.zeroes() && !self.is_clean();
        let told = self.tell(&Event::Chain { head, descriptors: &descriptors, flaw, unclean }, listener);
        self.scratch.descriptors = descriptors;
        told
    }

    /// Whether all that the device may write is zero, in the chain just seen.
    fn is_clean(&mut self) -> bool {
        let Self { scratch: Scratch { seen, standing, .. }, run, .. } = self;
        let space = run.as_ref().expect("an execution was begun").device.space();
        space.gather(seen, true, u64::MAX, standing);
        standing.iter().all(|byte| *byte == 0)
    }
}

const fn flaw(error: ChainError) -> ChainFlaw {
    match error {
        ChainError::Loop => ChainFlaw::Loop,
        ChainError::Unregistered(_) => ChainFlaw::Unregistered,
        ChainError::HeadOutOfRange(_)
        | ChainError::NextOutOfRange(_)
        | ChainError::ReadableAfterWritable(_)
        | ChainError::Indirect(_)
        | ChainError::TooLong => ChainFlaw::Malformed,
    }
}

/// The chain in the model's words.
pub(super) fn to_model(seen: &[sim::Descriptor], out: &mut Vec<Descriptor>) {
    out.clear();
    out.extend(seen.iter().map(|descriptor| Descriptor {
        index: descriptor.index,
        place: descriptor.place.map(|place| Place { region: place.region, offset: place.offset }),
        length: descriptor.length,
        writable: descriptor.is_writable(),
    }));
}
