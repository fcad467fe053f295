//! Memory together with the address at which the device sees it.

use crate::{Misuse, QueueId, SharedMemory};
use core::fmt;

/// An address as the device sees it: guest-physical, an I/O virtual address, or a vhost-user address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress(u64);

impl DeviceAddress {
    /// An address by its number.
    pub const fn new(address: u64) -> Self {
        Self(address)
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The address `offset` bytes further on. Regions are checked not to wrap, so inside one this is exact.
    #[inline(always)]
    pub(crate) const fn plus(self, offset: u64) -> Self {
        Self(self.0.wrapping_add(offset))
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// One run of shared memory and its device address: what a caller registers with the device.
#[derive(Debug, Clone)]
pub struct Region<M> {
    pub(crate) memory: M,
    base: DeviceAddress,
}

impl<M: SharedMemory> Region<M> {
    /// Memory that the device sees at its address in this process.
    pub fn new(memory: M) -> Self {
        let base = DeviceAddress::new(memory.host_address());
        Self { memory, base }
    }

    /// Memory that the device sees at `base`.
    pub const fn at(memory: M, base: DeviceAddress) -> Self {
        Self { memory, base }
    }

    /// The memory.
    #[inline(always)]
    pub const fn memory(&self) -> &M {
        &self.memory
    }

    /// The memory itself, to be used elsewhere or at another address.
    pub fn into_memory(self) -> M {
        self.memory
    }

    /// Where the device sees the first byte.
    #[inline(always)]
    pub const fn address(&self) -> DeviceAddress {
        self.base
    }

    /// Length in bytes.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether there is no byte at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that the region has at least `needed` bytes, is aligned for the device and in this process,
    /// and does not reach past the end of the address space.
    pub(crate) fn check(&self, needed: usize, alignment: u64) -> Result<(), Misuse> {
        let length = self.len();
        if length < needed {
            return Err(Misuse::RegionTooSmall { needed, length });
        }
        for address in [self.base.get(), self.memory.host_address()] {
            if !address.is_multiple_of(alignment) {
                return Err(Misuse::RegionMisaligned { address, alignment });
            }
        }
        if self.base.get().checked_add(length as u64).is_none() {
            return Err(Misuse::RegionWraps { address: self.base, length });
        }
        Ok(())
    }

    /// Checks that no byte of the region is one of `other`, neither by its device address nor by its place in this process.
    /// (Two mappings of one file are different places.)
    pub(crate) fn check_apart(&self, other: &Self) -> Result<(), Misuse> {
        let overlap = |own: u64, others: u64| {
            own < others.saturating_add(other.len() as u64) && others < own.saturating_add(self.len() as u64)
        };
        if overlap(self.base.get(), other.base.get()) {
            return Err(Misuse::RegionsOverlap(self.base));
        }
        if overlap(self.memory.host_address(), other.memory.host_address()) {
            return Err(Misuse::RegionsShareMemory(self.base));
        }
        Ok(())
    }
}

/// The regions of a queue: table and rings, or a table alone, and the buffers.
pub type Regions<M> = (Region<M>, Region<M>);

/// The name of a region at the table that it was registered with, and nowhere else. Number 0 is the table's own buffers,
/// others count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegionId(u64);

impl RegionId {
    /// The region of the table's own buffers, of any table.
    pub const BUFFERS: Self = Self(0);

    /// The region of this number.
    #[inline(always)]
    pub(crate) const fn new(queue: QueueId, number: u16) -> Self {
        if number == 0 { Self::BUFFERS } else { Self(queue.upper() | number as u64) }
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0 as u16
    }

    #[inline(always)]
    pub(crate) const fn queue(self) -> QueueId {
        QueueId::from_upper(self.0)
    }
}

/// A buffer inside a registered region, for chains over the caller's own memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The region.
    pub region: RegionId,
    /// Where in the region the buffer begins, in bytes.
    pub offset: usize,
    /// Its length in bytes.
    pub length: u32,
}
