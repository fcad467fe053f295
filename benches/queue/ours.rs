//! `ringstorm-core` as a subject: over the caller's buffers, and with copies.

use crate::device::Device;
use crate::measure::Subject;
use crate::rings::{Rings, buffers};
use crate::shape::{BUFFER, Shape};
use ringstorm_core::{Config, Notification, QueueSize, RawMemory, Region, Segment, SplitQueue};

/// The payload that is copied.
pub fn payload<const R: usize>() -> [&'static [u8]; R] {
    std::array::from_fn(|_| &*Vec::leak(vec![1; BUFFER]))
}

/// A queue with default policies and buffers of [`BUFFER`] bytes, and its device.
fn queue(size: usize, written: u32) -> (SplitQueue<RawMemory>, Device) {
    let size = QueueSize::new(size as u32).expect("the size is a power of two");
    let config = Config { buffer_size: BUFFER as u32, ..Config::new(size) };
    let (rings, memory) = Rings::allocate(size);
    let own = Region::new(buffers(BUFFER * size.as_usize()));
    let queue = SplitQueue::new(config, Region::new(memory), own).expect("making a queue");
    (queue, Device::new(rings, written))
}

/// Submits, serves, takes and frees `batch` chains at a time. Returns the number of bytes that the device reported.
#[inline(always)]
fn run(
    queue: &mut SplitQueue<RawMemory>,
    device: &mut Device,
    notifications: &mut u64,
    (batch, rounds): (usize, usize),
    submit: impl Fn(&mut SplitQueue<RawMemory>),
) -> u64 {
    let mut written = 0;
    for _ in 0..rounds {
        for _ in 0..batch {
            submit(queue);
        }
        *notifications += u64::from(queue.publish() == Notification::Needed);
        device.serve();
        while let Some(done) = queue.take().expect("the device follows the specification") {
            written += u64::from(done.written);
            queue.free(done.head).expect("the chain is completed");
        }
    }
    written
}

/// Chains over buffers in a registered region, without a copy.
pub struct Over<const R: usize, const W: usize> {
    queue: SplitQueue<RawMemory>,
    device: Device,
    notifications: u64,
    readable: [Segment; R],
    writable: [Segment; W],
}

impl<const R: usize, const W: usize> Over<R, W> {
    pub fn new(size: usize) -> Self {
        let (mut queue, device) = queue(size, Shape::new(R, W).written());
        let region = queue.register(Region::new(buffers(BUFFER * 16))).expect("registering a region");
        let segment = |position| Segment { region, offset: BUFFER * position, length: BUFFER as u32 };
        Self {
            queue,
            device,
            notifications: 0,
            readable: std::array::from_fn(segment),
            writable: std::array::from_fn(|position| segment(R + position)),
        }
    }
}

impl<const R: usize, const W: usize> Subject for Over<R, W> {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        let Self { queue, device, notifications, readable, writable } = self;
        run(queue, device, notifications, (batch, rounds), |queue| {
            queue.submit_over(readable, writable).expect("descriptors are free");
        })
    }

    fn notifications(&self) -> u64 {
        self.notifications
    }

    fn is_idle(&self) -> bool {
        self.queue.in_flight() == 0 && self.queue.verify().is_empty()
    }
}

/// Chains whose readable bytes are copied into the queue's own buffers.
pub struct Copied<const R: usize, const W: usize> {
    queue: SplitQueue<RawMemory>,
    device: Device,
    notifications: u64,
    readable: [&'static [u8]; R],
    writable: [u32; W],
}

impl<const R: usize, const W: usize> Copied<R, W> {
    pub fn new(size: usize) -> Self {
        let (queue, device) = queue(size, Shape::new(R, W).written());
        Self { queue, device, notifications: 0, readable: payload(), writable: [BUFFER as u32; W] }
    }
}

impl<const R: usize, const W: usize> Subject for Copied<R, W> {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        let Self { queue, device, notifications, readable, writable } = self;
        run(queue, device, notifications, (batch, rounds), |queue| {
            queue.submit(readable, writable).expect("descriptors are free");
        })
    }

    fn notifications(&self) -> u64 {
        self.notifications
    }

    fn is_idle(&self) -> bool {
        self.queue.in_flight() == 0 && self.queue.verify().is_empty()
    }
}
