//! The floor: only the reads and writes that any driver of a split virtqueue needs. It checks and records no chain,
//! and always uses the same descriptors.

use crate::device::Device;
use crate::measure::Subject;
use crate::rings::{Rings, pages};
use crate::shape::{BUFFER, Shape};
use ringstorm_core::QueueSize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU64, fence};

pub struct Floor<const R: usize, const W: usize> {
    rings: Rings,
    device: Device,
    /// The buffers of the chains, one after the other.
    buffers: u64,
    /// The index after the last entry written and the last element read.
    next: u16,
    notifications: u64,
}

impl<const R: usize, const W: usize> Floor<R, W> {
    pub fn new(size: usize) -> Self {
        let (rings, _) = Rings::allocate(QueueSize::new(size as u32).expect("the size is a power of two"));
        let device = Device::new(rings, Shape::new(R, W).written());
        let buffers = pages(BUFFER * size).as_ptr().addr() as u64;
        Self { rings, device, buffers, next: 0, notifications: 0 }
    }
}

/// Writes address, length, flags and next of each descriptor (2.7.5).
#[inline(always)]
fn describe<const R: usize, const W: usize>(table: &[AtomicU64], first: usize, buffers: u64) {
    for (position, descriptor) in table[2 * first..][..2 * (R + W)].chunks_exact(2).enumerate() {
        let index = (first + position) as u64;
        let write = if position < R { 0 } else { 2 << 32 };
        let next = if position + 1 < R + W { 1 << 32 | (index + 1) << 48 } else { 0 };
        descriptor[0].store(buffers + BUFFER as u64 * index, Relaxed);
        descriptor[1].store(BUFFER as u64 | write | next, Relaxed);
    }
}

impl<const R: usize, const W: usize> Subject for Floor<R, W> {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        let Self { rings: Rings { table, available, used, elements, mask }, device, buffers, .. } = self;
        let (mut next, mut notifications, mut written) = (self.next, 0, 0);
        for _ in 0..rounds {
            let mut read = next;
            for chain in 0..batch {
                let first = chain * (R + W);
                describe::<R, W>(table, first, *buffers);
                available[2 + usize::from(next & *mask)].store(first as u16, Relaxed);
                next = next.wrapping_add(1);
            }
            // The index, the barrier of 2.7.13.4.1, and the used flags.
            available[1].store(next, Release);
            fence(SeqCst);
            notifications += u64::from(used[0].load(Relaxed) == 0);
            device.serve();
            while used[1].load(Acquire) != read {
                let slot = usize::from(read & *mask);
                // A driver must know which chain was used.
                std::hint::black_box(elements[2 * slot].load(Relaxed));
                written += u64::from(elements[2 * slot + 1].load(Relaxed));
                read = read.wrapping_add(1);
            }
        }
        self.next = next;
        self.notifications += notifications;
        written
    }

    fn notifications(&self) -> u64 {
        self.notifications
    }

    fn is_idle(&self) -> bool {
        true
    }
}
