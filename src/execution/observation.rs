//! Observes what a call of the driver did to shared memory, and emits it as events.

use super::{Listener, Rig, Scratch, Stop};
use crate::outcome::Call;
use crate::subject::WrongAdapter;
use ringstorm_core::SharedMemory;
use ringstorm_model::{ChainFlaw, Event, Invariant, ObservedDescriptor, Place, Violation};
use ringstorm_sim_device::{self as sim, ChainError, Change, LateStore, Part};

/// The error in an adapter whose queue publishes before `publish` is called.
const PUBLISHED_BY_SUBMIT: &str = "its capabilities promise `prepare`, but its `submit` moves the available index, which only `publish` may do";
/// The error in an adapter that does not translate addresses.
const HOST_ADDRESS: &str = "a descriptor has an address of this process; the device needs `Provided::buffers_address` plus the buffer's offset";

/// The number of the buffers' region. There is no other region.
const BUFFERS_REGION: u16 = 0;

impl Rig {
    /// Emits what the last call did to shared memory.
    pub(super) fn observe_call(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.observe_changes(listener)?;
        self.observe_free_count(listener)
    }

    /// Emits what the last call did to shared memory, and does not ask for the free count.
    pub(super) fn observe_changes(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if self.run.can.watched {
            self.observe_accesses(listener)?;
        }
        let moved = self.has_published();
        if moved && self.run.call == Call::Submit {
            self.check_not_published();
        }
        if moved || self.run.call == Call::Publish {
            self.observe_available_ring(listener)?;
        }
        Ok(())
    }

    /// Whether the available index has moved since it was last observed.
    #[inline(always)]
    fn has_published(&self) -> bool {
        self.run.device.observer().available_index() != self.run.available
    }

    /// Checks that `submit` leaves the available index to `publish`, if the subject says so.
    pub(super) fn check_not_published(&self) {
        if self.run.can.prepare && self.has_published() {
            WrongAdapter::raise(PUBLISHED_BY_SUBMIT);
        }
    }

    /// Emits the memory accesses of the last call.
    #[inline(always)]
    pub(super) fn observe_accesses(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let [rings, buffers] = &self.scratch.reports;
        if rings.unusual | buffers.unusual {
            return self.observe_unusual_accesses(listener);
        }
        let count = rings.stores.saturating_add(buffers.stores);
        if count == 0 { Ok(()) } else { self.observe_stores(count, false, listener) }
    }

    /// Emits the stores of the last call, which are so many.
    #[inline(always)]
    fn observe_stores(
        &mut self,
        count: u32,
        foreign: bool,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        self.sink.emit(&Event::Stores { count, to_device_area: foreign }, listener)?;
        if self.scratch.reports[0].stores > 0 && self.run.faults.last_fault.is_none() {
            self.observe_descriptor_stores(listener)?;
        }
        if self.scratch.reports[1].stores > 0 { self.observe_buffer_stores(listener) } else { Ok(()) }
    }

    /// The same, if the last call has done more than stores in order.
    #[inline(never)]
    fn observe_unusual_accesses(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let [rings, buffers] = &self.scratch.reports;
        let count = rings.stores.saturating_add(buffers.stores);
        let foreign = rings.device_area_store.or(buffers.device_area_store).is_some();
        let refetched = self.double_fetch();
        let (trapped, late, weak) = (rings.trap_triggered, rings.late_stores, rings.weak);
        if trapped {
            self.observe_trap(listener)?;
        }
        // A call without stores cannot have stored to a forbidden place.
        if count > 0 {
            self.observe_stores(count, foreign, listener)?;
        }
        if let Some(offset) = refetched {
            self.emit_double_fetch(offset, listener)?;
        }
        if late {
            self.observe_late_stores(listener)?;
        }
        // While the queue is made or reset, the device is stopped.
        match weak.filter(|_| !matches!(self.run.call, Call::Construct | Call::Reset)) {
            Some(access) => self.observe_weak_access(access, listener),
            None => Ok(()),
        }
    }

    /// The offset of bytes that the last call read twice.
    #[cold]
    fn double_fetch(&self) -> Option<usize> {
        let [rings, buffers] = &self.scratch.reports;
        // A handler may look whether there are new used elements while it handles others.
        let used_index = self.run.geometry.used + 2;
        let looks = |offset: &usize| {
            self.run.call == Call::InterruptArrived && (used_index..used_index + 2).contains(offset)
        };
        rings.double_fetch.filter(|offset| !looks(offset)).or(buffers.double_fetch)
    }

    /// The violation to report instead of this one. It is the same, unless the device changed a value between two reads of the
    /// failing call: then the double fetch is the cause.
    #[cold]
    pub(super) fn cause_of(&mut self, stop: Stop, listener: &mut impl Listener) -> Stop {
        let Stop::Violation(Violation { invariant, .. }) = &stop;
        match *invariant {
            Invariant::FetchedOnce => stop,
            _ => self.observe_seen_double_fetch(listener).err().unwrap_or(stop),
        }
    }

