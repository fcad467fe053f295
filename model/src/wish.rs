//! Whether the driver's caller wants used-buffer notifications (2.7.7).

/// What the caller last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Wish {
    /// The caller has not said anything: notifications are wanted.
    #[default]
    Default,
    Wanted,
    Unwanted,
    /// A call that unwound may have changed the wish.
    Unknown,
}

/// The used element whose index the driver stored in `used_event` while its caller wants no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedUsedElement {
    pub(crate) index: u16,
    /// Whether the device had already added this element when the driver stored its index.
    pub(crate) passed: bool,
}
