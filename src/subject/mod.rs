//! The queue under test.
#![doc = include_str!("guide.md")]
#![doc = "```no_run"]
#![doc = include_str!("../../examples/own_queue.rs")]
#![doc = "```"]

mod capabilities;
mod core_queue;
mod deadly;
mod kind;
mod pool;
mod specimen;
mod wrong;

pub use capabilities::Capabilities;
pub use core_queue::CoreQueue;
pub use deadly::ProcessEnd;
pub use kind::{External, SubjectKind, Subjects};
pub use pool::{Buffer, BufferPool, Lendings, Lent};
pub use specimen::{Defect, Specimen};
pub use wrong::{Trespass, WrongAdapter};

// The types that an adapter needs.
pub use crate::scenario::{Ending, Setup};
pub use ringstorm_core::{
    AfterFault, DeviceAddress, FullBarrier, Layout, OrderedLoad, OrderedStore, OverLong, Policies, QueueSize,
    RingIndex, SharedMemory, WritableBuffers,
};
pub use ringstorm_model::{Answer, Completion, DeviceRefusal, HandleAge, MisuseKind, Refusal};
pub use ringstorm_sim_device::{Geometry, WatchedMemory};

use ringstorm_sim_device::CallReport;
use std::hash::Hasher;
use std::rc::Rc;

/// The memory for a subject. All scenarios use the same memory.
#[derive(Debug, Clone)]
pub struct Provided {
    /// The memory for descriptor table and rings.
    pub rings: Rc<WatchedMemory>,
    /// The memory for buffers: buffer size times queue size.
    pub buffers: Rc<WatchedMemory>,
    /// The device address of `rings`.
    pub rings_address: DeviceAddress,
    /// The device address of `buffers`.
    pub buffers_address: DeviceAddress,
    /// What a [`BufferPool`] has lent.
    pub lendings: Rc<Lendings>,
}

impl Provided {
    /// From this call until [`end_call`](Self::end_call), accesses are attributed to the subject. Memory panics after
    /// `limit` accesses to either region.
    #[inline(always)]
    pub(crate) fn begin_call(&self, limit: u64) {
        self.rings.begin_call_with(&self.buffers, limit);
    }

    /// Ends the call and reports its accesses to rings and buffers.
    #[inline(always)]
    pub(crate) fn end_call(&self, [rings, buffers]: &mut [CallReport; 2]) {
        self.rings.end_call_into(rings);
        self.buffers.end_call_into(buffers);
    }

    /// Ends the call if it has made no access, and returns whether it has ended. If not, [`end_call`](Self::end_call) must follow.
    #[inline(always)]
    pub(crate) fn end_call_without_accesses(&self) -> bool {
        self.rings.end_call_without_accesses() && self.buffers.end_call_without_accesses()
    }
}

/// A chain that a subject submitted by itself.
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
/// The harness makes one call at a time, and the model checks the answers. A call must not write to memory that
/// belongs to the device, and must not panic whatever memory contains.
pub trait Subject {
    /// The offsets of table and rings in [`Provided::rings`].
    fn geometry(&self) -> Geometry;

    /// Submits a chain and returns its head. `readable` has the payload of each device-readable buffer, `writable`
    /// the length of each device-writable buffer. Without [`Capabilities::prepare`] the chain is also published. With
    /// [`Capabilities::tokens`], this and all other methods use a token in place of the head.
    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16>;

    /// Publishes all submitted chains. Returns whether the device must be notified. Called only with
    /// [`Capabilities::prepare`] or [`Capabilities::should_notify`].
    fn publish(&mut self) -> bool {
        missing_method("publish")
    }

    /// The next chain that the subject submitted by itself and has not reported yet. Called after the subject was
    /// created, took a chain, was reset, or handled a notification, and only with [`Capabilities::submits_itself`].
    fn submitted_itself(&mut self) -> Option<Submission> {
        missing_method("submitted_itself")
    }

    /// Takes the next used chain. The length is ignored without [`Capabilities::lengths`].
    fn take(&mut self) -> Answer<Option<Completion>>;

    /// Copies what the device wrote to a taken chain into `out` and returns the number of bytes, at most the length
    /// of `out`. Without [`Capabilities::lengths`], copies all of the device-writable buffers.
    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize>;

