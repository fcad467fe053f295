//! The rings as the device and the floor access them: slices of atomics at the offsets of 2.7, over the memory of any
//! of the queues.
#![allow(unsafe_code)]

use ringstorm_core::{Layout, QueueSize, RawMemory};
use std::alloc::alloc_zeroed;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64};

/// Allocates zeroed pages that are never freed, since a benchmark ends with its process.
pub fn pages(bytes: usize) -> NonNull<u8> {
    let layout =
        std::alloc::Layout::from_size_align(bytes.next_multiple_of(4096), 4096).expect("the length is small");
    // SAFETY: no caller passes zero, and rounding up keeps the length above zero.
    NonNull::new(unsafe { alloc_zeroed(layout) }).expect("allocating memory")
}

/// Descriptor table, available ring and used ring (2.7.5, 2.7.6, 2.7.8), by the width of each location.
#[derive(Clone, Copy)]
pub struct Rings {
    /// Two 64-bit words for each descriptor.
    pub table: &'static [AtomicU64],
    /// Flags, index, entries.
    pub available: &'static [AtomicU16],
    /// Flags and index.
    pub used: &'static [AtomicU16],
    /// Two 32-bit halves for each element.
    pub elements: &'static [AtomicU32],
    /// The number of descriptors minus one.
    pub mask: u16,
}

impl Rings {
    /// The rings of a queue of `size`, at the addresses that its transport received.
    ///
    /// # Safety
    /// The addresses have the lengths and alignments of 2.7, are in memory from [`pages`], and are never freed.
    pub unsafe fn at(size: u16, table: *mut u8, available: *mut u8, used: *mut u8) -> Self {
        let count = usize::from(size);
        // SAFETY: by the contract of this function. Other accesses to the same memory share it with a device, so
        // their code expects the values to change.
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

    /// Allocates rings in the layout of `ringstorm-core`. Returns them together with the same memory for the queue.
    pub fn allocate(size: QueueSize) -> (Self, RawMemory) {
        let layout = Layout::new(size);
        let start = pages(layout.len());
        // SAFETY: the pages are new, as long as the three parts together, and never freed.
        unsafe {
            let (available, used) = (start.add(layout.available()), start.add(layout.used()));
            let rings = Self::at(size.get(), start.as_ptr(), available.as_ptr(), used.as_ptr());
            (rings, RawMemory::new(start, layout.len()))
        }
    }
}

/// Allocates memory for payload.
pub fn buffers(bytes: usize) -> RawMemory {
    // SAFETY: the pages are new and never freed.
    unsafe { RawMemory::new(pages(bytes), bytes) }
}
