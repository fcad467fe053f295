//! The queue of `virtio-driver`, and what its caller keeps.

use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, Geometry, Lent, MisuseKind, Own, Provided,
    QueueSize, Refusal, SharedMemory, Subject, WrongAdapter,
};
use std::io::{Error, ErrorKind};
use virtio_driver::virtqueue::{Virtqueue, VirtqueueCompletion, VirtqueueLayout};
use virtio_driver::{Iova, IovaTranslator, iovec};

/// What the caller puts beside each request, in memory that the device sees too: its number.
type Request = u64;

/// A caller of the queue. As the crate's own `VirtioBlkQueue` does, it keeps what belongs to a request by the index that
/// `add_request` answered, and takes a completion for none if it has no request of that index.
struct Adapter {
    queue: Virtqueue<'static, Request>,
    provided: Provided,
    pool: BufferPool,
    setup: Setup,
    /// By index: the request's number and its buffers.
    requests: Vec<Option<(Request, Lent)>>,
    submitted: Request,
    /// What completed last. Its buffers are the pool's again with the next call, since it is read first.
    completed: Option<(u16, Lent)>,
}

impl Adapter {
    fn new(setup: &Setup, provided: &Provided) -> Self {
        Self {
            queue: queue(setup, provided),
            provided: provided.clone(),
            pool: BufferPool::new(setup, provided),
            setup: *setup,
            requests: (0..setup.queue_size.get()).map(|_| None).collect(),
            submitted: 0,
            completed: None,
        }
    }

    fn take_back(&mut self) {
        if let Some((_, lent)) = self.completed.take() {
            self.pool.take_back(lent);
        }
    }
}

/// A new queue over all of the rings' memory, which is zero.
fn queue(setup: &Setup, provided: &Provided) -> Virtqueue<'static, Request> {
    let length = provided.rings.len();
    // SAFETY: the memory is valid for so many bytes, by the contract of `expose`, for as long as the execution goes on, and the
    // subject is released with it. Nothing else of this process makes a reference to it. That the device writes to it
    // while the slice is lent is what `Virtqueue::new` asks for: "memory that is visible for the device".
    let memory = unsafe { std::slice::from_raw_parts_mut(provided.rings.expose(), length) };
    Virtqueue::new(Box::new(Translator::new(provided)), memory, setup.queue_size.get())
        .unwrap_or_else(|error| WrongAdapter::raise(format!("the queue is not made: {error}")))
}

/// Addresses of this process as the device sees them, by subtraction.
struct Translator {
    /// Of each memory: where it begins, its bytes, and where the device sees it.
    memories: [(usize, usize, u64); 2],
}

impl Translator {
    fn new(provided: &Provided) -> Self {
        let Provided { rings, buffers, rings_address, buffers_address } = provided;
        let memories = [(rings, rings_address), (buffers, buffers_address)]
            .map(|(memory, address)| (memory.expose().addr(), memory.len(), address.get()));
        Self { memories }
    }
}

impl IovaTranslator for Translator {
    fn translate_addr(&self, addr: usize, len: usize) -> Result<Iova, Error> {
        for (start, length, address) in self.memories {
            if let Some(offset) = addr.checked_sub(start)
                && offset.checked_add(len).is_some_and(|end| end <= length)
            {
                return Ok(Iova(address + offset as u64));
            }
        }
        Err(Error::new(ErrorKind::InvalidInput, "the address is in no memory that is mapped"))
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        // Told by address, as a transport tells the device.
        let start = self.provided.rings.expose().addr();
        Geometry {
            size: self.queue.queue_size(),
            table: self.queue.desc_table_ptr().addr() - start,
            available: self.queue.avail_ring_ptr().addr() - start,
            used: self.queue.used_ring_ptr().addr() - start,
        }
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.take_back();
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let start = self.provided.buffers.expose();
        let readable = lent.readable.iter().map(|buffer| (buffer, false));
        let buffers = readable.chain(lent.writable.iter().map(|buffer| (buffer, true)));
        let number = self.submitted + 1;
        let added = self.queue.add_request(|request, add| {
            *request = number;
            for (buffer, from_device) in buffers {
                let base = start.wrapping_add(buffer.offset).cast();
                add(iovec { iov_base: base, iov_len: buffer.length as usize }, from_device)?;
            }
            Ok(())
        });
        let Ok(index) = added else {
            // All addresses are mapped, so this is the only error that there is.
            self.pool.take_back(lent);
            return Err(Refusal::Misuse(MisuseKind::NotEnoughFree));
        };
        self.submitted = number;
        self.requests[usize::from(index)] = Some((number, lent));
        Ok(index)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.take_back();
        let Some(VirtqueueCompletion { idx, req }) = self.queue.completions().next() else { return Ok(None) };
        let Some((number, lent)) = self.requests[usize::from(idx)].take() else {
            // "If the backend sent a completion for a request we never made, just ignore it."
            return Err(Refusal::Device(DeviceRefusal { consumed: true, ..DeviceRefusal::default() }));
        };
        assert_eq!(req, number, "the request at {idx} completed with what belongs to another one");
        self.completed = Some((idx, lent));
        Ok(Some(Completion { head: idx, length: 0 }))
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        match &self.completed {
            Some((index, lent)) if *index == head => Ok(self.pool.read(lent, u32::MAX, out)),
            _ => WrongAdapter::raise("a request is read right after it completed"),
        }
    }

    /// The crate has no call for it: a device that was reset gets a new queue, over memory that is zero.
    fn reset(&mut self, _: u16) {
        self.provided.rings.zero(0, self.provided.rings.len());
        *self = Self::new(&self.setup, &self.provided);
    }

    fn release(self: Box<Self>) {}
}

/// Bytes of a queue, with what belongs to its requests.
fn bytes(size: QueueSize) -> usize {
    VirtqueueLayout::new::<Request>(1, size.as_usize()).expect("a power of two up to 32768").end_offset
}

/// The queue is reached by address, tells no lengths, and a request's descriptors are free once it completed.
const CAN: Capabilities = Capabilities { reset: true, ..Capabilities::NONE };

/// The queue as a subject.
pub const OWN: Own = Own::new("virtio-driver", CAN, |setup: &Setup, provided: &Provided| {
    Box::new(Adapter::new(setup, provided))
})
.with_rings(bytes);
