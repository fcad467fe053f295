//! The queue under test.
#![doc = include_str!("guide.md")]
#![doc = "```no_run"]
#![doc = include_str!("../../examples/own_queue.rs")]
#![doc = "```"]

mod core_queue;
mod deadly;
mod kind;
mod pool;
mod specimen;
mod wrong;

pub use core_queue::CoreQueue;
pub use deadly::{Deadly, Deed};
pub use kind::{External, SubjectKind, Subjects};
pub use pool::{Buffer, BufferPool, Lent};
pub use specimen::{Defect, Specimen};
pub use wrong::{Trespass, WrongAdapter};

// What an adapter speaks of.
pub use ringstorm_core::{
    DeviceAddress, FullBarrier, OrderedLoad, OrderedStore, QueueSize, RingIndex, SharedMemory,
};
pub use ringstorm_model::{Answer, Completion, DeviceRefusal, HandleAge, MisuseKind, Refusal};
pub use ringstorm_sim_device::{Geometry, WatchedMemory};

use ringstorm_sim_device::CallReport;
use std::hash::Hasher;
use std::rc::Rc;

/// What the harness may ask of a subject, beyond the required calls. A step that a subject cannot do is
/// skipped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Submitting now and publishing later, alone or in batches.
    pub prepare: bool,
    /// Saying when it is asked to publish whether the device must be notified, though it has published with every
    /// submission already. Whoever can [`prepare`](Self::prepare) says so too.
    pub should_notify: bool,
    /// Submitting chains on its own account, of which it [tells](Subject::submitted_itself), and none for its caller.
    pub submits_itself: bool,
    /// Beginning at other ring indexes than 0: both of them, the available and the used one, stand in memory as soon as the
    /// subject is made, and again after a reset.
    pub first_index: bool,
    /// Telling how many bytes the device wrote to a chain.
    pub lengths: bool,
    /// Freeing a chain in a call of its own. Without it, a chain is free as soon as it is taken, and is read right then.
    pub free: bool,
    /// Taking back a chain that was submitted and not published. Needs [`prepare`](Self::prepare).
    pub withdraw: bool,
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
    /// Reporting every bad used element, and doing what the setup asks for then: going on or being broken, and refusing or
    /// clamping a length that is too long.
    pub policies: bool,
    /// Doing no more than it must: notifying the device only where it wants that, asking the device for no notification while
    /// [they are not wanted](Subject::interrupts), in the way that [`keeps_wish`](Self::keeps_wish) describes but before a reset
    /// too, and leaving what is behind the bytes that it [reads](Subject::read) as it was.
    pub exact: bool,
    /// After a reset, asking the device for what its caller [last asked for](Subject::interrupts). Without event indexes, the flags
    /// say so. With them, while notifications are not wanted, `used_event` names none of the elements that the device can add next:
    /// as many as it has chains, and at least one, from the next one to take on. Which other element it names, and whether it names
    /// another one later, does not matter; one that is left behind may stay when the indexes wrap around. If the caller never
    /// asked for anything, the queue asks for what it asked for when it was made. [`exact`](Self::exact) includes this.
    pub keeps_wish: bool,
    /// All its accesses go through [`WatchedMemory`].
    pub watched: bool,
    /// [Dropped while the device is running](Subject::drop_while_device_runs), it keeps the memory that the device may still
    /// access: table and rings always, buffers if the device has a chain.
    pub keeps_memory: bool,
    /// A call that unwinds because memory panicked, at any access of [`WatchedMemory`], has changed nothing that its caller or
    /// the device can see (the available index, flags and `used_event` are as they were), or has [freed](Subject::is_live) the
    /// chain that it was to free, or the queue [is broken](Subject::is_broken) until a reset succeeds. A
    /// [withdrawal](Subject::withdraw) that unwinds has changed nothing or left the queue broken, even if the chain is withdrawn by
    /// then. Needs [`watched`](Self::watched) and [`free`](Self::free).
    pub unwinds: bool,
}