    /// Frees a taken chain. Called only with [`Capabilities::free`].
    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        let _ = (head, age);
        missing_method("free")
    }

    /// Withdraws a chain that is submitted and not published: its descriptors become free, and the other chains are
    /// published in their order. Called only with [`Capabilities::withdraw`].
    fn withdraw(&mut self, head: u16) -> Answer<()> {
        let _ = head;
        missing_method("withdraw")
    }

    /// Takes back a chain that was submitted and that `take` has not returned: its descriptors become free. Returns its
    /// head; `None` if there is no such chain left.
    ///
    /// If the device is `stopped`, every such chain is returned once, also by a broken queue, and also if the device has
    /// used it. The queue is reset next. While the device is running, only chains that are not published may be taken back:
    /// the available index must not move back (2.7.6.1), and the device may use the other chains. Called only with
    /// [`Capabilities::take_back`], and while the device is running only with [`Capabilities::take_back_live`].
    fn take_back(&mut self, stopped: bool) -> Option<u16> {
        let _ = stopped;
        missing_method("take_back")
    }

    /// Like [`submit`](Self::submit), but the caller writes the payload directly into the queue's buffers, in pieces
    /// of at most `piece` bytes. Called only with [`Capabilities::write_in_place`].
    fn write_in_place(&mut self, readable: &[&[u8]], writable: &[u32], piece: usize) -> Answer<u16> {
        let _ = piece;
        self.submit(readable, writable)
    }

    /// The number of free descriptors. Called only with [`Capabilities::free_count`].
    fn free_count(&self) -> u32 {
        missing_method("free_count")
    }

    /// Turns used-buffer notifications on or off. Returns whether used chains are already waiting, or `None` if the
    /// subject does not know. A bad used element may count as a waiting chain or not. Called only with [`Capabilities::used_notifications`].
    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        let _ = wanted;
        missing_method("set_used_notifications")
    }

    /// Turns used-buffer notifications on, and lets the device delay the next one until it has returned several of the
    /// chains in flight. Returns whether it has returned so many already, or `None` if the subject does not know.
    ///
    /// With event indexes, `used_event` may be ahead of the next element, and need not move before the device has added
    /// that element. It must be such that the device notifies at the latest when it has returned all chains that are in
    /// flight now (2.7.10). If the device has returned all of them, or has added the element that `used_event` names, it
    /// will not notify: then the answer must not be `Some(false)`. Called only with [`Capabilities::delayed_used_notifications`].
    fn delay_used_notifications(&mut self) -> Option<bool> {
        missing_method("delay_used_notifications")
    }

    /// Handles a used-buffer notification, which may have no reason: the device may notify at any time. The queue may take
    /// elements from the used ring; later calls of `take` then return their chains, which are live until then. It may also
    /// turn notifications on or off. Returns whether they are on now, or `None` if this is as before the call. Called only
    /// with [`Capabilities::used_notification_handler`].
    fn used_notification_arrived(&mut self) -> Option<bool> {
        missing_method("used_notification_arrived")
    }

    /// Resets the queue; both rings begin at `first_index`. The device is stopped, so the subject may write the used
    /// ring: it zeroes the ring and sets the used index. Called only with [`Capabilities::reset`].
    fn reset(&mut self, first_index: u16) {
        let _ = first_index;
        missing_method("reset")
    }

    /// Whether the queue is broken: until a reset, it takes and publishes nothing. Called only with
    /// [`Capabilities::unwinds`], after a call that unwound.
    fn is_broken(&self) -> bool {
        missing_method("is_broken")
    }

    /// Whether the taken chain at `head` still exists after `free` unwound. If not, it is free as after a normal
    /// call. Called only with [`Capabilities::unwinds`], and if the queue is not broken.
    fn is_live(&self, head: u16) -> bool {
        let _ = head;
        true
    }

    /// A copy of the subject over the same memory, to return to this state later. Only one of the two is used at a
    /// time, and the other one is [released](Self::release) like any subject. `None` if it cannot be copied:
    /// `explore` then repeats all steps to return to a state.
    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        None
    }

    /// Hashes all private state that decides what the subject will do, and returns true. Numbers that only grow must
    /// be hashed only as far as they matter. Hash ring positions by their slot and by their distance from one
    /// another. Returns false if the subject cannot do this: `explore` then distinguishes its states by all calls and
    /// by all memory that it has seen.
    fn fingerprint(&self, state: &mut dyn Hasher) -> bool {
        let _ = state;
        false
    }

    /// Releases the memory. The device is stopped.
    fn release(self: Box<Self>);

    /// Drops the queue as its caller would, while the device is running. Memory counts as kept if it is
    /// [abandoned](SharedMemory::abandon), or if a handle to it still exists. Called only with
    /// [`Capabilities::keeps_memory`], and instead of [`release`](Self::release).
    fn drop_while_device_runs(self: Box<Self>) {
        drop(self);
    }
}

/// A capability is declared, but its method is not implemented.
fn missing_method(method: &str) -> ! {
    WrongAdapter::raise(format!("its capabilities include `{method}`, but it does not implement this method"))
}
