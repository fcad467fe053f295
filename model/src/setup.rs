//! What is known of a queue before anything happens.

/// What a driver does about device faults in the used ring, each of which it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// Whether it goes on behind a bad element, or is broken.
    pub continues_after_fault: bool,
    /// Whether it reports a length that exceeds what is writable, or takes the chain with all that is.
    pub refuses_over_long: bool,
}

/// What the model must know of a queue beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSetup {
    /// Number of descriptors: a power of two.
    pub queue_size: u16,
    /// Largest buffer that the driver takes, in bytes.
    pub buffer_size: u32,
    /// Where both rings begin.
    pub first_index: u16,
    /// Whether event indexes were negotiated.
    pub event_index: bool,
    /// Whether the driver promised to zero device-writable buffers before it submits them.
    pub zeroed: bool,
    /// What the driver promised to do about device faults in the used ring; `None` if it promised nothing.
    pub policies: Option<Policies>,
    /// Whether the driver promised to ask for no notification that the device does not want, and to let the device ask
    /// for none that its caller does not want.
    pub exact_notifications: bool,
    /// Whether the driver promised to ask after a reset for what its caller last asked for. An exact one does.
    pub reset_keeps_interrupts: bool,
    /// Whether the driver tells how many bytes the device wrote to a chain. One that does not hands out all that stands in
    /// its device-writable buffers.
    pub lengths: bool,
    /// Whether the driver puts another chain in the place of each that it takes.
    pub refills: bool,
}

impl Default for ModelSetup {
    fn default() -> Self {
        Self {
            queue_size: 1,
            buffer_size: 4096,
            first_index: 0,
            event_index: false,
            zeroed: false,
            policies: None,
            exact_notifications: false,
            reset_keeps_interrupts: false,
            lengths: true,
            refills: false,
        }
    }
}
