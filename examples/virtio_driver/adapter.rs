//! The queue of `virtio-driver` as a subject.

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

/// The caller's data for each request: its number. The queue keeps it in memory that the device sees too.
type Request = u64;

/// How a caller takes completions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// It calls `next` of the iterator, as the crate's own `VirtioBlkQueue` does.
    Next,
    /// It takes no more completions than the iterator's `size_hint` reports.
    Hinted,
    /// It calls `next`, and does not check whether it has a request of the returned index.
    Trusting,
}

/// A caller of the queue. Like `VirtioBlkQueue`, it keeps its requests by the index that `add_request` returned, and ignores a
/// completion if it has no request of that index, unless it is [trusting](Taking::Trusting).
struct Adapter {
    /// `None` only during a reset.
    queue: Option<Virtqueue<'static, Request>>,
    taking: Taking,
    setup: Setup,
    provided: Provided,
    pool: BufferPool,
    /// By index: the request's number and its buffers.
    requests: Vec<Option<(Request, Lent)>>,
    submitted: Request,
    /// The last completed request. The next call returns its buffers to the pool; it has been read by then.
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
        self.queue.as_mut().expect("there is a queue except during a reset")
    }

    /// The address range of the callers' data for requests.
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

/// A new queue over all of the rings' memory, which is zero and which no other queue uses.
fn queue(setup: &Setup, provided: &Provided) -> Virtqueue<'static, Request> {
    let length = provided.rings.len();
    // This breaks the rules of references, which Miri checks: `&mut` promises exclusive access, but the simulated device, in this
    // thread, accesses the same bytes through its own pointers between two calls of the queue. No caller of this crate can avoid
    // it, because `Virtqueue::new` requires it ("`buf` has to be memory that is visible for the device"). With a device in
    // another process the compiler cannot see the accesses.
    // SAFETY: by the contract of `expose`, the memory is valid for this length until the next execution begins, and the subject
    // is dropped before. No other reference to the memory is made while this queue exists.
    let memory = unsafe { std::slice::from_raw_parts_mut(provided.rings.expose(), length) };
    Virtqueue::new(Box::new(Translator::new(provided)), memory, setup.queue_size.get())
        .unwrap_or_else(|error| WrongAdapter::raise(format!("the queue cannot be made: {error}")))
}

/// The layout of the queue and of the callers' data for requests.
fn layout(size: QueueSize) -> VirtqueueLayout {
    VirtqueueLayout::new::<Request>(1, size.as_usize()).expect("a power of two up to 32768")
}

/// Translates addresses of this process to device addresses.
struct Translator {
    /// For each memory: its address in this process, its length in bytes, and its device address.
    memories: [(usize, usize, u64); 2],
}

impl Translator {
    fn new(provided: &Provided) -> Self {
        let Provided { rings, buffers, rings_address, buffers_address, .. } = provided;
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
        Err(Error::new(ErrorKind::InvalidInput, "the address is outside the mapped memory"))
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        // The crate gives addresses, as a transport needs them.
        let start = self.provided.rings.expose().addr();
        let queue = self.queue.as_ref().expect("there is a queue except during a reset");
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
                // A write to this place would corrupt other memory.
                let slot = place.wrapping_sub(room.start) / size_of::<Request>();
                Trespass::raise(format!(
                    "the queue asks its caller to write the data of a new request to slot {slot}, outside its memory"
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
            // All addresses are mapped, so this is the only possible error.
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
        assert_eq!(req, number, "the request of index {idx} completed with the data of another request");
        self.completed = Some((idx, lent));
        Ok(Some(Completion { head: idx, length: 0 }))
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        match &self.completed {
            Some((index, lent)) if *index == head => Ok(self.pool.read(lent, u32::MAX, out)),
            // A completion without a request.
            _ => Ok(0),
        }
    }

    /// The crate has no reset. After a device reset the caller makes a new queue, over zeroed memory.
    fn reset(&mut self, _: u16) {
        // The old queue has references to all of the memory, so drop it first.
        drop(self.queue.take());
        self.provided.rings.zero(0, self.provided.rings.len());
        *self = Self::new(self.taking, &self.setup, &self.provided);
    }

    fn release(self: Box<Self>) {}
}

/// The queue accesses its memory by raw pointers, reports no lengths, and frees descriptors when a request completes.
const CAN: Capabilities = Capabilities { reset: true, ..Capabilities::NONE };

const fn subject(name: &'static str, build: fn(&Setup, &Provided) -> Box<dyn Subject>) -> External {
    External::new(name, CAN, build).with_rings(|size| layout(size).end_offset)
}

/// The queue as a subject, with three kinds of callers.
pub const OWN: [External; 3] = [
    subject("virtio-driver", |setup, provided| Adapter::boxed(Taking::Next, setup, provided)),
    subject("virtio-driver-hinted", |setup, provided| Adapter::boxed(Taking::Hinted, setup, provided)),
    subject("virtio-driver-trusting", |setup, provided| Adapter::boxed(Taking::Trusting, setup, provided)),
];

/// The folder of the findings.
pub const FINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/virtio_driver/findings");
