//! The block queue of `virtio-driver`, over memory to which a test writes as the device.

use ringstorm::subject::{OrderedStore, SharedMemory, WatchedMemory};
use std::io::{Error, ErrorKind};
use std::os::fd::RawFd;
use std::sync::Arc;
use virtio_driver::virtqueue::{Virtqueue, VirtqueueLayout};
use virtio_driver::{
    EventFd, Iova, IovaTranslator, QueueNotifier, VirtioBlkConfig, VirtioBlkQueue, VirtioBlkReqBuf,
    VirtioFeatureFlags, VirtioTransport,
};

/// Bytes after the queue's memory, which the queue must not access.
const BEHIND: usize = 1 << 16;

/// A block queue, and the state of its device.
pub struct Block {
    /// The queue. The context of a request is its name.
    pub queue: VirtioBlkQueue<'static, &'static str>,
    size: u16,
    layout: VirtqueueLayout,
    used: u16,
    /// Must be dropped after the queue.
    memory: WatchedMemory,
}

impl Block {
    pub fn new(size: u16) -> Self {
        let layout = VirtqueueLayout::new::<VirtioBlkReqBuf>(1, size.into()).expect("a queue size");
        let memory = WatchedMemory::new(layout.end_offset + BEHIND).expect("memory");
        let mut transport = Transport { start: memory.expose().expose_provenance() };
        let mut queues = VirtioBlkQueue::setup_queues(&mut transport, 1, size).expect("one queue");
        Self { queue: queues.remove(0), size, layout, used: 0, memory }
    }

    /// The device adds a used element.
    pub fn add_used(&mut self, id: u32) {
        let used = self.layout.used_offset;
        self.memory.store_u32(used + 4 + 8 * usize::from(self.used % self.size), id);
        self.used = self.used.wrapping_add(1);
        self.memory.store_ordered(OrderedStore::UsedIndex, used + 2, self.used);
    }

    /// The device links a descriptor to another one.
    pub fn link(&self, descriptor: u16, next: u16) {
        self.memory.store_u16(16 * usize::from(descriptor) + 14, next);
    }

    /// The buffer address in a descriptor.
    pub fn address(&self, descriptor: u16) -> u64 {
        self.memory.load_u64(16 * usize::from(descriptor))
    }

    /// Whether a byte after the memory of the queue is not zero.
    pub fn is_written_behind(&self) -> bool {
        let mut behind = vec![0; BEHIND];
        self.memory.copy_out(self.layout.end_offset, &mut behind);
        behind.iter().any(|byte| *byte != 0)
    }
}

/// A transport that uses addresses of this process as device addresses, as the crate's own does for vhost-user.
struct Transport {
    /// Start of the memory for queues.
    start: usize,
}

impl VirtioTransport<VirtioBlkConfig, VirtioBlkReqBuf> for Transport {
    fn max_queues(&self) -> Option<usize> {
        Some(1)
    }

    fn max_mem_regions(&self) -> u64 {
        1
    }

    fn alloc_queue_mem(&mut self, layout: &VirtqueueLayout) -> Result<&mut [u8], Error> {
        let start = std::ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: the memory of `Block::new` has at least this length, is valid until the queue is dropped, and nothing else
        // makes a reference to it. The trait requires "memory to store the virtqueues in" that the device accesses as well.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, layout.end_offset) })
    }

    fn map_mem_region(&mut self, addr: usize, _: usize, _: RawFd, _: i64) -> Result<Iova, Error> {
        Ok(Iova(addr as u64))
    }

    fn unmap_mem_region(&mut self, _: usize, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn iova_translator(&self) -> Box<dyn IovaTranslator> {
        Box::new(Identity)
    }

    fn setup_queues(&mut self, _: &[Virtqueue<VirtioBlkReqBuf>]) -> Result<(), Error> {
        Ok(())
    }

    fn get_features(&self) -> u64 {
        VirtioFeatureFlags::VERSION_1.bits()
    }

    fn get_config(&self) -> Result<VirtioBlkConfig, Error> {
        Err(Error::new(ErrorKind::Unsupported, "the device has no configuration"))
    }

    fn get_submission_notifier(&self, _: usize) -> Box<dyn QueueNotifier> {
        Box::new(Identity)
    }

    fn get_completion_fd(&self, _: usize) -> Arc<EventFd> {
        panic!("a test does not wait for its device")
    }
}

/// Translates no address, and ignores notifications.
pub struct Identity;

impl IovaTranslator for Identity {
    fn translate_addr(&self, addr: usize, _: usize) -> Result<Iova, Error> {
        Ok(Iova(addr as u64))
    }
}

impl QueueNotifier for Identity {
    fn notify(&self) -> Result<(), Error> {
        Ok(())
    }
}
