//! What becomes of a queue whose memory panics in the middle of a call.

/// Makes the queue broken if a call unwinds because the caller's own memory panicked.
pub(super) struct BrokenIfUnwound<'q>(pub(super) &'q mut bool);

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
        *self.0 = true;
    }
}