    /// Emits the double fetch of the last call, if the device changed the value between the two reads.
    #[cold]
    pub(super) fn observe_seen_double_fetch(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let seen = self.run.can.watched && self.scratch.reports[0].trap_seen;
        match self.double_fetch().filter(|_| seen) {
            Some(offset) => self.emit_double_fetch(offset, listener),
            None => Ok(()),
        }
    }

    #[cold]
    fn emit_double_fetch(&mut self, offset: usize, listener: &mut impl Listener) -> Result<(), Stop> {
        self.sink.emit(&Event::DoubleFetch { offset: offset as u64 }, listener)
    }

    /// Emits the change that a trap made to the used index, if the call has then loaded the index again. Its answer is judged by
    /// the new index: a driver that requests notifications must look again afterwards (2.7.14).
    #[inline(always)]
    pub(super) fn observe_seen_trap(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        match self.run.trap {
            Some(Change::UsedIndex(_)) if self.scratch.reports[0].trap_seen => self.observe_trap(listener),
            _ => Ok(()),
        }
    }

    /// Emits the change that a trap made between two reads of the last call.
    #[cold]
    pub(super) fn observe_trap(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &mut self.run;
        match run.trap.take() {
            Some(change) => {
                run.faults.attribute_trap();
                run.device.trap_triggered(change);
                self.emit_effects(listener)
            }
            None => Ok(()),
        }
    }

