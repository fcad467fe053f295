//! The buffers of a caller.

use super::Provided;
use crate::scenario::Setup;
use ringstorm_core::DeviceAddress;
use ringstorm_model::MisuseKind;
use ringstorm_sim_device::WatchedMemory;
use std::rc::Rc;

/// A part of [`Provided::buffers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// In bytes from the beginning of that memory.
    pub offset: usize,
    /// Where the device sees it.
    pub address: DeviceAddress,
    /// Bytes.
    pub length: u32,
    /// Which one it is; none of the pool's for those that are too many.
    number: Option<usize>,
}

/// The buffers of one chain.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Lent {
    /// What the device reads: the payload stands there.
    pub readable: Vec<Buffer>,
    /// What the device writes.
    pub writable: Vec<Buffer>,
}

/// The buffers of a caller, for an adapter whose queue takes buffers and copies nothing: as many as the queue has
/// descriptors, each as long as the longest one can be.
#[derive(Debug, Clone)]
pub struct BufferPool {
    memory: Rc<WatchedMemory>,
    address: DeviceAddress,
    each: usize,
    /// Numbers of those that are not lent.
    free: Vec<usize>,
}

impl BufferPool {
    /// All buffers of this setup, none of them lent.
    pub fn new(setup: &Setup, provided: &Provided) -> Self {
        Self {
            memory: Rc::clone(&provided.buffers),
            address: provided.buffers_address,
            each: setup.buffer_size.into(),
            free: (0..setup.queue_size.as_usize()).rev().collect(),
        }
    }

    /// Lends buffers to a chain, with its payload in them. There are buffers for every chain that the queue has descriptors
    /// for; whether it has is for the queue to say.
    ///
    /// # Errors
    /// What is wrong with the chain, if there is no buffer in it, an empty one, or one above the buffer size.
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

    /// More buffers than there are descriptors begin where the first one does.
    fn next(&mut self, length: u32) -> Buffer {
        let number = self.free.pop();
        let offset = self.each * number.unwrap_or(0);
        Buffer { offset, address: DeviceAddress::new(self.address.get() + offset as u64), length, number }
    }

    /// Takes buffers back, of a chain that was refused or came back.
    pub fn take_back(&mut self, lent: Lent) {
        self.free.extend(lent.readable.iter().chain(&lent.writable).rev().filter_map(|buffer| buffer.number));
    }

    /// Copies the first bytes that stand in what the device may write, `length` or as many as `out` has room for. Says how
    /// many.
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
