//! The kinds of memory that a rig can use.

use ringstorm_core::Error as MemoryError;
#[cfg(unix)]
use ringstorm_core::{AnyMemory, GuardedMemory};
use ringstorm_sim_device::WatchedMemory;

/// The least memory to allocate, in bytes.
pub(super) const MIN_BYTES: usize = 1 << 16;

/// The kind of memory of a [`Rig`](super::Rig). No outcome depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryKind {
    /// Heap memory that is used again for each scenario and grows when needed. The fastest kind. An access past a
    /// scenario's memory may go unnoticed.
    Kept,
    /// Memory of exactly the scenario's length, with an inaccessible page after it.
    #[cfg(unix)]
    BeforeGuard,
    /// Memory of exactly the scenario's length, with an inaccessible page before it.
    #[cfg(unix)]
    BehindGuard,
}

impl MemoryKind {
    /// Allocates memory of `length` bytes that starts at a multiple of `alignment`.
    ///
    /// # Errors
    /// [`MemoryError`] if there is not enough memory.
    pub fn memory(self, length: usize, alignment: usize) -> Result<WatchedMemory, MemoryError> {
        #[cfg(unix)]
        let watched = |memory: GuardedMemory| WatchedMemory::over(AnyMemory::from(memory));
        match self {
            // The allocation starts at a page.
            Self::Kept => WatchedMemory::new(length.max(MIN_BYTES)),
            #[cfg(unix)]
            Self::BeforeGuard => GuardedMemory::before_guard(length, alignment).map(watched),
            #[cfg(unix)]
            Self::BehindGuard => GuardedMemory::behind_guard(length).map(watched),
        }
    }

    /// Whether this memory, made for another scenario, also suits one of `length` bytes.
    pub(super) fn serves(self, memory: &WatchedMemory, length: usize) -> bool {
        match self {
            Self::Kept => memory.capacity() >= length,
            #[cfg(unix)]
            Self::BeforeGuard | Self::BehindGuard => memory.capacity() == length,
        }
    }
}
