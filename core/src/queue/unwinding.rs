//! What becomes of a queue whose memory panics in the middle of a call.

use crate::DeviceFault;

/// Whether the queue can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Health {
    Whole,
    /// A device fault broke it.
    Broken,
    /// The caller's own memory panicked in a call.
    Unwound,
}

impl Health {
    /// # Errors
    /// What made it broken.
    #[inline(always)]
    pub(super) const fn check(self) -> Result<(), DeviceFault> {
        match self {
            Self::Whole => Ok(()),
            Self::Broken => Err(DeviceFault::Broken),
            Self::Unwound => Err(DeviceFault::Unwound),
        }
    }
}

/// Makes the queue broken if a call unwinds because the caller's own memory panicked.
pub(super) struct BrokenIfUnwound<'q>(pub(super) &'q mut Health);

impl BrokenIfUnwound<'_> {
    /// The memory did not panic.
    #[inline(always)]
    pub(super) const fn returned(self) {
        core::mem::forget(self);
    }
}

impl Drop for BrokenIfUnwound<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // What broke it first is what is reported.
        if *self.0 == Health::Whole {
            *self.0 = Health::Unwound;
        }
    }
}
