//! The queue of `virtio-driver`, and what its caller keeps.

use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, External, Geometry, Lent, MisuseKind,
    Provided, QueueSize, Refusal, SharedMemory, Subject, Trespass, WrongAdapter,
};
use std::io::{Error, ErrorKind};
use std::ops::Range;
use std::ptr;
use virtio_driver::virtqueue::{Virtqueue, VirtqueueCompletion, VirtqueueLayout};
use virtio_driver::{Iova, IovaTranslator, iovec};

/// What the caller puts beside each request, in memory that the device sees too: its number.
type Request = u64;

/// How a caller takes what completed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// It asks the iterator for the next one, as the crate's own `VirtioBlkQueue` does.
    Next,
    /// It takes no more than the iterator's `size_hint` says that there are.
    Hinted,
    /// It asks for the next one, and believes that it has a request of that index.
    Trusting,
}

/// A caller of the queue. As `VirtioBlkQueue` does, it keeps what belongs to a request by the index that `add_request`
/// answered, and takes a completion for none if it has no request of that index, unless it is [trusting](Taking::Trusting).
struct Adapter {
    /// There is one, but for a moment of a reset.
    queue: Option<Virtqueue<'static, Request>>,
    taking: Taking,
    setup: Setup,
    provided: Provided,
    pool: BufferPool,
    /// By index: the request's number and its buffers.
    requests: Vec<Option<(Request, Lent)>>,
    submitted: Request,
    /// What completed last. Its buffers are the pool's again with the next call, since it is read first.
    completed: Option<(u16, Lent)>,
}

impl Adapter {
    fn new(taking: Taking, setup: &Setup, provided: &Provided) -> Self {
        Self {
            queue: Some(queue(setup, provided)),
            taking,
            setup: *setup,
            provided: provided.clone(),
            pool: BufferPool::new(setup, provided),
            requests: (0..setup.queue_size.get()).map(|_| None).collect(),
            submitted: 0,
            completed: None,
        }
    }

    fn boxed(taking: Taking, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        Box::new(Self::new(taking, setup, provided))
    }

    fn queue(&mut self) -> &mut Virtqueue<'static, Request> {
        self.queue.as_mut().expect("only a reset takes it away")
    }

    /// Addresses of what belongs to requests.
    fn room(&self) -> Range<usize> {
        let start = self.provided.rings.expose().addr() + layout(self.setup.queue_size).req_offset;
        start..start + size_of::<Request>() * self.setup.queue_size.as_usize()
    }

    fn take_back(&mut self) {
        if let Some((_, lent)) = self.completed.take() {
            self.pool.take_back(lent);
        }
    }
}

/// A new queue over all of the rings' memory, which is zero and which no other queue is over.
fn queue(setup: &Setup, provided: &Provided) -> Virtqueue<'static, Request> {
    let length = provided.rings.len();
    // It is not the queue's alone, as a `&mut` promises: between two calls of it the simulated device, in this thread, reads and
    // writes the same bytes through pointers of its own, under the slices that the queue keeps. That is what `Virtqueue::new`
    // asks for ("`buf` has to be memory that is visible for the device"), and a device in another process does the same unseen
    // by the compiler; by the rules of references, which Miri checks, it is wrong, and no caller of this crate can do otherwise.
    // SAFETY: by the contract of `expose`, the memory is valid for so many bytes until the next execution begins, and the
    // subject is gone by then. No other reference to it is made while this queue is there.
    let memory = unsafe { std::slice::from_raw_parts_mut(provided.rings.expose(), length) };
    Virtqueue::new(Box::new(Translator::new(provided)), memory, setup.queue_size.get())
        .unwrap_or_else(|error| WrongAdapter::raise(format!("the queue is not made: {error}")))
}

/// Where the queue's memory and what belongs to its requests stand.
fn layout(size: QueueSize) -> VirtqueueLayout {
    VirtqueueLayout::new::<Request>(1, size.as_usize()).expect("a power of two up to 32768")
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
        let queue = self.queue.as_ref().expect("only a reset takes it away");
        Geometry {
            size: queue.queue_size(),
            table: queue.desc_table_ptr().addr() - start,
            available: queue.avail_ring_ptr().addr() - start,
            used: queue.used_ring_ptr().addr() - start,
        }
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.take_back();
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let start = self.provided.buffers.expose();
        let readable = lent.readable.iter().map(|buffer| (buffer, false));
        let buffers = readable.chain(lent.writable.iter().map(|buffer| (buffer, true)));
        let number = self.submitted + 1;
        let room = self.room();
        let added = self.queue().add_request(|request, add| {
            let place = ptr::from_mut(request).addr();
            if !room.contains(&place) {
                // Whoever writes there writes to somebody else's memory.
                let slot = place.wrapping_sub(room.start) / size_of::<Request>();
                Trespass::raise(format!(
                    "a new request's data is to be written to slot {slot}, outside the queue's memory"
                ));
            }
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
        let taking = self.taking;
        let mut completions = self.queue().completions();
        if taking == Taking::Hinted && completions.size_hint().1 == Some(0) {
            return Ok(None);
        }
        let Some(VirtqueueCompletion { idx, req }) = completions.next() else { return Ok(None) };
        let Some((number, lent)) = self.requests[usize::from(idx)].take() else {
            if taking == Taking::Trusting {
                return Ok(Some(Completion { head: idx, length: 0 }));
            }
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
            // A completion of nothing.
            _ => Ok(0),
        }
    }

    /// The crate has no call for it: a device that was reset gets a new queue, over memory that is zero.
    fn reset(&mut self, _: u16) {
        // The old queue has references to all of that memory.
        drop(self.queue.take());
        self.provided.rings.zero(0, self.provided.rings.len());
        *self = Self::new(self.taking, &self.setup, &self.provided);
    }

    fn release(self: Box<Self>) {}
}

/// The queue is reached by address, tells no lengths, and a request's descriptors are free once it completed.
const CAN: Capabilities = Capabilities { reset: true, ..Capabilities::NONE };

const fn subject(name: &'static str, build: fn(&Setup, &Provided) -> Box<dyn Subject>) -> External {
    External::new(name, CAN, build).with_rings(|size| layout(size).end_offset)
}

/// The queue as a subject, by three callers.
pub const OWN: [External; 3] = [
    subject("virtio-driver", |setup, provided| Adapter::boxed(Taking::Next, setup, provided)),
    subject("virtio-driver-hinted", |setup, provided| Adapter::boxed(Taking::Hinted, setup, provided)),
    subject("virtio-driver-trusting", |setup, provided| Adapter::boxed(Taking::Trusting, setup, provided)),
];

/// Where the scenarios are that go wrong with it.
pub const FINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/virtio_driver/findings");
