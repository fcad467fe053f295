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

use crate::scenario::OfferedCalls;
use ringstorm_sim_device::CallReport;
use std::hash::Hasher;
use std::rc::Rc;

/// What a subject can do, and what it promises, beyond the required methods. The storm skips and counts the steps
/// that need a missing capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It can submit chains and publish them later, one or several at a time.
    pub prepare: bool,
    /// `publish` returns whether the device must be notified, although `submit` has already published the chain. A
    /// subject with [`prepare`](Self::prepare) must have this too.
    pub should_notify: bool,
    /// It submits chains by itself, which it [reports](Subject::submitted_itself). It submits none for its caller.
    pub submits_itself: bool,
    /// It knows its chains by tokens of its own and not by their heads. [`submit`](Subject::submit) returns a token that no
    /// live chain has, and all other methods use it in place of the head. The harness finds the head in the available ring.
    /// So each chain is published in the step that submits it, also with [`prepare`](Self::prepare). Cannot be combined with
    /// `submits_itself`, `withdraw`, `stale_handles` and `unwinds`.
    pub tokens: bool,
    /// The queue itself computes where table and rings are in its memory, and [`geometry`](Subject::geometry) returns
    /// what it computed. Then a wrong alignment, or parts that overlap, are a finding and not an error of the adapter.
    pub computes_geometry: bool,
    /// The rings can begin at another index than 0. The available index and the used index have this value in memory
    /// as soon as the subject is created, and again after a reset.
    pub first_index: bool,
    /// `take` returns how many bytes the device wrote to a chain.
    pub lengths: bool,
    /// `free` frees a chain. Without it, `take` frees the chain, and its contents are read at once.
    pub free: bool,
    /// It can withdraw a chain that is submitted and not published. Needs [`prepare`](Self::prepare).
    pub withdraw: bool,
    /// The caller can write payload directly into the queue's buffers.
    pub write_in_place: bool,
    /// It reports how many descriptors are free.
    pub free_count: bool,
    /// It can turn used-buffer notifications on and off.
    pub interrupts: bool,
    /// It supports `VIRTIO_F_EVENT_IDX` if the setup offers it.
    /// A new queue asks for a notification of the first element. While notifications are on, a `take` that returns nothing
    /// has moved `used_event` to the next element.
    pub event_index: bool,
    /// With event indexes, also a `take` that takes the last used element moves `used_event` to the next one. Then the
    /// caller need not call `take` until it returns nothing.
    pub rearms_each_take: bool,
    /// It can be reset after the device was stopped.
    pub reset: bool,
    /// It refuses handles that a caller must not pass.
    pub misuse: bool,
    /// It distinguishes a stale handle from the current one of the same head.
    pub stale_handles: bool,
    /// It zeroes device-writable buffers if the setup asks for it.
    pub zeroing: bool,
    /// It handles bad used elements as core does. This is the sum of the seven capabilities that follow, and each of
    /// them can be declared without it.
    pub policies: bool,
    /// It skips no bad used element silently: `take` reports each of them, in order.
    pub reports_bad_elements: bool,
    /// It steps over a bad used element that it reports, even if the queue is broken afterwards.
    pub consumes_bad_elements: bool,
    /// If the used index claims more elements than chains are in flight, `take` reports that before it looks at an
    /// element, and the queue is broken. Needs [`reloads_used_index`](Self::reloads_used_index).
    pub refuses_index_jumps: bool,
    /// Each `take` loads the used index, and looks at no more than the next element, and at that only in this call. If
    /// nothing is new, it returns nothing; if a chain was returned, it does not return nothing. Without this, a queue may
    /// keep the used index or used elements from one call to the next.
    pub reloads_used_index: bool,
    /// While the queue is broken, each `take` reports that.
    pub reports_broken: bool,
    /// After a bad used element that it reports, it continues or is broken as the setup says.
    pub follows_after_fault: bool,
    /// It refuses or clamps a length that is too long as the setup says.
    pub follows_over_long: bool,
    /// It does no more than necessary. It notifies the device only if the device wants that. A queue that counts the entries
    /// since its last notification, and not since it last asked, notifies more often. While [notifications are
    /// off](Subject::interrupts), it asks the device for none, as
    /// [`reset_keeps_interrupts`](Self::reset_keeps_interrupts) describes, but also before a reset.
    /// [`read`](Subject::read) does not change `out` after the bytes that it returns.
    pub exact: bool,
    /// After a reset, it asks the device for what its caller [asked for last](Subject::interrupts). Without event
    /// indexes, the flags show it. With event indexes, while notifications are off, `used_event` must name none of the
    /// elements that the device can add next. These begin at the next element to take, and there are as many as the
    /// device has chains, but at least one. It does not matter which other element `used_event` names, or whether
    /// that changes later. A `used_event` that was not moved may stay when the indexes wrap around. If the caller
    /// never asked, the queue asks for what it asked for when it was created. [`exact`](Self::exact) includes this.
    pub reset_keeps_interrupts: bool,
    /// All its accesses to shared memory use [`WatchedMemory`].
    pub watched: bool,
    /// All its barriers, and the ordering of its accesses, use [`WatchedMemory`] too:
    /// [`barrier`](SharedMemory::barrier), [`load_ordered`](SharedMemory::load_ordered) and
    /// [`store_ordered`](SharedMemory::store_ordered). Then the model checks that none is missing. Needs
    /// [`watched`](Self::watched).
    pub watched_barriers: bool,
    /// If it is [dropped while the device is running](Subject::drop_while_device_runs), it keeps the memory that the
    /// device may still access: table and rings always, buffers if the device has a chain.
    pub keeps_memory: bool,
    /// Any access of [`WatchedMemory`] may panic and unwind the call. After that, one of three conditions is true.
    /// (1) Nothing has changed that the caller or the device can observe: available index, flags and `used_event` are
    /// as before. (2) The call was `free`, and the chain [is free](Subject::is_live). (3) The queue [is
    /// broken](Subject::is_broken) until a reset succeeds. A [withdrawal](Subject::withdraw) that unwinds has changed
    /// nothing or left the queue broken, even if the chain is already withdrawn. Needs [`watched`](Self::watched) and
    /// [`free`](Self::free).
    pub unwinds: bool,
    /// It can [take back](Subject::take_back) the chains that the device never returned, after the device was stopped. Needs
    /// [`reset`](Self::reset).
    pub take_back: bool,
    /// Its caller may [take back](Subject::take_back) chains that are not published, while the device is running. Needs
    /// [`take_back`](Self::take_back).
    pub take_back_live: bool,
    /// It can [delay](Subject::delay_interrupts) used-buffer notifications until the device has returned several chains.
    /// Needs [`interrupts`](Self::interrupts).
    pub delayed_interrupts: bool,
    /// It does something when a used-buffer notification [arrives](Subject::interrupt_arrived). Needs
    /// [`interrupts`](Self::interrupts).
    pub interrupt_handler: bool,
}

