//! A naive queue with a switch for each known defect: what the harness is tested with.

mod defect;
mod table;

pub use defect::Defect;

use super::{Capabilities, Provided, Subject};
use crate::scenario::Setup;
use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use ringstorm_model::{Answer, Completion, DeviceRefusal, Name, Refusal};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use table::{DESCRIPTOR_BYTES, Stage, Table};

/// `VIRTQ_AVAIL_F_NO_INTERRUPT` (2.7.6).
const F_NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 1;

thread_local! {
    /// What [`Defect::ReleaseLeaks`] keeps: only the last one of a thread, since keeping all would fill the
    /// machine before a campaign ends.
    static KEPT: RefCell<Option<Rc<WatchedMemory>>> = const { RefCell::new(None) };
}

/// A naive split virtqueue, which shares nothing with ringstorm-core. Without a defect it is right.
#[derive(Debug, Clone)]
pub struct Specimen {
    defect: Option<Defect>,
    geometry: Geometry,
    goes_on: bool,
    refuses_over_long: bool,
    rings: Rc<WatchedMemory>,
    table: Table,
    /// Heads that the device was not told of.
    unpublished: Vec<u16>,
    /// The available index as the device knows it.
    available: u16,
    /// The first used element not taken.
    used: u16,
    /// Chains that the device has.
    in_flight: u16,
    broken: bool,
}

impl Specimen {
    pub(super) const CAPABILITIES: Capabilities = Capabilities {
        prepare: true,
        write_in_place: false,
        free_count: true,
        interrupts: true,
        event_index: false,
        reset: true,
        misuse: true,
        stale_names: false,
        zeroing: false,
        policies: false,
        watched: true,
    };

    /// A specimen over the memory provided.
    pub fn new(defect: Option<Defect>, setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.get();
        let available = DESCRIPTOR_BYTES * usize::from(size);
        let used = (available + 6 + 2 * usize::from(size)).next_multiple_of(4);
        let mut specimen = Self {
            defect,
            geometry: Geometry { size, table: 0, available, used },
            goes_on: setup.goes_on(),
            refuses_over_long: setup.refuses_over_long(),
            rings: Rc::clone(&provided.rings),
            table: Table::new(defect, setup, provided),
            unpublished: Vec::new(),
            available: 0,
            used: 0,
            in_flight: 0,
            broken: false,
        };
        specimen.restart_rings(setup.first_index.get());
        specimen
    }

    fn restart_rings(&mut self, first_index: u16) {
        let Geometry { size, available, used, .. } = self.geometry;
        // An index that jumps must not bring back what was used before.
        self.rings.zero(used + 4, 8 * usize::from(size));
        self.rings.store_ordered(OrderedStore::AvailableFlags, available, 0);
        self.rings.store_ordered(OrderedStore::AvailableIndex, available + 2, first_index);
        self.rings.store_ordered(OrderedStore::UsedFlags, used, 0);
        self.rings.store_ordered(OrderedStore::UsedIndex, used + 2, first_index);
        (self.available, self.used) = (first_index, first_index);
        self.unpublished.clear();
        self.in_flight = 0;
        self.broken = false;
    }

    /// Makes the chain of a used element a returned one, if it is good.
    fn complete(&mut self, id: u32, length: u32) -> Answer<Completion> {
        let fault = DeviceRefusal { consumed: true, broken: !self.goes_on, returned: None };
        let chain = self.table.in_flight(id).ok_or(Refusal::Device(fault))?;
        // The index of a chain that was found is one.
        let head = id as u16;
        chain.stage = Stage::Returned;
        self.in_flight -= 1;
        if u64::from(length) <= chain.writable {
            chain.written = length;
        } else if self.refuses_over_long {
            return Err(Refusal::Device(DeviceRefusal { returned: Some(head), ..fault }));
        } else {
            chain.written = chain.writable as u32;
        }
        Ok(Completion { head, length: chain.written })
    }

    /// Remembers a fault after which the queue is broken.
    fn heed<T>(&mut self, answer: Answer<T>) -> Answer<T> {
        if let Err(Refusal::Device(DeviceRefusal { broken: true, .. })) = answer {
            self.broken = true;
        }
        answer
    }
}

impl Subject for Specimen {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        let head = self.table.create(readable, writable)?;
        self.unpublished.push(head);
        Ok(head)
    }

    fn publish(&mut self) -> bool {
        if self.broken || self.unpublished.is_empty() {
            return false;
        }
        let Geometry { size, available, used, .. } = self.geometry;
        for head in self.unpublished.drain(..) {
            self.rings.store_u16(available + 4 + 2 * usize::from(self.available % size), head);
            self.available = self.available.wrapping_add(1);
            self.in_flight += 1;
            self.table.publish(head);
        }
        self.rings.store_ordered(OrderedStore::AvailableIndex, available + 2, self.available);
        self.rings.barrier(FullBarrier::PublishedThenWish);
        self.rings.load_ordered(OrderedLoad::UsedFlags, used) & F_NO_NOTIFY == 0
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        let Geometry { size, used, .. } = self.geometry;
        let claimed = self.rings.load_ordered(OrderedLoad::UsedIndex, used + 2).wrapping_sub(self.used);
        if claimed == 0 {
            return Ok(None);
        }
        if claimed > self.in_flight {
            let jump = DeviceRefusal { consumed: false, broken: true, returned: None };
            return self.heed(Err(Refusal::Device(jump)));
        }
        let element = used + 4 + 8 * usize::from(self.used % size);
        let (id, length) = (self.rings.load_u32(element), self.rings.load_u32(element + 4));
        self.used = self.used.wrapping_add(1);
        let answer = self.complete(id, length).map(Some);
        self.heed(answer)
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let answer = self.table.read(head, out);
        self.heed(answer)
    }

    fn free(&mut self, head: u16, _: Name) -> Answer<()> {
        let answer = self.table.free(head);
        self.heed(answer)
    }

    fn free_count(&self) -> u32 {
        self.table.free_count() as u32
    }

    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        let flags = if wanted { 0 } else { F_NO_INTERRUPT };
        self.rings.store_ordered(OrderedStore::AvailableFlags, self.geometry.available, flags);
        None
    }

    fn reset(&mut self, first_index: u16) {
        self.table.restart();
        self.restart_rings(first_index);
    }

    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        Some(Box::new(self.clone()))
    }

    fn fingerprint(&self, mut state: &mut dyn Hasher) -> bool {
        let Self { geometry, table, unpublished, available, used, in_flight, broken, .. } = self;
        table.fingerprint(&mut state);
        (unpublished, in_flight, broken).hash(&mut state);
        (available.wrapping_sub(*used), used % geometry.size).hash(&mut state);
        true
    }

    fn release(self: Box<Self>) {
        if self.defect == Some(Defect::ReleaseLeaks) {
            KEPT.set(Some(Rc::clone(&self.rings)));
        }
    }
}
