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

/// What the caller lets the device delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay {
    /// `used_event` after the call.
    pub(crate) armed: u16,
    /// The index of the last element that the chains in flight at the time of the call can have.
    pub(crate) last: u16,
    /// Whether the driver has taken the element that `used_event` named.
    pub(crate) passed: bool,
}

impl Delay {
    pub(crate) const fn fingerprint(&self, base: u16) -> (u16, u16, bool) {
        (self.armed.wrapping_sub(base), self.last.wrapping_sub(base), self.passed)
    }
}
