//! Breaks a queue whose memory panics during a call.

use crate::DeviceFault;

/// Whether the queue works, and if not, the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Health {
    /// The queue works.
    Whole,
    /// A device fault broke the queue.
    Broken,
    /// A panic of the caller's own memory broke the queue.
    Unwound,
}

impl Health {
    /// # Errors
    /// The fault that broke the queue.
    #[inline(always)]
    pub(super) const fn check(&self) -> Result<(), DeviceFault> {
        match self {
            Self::Whole => Ok(()),
            _ => Err(self.fault()),
        }
    }

    #[cold]
    #[inline(never)]
    const fn fault(&self) -> DeviceFault {
        match self {
            Self::Unwound => DeviceFault::Unwound,
            _ => DeviceFault::Broken,
        }
    }
}

/// Breaks the queue on drop, so that a panic of the caller's own memory breaks it. [`returned`](Self::returned) disarms it.
pub(super) struct BrokenIfUnwound<'q>(pub(super) &'q mut Health);

impl BrokenIfUnwound<'_> {
    /// Call this after the accesses to memory, when none has panicked.
    #[inline(always)]
    pub(super) const fn returned(self) {
        core::mem::forget(self);
    }
}

impl Drop for BrokenIfUnwound<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // The first cause is reported.
        if *self.0 == Health::Whole {
            *self.0 = Health::Unwound;
        }
    }
}
