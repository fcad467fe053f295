//! What the memory of a rig is.

use ringstorm_core::Error as MemoryError;
#[cfg(unix)]
use ringstorm_core::{AnyMemory, GuardedMemory};
use ringstorm_sim_device::WatchedMemory;

/// Bytes of memory to begin with.
pub(super) const LEAST: usize = 1 << 16;

/// What the memory of a [`Rig`](super::Rig) is. No outcome depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryKind {
    /// From the allocator, kept from one scenario to the next and made to grow: the quickest. What lies behind a
    /// scenario's memory may be memory too.
    Kept,
    /// As long as the scenario's, and inaccessible behind that.
    #[cfg(unix)]
    BeforeGuard,
    /// As long as the scenario's, and inaccessible before that.
    #[cfg(unix)]
    BehindGuard,
}

impl MemoryKind {
    /// Memory for a scenario that needs `length` bytes, which begin at a multiple of `alignment`.
    ///
    /// # Errors
    /// [`MemoryError`] if there is not that much.
    pub fn memory(self, length: usize, alignment: usize) -> Result<WatchedMemory, MemoryError> {
        #[cfg(unix)]
        let watched = |memory: GuardedMemory| WatchedMemory::over(AnyMemory::from(memory));
        match self {
            // It begins at a page.
            Self::Kept => WatchedMemory::new(length.max(LEAST)),
            #[cfg(unix)]
            Self::BeforeGuard => GuardedMemory::before_guard(length, alignment).map(watched),
            #[cfg(unix)]
            Self::BehindGuard => GuardedMemory::behind_guard(length).map(watched),
        }
    }

    /// Whether memory that was made for another scenario serves for one of `length` bytes as well.
    pub(super) fn serves(self, memory: &WatchedMemory, length: usize) -> bool {
        match self {
            Self::Kept => memory.capacity() >= length,
            #[cfg(unix)]
            Self::BeforeGuard | Self::BehindGuard => memory.capacity() == length,
        }
    }
}
