//! The rings as device and floor see them: slices of atomics at the places of 2.7, over either queue's memory.
#![allow(unsafe_code)]

use ringstorm_core::{Layout, QueueSize, RawMemory};
use std::alloc::alloc_zeroed;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64};

/// Zeroed pages that are never given back: a benchmark ends with its process.
pub fn pages(bytes: usize) -> NonNull<u8> {
    let layout =
        std::alloc::Layout::from_size_align(bytes.next_multiple_of(4096), 4096).expect("a sane length");
    // SAFETY: no caller asks for nothing, and rounding up keeps the length above zero.
    NonNull::new(unsafe { alloc_zeroed(layout) }).expect("memory")
}

/// Descriptor table, available ring and used ring (2.7.5, 2.7.6, 2.7.8), by the width of each location.
#[derive(Clone, Copy)]
pub struct Rings {
    /// Two words for each descriptor.
    pub table: &'static [AtomicU64],
    /// Flags, index, entries.
    pub available: &'static [AtomicU16],
    /// Flags and index.
    pub used: &'static [AtomicU16],
    /// Two halves for each element.
    pub elements: &'static [AtomicU32],
    /// The number of descriptors, less one.
    pub mask: u16,
}

impl Rings {
    /// The rings of a queue of `size`, where its transport was told that they are.
    ///
    /// # Safety
    /// The places have the lengths and alignments of 2.7, are never given back, and lie in memory from [`pages`].
    pub unsafe fn at(size: u16, table: *mut u8, available: *mut u8, used: *mut u8) -> Self {
        let count = usize::from(size);
        // SAFETY: by the contract; integers of the same memory that are reached in another way are shared with a
        // device, so whoever does it expects them to change.
        unsafe {
            Self {
                table: std::slice::from_raw_parts(table.cast(), 2 * count),
                available: std::slice::from_raw_parts(available.cast(), 2 + count),
                used: std::slice::from_raw_parts(used.cast(), 2),
                elements: std::slice::from_raw_parts(used.add(4).cast(), 2 * count),
                mask: size - 1,
            }
        }
    }

    /// New rings, where a queue of ours expects them, and the same memory for the queue.
    pub fn laid_out(size: QueueSize) -> (Self, RawMemory) {
        let layout = Layout::new(size);
        let start = pages(layout.len());
        // SAFETY: fresh pages, which are as long as the three parts together and never given back.
        unsafe {
            let (available, used) = (start.add(layout.available()), start.add(layout.used()));
            let rings = Self::at(size.get(), start.as_ptr(), available.as_ptr(), used.as_ptr());
            (rings, RawMemory::new(start, layout.len()))
        }
    }
}

/// New memory for payload.
pub fn buffers(bytes: usize) -> RawMemory {
    // SAFETY: fresh pages that are never given back.
    unsafe { RawMemory::new(pages(bytes), bytes) }
}
