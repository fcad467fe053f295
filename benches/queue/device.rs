//! A device that follows the specification and returns every chain at once. The same code serves both queues and the
//! floor.

use crate::rings::Rings;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The device's side of one queue.
pub struct Device {
    rings: Rings,
    /// The index of both the next available entry and the next used element: the device returns as many as it takes.
    next: u16,
    /// The number of bytes that it reports for each chain.
    written: u32,
}

impl Device {
    pub fn new(rings: Rings, written: u32) -> Self {
        Self { rings, next: 0, written }
    }

    /// Returns all available chains. It reads their heads but not their descriptors, because reading a chain takes
    /// the same time for every driver.
    #[inline(never)]
    pub fn serve(&mut self) {
        let Rings { available, used, elements, mask, .. } = self.rings;
        let behind = available[1].load(Acquire);
        while self.next != behind {
            let slot = usize::from(self.next & mask);
            let head = available[2 + slot].load(Relaxed);
            elements[2 * slot].store(u32::from(head), Relaxed);
            elements[2 * slot + 1].store(self.written, Relaxed);
            self.next = self.next.wrapping_add(1);
        }
        used[1].store(self.next, Release);
    }
}
