//! The floor: what any driver of a split virtqueue must write and read, and nothing else. No chain is checked, none is
//! remembered, and its descriptors are always the same ones.

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
    /// The chains' buffers, one behind the other.
    buffers: u64,
    /// Behind the last entry written, which is as far as elements were read.
    next: u16,
    notifications: u64,
}

impl<const R: usize, const W: usize> Floor<R, W> {
    pub fn new(size: usize) -> Self {
        let (rings, _) = Rings::laid_out(QueueSize::new(size as u32).expect("a size"));
        let device = Device::new(rings, Shape::new(R, W).written());
        let buffers = pages(BUFFER * size).as_ptr().addr() as u64;
        Self { rings, device, buffers, next: 0, notifications: 0 }
    }
}

/// Address and shape of each descriptor (2.7.5).
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
            // The index, the barrier of 2.7.13.4.1, and the device's wish.
            available[1].store(next, Release);
            fence(SeqCst);
            notifications += u64::from(used[0].load(Relaxed) == 0);
            device.serve();
            while used[1].load(Acquire) != read {
                let slot = usize::from(read & *mask);
                // A driver has to know which chain it was.
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
