//! A pool of buffers for adapters whose queue does not own buffers.

use super::Provided;
use crate::scenario::Setup;
use ringstorm_core::DeviceAddress;
use ringstorm_model::MisuseKind;
use ringstorm_sim_device::WatchedMemory;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// A part of [`Provided::buffers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// The offset in this memory in bytes.
    pub offset: usize,
    /// The device address.
    pub address: DeviceAddress,
    /// The length in bytes.
    pub length: u32,
    /// The number in the pool. `None` if the pool had no buffer left.
    number: Option<usize>,
}

/// The buffers of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lent {
    /// The device-readable buffers, with the payload in them.
    pub readable: Vec<Buffer>,
    /// The device-writable buffers.
    pub writable: Vec<Buffer>,
}

/// The buffers of a caller, for an adapter whose queue copies no payload. There are as many buffers as descriptors,
/// and each has the buffer size of the setup.
#[derive(Debug, Clone)]
pub struct BufferPool {
    memory: Rc<WatchedMemory>,
    address: DeviceAddress,
    each: usize,
    /// The numbers of the buffers that are not lent.
    free: Vec<usize>,
}

impl BufferPool {
    /// Creates the buffers of this setup, none of them lent.
    pub fn new(setup: &Setup, provided: &Provided) -> Self {
        Self {
            memory: Rc::clone(&provided.buffers),
            address: provided.buffers_address,
            each: setup.buffer_size.into(),
            free: (0..setup.queue_size.as_usize()).rev().collect(),
        }
    }

    /// Lends buffers to a chain and copies its payload into them. There are enough buffers for each chain that has
    /// enough free descriptors. Whether it has is not checked here: the queue must refuse the chain.
    ///
    /// # Errors
    /// If the chain has no buffer, an empty buffer, or a buffer longer than the buffer size.
    pub fn lend(&mut self, readable: &[&[u8]], writable: &[u32]) -> Result<Lent, MisuseKind> {
        let lengths = readable.iter().map(|bytes| bytes.len());
        let mut lengths = lengths.chain(writable.iter().map(|length| *length as usize)).peekable();
        if lengths.peek().is_none() {
            return Err(MisuseKind::EmptyChain);
        }
        if let Some(length) = lengths.find(|length| *length == 0 || *length > self.each) {
            return Err(if length == 0 { MisuseKind::EmptyBuffer } else { MisuseKind::BufferTooLarge });
        }
        let mut lent = Lent::default();
        for bytes in readable {
            let buffer = self.next(bytes.len() as u32);
            if buffer.number.is_some() {
                self.memory.copy_in_for_caller(buffer.offset, bytes);
            }
            lent.readable.push(buffer);
        }
        lent.writable.extend(writable.iter().map(|length| self.next(*length)));
        Ok(lent)
    }

    /// If no buffer is left, the address is the one of the first buffer.
    fn next(&mut self, length: u32) -> Buffer {
        let number = self.free.pop();
        let offset = self.each * number.unwrap_or(0);
        Buffer { offset, address: DeviceAddress::new(self.address.get() + offset as u64), length, number }
    }

    /// Hashes which buffers are lent, and in which order the others will be lent, for the
    /// [fingerprint](super::Subject::fingerprint) of an adapter. The adapter hashes each [`Lent`] itself.
    pub fn fingerprint(&self, mut state: &mut dyn Hasher) {
        self.free.hash(&mut state);
    }

    /// Takes back the buffers of a chain that was refused or taken.
    pub fn take_back(&mut self, lent: Lent) {
        self.free.extend(lent.readable.iter().chain(&lent.writable).rev().filter_map(|buffer| buffer.number));
    }

    /// Copies the first `length` bytes of the device-writable buffers into `out`, or as many as fit. Returns the
    /// number of bytes.
    pub fn read(&self, lent: &Lent, length: u32, out: &mut [u8]) -> usize {
        let mut count = 0;
        let wanted = out.len().min(length as usize);
        for buffer in &lent.writable {
            let part = (buffer.length as usize).min(wanted - count);
            self.memory.copy_out_for_caller(buffer.offset, &mut out[count..count + part]);
            count += part;
        }
        count
    }
}
