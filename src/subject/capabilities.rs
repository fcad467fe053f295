//! What a subject can do, and what it promises.

use crate::scenario::OfferedCalls;

/// What a subject can do, and what it promises, beyond the required methods. The storm skips and counts the steps
/// that need a missing capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It can submit chains and publish them later, one or several at a time.
    pub prepare: bool,
    /// `publish` returns whether the device must be notified, although `submit` has already published the chain. A
    /// subject with [`prepare`](Self::prepare) must have this too.
    pub should_notify: bool,
    /// It submits chains by itself, which it [reports](super::Subject::submitted_itself). It submits none for its caller.
    pub submits_itself: bool,
    /// It knows its chains by tokens of its own and not by their heads. [`submit`](super::Subject::submit) returns a token that no
    /// live chain has, and all other methods use it in place of the head. The harness finds the head in the available ring.
    /// So each chain is published in the step that submits it, also with [`prepare`](Self::prepare). Cannot be combined with
    /// `submits_itself`, `withdraw`, `stale_handles` and `unwinds`.
    pub tokens: bool,
    /// The queue itself computes where table and rings are in its memory, and [`geometry`](super::Subject::geometry) returns
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
    pub used_notifications: bool,
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
    /// off](super::Subject::set_used_notifications), it asks the device for none, as
    /// [`reset_keeps_used_notifications`](Self::reset_keeps_used_notifications) describes, but also before a reset.
    /// [`read`](super::Subject::read) does not change `out` after the bytes that it returns.
    pub exact: bool,
    /// After a reset, it asks the device for what its caller [asked for last](super::Subject::set_used_notifications). Without event
    /// indexes, the flags show it. With event indexes, while notifications are off, `used_event` must name none of the
    /// elements that the device can add next. These begin at the next element to take, and there are as many as the
    /// device has chains, but at least one. It does not matter which other element `used_event` names, or whether
    /// that changes later. A `used_event` that was not moved may stay when the indexes wrap around. If the caller
    /// never asked, the queue asks for what it asked for when it was created. [`exact`](Self::exact) includes this.
    pub reset_keeps_used_notifications: bool,
    /// All its accesses to shared memory use [`WatchedMemory`](super::WatchedMemory).
    pub watched: bool,
    /// All its barriers, and the ordering of its accesses, use [`WatchedMemory`](super::WatchedMemory) too:
    /// [`barrier`](super::SharedMemory::barrier), [`load_ordered`](super::SharedMemory::load_ordered) and
    /// [`store_ordered`](super::SharedMemory::store_ordered). Then the model checks that none is missing. Needs
    /// [`watched`](Self::watched).
    pub watched_barriers: bool,
    /// If it is [dropped while the device is running](super::Subject::drop_while_device_runs), it keeps the memory that the
    /// device may still access: table and rings always, buffers if the device has a chain.
    pub keeps_memory: bool,
    /// Any access of [`WatchedMemory`](super::WatchedMemory) may panic and unwind the call. After that, one of three conditions is true.
    /// (1) Nothing has changed that the caller or the device can observe: available index, flags and `used_event` are
    /// as before. (2) The call was `free`, and the chain [is free](super::Subject::is_live). (3) The queue [is
    /// broken](super::Subject::is_broken) until a reset succeeds. A [withdrawal](super::Subject::withdraw) that unwinds has changed
    /// nothing or left the queue broken, even if the chain is already withdrawn. Needs [`watched`](Self::watched) and
    /// [`free`](Self::free).
    pub unwinds: bool,
    /// It can [take back](super::Subject::take_back) the chains that the device never returned, after the device was stopped. Needs
    /// [`reset`](Self::reset).
    pub take_back: bool,
    /// Its caller may [take back](super::Subject::take_back) chains that are not published, while the device is running. Needs
    /// [`take_back`](Self::take_back).
    pub take_back_live: bool,
    /// It can [delay](super::Subject::delay_used_notifications) used-buffer notifications until the device has returned several chains.
    /// Needs [`used_notifications`](Self::used_notifications).
    pub delayed_used_notifications: bool,
    /// It does something when a used-buffer notification [arrives](super::Subject::used_notification_arrived). Needs
    /// [`used_notifications`](Self::used_notifications).
    pub used_notification_handler: bool,
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
        used_notifications: false,
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
        reset_keeps_used_notifications: false,
        watched: false,
        watched_barriers: false,
        keeps_memory: false,
        unwinds: false,
        take_back: false,
        take_back_live: false,
        delayed_used_notifications: false,
        used_notification_handler: false,
    };

    /// The calls that a subject with these capabilities offers, but need not.
    pub(crate) const fn offered_calls(self) -> OfferedCalls {
        let take_back = self.take_back && self.reset;
        OfferedCalls {
            delayed_used_notifications: self.delayed_used_notifications && self.used_notifications,
            take_back,
            take_back_live: take_back && self.take_back_live,
            used_notification_handler: self.used_notification_handler && self.used_notifications,
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
