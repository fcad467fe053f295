//! Looking at what a call did to shared memory, and telling it.

use super::{Listener, Rig, Scratch, Stop};
use crate::outcome::Call;
use crate::subject::WrongAdapter;
use ringstorm_core::SharedMemory;
use ringstorm_model::{ChainFlaw, Event, ObservedDescriptor, Place};
use ringstorm_sim_device::{self as sim, ChainError, Part};

/// What is wrong with an adapter whose queue publishes where it was not asked to.
const EARLY: &str =
    "its capabilities promise `prepare`, but its `submit` moves the available index, which is for `publish`";
/// What is wrong with an adapter that does not translate.
const OF_THIS_PROCESS: &str = "a buffer has an address of this process; to the device it is at `Provided::buffers_address` and its offset";

/// The number of the buffers' region, the only one.
const BUFFERS_REGION: u16 = 0;

impl Rig {
    /// Looks at what the last call did to the memory, and tells it.
    pub(super) fn look_after(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if self.run.can.watched {
            self.look_at_accesses(listener)?;
        }
        let moved = self.run.device.observer().available_index() != self.run.available;
        if moved && self.run.call == Call::Submit && self.run.can.prepare {
            WrongAdapter::raise(EARLY);
        }
        if moved || self.run.call == Call::Publish {
            self.look_at_available(listener)?;
        }
        self.look_at_free_count(listener)
    }

    /// Looks at what the watched memory tells of the last call.
    fn look_at_accesses(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let [rings, buffers] = &self.scratch.reports;
        let count = rings.stores.saturating_add(buffers.stores);
        let foreign = rings.device_area_store.or(buffers.device_area_store).is_some();
        let refetched = rings.double_fetch.or(buffers.double_fetch);
        let (trapped, late, places) = (rings.trap_triggered, rings.late_stores, buffers.stores > 0);
        if trapped {
            self.look_at_trap(listener)?;
        }
        // A call that stored nothing cannot have stored what it must not.
        if count > 0 {
            self.judge.tell(&Event::Stores { count, to_device_area: foreign }, listener)?;
        }
        if places {
            self.look_at_places(listener)?;
        }
        if let Some(offset) = refetched {
            self.judge.tell(&Event::DoubleFetch { offset: offset as u64 }, listener)?;
        }
        if late {
            self.look_at_late_stores(listener)?;
        }
        Ok(())
    }

    /// Tells what changed in the last call behind the driver's back.
    pub(super) fn look_at_trap(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &mut self.run;
        match run.trap.take() {
            Some(change) => {
                run.attribute_trap();
                run.device.trap_triggered(change);
                self.tell_effects(listener)
            }
            None => Ok(()),
        }
    }

