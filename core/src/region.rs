//! Memory with its device address.

use crate::{Misuse, QueueId, SharedMemory};
use core::fmt;

/// An address as the device uses it: a guest-physical address, an I/O virtual address, or a vhost-user address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress(u64);

impl DeviceAddress {
    /// Makes an address from its value.
    pub const fn new(address: u64) -> Self {
        Self(address)
    }

    /// The value of the address.
    #[inline(always)]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The address `offset` bytes later. Inside a region it does not wrap, because regions that wrap are refused.
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

/// A contiguous range of shared memory and its device address. The caller makes each region accessible to the device.
#[derive(Debug, Clone)]
pub struct Region<M> {
    pub(crate) memory: M,
    base: DeviceAddress,
}

impl<M: SharedMemory> Region<M> {
    /// Makes a region whose device address is the address of `memory` in this process.
    pub fn new(memory: M) -> Self {
        let base = DeviceAddress::new(memory.host_address());
        Self { memory, base }
    }

    /// Makes a region that begins at the device address `base`.
    pub const fn at(memory: M, base: DeviceAddress) -> Self {
        Self { memory, base }
    }

    /// The memory of the region.
    #[inline(always)]
    pub const fn memory(&self) -> &M {
        &self.memory
    }

    /// Takes the memory out of the region, for example to use it at another device address.
    pub fn into_memory(self) -> M {
        self.memory
    }

    /// The device address of the first byte.
    #[inline(always)]
    pub const fn address(&self) -> DeviceAddress {
        self.base
    }

    /// The length in bytes.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether the length is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that the region has at least `needed` bytes, begins at a multiple of `alignment` bytes both for the device and
    /// in this process, and does not reach the end of the address space.
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

    /// Checks that the region does not overlap `other`, neither by device addresses nor by addresses in this process. (Two
    /// mappings of one file have different addresses, so this does not find them.)
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

/// The regions of a queue or table: first descriptor table and rings (or the table alone), then the buffers.
pub type Regions<M> = (Region<M>, Region<M>);

/// The handle of a registered region. It is valid only for the queue or table that the region was registered with. Number 0
/// is the region of the table's own buffers. Registered regions have the numbers from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegionId(u64);

impl RegionId {
    /// The region of a table's own buffers. The value is the same for all tables.
    pub const BUFFERS: Self = Self(0);

    /// Makes the handle of the region with this number.
    #[inline(always)]
    pub(crate) const fn new(queue: QueueId, number: u16) -> Self {
        if number == 0 { Self::BUFFERS } else { Self(queue.with(number as u32)) }
    }

    /// The number of the region.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0 as u16
    }

    #[inline(always)]
    pub(crate) const fn queue(self) -> QueueId {
        QueueId::of(self.0)
    }
}

/// A buffer inside a registered region, for [`SplitQueue::submit_over`](crate::SplitQueue::submit_over).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The handle of the region.
    pub region: RegionId,
    /// The offset of the buffer in the region, in bytes.
    pub offset: usize,
    /// The length of the buffer in bytes.
    pub length: u32,
}
