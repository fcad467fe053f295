//! An honest device that returns every chain at once. The same code serves both queues, and the floor.

use crate::rings::Rings;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The device's side of one queue.
pub struct Device {
    rings: Rings,
    /// The next available entry, and the next used element: it returns as many as it takes.
    next: u16,
    /// What it says it wrote to each chain.
    written: u32,
}

impl Device {
    pub fn new(rings: Rings, written: u32) -> Self {
        Self { rings, next: 0, written }
    }

    /// Returns all chains that are available. It reads their heads and not their descriptors: what a device does with
    /// a chain takes it the same whatever driver made it.
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
