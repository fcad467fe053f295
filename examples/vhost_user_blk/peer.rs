//! The same through `virtio-driver` of libblkio.
#![allow(unsafe_code)]

use super::Failure;
use super::frontend::{Woken, woken};
use super::request::SECTOR;
use super::workload::{BlockDriver, Done};
use libblkio::{EventFd, QueueNotifier, VhostUser, VirtioBlkQueue, VirtioBlkTransport};
use ringstorm_core::{MappedMemory, SharedMemory};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::without_provenance_mut;
use std::sync::Arc;
use std::time::Duration;

/// As many descriptors as ours has.
const SIZE: u16 = 256;

/// Its queue, with a buffer for each slot in memory that the device sees.
///
pub struct Peer {
    /// Stands in the transport's memory, which nothing says but its documentation: dropped first.
    queue: VirtioBlkQueue<'static, usize>,
    kick: Box<dyn QueueNotifier>,
    call: Arc<EventFd>,
    /// Keeps the connection and the queue's memory.
    _transport: Box<VirtioBlkTransport>,
    buffers: MappedMemory,
    /// Whether each slot reads.
    reads: Vec<bool>,
    block_size: usize,
    in_flight: u16,
    patience: Duration,
    /// What was read last.
    data: Vec<u8>,
    /// Requests that the device was not told of.
    untold: u16,
}

impl Peer {
    /// Connects and makes the queue.
    pub fn connect(
        path: &Path,
        wanted: u64,
        block_size: u32,
        depth: u16,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let path =
            path.to_str().ok_or_else(|| Failure::Unexpected("the socket's path is not text".to_owned()))?;
        let mut transport: Box<VirtioBlkTransport> = Box::new(VhostUser::new(path, wanted)?);
        let mut queues = VirtioBlkQueue::setup_queues(&mut *transport, 1, SIZE)?;
        let mut queue = queues.pop().ok_or_else(|| Failure::Unexpected("no queue".to_owned()))?;
        queue.set_used_notif_enabled(true);
        let block_size = block_size as usize;
        let buffers = MappedMemory::shareable(block_size * usize::from(depth))?;
        let file = buffers.file().expect("a shareable mapping has a file").as_raw_fd();
        transport.map_mem_region(buffers.host_address() as usize, buffers.len(), file, 0)?;
        Ok(Self {
            queue,
            kick: transport.get_submission_notifier(0),
            call: transport.get_completion_fd(0),
            _transport: transport,
            buffers,
            reads: vec![false; depth.into()],
            block_size,
            in_flight: 0,
            patience,
            data: vec![0; block_size],
            untold: 0,
        })
    }

    /// The buffer of a slot, whose address is all that is needed: it is passed on to the device.
    fn buffer(&self, slot: usize) -> *mut u8 {
        without_provenance_mut(self.buffers.host_address() as usize + slot * self.block_size)
    }

    fn asked(&mut self, slot: usize, reads: bool) {
        self.reads[slot] = reads;
        self.in_flight += 1;
        self.untold += 1;
    }
}

impl BlockDriver for Peer {
    fn read(&mut self, slot: usize, sector: u64) -> Result<(), Failure> {
        let (buffer, length) = (self.buffer(slot), self.block_size);
        // SAFETY: a slot's buffer lies in `buffers`, which the device sees, and has one request at a time.
        unsafe { self.queue.read_raw(sector * SECTOR as u64, buffer, length, slot) }?;
        self.asked(slot, true);
        Ok(())
    }

    fn write(&mut self, slot: usize, sector: u64, data: &[u8]) -> Result<(), Failure> {
        self.buffers.copy_in(slot * self.block_size, data);
        let (buffer, length) = (self.buffer(slot), self.block_size);
        // SAFETY: as in `read`.
        unsafe { self.queue.write_raw(sector * SECTOR as u64, buffer, length, slot) }?;
        self.asked(slot, false);
        Ok(())
    }

    fn flush(&mut self, slot: usize) -> Result<(), Failure> {
        self.queue.flush(slot)?;
        self.asked(slot, false);
        Ok(())
    }

    fn kick(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.untold) > 0 && self.queue.avail_notif_needed() {
            self.kick.notify()?;
        }
        Ok(())
    }

    fn wait(&mut self, done: &mut Done<'_>) -> Result<(), Failure> {
        loop {
            let mut any = false;
            for completion in self.queue.completions() {
                let slot = completion.context;
                self.in_flight -= 1;
                if completion.ret != 0 {
                    return Err(Failure::Unexpected(format!("virtio-driver: error {}", completion.ret)));
                }
                let length = if self.reads[slot] { self.block_size } else { 0 };
                self.buffers.copy_out(slot * self.block_size, &mut self.data[..length]);
                done(slot, &self.data[..length])?;
                any = true;
            }
            if any {
                return Ok(());
            }
            // Its socket is its own, so that a device that hung up is one that is silent.
            match woken(&*self.call, None, self.patience)? {
                Woken::Called => self.call.read()?,
                Woken::HungUp | Woken::TooLate => {
                    return Err(Failure::Silent { in_flight: self.in_flight });
                }
            };
        }
    }
}
