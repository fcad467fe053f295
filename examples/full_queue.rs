//! A careful queue under the storm. Its adapter declares what most queues can do: separate publication, notifications, event
//! indexes, reset, names that become stale, and all promises about a misbehaving device. It can be copied and fingerprinted, so
//! `explore` goes deep.
//!
//! `cargo run --release --example full_queue` finds nothing. `-- run --subject careful-stale` finds the planted defect.

use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, External, FullBarrier, Geometry, HandleAge,
    Lent, MisuseKind, OrderedLoad, OrderedStore, Provided, Refusal, Setup, SharedMemory, Subject,
    WatchedMemory,
};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

const NEXT: u64 = 1;
const WRITE: u64 = 2;

/// The caller's name for a chain. A later chain with the same head has another generation.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    head: u16,
    generation: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    Submitted,
    InFlight,
    Returned,
}

#[derive(Clone, Hash)]
struct Chain {
    descriptors: Vec<u16>,
    stage: Stage,
    writable: u64,
    written: u32,
}

/// What the queue reports: three mistakes of the caller, three faults of the device, and that it waits for a reset.
enum Error {
    NotEnoughFree,
    UnknownName,
    NotReturned,
    BadElement,
    TooLong(Name),
    IndexJump,
    Broken,
}

#[derive(Clone)]
struct Queue {
    memory: Rc<WatchedMemory>,
    place: Geometry,
    event_index: bool,
    /// Whether the queue continues after a bad used element.
    continues: bool,
    refuses_too_long: bool,
    /// The planted defect: names never become stale.
    ignores_generations: bool,
    free: Vec<u16>,
    chains: Vec<Option<Chain>>,
    generations: Vec<u32>,
    unpublished: Vec<u16>,
    in_flight: u16,
    /// The index of the next available entry, also when the queue last decided whether to notify, and of the next used element.
    next_entry: u16,
    decided: u16,
    used: u16,
    /// Whether the caller wants used-buffer notifications.
    wanted: bool,
    broken: bool,
}

impl Queue {
    fn new(setup: &Setup, memory: Rc<WatchedMemory>, ignores_generations: bool) -> Self {
        let size = setup.queue_size.get();
        let (available, end) = (16 * usize::from(size), 18 * usize::from(size) + 6);
        let mut queue = Self {
            memory,
            place: Geometry { size, table: 0, available, used: end.next_multiple_of(4) },
            event_index: setup.event_index,
            continues: setup.continues_after_fault(),
            refuses_too_long: setup.refuses_over_long(),
            ignores_generations,
            free: (0..size).rev().collect(),
            chains: vec![None; size.into()],
            generations: vec![0; size.into()],
            unpublished: Vec::new(),
            in_flight: 0,
            next_entry: 0,
            decided: 0,
            used: 0,
            wanted: true,
            broken: false,
        };
        queue.reset(setup.first_index.get());
        queue
    }

    /// Empties the queue. The device is stopped.
    fn reset(&mut self, first: u16) {
        let Geometry { size, available, used, .. } = self.place;
        self.free = (0..size).rev().collect();
        self.chains.fill(None);
        self.unpublished.clear();
        (self.in_flight, self.broken) = (0, false);
        (self.next_entry, self.decided, self.used) = (first, first, first);
        self.memory.zero(used, 8 * usize::from(size) + 6);
        self.memory.store_ordered(OrderedStore::AvailableIndex, available + 2, first);
        self.memory.store_ordered(OrderedStore::UsedIndex, used + 2, first);
        self.ask_for_notifications(self.wanted);
    }

