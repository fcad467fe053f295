//! A pool of buffers for adapters whose queue does not own buffers.

use super::Provided;
use crate::scenario::Setup;
use ringstorm_core::DeviceAddress;
use ringstorm_model::MisuseKind;
use ringstorm_sim_device::WatchedMemory;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// What the [`BufferPool`] of an execution has lent. The harness compares this with the live chains.
#[derive(Debug, Default)]
pub struct Lendings {
    /// The number of buffers that are lent.
    lent: Cell<usize>,
    /// The number of buffers that chains should have got, but the pool had none left.
    missing: Cell<usize>,
    /// The number of buffers that were given back, although they were not lent.
    not_lent: Cell<usize>,
}

impl Lendings {
    /// Begins with a pool that has lent `lent` buffers.
    pub(crate) fn begin(&self, lent: usize) {
        self.lent.set(lent);
        self.missing.set(0);
        self.not_lent.set(0);
    }

    /// The number of buffers that are lent.
    pub(crate) const fn lent(&self) -> usize {
        self.lent.get()
    }

    /// Forgets the buffers that earlier chains did not get.
    pub(crate) fn forget_missing(&self) {
        self.missing.set(0);
    }

    /// Whether a chain did not get all its buffers, and was not given back.
    pub(crate) const fn is_short(&self) -> bool {
        self.missing.get() > 0
    }

    /// The number of buffers that were given back, although they were not lent.
    pub(crate) const fn not_lent(&self) -> usize {
        self.not_lent.get()
    }
}

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
///
/// The adapter [gives back](Self::take_back) the buffers of each chain that is refused, freed, withdrawn, or ended by a
/// reset, at the latest in the next call of [`submit`](super::Subject::submit). A pool that replaces an older one has lent
/// nothing. If buffers are not given back, or given back twice, the run ends with a message that says so. Keep the
/// buffers of each chain in the adapter, not in the queue: a queue that loses a chain then loses no buffer.
#[derive(Debug, Clone)]
pub struct BufferPool {
    memory: Rc<WatchedMemory>,
    address: DeviceAddress,
    each: usize,
    /// The numbers of the buffers that are not lent.
    free: Vec<usize>,
    /// By number: whether the buffer is lent.
    is_lent: Vec<bool>,
    lendings: Rc<Lendings>,
}

impl BufferPool {
    /// Creates the buffers of this setup, none of them lent.
    pub fn new(setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.as_usize();
        provided.lendings.begin(0);
        Self {
            memory: Rc::clone(&provided.buffers),
            address: provided.buffers_address,
            each: setup.buffer_size.into(),
            free: (0..size).rev().collect(),
            is_lent: vec![false; size],
            lendings: Rc::clone(&provided.lendings),
        }
    }

    /// Lends buffers to a chain and copies its payload into them. There are enough buffers for each chain that has
    /// enough free descriptors. Whether it has is not checked here: the queue must refuse the chain. If it accepts a
    /// chain that it may accept, and the pool had too few buffers for it, the adapter has not given back the buffers of
    /// earlier chains.
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
        self.record();
        Ok(lent)
    }

    /// If no buffer is left, the address is the one of the first buffer.
    fn next(&mut self, length: u32) -> Buffer {
        let number = self.free.pop();
        match number {
            Some(number) => self.is_lent[number] = true,
            None => self.lendings.missing.set(self.lendings.missing.get() + 1),
        }
        let offset = self.each * number.unwrap_or(0);
        Buffer { offset, address: DeviceAddress::new(self.address.get() + offset as u64), length, number }
    }

    /// Hashes which buffers are lent, and in which order the others will be lent, for the
    /// [fingerprint](super::Subject::fingerprint) of an adapter. The adapter hashes each [`Lent`] itself.
    pub fn fingerprint(&self, mut state: &mut dyn Hasher) {
        self.free.hash(&mut state);
    }

    /// Takes back the buffers of a chain that is refused, freed, withdrawn, or ended by a reset.
    pub fn take_back(&mut self, lent: Lent) {
        let Lendings { missing, not_lent, .. } = &*self.lendings;
        for buffer in lent.readable.iter().chain(&lent.writable).rev() {
            match buffer.number {
                Some(number) if std::mem::take(&mut self.is_lent[number]) => self.free.push(number),
                Some(_) => not_lent.set(not_lent.get() + 1),
                None => missing.set(missing.get().saturating_sub(1)),
            }
        }
        self.record();
    }

    /// Records the number of buffers that are lent. After a return to an earlier state, another copy of the pool counts.
    fn record(&self) {
        self.lendings.lent.set(self.is_lent.len() - self.free.len());
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
