//! What the model knows about a queue before the first event.

/// How a driver handles device faults in the used ring. It reports each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// Whether it continues after a bad element. Otherwise the queue is broken.
    pub continues_after_fault: bool,
    /// Whether it reports a length above the chain's device-writable bytes. Otherwise it clamps the length.
    pub refuses_over_long: bool,
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
    /// Promise: how the driver handles device faults in the used ring; `None` if it promises nothing.
    pub policies: Option<Policies>,
    /// Promise: the driver asks its caller for no notification that the device does not want, and causes the device to send
    /// none that the caller does not want.
    pub exact_notifications: bool,
    /// Promise: after a reset, the driver asks for used-buffer notifications as its caller last wanted. `exact_notifications`
    /// implies it.
    pub reset_keeps_interrupts: bool,
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
            policies: None,
            exact_notifications: false,
            reset_keeps_interrupts: false,
            reports_lengths: true,
            refills: false,
        }
    }
}