    /// Writes a chain of buffers: address, length, and WRITE if the device writes to it.
    fn submit(&mut self, buffers: &[(u64, u32, u64)]) -> Result<Name, Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let first = self.free.len().checked_sub(buffers.len()).ok_or(Error::NotEnoughFree)?;
        let descriptors: Vec<u16> = self.free.drain(first..).rev().collect();
        for (at, (address, length, write)) in buffers.iter().enumerate() {
            let next = descriptors.get(at + 1).copied();
            let flags = write | if next.is_some() { NEXT } else { 0 };
            let place = self.place.table + 16 * usize::from(descriptors[at]);
            self.memory.store_u64(place, *address);
            let rest = u64::from(*length) | flags << 32 | u64::from(next.unwrap_or(0)) << 48;
            self.memory.store_u64(place + 8, rest);
        }
        let head = descriptors[0];
        let writable =
            buffers.iter().filter(|buffer| buffer.2 == WRITE).map(|buffer| u64::from(buffer.1)).sum();
        self.chains[usize::from(head)] =
            Some(Chain { descriptors, stage: Stage::Submitted, writable, written: 0 });
        self.generations[usize::from(head)] += 1;
        self.unpublished.push(head);
        Ok(Name { head, generation: self.generations[usize::from(head)] })
    }

    /// Makes all submitted chains available. Returns whether the device wants a notification (2.7.10).
    fn publish(&mut self) -> bool {
        if self.broken {
            return false;
        }
        let Geometry { size, available, used, .. } = self.place;
        for head in std::mem::take(&mut self.unpublished) {
            let slot = usize::from(self.next_entry % size);
            self.memory.store_u16(available + 4 + 2 * slot, head);
            self.next_entry = self.next_entry.wrapping_add(1);
            self.chains[usize::from(head)].as_mut().expect("a submitted chain").stage = Stage::InFlight;
            self.in_flight += 1;
        }
        let from = std::mem::replace(&mut self.decided, self.next_entry);
        let new = self.next_entry.wrapping_sub(from);
        if new == 0 {
            return false;
        }
        self.memory.store_ordered(OrderedStore::AvailableIndex, available + 2, self.next_entry);
        self.memory.barrier(FullBarrier::PublishedThenSuppression);
        if self.event_index {
            let place = used + 4 + 8 * usize::from(size);
            let event = self.memory.load_ordered(OrderedLoad::AvailableEvent, place);
            return event.wrapping_sub(from) < new;
        }
        self.memory.load_ordered(OrderedLoad::UsedFlags, used) & 1 == 0
    }

    fn used_index(&self) -> u16 {
        self.memory.load_ordered(OrderedLoad::UsedIndex, self.place.used + 2)
    }

    /// Takes the next used element. It reads each value once and checks it.
    fn take(&mut self) -> Result<Option<(Name, u32)>, Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let waiting = self.used_index().wrapping_sub(self.used);
        if waiting > self.in_flight {
            self.broken = true;
            return Err(Error::IndexJump);
        }
        if waiting == 0 {
            return Ok(None);
        }
        let place = self.place.used + 4 + 8 * usize::from(self.used % self.place.size);
        let (id, length) = (self.memory.load_u32(place), self.memory.load_u32(place + 4));
        self.used = self.used.wrapping_add(1);
        if self.event_index && self.wanted {
            self.store_used_event(self.used);
        }
        let chain = usize::try_from(id).ok().and_then(|head| self.chains.get_mut(head)?.as_mut());
        let Some(chain) = chain.filter(|chain| chain.stage == Stage::InFlight) else {
            self.broken = !self.continues;
            return Err(Error::BadElement);
        };
        let name = Name { head: id as u16, generation: self.generations[id as usize] };
        chain.stage = Stage::Returned;
        self.in_flight -= 1;
        let too_long = u64::from(length) > chain.writable;
        if too_long && self.refuses_too_long {
            self.broken = !self.continues;
            return Err(Error::TooLong(name));
        }
        chain.written = if too_long { chain.writable as u32 } else { length };
        Ok(Some((name, chain.written)))
    }

    /// The chain with this name, if it was returned.
    fn returned(&self, name: Name) -> Result<&Chain, Error> {
        let place = usize::from(name.head);
        let chain = self.chains.get(place).and_then(Option::as_ref).ok_or(Error::UnknownName)?;
        if self.generations[place] != name.generation && !self.ignores_generations {
            return Err(Error::UnknownName);
        }
        if chain.stage == Stage::Returned { Ok(chain) } else { Err(Error::NotReturned) }
    }

    fn free(&mut self, name: Name) -> Result<(), Error> {
        let chain = self.returned(name)?.clone();
        self.free.extend(chain.descriptors.iter().rev());
        self.chains[usize::from(name.head)] = None;
        Ok(())
    }

    /// Asks the device for used-buffer notifications, or for none (2.7.7).
    fn ask_for_notifications(&mut self, wanted: bool) {
        self.wanted = wanted;
        if self.event_index {
            self.store_used_event(if wanted { self.used } else { self.used.wrapping_sub(1) });
            return;
        }
        let flags = u16::from(!wanted);
        self.memory.store_ordered(OrderedStore::AvailableFlags, self.place.available, flags);
        self.memory.barrier(FullBarrier::EnabledThenUsed);
    }

    fn store_used_event(&self, index: u16) {
        let place = self.place.available + 4 + 2 * usize::from(self.place.size);
        self.memory.store_ordered(OrderedStore::UsedEvent, place, index);
        self.memory.barrier(FullBarrier::EnabledThenUsed);
    }

    /// Hashes what decides how the queue continues. Generations only grow, and which names are live follows from the chains.
    /// The ring positions are hashed by slot and by their distances.
    fn fingerprint(&self, mut state: &mut dyn Hasher) {
        let distance = |index| self.next_entry.wrapping_sub(index);
        (self.next_entry % self.place.size, distance(self.decided), distance(self.used)).hash(&mut state);
        (&self.free, &self.chains, &self.unpublished).hash(&mut state);
        (self.in_flight, self.wanted, self.broken).hash(&mut state);
    }
}

