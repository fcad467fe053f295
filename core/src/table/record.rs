//! What the table remembers in private, and how a descriptor is written.

use crate::layout::{NEXT, WRITE};
use crate::{DeviceAddress, RegionId, RingIndex};

/// The private copy of one descriptor: sixteen bytes on 64-bit targets, like the one in the table.
///
/// `next` is the free list's link while the descriptor is free, the chain's while it is in one; the link of a chain's
/// last descriptor means nothing. Nothing else of a free descriptor means anything but where it pointed when
/// it was last used, which the table still says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Descriptor {
    /// Where in its region the buffer begins.
    pub(super) offset: usize,
    /// Zero while it is free, and never while it is not.
    pub(super) length: u32,
    pub(super) region: u16,
    pub(super) next: u16,
}

impl Descriptor {
    pub(super) const NONE: Self = Self { offset: 0, length: 0, region: 0, next: 0 };

    #[inline(always)]
    pub(super) const fn is_free(&self) -> bool {
        self.length == 0
    }
}

/// How far a chain has come. Only the descriptor at its head has one; all others are `NotHead`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    NotHead,
    /// Made, and not taken back from the device.
    Created,
    /// Taken back from the device, so that the caller may read it.
    Returned,
}

/// What is known of a chain, at the index of its head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    pub(super) serial: u64,
    /// Bytes in device-writable buffers: up to 2^32.
    pub(crate) writable: u64,
    /// Bytes that the device reported and the policy let through.
    pub(crate) written: u32,
    pub(super) count: u16,
    pub(super) readable_count: u16,
    /// The index of its entry in the available ring, in a queue.
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

/// One buffer of a chain, from the private copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// The descriptor that holds it.
    pub descriptor: u16,
    /// The region it lies in.
    pub region: RegionId,
    /// Where in the region it begins, in bytes.
    pub offset: usize,
    /// Where the device sees it.
    pub address: DeviceAddress,
    /// Its length in bytes.
    pub length: u32,
    /// Whether the device writes to it; otherwise it reads it.
    pub writable: bool,
}

/// Length, flags and next as one little-endian word.
#[inline(always)]
pub(super) const fn shape(length: u32, writable: bool, next: Option<u16>) -> u64 {
    let link = match next {
        Some(next) => (NEXT as u64) << 32 | (next as u64) << 48,
        None => 0,
    };
    let write = if writable { (WRITE as u64) << 32 } else { 0 };
    length as u64 | write | link
}