impl Capabilities {
    /// None of them.
    pub const NONE: Self = Self {
        prepare: false,
        should_notify: false,
        submits_itself: false,
        first_index: false,
        lengths: false,
        free: false,
        withdraw: false,
        write_in_place: false,
        free_count: false,
        interrupts: false,
        event_index: false,
        reset: false,
        misuse: false,
        stale_names: false,
        zeroing: false,
        policies: false,
        exact: false,
        keeps_wish: false,
        watched: false,
        keeps_memory: false,
        unwinds: false,
    };
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

/// A chain that a subject submitted itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submission {
    /// Its head.
    pub head: u16,
    /// The payload of each device-readable buffer.
    pub readable: Vec<Vec<u8>>,
    /// The length of each device-writable buffer.
    pub writable: Vec<u32>,
}

/// A driver-side queue.
///
/// Calls are made one at a time; the answers are judged by the model. A call must not touch what the
/// specification gives to the device, and must not panic whatever stands in the memory.
pub trait Subject {
    /// Where table and rings stand in [`Provided::rings`].
    fn geometry(&self) -> Geometry;

    /// Submits a chain and says its head: the payload of each device-readable buffer, then the length of each device-writable one.
    /// Without [`Capabilities::prepare`] it is published at once.
    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16>;

    /// Publishes what was submitted. Says whether the device must be notified. Asked for with [`Capabilities::prepare`] or
    /// [`Capabilities::should_notify`] only.
    fn publish(&mut self) -> bool {
        not_there("publish")
    }

    /// The next chain that the subject submitted itself and did not tell of, after it was made, took a chain, or was reset.
    /// Asked for with [`Capabilities::submits_itself`] only.
    fn submitted_itself(&mut self) -> Option<Submission> {
        not_there("submitted_itself")
    }

    /// Takes the next used chain. Its length counts with [`Capabilities::lengths`] only.
    fn take(&mut self) -> Answer<Option<Completion>>;

    /// Copies what the device wrote to a taken chain into `out`, or all that stands in its device-writable buffers without
    /// [`Capabilities::lengths`]; no more than `out` has room for. Says how many bytes.
    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize>;

    /// Frees a taken chain. Asked for with [`Capabilities::free`] only.
    fn free(&mut self, head: u16, name: HandleAge) -> Answer<()> {
        let _ = (head, name);
        not_there("free")
    }

    /// Takes back a chain that was submitted and not published: its descriptors are free again, and the others are published in
    /// their order. Asked for with [`Capabilities::withdraw`] only.
    fn withdraw(&mut self, head: u16) -> Answer<()> {
        let _ = head;
        not_there("withdraw")
    }

    /// As [`submit`](Self::submit), with the payload written in place in pieces of at most `piece` bytes. Asked for
    /// with [`Capabilities::write_in_place`] only.
    fn write_in_place(&mut self, readable: &[&[u8]], writable: &[u32], piece: usize) -> Answer<u16> {
        let _ = piece;
        self.submit(readable, writable)
    }

    /// The number of free descriptors. Asked for with [`Capabilities::free_count`] only.
    fn free_count(&self) -> u32 {
        not_there("free_count")
    }

    /// Asks the device to notify, or not to. Says whether used chains are waiting already, if it knows. Asked for
    /// with [`Capabilities::interrupts`] only.
    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        let _ = wanted;
        not_there("interrupts")
    }

    /// Starts over, with both rings at an index. The device is stopped, so the used ring is the subject's to write: it makes it
    /// zero but for the index. Asked for with [`Capabilities::reset`] only.
    fn reset(&mut self, first_index: u16) {
        let _ = first_index;
        not_there("reset")
    }

    /// Whether the queue is broken and waits for a reset: it takes and publishes nothing. Asked for with
    /// [`Capabilities::unwinds`] only, after a call that unwound.
    fn is_broken(&self) -> bool {
        not_there("is_broken")
    }

    /// Whether the returned chain at `head` is still there after freeing it unwound: one that is not is free, as if nothing had
    /// gone wrong. Asked for with [`Capabilities::unwinds`] only, if the queue is not broken.
    fn is_live(&self, head: u16) -> bool {
        let _ = head;
        true
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

    /// Goes away as if its caller dropped it, while the device is running. Memory is kept if it is
    /// [abandoned](SharedMemory::abandon), or if a handle to it is. Asked for with [`Capabilities::keeps_memory`] only, and in
    /// place of [`release`](Self::release).
    fn drop_while_device_runs(self: Box<Self>) {
        drop(self);
    }
}

/// What a subject is said to be able to do and is not.
fn not_there(method: &str) -> ! {
    WrongAdapter::raise(format!("its capabilities promise `{method}`, which it does not implement"))
}
