//! The private records of descriptors and chains, and the encoding of a descriptor.

use crate::layout::{NEXT, WRITE};
use crate::{DeviceAddress, RegionId, RingIndex};

/// The private copy of one descriptor. It has 16 bytes on 64-bit targets, like the descriptor in shared memory.
///
/// `next` is the link of the free list if the descriptor is free, otherwise the link of its chain. The link of a chain's last
/// descriptor has no meaning. A free descriptor keeps `offset` and `region` of its last use, because shared memory keeps the
/// address too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Descriptor {
    /// The offset of the buffer in its region, in bytes.
    pub(super) offset: usize,
    /// The length of the buffer in bytes. Zero if and only if the descriptor is free.
    pub(super) length: u32,
    pub(super) region: u16,
    pub(super) next: u16,
}

impl Descriptor {
    /// No region: no segment fits in it.
    pub(super) const NONE: Self = Self { offset: 0, length: 0, region: 0, next: 0 };

    #[inline(always)]
    pub(super) const fn is_free(&self) -> bool {
        self.length == 0
    }
}

/// The stage of a chain, stored at the index of its head. All other indexes have `NotHead`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    NotHead,
    /// The chain is unpublished or in flight.
    Created,
    /// The chain is completed: the caller may read and free it.
    Returned,
}

/// The record of a chain, stored at the index of its head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    pub(super) serial: u64,
    /// The number of bytes in device-writable buffers, at most 2^32.
    pub(crate) writable: u64,
    /// The number of bytes that the device reported, limited by the policy. It has a meaning only if the chain is completed.
    pub(crate) written: u32,
    pub(super) count: u16,
    pub(super) readable_count: u16,
    /// The index of its entry in the available ring. Unused in a table without rings.
    pub(crate) entry: RingIndex,
    pub(crate) stage: Stage,
}

impl Chain {
    pub(super) const NONE: Self = Self {
        serial: 0,
        writable: 0,
        written: 0,
        count: 0,
        readable_count: 0,
        entry: RingIndex::new(0),
        stage: Stage::NotHead,
    };
}

/// A region that was looked up: what is needed to check a segment in it and to describe it to the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownRegion {
    pub(super) id: RegionId,
    /// In bytes.
    pub(super) length: usize,
    pub(super) base: DeviceAddress,
}

impl KnownRegion {
    pub(super) const NONE: Self = Self { id: RegionId::BUFFERS, length: 0, base: DeviceAddress::new(0) };
}

/// One buffer of a chain, from the private copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// The index of the descriptor.
    pub descriptor: u16,
    /// The region of the buffer.
    pub region: RegionId,
    /// The offset of the buffer in the region, in bytes.
    pub offset: usize,
    /// The device address of the buffer.
    pub address: DeviceAddress,
    /// The length of the buffer in bytes.
    pub length: u32,
    /// Whether the buffer is device-writable; otherwise it is device-readable.
    pub writable: bool,
}

/// Encodes length, flags and next of a descriptor as one word (2.7.5).
#[inline(always)]
pub(super) const fn shape(length: u32, writable: bool, next: Option<u16>) -> u64 {
    let link = match next {
        Some(next) => (NEXT as u64) << 32 | (next as u64) << 48,
        None => 0,
    };
    let write = if writable { (WRITE as u64) << 32 } else { 0 };
    length as u64 | write | link
}
