//! A disk: virtio-blk requests over our queue.

use super::Failure;
use super::frontend::{Link, regions};
use super::request::{header, kind, status};
use super::workload::{BlockDriver, Done};
use ringstorm_core::{
    Completion, Config, DeviceStopped, MappedMemory, Notification, QueueSize, Refused, RingIndex, SplitQueue,
};
use std::time::Duration;

/// Descriptors of the queue: enough for 64 requests of three descriptors each.
const SIZE: u32 = 256;

/// The queue, the connection to its device, and the requests in flight.
pub struct Disk {
    queue: SplitQueue<MappedMemory>,
    config: Config,
    /// The connection.
    pub link: Link,
    /// For each head: the slot of its request, and the bytes of its answer before the status.
    requests: Vec<(usize, u32)>,
    /// The last answer: data and status.
    answer: Vec<u8>,
    /// Longest wait for a used-buffer notification.
    pub patience: Duration,
    /// Number of requests that completed since the queue was made or reset.
    pub done: u64,
}

impl Disk {
    /// Makes the queue, with buffers for requests of `block_size` bytes, and starts it at the device.
    pub fn new(
        mut link: Link,
        block_size: u32,
        first_index: RingIndex,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let size = QueueSize::new(SIZE)?;
        let config = Config {
            buffer_size: block_size,
            first_index,
            event_index: link.event_index(),
            ..Config::new(size)
        };
        let [rings, buffers] = regions(&config)?;
        let queue = SplitQueue::new(config, rings, buffers).map_err(Refused::into_error)?;
        link.start(&queue, &config, first_index)?;
        let answer = vec![0; block_size as usize + 1];
        let requests = vec![(0, 0); size.as_usize()];
        Ok(Self { queue, config, link, requests, answer, patience, done: 0 })
    }

    /// Resets the queue after the death of the device, which frees every descriptor, and starts it at another device.
    pub fn restart(
        &mut self,
        stopped: DeviceStopped,
        link: Link,
        first_index: RingIndex,
    ) -> Result<(), Failure> {
        self.queue.reset(stopped, first_index);
        if link.event_index() != self.config.event_index {
            return Err(Failure::Unexpected("the new daemon offers other features".to_owned()));
        }
        self.link = link;
        self.done = 0;
        self.link.start(&self.queue, &self.config, first_index)
    }

    /// Stops the queue at the device, checks that the device has the same available index, and releases the memory.
    pub fn close(self, first_index: RingIndex) -> Result<(), Failure> {
        let (theirs, ours) = (self.link.stop()?, first_index.advanced(self.done as u16));
        if theirs != ours {
            let (theirs, ours) = (theirs.get(), ours.get());
            return Err(Failure::Unexpected(format!("the device stopped at index {theirs}, not at {ours}")));
        }
        self.queue.release(DeviceStopped::confirmed());
        Ok(())
    }

    /// The queue.
    pub const fn queue(&self) -> &SplitQueue<MappedMemory> {
        &self.queue
    }

    /// The queue size.
    pub const fn size(&self) -> u16 {
        self.config.size.get()
    }

    /// Sends one request of any type, waits for it, and returns its status and its data.
    pub fn ask(&mut self, kind: u32, sector: u64, room: u32) -> Result<(u8, &[u8]), Failure> {
        self.submit(0, kind, sector, &[], room)?;
        self.kick()?;
        let completion = loop {
            match self.queue.take()? {
                Some(completion) => break completion,
                None => self.link.wait(self.patience, self.queue.in_flight())?,
            }
        };
        self.answered(completion)
    }

    /// Submits a request: the device reads header and data, and writes the answer and the status.
    fn submit(&mut self, slot: usize, kind: u32, sector: u64, data: &[u8], room: u32) -> Result<(), Failure> {
        let header = header(kind, sector);
        let readable: &[&[u8]] = if data.is_empty() { &[&header] } else { &[&header, data] };
        let writable: &[u32] = if room == 0 { &[1] } else { &[room, 1] };
        let head = self.queue.submit(readable, writable)?;
        self.requests[usize::from(head.index())] = (slot, room);
        Ok(())
    }

    /// Reads an answer and frees its chain.
    fn answered(&mut self, completion: Completion) -> Result<(u8, &[u8]), Failure> {
        let Completion { head, written } = completion;
        let (_, room) = self.requests[usize::from(head.index())];
        let length = self.queue.read(head, &mut self.answer[..room as usize + 1])?;
        self.queue.free(head)?;
        self.done += 1;
        match self.answer[..length].split_last() {
            Some((status, data)) if data.len() == room as usize => Ok((*status, data)),
            _ => Err(Failure::Short { written, expected: room + 1 }),
        }
    }
}

impl BlockDriver for Disk {
    fn read(&mut self, slot: usize, sector: u64) -> Result<(), Failure> {
        self.submit(slot, kind::IN, sector, &[], self.config.buffer_size)
    }

    fn write(&mut self, slot: usize, sector: u64, data: &[u8]) -> Result<(), Failure> {
        self.submit(slot, kind::OUT, sector, data, 0)
    }

    fn flush(&mut self, slot: usize) -> Result<(), Failure> {
        self.submit(slot, kind::FLUSH, 0, &[], 0)
    }

    fn kick(&mut self) -> Result<(), Failure> {
        match self.queue.publish() {
            Notification::Needed => self.link.kick(),
            Notification::NotNeeded => Ok(()),
        }
    }

    fn wait(&mut self, done: &mut Done<'_>) -> Result<(), Failure> {
        loop {
            let mut any = false;
            while let Some(completion) = self.queue.take()? {
                let (slot, _) = self.requests[usize::from(completion.head.index())];
                let (status, data) = self.answered(completion)?;
                if status != status::OK {
                    return Err(Failure::Status { status });
                }
                done(slot, data)?;
                any = true;
            }
            if any {
                return Ok(());
            }
            self.link.wait(self.patience, self.queue.in_flight())?;
        }
    }
}
