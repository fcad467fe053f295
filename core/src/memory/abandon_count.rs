//! Counts the queues whose devices may access a memory.

use core::sync::atomic::{AtomicUsize, Ordering};

/// The number of calls of [`abandon`](super::SharedMemory::abandon) without a matching
/// [`reclaim`](super::SharedMemory::reclaim).
#[derive(Debug, Default)]
pub(super) struct AbandonCount(AtomicUsize);

impl AbandonCount {
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(super) fn add(&self) {
        // The count saturates: a memory that is leaked forever is better than one that is freed too early.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
    }

    /// Does nothing if the count is zero or saturated.
    pub(super) fn remove(&self) {
        let fewer = |count: usize| if count == usize::MAX { None } else { count.checked_sub(1) };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    pub(super) fn is_abandoned(&mut self) -> bool {
        *self.0.get_mut() > 0
    }
}
