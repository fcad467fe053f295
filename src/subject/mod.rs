//! The queue under test.

mod core_queue;
mod deadly;
mod specimen;

pub use core_queue::CoreQueue;
pub use deadly::{Deadly, Deed};
pub use specimen::{Defect, Specimen};

use crate::scenario::Setup;
use ringstorm_core::DeviceAddress;
use ringstorm_model::{Answer, Completion, Name};
use ringstorm_sim_device::{CallReport, Geometry, WatchedMemory};
use std::hash::Hasher;
use std::rc::Rc;
use strum::VariantArray;

/// What the harness may ask of a subject, beyond the required calls. A step that a subject cannot do is
/// skipped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Submitting now and publishing later, alone or in batches.
    pub prepare: bool,
    /// Writing payload in place.
    pub write_in_place: bool,
    /// Telling how many descriptors are free.
    pub free_count: bool,
    /// Asking the device not to notify.
    pub interrupts: bool,
    /// Event indexes, where the setup offers them.
    pub event_index: bool,
    /// Starting over after the device was stopped.
    pub reset: bool,
    /// Refusing heads that a caller must not name.
    pub misuse: bool,
    /// Telling a stale name from the current one of the same head.
    pub stale_names: bool,
    /// Zeroing device-writable buffers where the setup asks for it.
    pub zeroing: bool,
    /// Going on after a device fault, or being broken, as the setup asks for.
    pub policies: bool,
    /// All its accesses go through [`WatchedMemory`].
    pub watched: bool,
}

/// The memory that a subject is built over, the same from one scenario to the next.
#[derive(Debug, Clone)]
pub struct Provided {
    /// For descriptor table and rings.
    pub rings: Rc<WatchedMemory>,
    /// For buffers: buffer size times queue size.
    pub buffers: Rc<WatchedMemory>,
    /// Where the device sees the rings.
    pub rings_address: DeviceAddress,
    /// Where the device sees the buffers.
    pub buffers_address: DeviceAddress,
}

impl Provided {
    /// From here to [`end_call`](Self::end_call), accesses are the subject's, at most `limit` of them to either memory.
    #[inline(always)]
    pub(crate) fn begin_call(&self, limit: u64) {
        self.rings.begin_call(limit);
        self.buffers.begin_call(limit);
    }

    /// Ends the call and tells what it did to rings and buffers.
    #[inline(always)]
    pub(crate) fn end_call(&self, [rings, buffers]: &mut [CallReport; 2]) {
        self.rings.end_call_into(rings);
        self.buffers.end_call_into(buffers);
    }
}

/// A driver-side queue.
///
/// Calls are made one at a time; the answers are judged by the model. A call must not touch what the
/// specification gives to the device, and must not panic whatever stands in the memory.
pub trait Subject {
    /// Where table and rings stand in [`Provided::rings`].
    fn geometry(&self) -> Geometry;

    /// Submits a chain: the payload of each device-readable buffer, then the length of each device-writable one.
    /// Without [`Capabilities::prepare`] it is published at once.
    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16>;

    /// Publishes what was submitted. Says whether the device must be notified.
    fn publish(&mut self) -> bool;

    /// Takes the next used chain.
    fn take(&mut self) -> Answer<Option<Completion>>;

    /// Copies what the device wrote to a taken chain into `out`. Says how many bytes.
    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize>;

    /// Frees a taken chain.
    fn free(&mut self, head: u16, name: Name) -> Answer<()>;

    /// As [`submit`](Self::submit), with the payload written in place in pieces of at most `piece` bytes. Asked for
    /// with [`Capabilities::write_in_place`] only.
    fn write_in_place(&mut self, readable: &[&[u8]], writable: &[u32], piece: usize) -> Answer<u16> {
        let _ = piece;
        self.submit(readable, writable)
    }

    /// The number of free descriptors. Asked for with [`Capabilities::free_count`] only.
    fn free_count(&self) -> u32 {
        0
    }

    /// Asks the device to notify, or not to. Says whether used chains are waiting already, if it knows. Asked for
    /// with [`Capabilities::interrupts`] only.
    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        let _ = wanted;
        None
    }

    /// Starts over, with a used ring that is zero but for its index; the device is stopped. Asked for with [`Capabilities::reset`] only.
    fn reset(&mut self, first_index: u16) {
        let _ = first_index;
    }

    /// A copy of the subject over the same memory, to go back to: only one of the two goes on at a time, and the other
    /// is [released](Self::release) like any subject. `None` if it cannot be copied; states are then come back to by
    /// doing everything again.
    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        None
    }

    /// Folds into `state` all that is private and decides what the subject will do, and says so. What grows for ever
    /// is folded in only as far as it matters; positions in the rings count by their slot and by their distance from
    /// one another. `false` if the subject cannot tell: its states are then told apart by all calls and memory that it
    /// has seen.
    fn fingerprint(&self, state: &mut dyn Hasher) -> bool {
        let _ = state;
        false
    }

    /// Gives the memory back; the device is stopped.
    fn release(self: Box<Self>);
}

/// A kind of subject: what the command knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The queue of ringstorm-core.
    Core,
    /// A naive queue, with one known defect or none.
    Specimen(Option<Defect>),
    /// A naive queue that ends its process or never returns: to be run in child processes.
    Deadly(Deed),
}

impl Kind {
    /// All kinds that can be run in this process.
    pub fn all() -> impl Iterator<Item = Self> {
        let specimens = Defect::VARIANTS.iter().map(|defect| Self::Specimen(Some(*defect)));
        [Self::Core, Self::Specimen(None)].into_iter().chain(specimens)
    }

    /// All kinds.
    pub fn named() -> impl Iterator<Item = Self> {
        Self::all().chain(Deed::VARIANTS.iter().map(|deed| Self::Deadly(*deed)))
    }

    /// The kind of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::named().find(|kind| kind.name() == name)
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Core => "core".to_owned(),
            Self::Specimen(None) => "specimen".to_owned(),
            Self::Specimen(Some(defect)) => format!("specimen-{}", defect.name()),
            Self::Deadly(deed) => format!("deadly-{}", deed.name()),
        }
    }

    /// What it can do.
    pub const fn capabilities(self) -> Capabilities {
        match self {
            Self::Core => CoreQueue::CAPABILITIES,
            Self::Specimen(_) => Specimen::CAPABILITIES,
            Self::Deadly(_) => Deadly::CAPABILITIES,
        }
    }

    /// Makes one.
    pub fn build(self, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        match self {
            Self::Core => Box::new(CoreQueue::new(setup, provided)),
            Self::Specimen(defect) => Box::new(Specimen::new(defect, setup, provided)),
            Self::Deadly(deed) => Box::new(Deadly::new(deed, setup, provided)),
        }
    }
}
