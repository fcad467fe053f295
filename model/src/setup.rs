//! What the model knows about a queue before the first event.

/// What a driver promises about device faults in the used ring. Each promise stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// Whether it continues after a bad element. Otherwise the queue is broken. `None`: it promises neither.
    pub continues_after_fault: Option<bool>,
    /// Whether it reports a length above the chain's device-writable bytes. Otherwise it clamps the length. `None`: it promises
    /// neither.
    pub refuses_over_long: Option<bool>,
    /// It reports each bad element, and skips none silently.
    pub reports_bad_elements: bool,
    /// It counts a bad element that it reports as consumed, even if the queue is broken afterwards.
    pub consumes_bad_elements: bool,
    /// If the used index claims more elements than chains are in flight, it reports that before it looks at an element, and the
    /// queue is broken. Needs `reloads_used_index`.
    pub refuses_index_jumps: bool,
    /// Each take loads the used index, and looks at no more than the next element. Without this promise, a driver may act on what
    /// it loaded in an earlier call.
    pub reloads_used_index: bool,
    /// While the queue is broken, each take reports that.
    pub reports_broken: bool,
}

impl Policies {
    /// No promise.
    pub const NONE: Self = Self {
        continues_after_fault: None,
        refuses_over_long: None,
        reports_bad_elements: false,
        consumes_bad_elements: false,
        refuses_index_jumps: false,
        reloads_used_index: false,
        reports_broken: false,
    };

    /// All promises.
    pub const fn all(continues_after_fault: bool, refuses_over_long: bool) -> Self {
        Self {
            continues_after_fault: Some(continues_after_fault),
            refuses_over_long: Some(refuses_over_long),
            reports_bad_elements: true,
            consumes_bad_elements: true,
            refuses_index_jumps: true,
            reloads_used_index: true,
            reports_broken: true,
        }
    }
}

/// Geometry and promises of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSetup {
    /// Number of descriptors: a power of two.
    pub queue_size: u16,
    /// The largest buffer that the driver accepts, in bytes.
    pub buffer_size: u32,
    /// The index at which both rings begin.
    pub first_index: u16,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    pub event_index: bool,
    /// Promise: the driver zeroes device-writable buffers before it submits them.
    pub zeroes_buffers: bool,
    /// Promises: how the driver handles device faults in the used ring.
    pub policies: Policies,
    /// Promise: with event indexes, a take that takes the last used element moves `used_event` to the next one. Without it, only a
    /// take that returns nothing must have done that.
    pub rearms_each_take: bool,
    /// Promise: the driver asks its caller for no notification that the device does not want, and causes the device to send
    /// none that the caller does not want.
    pub exact_notifications: bool,
    /// Promise: after a reset, the driver asks for used-buffer notifications as its caller last wanted. `exact_notifications`
    /// implies it.
    pub reset_keeps_used_notifications: bool,
    /// Whether the driver reports how many bytes the device wrote to a chain. If not, it returns all bytes of the
    /// device-writable buffers.
    pub reports_lengths: bool,
    /// Whether the driver submits a new chain by itself for each one that it takes.
    pub refills: bool,
}

impl Default for ModelSetup {
    fn default() -> Self {
        Self {
            queue_size: 1,
            buffer_size: 4096,
            first_index: 0,
            event_index: false,
            zeroes_buffers: false,
            policies: Policies::NONE,
            rearms_each_take: false,
            exact_notifications: false,
            reset_keeps_used_notifications: false,
            reports_lengths: true,
            refills: false,
        }
    }
}
