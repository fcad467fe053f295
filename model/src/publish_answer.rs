//! The answer of `publish`, until it is judged.

/// An answer of `publish` that is still to be judged, and what decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublishAnswer {
    pub(crate) notify: bool,
    /// Whether the queue was broken before the call.
    pub(crate) broken: bool,
    /// The available index before the chains that the caller publishes, and their number.
    pub(crate) first: u16,
    pub(crate) waiting: u16,
    /// Whether the device wants to be notified of them, and `avail_event`.
    pub(crate) wanted: bool,
    pub(crate) event: Option<u16>,
    /// Whether the device wanted to be notified of an earlier chain, of which the driver has not notified it.
    pub(crate) earlier_wanted: bool,
}