/// The queue and what its caller must keep: the buffers and the names of the chains.
#[derive(Clone)]
struct Adapter {
    queue: Queue,
    pool: BufferPool,
    lent: Vec<Option<Lent>>,
    /// By head: the name of the newest chain, and of the one before it.
    names: Vec<[Name; 2]>,
}

impl Adapter {
    fn new(setup: &Setup, provided: &Provided, ignores_generations: bool) -> Self {
        let size = setup.queue_size.get();
        Self {
            queue: Queue::new(setup, Rc::clone(&provided.rings), ignores_generations),
            pool: BufferPool::new(setup, provided),
            lent: vec![None; size.into()],
            names: (0..size).map(|head| [Name { head, generation: 0 }; 2]).collect(),
        }
    }

    fn name(&self, head: u16, age: HandleAge) -> Name {
        let [newest, older] =
            self.names.get(usize::from(head)).copied().unwrap_or([Name { head, generation: 0 }; 2]);
        if age == HandleAge::Current { newest } else { older }
    }

    /// What an error of the queue means, and whose fault it is.
    fn refusal(&self, error: &Error) -> Refusal {
        let by_device = |consumed, returned| {
            Refusal::Device(DeviceRefusal { consumed, broken: self.queue.broken, returned })
        };
        match error {
            Error::NotEnoughFree => Refusal::Misuse(MisuseKind::NotEnoughFree),
            Error::UnknownName => Refusal::Misuse(MisuseKind::BadHead),
            Error::NotReturned => Refusal::Misuse(MisuseKind::NotReturned),
            Error::Broken => Refusal::Broken,
            Error::IndexJump => by_device(false, None),
            Error::BadElement => by_device(true, None),
            Error::TooLong(name) => by_device(true, Some(name.head)),
        }
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.place
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let reads = lent.readable.iter().map(|buffer| (buffer.address.get(), buffer.length, 0));
        let writes = lent.writable.iter().map(|buffer| (buffer.address.get(), buffer.length, WRITE));
        match self.queue.submit(&reads.chain(writes).collect::<Vec<_>>()) {
            Ok(name) => {
                let place = usize::from(name.head);
                self.names[place] = [name, self.names[place][0]];
                self.lent[place] = Some(lent);
                Ok(name.head)
            }
            Err(error) => {
                self.pool.take_back(lent);
                Err(self.refusal(&error))
            }
        }
    }

    fn publish(&mut self) -> bool {
        self.queue.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let taken = self.queue.take().map_err(|error| self.refusal(&error))?;
        Ok(taken.map(|(name, length)| Completion { head: name.head, length }))
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let name = self.name(head, HandleAge::Current);
        let chain = self.queue.returned(name).map_err(|error| self.refusal(&error))?;
        let lent = self.lent[usize::from(head)].as_ref().expect("a live chain has buffers");
        Ok(self.pool.read(lent, chain.written, out))
    }

    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        self.queue.free(self.name(head, age)).map_err(|error| self.refusal(&error))?;
        self.lent[usize::from(head)].take().into_iter().for_each(|lent| self.pool.take_back(lent));
        Ok(())
    }

    fn free_count(&self) -> u32 {
        self.queue.free.len() as u32
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.queue.ask_for_notifications(wanted);
        (wanted && !self.queue.broken).then(|| self.queue.used_index() != self.queue.used)
    }

    fn reset(&mut self, first_index: u16) {
        self.queue.reset(first_index);
        self.lent.iter_mut().filter_map(Option::take).for_each(|lent| self.pool.take_back(lent));
    }

    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        Some(Box::new(self.clone()))
    }

    fn fingerprint(&self, mut state: &mut dyn Hasher) -> bool {
        self.queue.fingerprint(state);
        self.pool.fingerprint(state);
        self.lent.hash(&mut state);
        true
    }

    fn release(self: Box<Self>) {}
}

const CAN: Capabilities = Capabilities {
    prepare: true,
    should_notify: true,
    computes_geometry: true,
    first_index: true,
    lengths: true,
    free: true,
    free_count: true,
    used_notifications: true,
    event_index: true,
    rearms_each_take: true,
    reset: true,
    misuse: true,
    stale_handles: true,
    policies: true,
    exact: true,
    watched: true,
    ..Capabilities::NONE
};

/// The queue, and the same with the planted defect.
pub const MINE: &[External] = &[
    External::new("careful", CAN, |setup, provided| Box::new(Adapter::new(setup, provided, false))),
    External::new("careful-stale", CAN, |setup, provided| Box::new(Adapter::new(setup, provided, true))),
];

#[allow(dead_code, reason = "a test that includes this file does not run the command")]
fn main() -> std::process::ExitCode {
    ringstorm::cli::main_with(MINE)
}