    /// Looks for stores to what the last call had published before: entries, and descriptors of chains.
    fn look_at_late_stores(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, judge, scratch: Scratch { late, .. }, provided, .. } = self;
        provided.rings.take_late_stores(late);
        let device = run.device.observer();
        let (from, to) = (run.available, device.available_index());
        let first = late.iter().copied().find(|offset| match device.driver_part_at(*offset) {
            Some(Part::Descriptor(index)) => judge.model.owner(index).is_some_and(|head| {
                let new = |step| device.available_entry(from.wrapping_add(step)) == head;
                (0..to.wrapping_sub(from)).any(new)
            }),
            Some(Part::AvailableEntry(slot)) => {
                to.wrapping_sub(from) > slot.wrapping_sub(from) % device.size()
            }
            None => false,
        });
        match first {
            Some(offset) => judge.tell(&Event::LateWrite { offset: offset as u64 }, listener),
            None => Ok(()),
        }
    }

    /// Looks at where in the buffers the last call stored.
    pub(super) fn look_at_places(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { judge, scratch: Scratch { places, .. }, provided, .. } = self;
        provided.buffers.take_places(places);
        places.iter().try_for_each(|(offset, length)| {
            let place = Place { region: BUFFERS_REGION, offset: *offset as u64 };
            judge.tell(&Event::DriverWrote { place, length: *length as u32 }, listener)
        })
    }

    pub(super) fn look_at_free_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if !self.run.can.free_count {
            return Ok(());
        }
        let guilty = self.run.call;
        let count = self.call(Call::FreeCount, |subject| subject.free_count());
        // What the count shows is the doing of the call before it.
        self.run.call = guilty;
        let [rings, buffers] = &self.scratch.reports;
        if rings.trap_triggered || rings.double_fetch.is_some() || buffers.double_fetch.is_some() {
            self.look_at_reads_of_count(listener)?;
        }
        self.judge.tell(&Event::FreeCount { count }, listener)
    }

    /// Looks at how many descriptors are free of a queue that was just made. If those are more than there are, or none, it is
    /// no count of them.
    pub(super) fn look_at_first_free_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let size = u32::from(self.run.setup.queue_size.get());
        if self.run.can.free_count {
            let count = self.call(Call::FreeCount, |subject| subject.free_count());
            if count > size || count == 0 {
                WrongAdapter::raise(format!(
                    "its free count is {count} when it is made, and a queue of {size} begins with {size} free descriptors"
                ));
            }
            self.run.call = Call::Construct;
        }
        self.look_at_free_count(listener)
    }

    /// Looks at what a driver did that counts its free descriptors in shared memory.
    #[cold]
    fn look_at_reads_of_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let [rings, buffers] = self.scratch.reports;
        if rings.trap_triggered {
            self.look_at_trap(listener)?;
        }
        match rings.double_fetch.or(buffers.double_fetch) {
            Some(offset) => self.judge.tell(&Event::DoubleFetch { offset: offset as u64 }, listener),
            None => Ok(()),
        }
    }

    /// Looks at the driver's event after a call that may have to move it.
    pub(super) fn look_at_event(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &self.run;
        if !(run.setup.event_index && run.can.interrupts) {
            return self.look_at_flags(listener);
        }
        self.judge.tell(&Event::UsedEvent { index: run.device.observer().used_event() }, listener)
    }

    /// Looks at the driver's flags where they must be those of a queue that was just made, or what its caller asked for since.
    fn look_at_flags(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &self.run;
        if !(run.can.interrupts && matches!(run.call, Call::Construct | Call::Reset)) {
            return Ok(());
        }
        self.judge.tell(&Event::AvailableFlags { flags: run.device.observer().available_flags() }, listener)
    }

    /// Looks at the new entries of the available ring.
    fn look_at_available(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, judge, .. } = self;
        let (from, to) = (run.available, run.device.observer().available_index());
        judge.tell(&Event::AvailableIndex { index: to }, listener)?;
        if to != from {
            run.device.available_index_moved();
        }
        run.available = to;
        for step in 0..to.wrapping_sub(from) {
            let head = run.device.observer().available_entry(from.wrapping_add(step));
            judge.tell(&Event::Available { head }, listener)?;
        }
        Ok(())
    }

    /// Looks at a chain that was just submitted, as a device would.
    pub(super) fn look_at_chain(&mut self, head: u16, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, judge, scratch: Scratch { seen, descriptors, standing, .. }, provided, .. } = self;
        let flaw = run.device.observer().peek_chain(head, seen).err().map(flaw);
        if flaw == Some(ChainFlaw::Unregistered) {
            let own = provided.buffers.host_address()
                ..provided.buffers.host_address() + provided.buffers.len() as u64;
            if seen.iter().any(|descriptor| own.contains(&descriptor.address)) {
                WrongAdapter::raise(OF_THIS_PROCESS);
            }
        }
        to_model(seen, descriptors);
        let not_zeroed = run.setup.zeroes() && {
            // Whether anything that the device may write is not zero.
            run.device.observer().space().gather(seen, true, u64::MAX, standing);
            standing.iter().fold(0, |all, byte| all | byte) != 0
        };
        judge.tell(&Event::Chain { head, descriptors, flaw, not_zeroed }, listener)
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
pub(super) fn to_model(seen: &[sim::Descriptor], out: &mut Vec<ObservedDescriptor>) {
    out.clear();
    out.extend(seen.iter().map(|descriptor| ObservedDescriptor {
        index: descriptor.index,
        place: descriptor.place.map(|place| Place { region: place.region, offset: place.offset }),
        length: descriptor.length,
        writable: descriptor.is_writable(),
    }));
}