impl Capabilities {
    /// No capabilities.
    pub const NONE: Self = Self {
        prepare: false,
        should_notify: false,
        submits_itself: false,
        tokens: false,
        computes_geometry: false,
        first_index: false,
        lengths: false,
        free: false,
        withdraw: false,
        write_in_place: false,
        free_count: false,
        interrupts: false,
        event_index: false,
        rearms_each_take: false,
        reset: false,
        misuse: false,
        stale_handles: false,
        zeroing: false,
        policies: false,
        reports_bad_elements: false,
        consumes_bad_elements: false,
        refuses_index_jumps: false,
        reloads_used_index: false,
        reports_broken: false,
        follows_after_fault: false,
        follows_over_long: false,
        exact: false,
        reset_keeps_interrupts: false,
        watched: false,
        watched_barriers: false,
        keeps_memory: false,
        unwinds: false,
        take_back: false,
        take_back_live: false,
        delayed_interrupts: false,
        interrupt_handler: false,
    };

    /// The calls that a subject with these capabilities offers, but need not.
    pub(crate) const fn offered_calls(self) -> OfferedCalls {
        let take_back = self.take_back && self.reset;
        OfferedCalls {
            delayed_interrupts: self.delayed_interrupts && self.interrupts,
            take_back,
            take_back_live: take_back && self.take_back_live,
            interrupt_handler: self.interrupt_handler && self.interrupts,
        }
    }

    /// With the parts of [`policies`](Self::policies), if it has this capability.
    pub(crate) const fn with_parts(self) -> Self {
        if !self.policies {
            return self;
        }
        Self {
            reports_bad_elements: true,
            consumes_bad_elements: true,
            refuses_index_jumps: true,
            reloads_used_index: true,
            reports_broken: true,
            follows_after_fault: true,
            follows_over_long: true,
            ..self
        }
    }
}

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
        self.rings.begin_call(limit);
        self.buffers.begin_call(limit);
    }

    /// Ends the call and reports its accesses to rings and buffers.
    #[inline(always)]
    pub(crate) fn end_call(&self, [rings, buffers]: &mut [CallReport; 2]) {
        self.rings.end_call_into(rings);
        self.buffers.end_call_into(buffers);
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
    /// subject does not know. A bad used element may count as a waiting chain or not. Called only with [`Capabilities::interrupts`].
    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        let _ = wanted;
        missing_method("interrupts")
    }

    /// Turns used-buffer notifications on, and lets the device delay the next one until it has returned several of the
    /// chains in flight. Returns whether it has returned so many already, or `None` if the subject does not know.
    ///
    /// With event indexes, `used_event` may be ahead of the next element, and need not move before the device has added
    /// that element. It must be such that the device notifies at the latest when it has returned all chains that are in
    /// flight now (2.7.10). If the device has returned all of them, or has added the element that `used_event` names, it
    /// will not notify: then the answer must not be `Some(false)`. Called only with [`Capabilities::delayed_interrupts`].
    fn delay_interrupts(&mut self) -> Option<bool> {
        missing_method("delay_interrupts")
    }

    /// Handles a used-buffer notification, which may have no reason: the device may notify at any time. The queue may take
    /// elements from the used ring; later calls of `take` then return their chains, which are live until then. It may also
    /// turn notifications on or off. Returns whether they are on now, or `None` if this is as before the call. Called only
    /// with [`Capabilities::interrupt_handler`].
    fn interrupt_arrived(&mut self) -> Option<bool> {
        missing_method("interrupt_arrived")
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
