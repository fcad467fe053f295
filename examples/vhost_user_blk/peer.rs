//! The same disk through libblkio's `virtio-driver`.
#![allow(unsafe_code)]

use super::Failure;
use super::frontend::{WaitEnd, wait_for};
use super::request::SECTOR;
use super::workload::{BlockDriver, Done};
use libblkio::{EventFd, QueueNotifier, VhostUser, VirtioBlkQueue, VirtioBlkTransport};
use ringstorm_core::{MappedMemory, SharedMemory};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::without_provenance_mut;
use std::sync::Arc;
use std::time::Duration;

/// Descriptors of the queue, as many as ours has.
const SIZE: u16 = 256;

/// The peer's queue, with a buffer for each slot in memory that the device sees.
pub struct Peer {
    /// The queue is in the transport's memory, so it must be dropped first. Only the crate's documentation says so.
    queue: VirtioBlkQueue<'static, usize>,
    kick: Box<dyn QueueNotifier>,
    call: Arc<EventFd>,
    /// Owns the connection and the queue's memory.
    _transport: Box<VirtioBlkTransport>,
    buffers: MappedMemory,
    /// For each slot, whether its request is a read.
    reads: Vec<bool>,
    block_size: usize,
    in_flight: u16,
    patience: Duration,
    /// The data of the last read.
    data: Vec<u8>,
    /// Requests since the last call of `kick`.
    since_kick: u16,
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
            since_kick: 0,
        })
    }

    /// The buffer of a slot. The pointer needs no provenance, since the queue only passes its address to the device.
    fn buffer(&self, slot: usize) -> *mut u8 {
        without_provenance_mut(self.buffers.host_address() as usize + slot * self.block_size)
    }

    fn submitted(&mut self, slot: usize, reads: bool) {
        self.reads[slot] = reads;
        self.in_flight += 1;
        self.since_kick += 1;
    }
}

impl BlockDriver for Peer {
    fn read(&mut self, slot: usize, sector: u64) -> Result<(), Failure> {
        let (buffer, length) = (self.buffer(slot), self.block_size);
        // SAFETY: the slot's buffer is in `buffers`, which the device has mapped, and has one request at a time.
        unsafe { self.queue.read_raw(sector * SECTOR as u64, buffer, length, slot) }?;
        self.submitted(slot, true);
        Ok(())
    }

    fn write(&mut self, slot: usize, sector: u64, data: &[u8]) -> Result<(), Failure> {
        self.buffers.copy_in(slot * self.block_size, data);
        let (buffer, length) = (self.buffer(slot), self.block_size);
        // SAFETY: as in `read`.
        unsafe { self.queue.write_raw(sector * SECTOR as u64, buffer, length, slot) }?;
        self.submitted(slot, false);
        Ok(())
    }

    fn flush(&mut self, slot: usize) -> Result<(), Failure> {
        self.queue.flush(slot)?;
        self.submitted(slot, false);
        Ok(())
    }

    fn kick(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.since_kick) > 0 && self.queue.avail_notif_needed() {
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
                    return Err(Failure::Unexpected(format!(
                        "virtio-driver completed a request with error {}",
                        completion.ret
                    )));
                }
                let length = if self.reads[slot] { self.block_size } else { 0 };
                self.buffers.copy_out(slot * self.block_size, &mut self.data[..length]);
                done(slot, &self.data[..length])?;
                any = true;
            }
            if any {
                return Ok(());
            }
            // The crate keeps its socket private, so a closed connection shows only as a timeout.
            match wait_for(&*self.call, None, self.patience)? {
                WaitEnd::Notified => self.call.read()?,
                WaitEnd::Closed | WaitEnd::TimedOut => {
                    return Err(Failure::Silent { in_flight: self.in_flight });
                }
            };
        }
    }
}