    /// Searches for stores to entries and descriptors that the last call made after it had published them.
    #[cold]
    fn observe_late_stores(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, sink, scratch: Scratch { late, .. }, provided, .. } = self;
        provided.rings.take_late_stores(late);
        let device = run.device.observer();
        let (from, end) = (run.available, device.available_index());
        let first = late.iter().find(|LateStore { offset, published }| {
            // A driver may publish one chain after the other.
            let new = published.unwrap_or(end).wrapping_sub(from);
            match device.driver_part_at(*offset) {
                Some(Part::Descriptor(index)) => sink.model.owner(index).is_some_and(|head| {
                    (0..new).any(|step| device.available_entry(from.wrapping_add(step)) == head)
                }),
                Some(Part::AvailableEntry(slot)) => new > slot.wrapping_sub(from) % device.size(),
                None => false,
            }
        });
        match first {
            Some(LateStore { offset, .. }) => {
                sink.emit(&Event::LateWrite { offset: *offset as u64 }, listener)
            }
            None => Ok(()),
        }
    }

    /// Searches for descriptors that the last call changed although only the device may use them: those of a chain that is
    /// published and not returned. Storing the same value again is allowed, since no device can observe it.
    ///
    /// A fault of the device may cause such a store in a sound driver, for example by a used element that it did not mean to
    /// claim. So this is judged only until the first fault.
    fn observe_descriptor_stores(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self {
            run, sink, scratch: Scratch { places, kept_places, seen, descriptors, .. }, provided, ..
        } = self;
        if matches!(run.call, Call::Construct | Call::Reset) {
            return Ok(());
        }
        match kept_places[0].take() {
            Some(kept) => *places = kept,
            None => provided.rings.take_places(places),
        }
        let device = run.device.observer();
        let mut before = None;
        for (offset, _) in places.iter() {
            let Some(Part::Descriptor(stored)) = device.driver_part_at(*offset) else { continue };
            // Most descriptors are stored in two parts.
            if before.replace(stored) == Some(stored) {
                continue;
            }
            let Some(head) = sink.model.owner(stored) else { continue };
            let Some(submitted) = sink.model.descriptors_at_device(head) else { continue };
            let intact = device.peek_chain(head, seen).is_ok();
            to_model(seen, descriptors);
            if !intact || descriptors != submitted {
                return sink.emit(&Event::DescriptorChanged { head, descriptor: stored }, listener);
            }
        }
        Ok(())
    }

    /// Emits the stores of the last call to the buffers.
    pub(super) fn observe_buffer_stores(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { sink, scratch: Scratch { places, kept_places, .. }, provided, .. } = self;
        match kept_places[1].take() {
            Some(kept) => *places = kept,
            None => provided.buffers.take_places(places),
        }
        places.iter().try_for_each(|(offset, length)| {
            let place = Place { region: BUFFERS_REGION, offset: *offset as u64 };
            sink.emit(&Event::DriverWrote { place, length: *length as u32 }, listener)
        })
    }

    pub(super) fn observe_free_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if !self.run.can.free_count {
            return Ok(());
        }
        let call = self.run.call;
        self.begin_call(Call::FreeCount);
        let subject = self.run.subject.as_deref().expect("the subject is there until it is released");
        let count = super::subject_panics::in_subject_call(|| subject.free_count());
        // The count shows the effect of the previous call, so a violation belongs to that call.
        self.run.call = call;
        if !self.provided.end_call_without_accesses() {
            self.observe_free_count_reads(listener)?;
        }
        self.sink.emit(&Event::FreeCount { count }, listener)
    }

    /// Checks the free count of a new queue: it must be between 1 and the queue size.
    pub(super) fn check_first_free_count(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let size = u32::from(self.run.setup.queue_size.get());
        if self.run.can.free_count {
            let count = self.call(Call::FreeCount, |subject| subject.free_count());
            if count > size || count == 0 {
                WrongAdapter::raise(format!(
                    "its free count after construction is {count}, but a queue of size {size} has {size} free descriptors"
                ));
            }
            self.run.call = Call::Construct;
        }
        self.observe_free_count(listener)
    }

    /// Emits the reads of a driver that keeps its free count in shared memory.
    #[cold]
    fn observe_free_count_reads(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.end_call();
        let [rings, buffers] = self.scratch.reports;
        if rings.trap_triggered {
            self.observe_trap(listener)?;
        }
        match rings.double_fetch.or(buffers.double_fetch) {
            Some(offset) => self.emit_double_fetch(offset, listener),
            None => Ok(()),
        }
    }

    /// Emits `used_event` after a call that may have to move it. Without event indexes, emits the flags.
    pub(super) fn observe_used_event(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &self.run;
        if !(run.setup.event_index && run.can.used_notifications) {
            return self.observe_available_flags(listener);
        }
        self.sink.emit(&Event::UsedEvent { index: run.device.observer().used_event() }, listener)
    }

    /// Emits the flags of the available ring after construction and reset. They must be those of a new queue, or what
    /// the caller has requested.
    fn observe_available_flags(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let run = &self.run;
        if !(run.can.used_notifications && matches!(run.call, Call::Construct | Call::Reset)) {
            return Ok(());
        }
        self.sink.emit(&Event::AvailableFlags { flags: run.device.observer().available_flags() }, listener)
    }

    /// Emits the available index and the new entries of the available ring.
    fn observe_available_ring(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, sink, .. } = self;
        let (from, to) = (run.available, run.device.observer().available_index());
        sink.emit(&Event::AvailableIndex { index: to }, listener)?;
        if to != from {
            run.device.available_index_moved();
        }
        run.available = to;
        for step in 0..to.wrapping_sub(from) {
            let head = run.device.observer().available_entry(from.wrapping_add(step));
            sink.emit(&Event::Available { head }, listener)?;
        }
        if to != from {
            let (size, in_flight) = (run.setup.queue_size, sink.model.chains_in_flight());
            run.depth.made_available(size, to.wrapping_sub(from), in_flight);
        }
        Ok(())
    }

    /// Emits the chain that was just submitted, as a device reads it.
    pub(super) fn observe_chain(&mut self, head: u16, listener: &mut impl Listener) -> Result<(), Stop> {
        let Self { run, sink, scratch: Scratch { seen, descriptors, buffer_bytes, .. }, provided, .. } = self;
        let flaw = run.device.observer().peek_chain(head, seen).err().map(flaw);
        if matches!(flaw, Some(ChainFlaw::Unregistered(_))) {
            let own = provided.buffers.host_address()
                ..provided.buffers.host_address() + provided.buffers.len() as u64;
            if seen.iter().any(|descriptor| own.contains(&descriptor.address)) {
                WrongAdapter::raise(HOST_ADDRESS);
            }
        }
        to_model(seen, descriptors);
        let unclean = run.setup.zeroes() && {
            // Find a device-writable byte that is not zero.
            run.device.observer().space().gather(seen, true, u64::MAX, buffer_bytes);
            buffer_bytes.iter().fold(0, |all, byte| all | byte) != 0
        };
        sink.emit(&Event::Chain { head, descriptors, flaw, not_zeroed: unclean }, listener)
    }
}

const fn flaw(error: ChainError) -> ChainFlaw {
    match error {
        ChainError::Loop => ChainFlaw::Loop,
        ChainError::Unregistered(index) => ChainFlaw::Unregistered(index),
        ChainError::HeadOutOfRange(_) => ChainFlaw::HeadOutOfRange,
        ChainError::NextOutOfRange(index) => ChainFlaw::NextOutOfRange(index),
        ChainError::ReadableAfterWritable(index) => ChainFlaw::ReadableAfterWritable(index),
        ChainError::Indirect(index) => ChainFlaw::Indirect(index),
        ChainError::TooLong => ChainFlaw::TooLong,
    }
}

/// Converts a chain to the model's type.
pub(super) fn to_model(seen: &[sim::Descriptor], out: &mut Vec<ObservedDescriptor>) {
    out.clear();
    out.extend(seen.iter().map(|descriptor| ObservedDescriptor {
        index: descriptor.index,
        place: descriptor.place.map(|place| Place { region: place.region, offset: place.offset }),
        length: descriptor.length,
        writable: descriptor.is_writable(),
    }));
}
