//! What a driver's call did to the memory.

use super::WeakAccess;

/// What a driver's call did to the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallReport {
    /// The number of stores.
    pub stores: u32,
    /// Whether any of the following is set.
    pub unusual: bool,
    /// The offset of the first store to the part that only the device may write.
    pub device_area_store: Option<usize>,
    /// The lowest offset that it loaded twice (a double fetch).
    pub double_fetch: Option<usize>,
    /// Whether it stored something after the available index.
    pub late_stores: bool,
    /// Whether it triggered the [trap](super::WatchedMemory::set_trap).
    pub trap_triggered: bool,
    /// Whether it loaded the value that the trap had changed.
    pub trap_seen: bool,
    /// The last access that lacks a release, an acquire or a barrier.
    pub weak: Option<WeakAccess>,
}

impl CallReport {
    /// Whether nothing but the number of stores is set.
    pub(super) const fn is_only_stores(&self) -> bool {
        self.device_area_store.is_none()
            && self.double_fetch.is_none()
            && self.weak.is_none()
            && !(self.late_stores | self.trap_triggered | self.trap_seen)
    }
}

/// A store after the available index was stored in the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateStore {
    /// Its offset.
    pub offset: usize,
    /// The available index at that time; `None` if it was not stored as 16 bits, or the order is not watched.
    pub published: Option<u16>,
}
