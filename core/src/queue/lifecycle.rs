//! Making, resetting and releasing a queue.

use super::SplitQueue;
use super::unwinding::Health;
use crate::{
    Areas, AvailableRing, Config, DescriptorTable, DeviceStopped, Refused, Region, Regions, RingIndex,
    SharedMemory, UsedRing,
};

impl<M: SharedMemory> SplitQueue<M> {
    /// Makes a queue.
    ///
    /// - `rings` holds the descriptor table and both rings. It needs [`Layout::len`](crate::Layout::len) bytes and must begin
    ///   at a multiple of 16, both at its device address and in this process.
    /// - `buffers` holds the queue's own buffers. It needs `buffer_size` times `size` bytes.
    ///
    /// The call overwrites table and rings, but not the padding between and after the rings. So the device must not use the
    /// memory yet.
    ///
    /// # Errors
    /// [`Misuse`](crate::Misuse) if a region is too small, misaligned, overlaps the other one or reaches the end of the
    /// address space, or if the buffer size is not valid; [`SystemError`](crate::SystemError) if allocating the private copy
    /// fails. The error contains both regions, `rings` first, because a device may have mapped them already.
    pub fn new(config: Config, rings: Region<M>, buffers: Region<M>) -> Result<Self, Refused<Regions<M>>> {
        let Config { size, buffer_size, first_index, event_index, policies } = config;
        let areas = match Areas::new(size, rings) {
            Ok(areas) => areas,
            Err(Refused { error, value }) => return Err(Refused { error, value: (value, buffers) }),
        };
        let mut table = DescriptorTable::over(areas, buffer_size, policies.writable, buffers)?;
        let available = AvailableRing::new(table.areas(), first_index, event_index);
        let used = UsedRing::new(table.areas(), first_index, event_index);
        table.hold_rings();
        Ok(Self {
            table,
            available,
            used,
            published: 0,
            in_flight: 0,
            health: Health::Whole,
            event_index,
            policies,
        })
    }

    /// Resets the queue with both rings at `first_index`. Afterwards every descriptor is free, the queue is not broken, all
    /// handles of chains are stale, and used elements from before the reset cannot be taken. Registered regions stay
    /// registered.
    ///
    /// The call writes table and rings in shared memory, so the device must be stopped. It must then start at the same
    /// index. The last setting of [`set_used_notifications`](Self::set_used_notifications) stays in effect.
    pub fn reset(&mut self, stopped: DeviceStopped, first_index: RingIndex) {
        // If the call unwinds, the queue needs another reset.
        self.health = Health::Unwound;
        self.table.reset(stopped);
        self.in_flight = 0;
        self.available.restart(self.table.areas(), first_index);
        self.used = UsedRing::new(self.table.areas(), first_index, self.event_index);
        self.health = Health::Whole;
    }

    /// Releases the queue's memory, even if chains are in flight. Memory that the queue owns is unmapped or freed before this
    /// returns. A queue that is dropped without this call leaks its memory: see [the memory](Self#the-memory).
    pub fn release(self, stopped: DeviceStopped) {
        self.table.release_stopped(stopped);
    }
}

#[cfg(feature = "std")]
impl SplitQueue<crate::MappedMemory> {
    /// Makes a queue with memory of its own, for a device in this process or one that pins its pages.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or [`SystemError::Map`](crate::SystemError::Map).
    pub fn anonymous(config: Config) -> Result<Self, crate::Error> {
        Self::mapped(config, crate::MappedMemory::anonymous)
    }

    /// Makes a queue with memory of its own that a device in another process can map: see
    /// [`MappedMemory::shareable`](crate::MappedMemory::shareable).
    ///
    /// # Errors
    /// As for [`new`](Self::new), or [`SystemError::Map`](crate::SystemError::Map).
    pub fn shareable(config: Config) -> Result<Self, crate::Error> {
        Self::mapped(config, crate::MappedMemory::shareable)
    }

    fn mapped(
        config: Config,
        map: impl Fn(usize) -> Result<crate::MappedMemory, crate::Error>,
    ) -> Result<Self, crate::Error> {
        let bytes = crate::table::buffer_bytes(config.size, config.buffer_size)?;
        let rings = map(crate::Layout::new(config.size).len())?;
        let queue = Self::new(config, Region::new(rings), Region::new(map(bytes)?));
        // On an error the regions are dropped: no device knows the memory yet.
        queue.map_err(Refused::into_error)
    }
}
