//! Why a device does not react: the states that faults of liveness set.

/// Why a device takes and returns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Silence {
    /// It continues when the faults stop, or after a reset.
    UntilFaultsStop,
    /// It continues only after a reset.
    NeedsReset,
}

/// Whether available-buffer notifications reach the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NotificationLoss {
    /// They do.
    None,
    /// The next notification will be lost.
    LosesNext,
    /// A notification was lost. Until the next one, the device does not look at the available ring.
    Lost,
}
