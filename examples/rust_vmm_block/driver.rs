//! The driver's side: requests over our queue, and what must come back.

use super::request::{header, kind};
use ringstorm_core::{
    Config, DeviceAddress, Error, Head, Layout, MappedMemory, Notification, QueueSize, Refused, Region,
    RingIndex, SplitQueue,
};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// How long the device may be silent.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of the buffer of each descriptor: a request of several sectors needs several.
pub const BUFFER: usize = 1024;
/// Where the device sees them.
const RINGS_AT: DeviceAddress = DeviceAddress::new(0x10_0000);
const BUFFERS_AT: DeviceAddress = DeviceAddress::new(0x1000_0000);

/// Why a request did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The queue.
    #[error("the queue: {0}")]
    Queue(#[from] Error),
    /// The device ended, or does not answer.
    #[error("the device is gone or silent: {0}")]
    Device(#[from] RecvTimeoutError),
    /// Something came back that was not expected.
    #[error("{what}: {came} came back, {expected} was expected")]
    Answer {
        /// The request.
        what: &'static str,
        /// Length and last bytes of the answer.
        came: String,
        /// The same of what was expected.
        expected: String,
    },
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What it is called when it goes wrong.
    pub what: &'static str,
    /// What the device reads, in as many buffers.
    pub readable: Vec<Vec<u8>>,
    /// Lengths of the buffers that it writes.
    pub writable: Vec<u32>,
    /// All that it must have written, the status last.
    pub answer: Vec<u8>,
}

impl Exchange {
    /// A request with a good header; its data are cut into buffers, and the status has one of its own.
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

/// The queue, with what each of its chains must bring back.
pub struct Driver {
    queue: SplitQueue<MappedMemory>,
    expected: HashMap<Head, Exchange>,
    kick: Sender<()>,
    call: Receiver<()>,
    /// Notifications sent and received.
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
    /// A driver whose device hears and speaks through these.
    pub fn new(queue: SplitQueue<MappedMemory>, kick: Sender<()>, call: Receiver<()>) -> Self {
        Self { queue, expected: HashMap::new(), kick, call, notifications: [0; 2] }
    }

    /// Whether so many more descriptors are free.
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

    /// Tells the device of what was submitted, waits until something comes back, and judges all that came.
    pub fn turn(&mut self) -> Result<(), Failure> {
        if self.queue.publish() == Notification::Needed {
            self.notifications[0] += 1;
            // A device that is gone is noticed by its silence.
            let _ = self.kick.send(());
        }
        let before = self.expected.len();
        loop {
            while let Some(done) = self.queue.take().map_err(Error::from)? {
                let exchange = self.expected.remove(&done.head).expect("a chain that was submitted");
                let mut answer = vec![0; exchange.writable.iter().sum::<u32>() as usize];
                let length = self.queue.read(done.head, &mut answer).map_err(Error::from)?;
                self.queue.free(done.head).map_err(Error::from)?;
                judge(&exchange, &answer[..length])?;
            }
            if self.expected.len() < before || before == 0 {
                return Ok(());
            }
            self.call.recv_timeout(PATIENCE)?;
            self.notifications[1] += 1;
        }
    }

    /// Waits for all that is out.
    pub fn finish(&mut self) -> Result<(), Failure> {
        while !self.expected.is_empty() {
            self.turn()?;
        }
        Ok(())
    }

    /// Lets the device go. The queue can be released when it has gone.
    pub fn close(self) -> SplitQueue<MappedMemory> {
        self.queue
    }
}

fn judge(exchange: &Exchange, answer: &[u8]) -> Result<(), Failure> {
    if answer == exchange.answer {
        return Ok(());
    }
    let told = |bytes: &[u8]| format!("{} bytes, the last of them {:?}", bytes.len(), bytes.last());
    Err(Failure::Answer { what: exchange.what, came: told(answer), expected: told(&exchange.answer) })
}
