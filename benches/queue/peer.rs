//! `virtio-drivers` as a subject: the platform and the transport that its queue needs, over ordinary memory.
#![allow(unsafe_code)]

use crate::device::Device;
use crate::measure::Subject;
use crate::rings::{Rings, pages};
use crate::shape::{BUFFER, Shape};
use std::ptr::NonNull;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{BufferDirection, Hal, PhysAddr, Result};

/// A platform where device addresses are addresses of this process. It maps nothing and copies nothing.
pub struct Platform;

// SAFETY: the pages are new, zeroed, page-aligned and never freed. Buffers are shared at their own addresses.
unsafe impl Hal for Platform {
    fn dma_alloc(count: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let start = pages(4096 * count);
        (start.as_ptr().expose_provenance() as PhysAddr, start)
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("there is no bus")
    }

    #[inline(always)]
    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().as_ptr().addr() as PhysAddr
    }

    #[inline(always)]
    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

/// A transport that only stores the addresses of the queue.
#[derive(Default)]
struct QueueAddresses([PhysAddr; 3]);

impl Transport for QueueAddresses {
    fn device_type(&self) -> DeviceType {
        DeviceType::Block
    }
    fn read_device_features(&mut self) -> u64 {
        0
    }
    fn write_driver_features(&mut self, _: u64) {}
    fn max_queue_size(&mut self, _: u16) -> u32 {
        32768
    }
    fn notify(&mut self, _: u16) {}
    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::DRIVER_OK
    }
    fn set_status(&mut self, _: DeviceStatus) {}
    fn set_guest_page_size(&mut self, _: u32) {}
    fn requires_legacy_layout(&self) -> bool {
        false
    }
    fn queue_set(&mut self, _: u16, _: u32, table: PhysAddr, available: PhysAddr, used: PhysAddr) {
        self.0 = [table, available, used];
    }
    fn queue_unset(&mut self, _: u16) {}
    fn queue_used(&mut self, _: u16) -> bool {
        false
    }
    fn ack_interrupt(&mut self) -> InterruptStatus {
        InterruptStatus::empty()
    }
    fn read_config_generation(&self) -> u32 {
        0
    }
    fn read_config_space<T>(&self, _: usize) -> Result<T> {
        unreachable!("a queue has no configuration")
    }
    fn write_config_space<T>(&mut self, _: usize, _: T) -> Result<()> {
        unreachable!("a queue has no configuration")
    }
}

/// The queue of `virtio-drivers`, with a device.
pub struct Peer<const SIZE: usize, const R: usize, const W: usize> {
    queue: Box<VirtQueue<Platform, SIZE>>,
    device: Device,
    readable: [&'static [u8]; R],
    writable: [&'static mut [u8]; W],
    tokens: Vec<u16>,
    notifications: u64,
}

impl<const SIZE: usize, const R: usize, const W: usize> Peer<SIZE, R, W> {
    pub fn new(batch: usize) -> Self {
        let mut addresses = QueueAddresses::default();
        let queue = Box::new(VirtQueue::new(&mut addresses, 0, false, false).expect("making a queue"));
        let [table, available, used] =
            addresses.0.map(|address| std::ptr::with_exposed_provenance_mut(address as usize));
        // SAFETY: the queue passed the addresses of its three parts, which are in pages of the platform.
        let rings = unsafe { Rings::at(SIZE as u16, table, available, used) };
        Self {
            queue,
            device: Device::new(rings, Shape::new(R, W).written()),
            readable: std::array::from_fn(|_| &*Vec::leak(vec![1; BUFFER])),
            writable: std::array::from_fn(|_| Vec::leak(vec![0; BUFFER])),
            tokens: Vec::with_capacity(batch),
            notifications: 0,
        }
    }
}

impl<const SIZE: usize, const R: usize, const W: usize> Subject for Peer<SIZE, R, W> {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        let writable = &raw mut self.writable;
        // The queue borrows a list of buffers for as long as the buffers, so each call needs a new list.
        // SAFETY: the list is not used after the call returns.
        let new_list = || unsafe { &mut *writable.cast::<[&mut [u8]; W]>() };
        let Self { queue, device, readable, tokens, notifications, .. } = self;
        let mut written = 0;
        for _ in 0..rounds {
            tokens.clear();
            for _ in 0..batch {
                // SAFETY: the buffers live forever, and nothing accesses them: the device does not read chains.
                tokens.push(unsafe { queue.add(readable, new_list()) }.expect("descriptors are free"));
            }
            *notifications += u64::from(queue.should_notify());
            device.serve();
            while let Some(token) = queue.peek_used() {
                // SAFETY: all chains have the same buffers.
                written += u64::from(
                    unsafe { queue.pop_used(token, readable, new_list()) }.expect("the chain is completed"),
                );
            }
        }
        written
    }

    fn notifications(&self) -> u64 {
        self.notifications
    }

    fn is_idle(&self) -> bool {
        self.queue.available_desc() == SIZE
    }
}
