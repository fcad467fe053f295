//! The driver: sends requests over our queue and checks the answers.

use super::request::{header, kind};
use ringstorm_core::{
    Config, DeviceAddress, Error, Head, Layout, MappedMemory, Notification, QueueSize, Refused, Region,
    RingIndex, SplitQueue,
};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Longest wait for a used-buffer notification.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of the buffer of each descriptor. A request of several sectors needs several descriptors.
pub const BUFFER: usize = 1024;
/// Device addresses of the rings and of the buffers.
const RINGS_AT: DeviceAddress = DeviceAddress::new(0x10_0000);
const BUFFERS_AT: DeviceAddress = DeviceAddress::new(0x1000_0000);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The queue returned an error.
    #[error("the queue returned an error: {0}")]
    Queue(#[from] Error),
    /// The device ended, or does not answer.
    #[error("the device has ended or does not answer: {0}")]
    Device(#[from] RecvTimeoutError),
    /// The answer differs from the expected one.
    #[error("{what}: the answer was {came}; expected {expected}")]
    Answer {
        /// Name of the request.
        what: &'static str,
        /// Length and last byte of the answer.
        came: String,
        /// Length and last byte of the expected answer.
        expected: String,
    },
}

/// A request and the expected answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Name of the request, for messages.
    pub what: &'static str,
    /// Contents of the device-readable buffers.
    pub readable: Vec<Vec<u8>>,
    /// Lengths of the device-writable buffers.
    pub writable: Vec<u32>,
    /// The expected bytes in the device-writable buffers, the status last.
    pub answer: Vec<u8>,
}

impl Exchange {
    /// A request with a well-formed header. Its data is divided into buffers, and the status has its own buffer.
    pub fn new(what: &'static str, kind: u32, sector: u64, data: &[u8], answer: &[u8], status: u8) -> Self {
        let mut readable = vec![header(kind, sector).to_vec()];
        readable.extend(data.chunks(BUFFER).map(<[u8]>::to_vec));
        let mut writable: Vec<u32> = answer.chunks(BUFFER).map(|chunk| chunk.len() as u32).collect();
        writable.push(1);
        Self { what, readable, writable, answer: [answer, &[status]].concat() }
    }

    /// A read.
    pub fn read(sector: u64, data: &[u8]) -> Self {
        Self::new("a read", kind::IN, sector, &[], data, 0)
    }

    /// A write.
    pub fn write(sector: u64, data: &[u8]) -> Self {
        Self::new("a write", kind::OUT, sector, data, &[], 0)
    }
}

/// The queue, with the expected answer of each chain.
pub struct Driver {
    queue: SplitQueue<MappedMemory>,
    expected: HashMap<Head, Exchange>,
    kick: Sender<()>,
    call: Receiver<()>,
    /// Number of available-buffer and of used-buffer notifications.
    pub notifications: [u64; 2],
}

/// A queue over memory that the device can map.
pub fn queue(size: QueueSize, first_index: RingIndex) -> Result<SplitQueue<MappedMemory>, Error> {
    let config = Config { buffer_size: BUFFER as u32, first_index, event_index: true, ..Config::new(size) };
    let rings = MappedMemory::shareable(Layout::new(size).len())?;
    let buffers = MappedMemory::shareable(BUFFER * size.as_usize())?;
    let queue = SplitQueue::new(config, Region::at(rings, RINGS_AT), Region::at(buffers, BUFFERS_AT));
    queue.map_err(Refused::into_error)
}

impl Driver {
    /// A driver that notifies its device by `kick` and is notified by `call`.
    pub fn new(queue: SplitQueue<MappedMemory>, kick: Sender<()>, call: Receiver<()>) -> Self {
        Self { queue, expected: HashMap::new(), kick, call, notifications: [0; 2] }
    }

    /// Whether enough descriptors are free for this request.
    pub fn has_room(&self, exchange: &Exchange) -> bool {
        exchange.readable.len() + exchange.writable.len() <= self.queue.free_count().into()
    }

    /// Submits a request.
    pub fn submit(&mut self, exchange: Exchange) -> Result<(), Failure> {
        let readable: Vec<&[u8]> = exchange.readable.iter().map(Vec::as_slice).collect();
        let head = self.queue.submit(&readable, &exchange.writable)?;
        self.expected.insert(head, exchange);
        Ok(())
    }

    /// Publishes the submitted requests, waits until one completes, and checks all that have completed.
    pub fn turn(&mut self) -> Result<(), Failure> {
        if self.queue.publish() == Notification::Needed {
            self.notifications[0] += 1;
            // If the device has ended, the wait below times out.
            let _ = self.kick.send(());
        }
        let before = self.expected.len();
        loop {
            while let Some(done) = self.queue.take().map_err(Error::from)? {
                let exchange = self.expected.remove(&done.head).expect("a chain that was submitted");
                let mut answer = vec![0; exchange.writable.iter().sum::<u32>() as usize];
                let length = self.queue.read(done.head, &mut answer).map_err(Error::from)?;
                self.queue.free(done.head).map_err(Error::from)?;
                check(&exchange, &answer[..length])?;
            }
            if self.expected.len() < before || before == 0 {
                return Ok(());
            }
            self.call.recv_timeout(PATIENCE)?;
            self.notifications[1] += 1;
        }
    }

    /// Waits for all requests in flight.
    pub fn finish(&mut self) -> Result<(), Failure> {
        while !self.expected.is_empty() {
            self.turn()?;
        }
        Ok(())
    }

    /// Drops the channels, so that the device ends. Afterwards the queue can be released.
    pub fn close(self) -> SplitQueue<MappedMemory> {
        self.queue
    }
}

fn check(exchange: &Exchange, answer: &[u8]) -> Result<(), Failure> {
    if answer == exchange.answer {
        return Ok(());
    }
    let summary = |bytes: &[u8]| match bytes.last() {
        Some(last) => format!("{} bytes that end in {last}", bytes.len()),
        None => "empty".to_owned(),
    };
    Err(Failure::Answer { what: exchange.what, came: summary(answer), expected: summary(&exchange.answer) })
}
