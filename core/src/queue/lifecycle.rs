//! Making a queue, starting it over, and giving its memory back.

use super::SplitQueue;
use super::unwinding::Health;
use crate::{
    Areas, AvailableRing, Config, DescriptorTable, DeviceStopped, Refused, Region, Regions, RingIndex,
    SharedMemory, UsedRing,
};

impl<M: SharedMemory> SplitQueue<M> {
    /// Makes a queue over memory for the rings, of at least [`Layout::len`](crate::Layout::len) bytes, and for the buffers, of at
    /// least `buffer_size` times `size` bytes. Whatever stood in table and rings is overwritten, but not the padding between
    /// and behind the rings, so the device must not use them yet.
    ///
    /// # Errors
    /// [`Misuse`](crate::Misuse) if a region does not suit, [`SystemError`](crate::SystemError) if memory is short. Both regions
    /// come back with the error, rings first: a device may have mapped them by now. The rings' region must begin at a
    /// multiple of 16, at its device address and in this process.
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

    /// Starts over with both rings at `first_index`: every descriptor is free, the queue is whole, and no
    /// completion from before can be taken any more. The rings in memory are written again, so the device
    /// must be stopped, and must start at the same index. What the caller last asked for with
    /// [`set_interrupts`](Self::set_interrupts) still holds.
    pub fn reset(&mut self, stopped: DeviceStopped, first_index: RingIndex) {
        // If the call unwinds, only another reset helps.
        self.health = Health::Unwound;
        self.table.reset(stopped);
        self.in_flight = 0;
        self.available.restart(self.table.areas(), first_index);
        self.used = UsedRing::new(self.table.areas(), first_index, self.event_index);
        self.health = Health::Whole;
    }

    /// Gives the memory back, with chains in flight or without: what the queue owns of it is unmapped or deallocated before
    /// this returns. A queue that is dropped instead leaks it, as [above](Self#the-memory).
    pub fn release(self, stopped: DeviceStopped) {
        self.table.release_stopped(stopped);
    }
}

#[cfg(feature = "std")]
impl SplitQueue<crate::MappedMemory> {
    /// Makes a queue over memory of its own, for a device in this process or one that pins its pages.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or what the operating system refused.
    pub fn anonymous(config: Config) -> Result<Self, crate::Error> {
        Self::mapped(config, crate::MappedMemory::anonymous)
    }

    /// Makes a queue over memory of its own that a device in another process can map: see
    /// [`MappedMemory::shareable`](crate::MappedMemory::shareable).
    ///
    /// # Errors
    /// As for [`new`](Self::new), or what the operating system refused.
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
        // No device knows the memory yet.
        queue.map_err(Refused::into_error)
    }
}
