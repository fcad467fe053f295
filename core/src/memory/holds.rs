//! How many queues hold a memory for their devices.

use core::sync::atomic::{AtomicUsize, Ordering};

/// Counts the calls of [`abandon`](super::SharedMemory::abandon) that were not taken back.
#[derive(Debug, Default)]
pub(super) struct Holds(AtomicUsize);

impl Holds {
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(super) fn add(&self) {
        // Once it is at its end it stays there: memory is rather kept for ever than given back too early.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |holds| holds.checked_add(1));
    }

    /// Takes one back. One too many does nothing.
    pub(super) fn remove(&self) {
        let fewer = |holds: usize| if holds == usize::MAX { None } else { holds.checked_sub(1) };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    pub(super) fn any(&mut self) -> bool {
        *self.0.get_mut() > 0
    }
}
