//! `VirtQueue` as a subject: a careful caller of it.
//!
//! The caller keeps the buffers of each chain by its token, from `add` until `pop_used`, and never calls `pop_used` with a
//! token that it has not: what buffers would match it? Where the queue shows such a token, there is nothing left to call,
//! and the caller says that the device is broken.

use super::any_queue::{self, AnyQueue};
use super::carried::carry;
use super::platform::{Area, Platform, within};
use super::transport::Told;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, Geometry, Lent, MisuseKind, Provided,
    Refusal, SharedMemory, Subject,
};
use virtio_drivers::Error;

/// What the queue can do. It begins at index 0, publishes with each chain, and lets go of a chain as it hands it back.
pub const CAN: Capabilities = Capabilities {
    should_notify: true,
    lengths: true,
    free_count: true,
    interrupts: true,
    event_index: true,
    reset: true,
    ..Capabilities::NONE
};

/// Of the kinds of this queue that there are, which one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kind {
    /// Laid out as legacy devices want it.
    pub legacy: bool,
    /// Spared what was found: the harness does for this caller what the crate does not, to see what else there is.
    pub spared: bool,
}

/// A careful caller.
struct Caller {
    kind: Kind,
    setup: Setup,
    provided: Provided,
    platform: Option<Platform>,
    told: Told,
    queue: Option<Box<dyn AnyQueue>>,
    buffers: Area,
    pool: BufferPool,
    /// By token: what was added and not popped.
    added: Vec<Option<Lent>>,
    /// Buffers of chains that were added and not popped.
    outstanding: usize,
    /// What was popped last: its buffers are the caller's again.
    popped: Option<(Lent, u32)>,
    /// Used elements so far.
    used: u16,
    /// Whether the available index has wrapped since somebody asked whether the device must be notified, and the index.
    available: (bool, u16),
    /// The device showed a token that nobody was given.
    broken: bool,
}

/// A caller of a queue of this kind.
pub fn new(kind: Kind, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let size = setup.queue_size.as_usize();
    let mut caller = Caller {
        kind,
        setup: *setup,
        provided: provided.clone(),
        platform: Some(Platform::direct(provided)),
        told: Told::new(kind.legacy),
        queue: None,
        buffers: Area::of_buffers(provided),
        pool: BufferPool::new(setup, provided),
        added: (0..size).map(|_| None).collect(),
        outstanding: 0,
        popped: None,
        used: 0,
        available: (false, 0),
        broken: false,
    };
    caller.make(setup.first_index.get());
    Box::new(caller)
}

impl Caller {
    /// Makes the queue, which begins at `first`.
    fn make(&mut self, first: u16) {
        (self.used, self.available) = (first, (false, first));
        let Self { setup, provided, platform, told, queue, .. } = self;
        *queue = Some(within(platform, || {
            let mut made = any_queue::new(setup.queue_size.get(), told, setup.event_index);
            carry(&mut *made, &told.geometry(provided), Area::of_rings(provided), first);
            made
        }));
    }

    fn queue(&self) -> &dyn AnyQueue {
        self.queue.as_deref().expect("the queue is there until it is released")
    }

    /// Makes a call of the queue with the buffers of a chain.
    fn with<T>(
        &mut self,
        lent: &Lent,
        call: impl for<'a, 'b> FnOnce(&mut dyn AnyQueue, &'a [&'b [u8]], &'a mut [&'b mut [u8]]) -> T,
    ) -> T {
        let Self { platform, queue, buffers, .. } = self;
        let at = |offset: usize| buffers.start.wrapping_add(offset);
        let reads = lent.readable.iter().map(|buffer| {
            // SAFETY: a part of the buffers' memory that the pool lent to this chain alone; the device, which takes turns
            // with the caller, does not write now.
            unsafe { std::slice::from_raw_parts(at(buffer.offset), buffer.length as usize) }
        });
        let inputs: Vec<&[u8]> = reads.collect();
        let writes = lent.writable.iter().map(|buffer| {
            // SAFETY: as above; no two buffers that are lent overlap.
            unsafe { std::slice::from_raw_parts_mut(at(buffer.offset), buffer.length as usize) }
        });
        let mut outputs: Vec<&mut [u8]> = writes.collect();
        let queue = queue.as_deref_mut().expect("the queue is there until it is released");
        within(platform, || call(queue, &inputs, &mut outputs))
    }

    /// Asks for more buffers than the queue has descriptors for, to be refused. They are not the pool's, which has not as
    /// many.
    fn add_too_many(&mut self, readable: usize, writable: usize) -> Answer<u16> {
        let inputs: Vec<&[u8]> = vec![&[0]; readable];
        let mut bytes = vec![0; writable];
        let mut outputs: Vec<&mut [u8]> = bytes.chunks_mut(1).collect();
        let queue = self.queue.as_deref_mut().expect("the queue is there until it is released");
        // SAFETY: should it accept them, the model ends the execution here: no device sees them.
        within(&mut self.platform, || unsafe { queue.add(&inputs, &mut outputs) }).map_err(refused)
    }

    /// The id of the next used element, all 32 bits of it.
    fn id(&self) -> u32 {
        let Geometry { size, used, .. } = self.geometry();
        self.provided.rings.load_u32(used + 4 + 8 * usize::from(self.used % size))
    }

    /// What was popped is read by now.
    fn take_back(&mut self) {
        if let Some((lent, _)) = self.popped.take() {
            self.pool.take_back(lent);
        }
    }
}

/// What `add` says.
fn refused(error: Error) -> Refusal {
    Refusal::Misuse(match error {
        Error::QueueFull => MisuseKind::NotEnoughFree,
        Error::InvalidParam => MisuseKind::EmptyChain,
        _ => MisuseKind::Unspecified,
    })
}

impl Subject for Caller {
    fn geometry(&self) -> Geometry {
        self.told.geometry(&self.provided)
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        self.take_back();
        if self.broken {
            return Err(Refusal::Broken);
        }
        let count = readable.len() + writable.len();
        if count == 0 || count > self.added.len() - self.outstanding {
            return self.add_too_many(readable.len(), writable.len());
        }
        // "The buffers must not be empty": the pool refuses those that are, and those above the buffer size.
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        // SAFETY: the pool lends these buffers to nobody else until they are taken back, once `pop_used` has succeeded.
        let answer = self.with(&lent, |queue, inputs, outputs| unsafe { queue.add(inputs, outputs) });
        match answer {
            Ok(token) => {
                self.outstanding += count;
                let next = self.available.1.wrapping_add(1);
                self.available = (self.available.0 || next == 0, next);
                if let Some(place) = self.added.get_mut(usize::from(token)) {
                    *place = Some(lent);
                }
                Ok(token)
            }
            Err(error) => {
                self.pool.take_back(lent);
                Err(refused(error))
            }
        }
    }

    fn publish(&mut self) -> bool {
        let wrapped = std::mem::take(&mut self.available.0);
        self.queue().should_notify() || self.kind.spared && wrapped
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.take_back();
        if self.broken {
            return Err(Refusal::Broken);
        }
        let Some(token) = self.queue().peek_used() else { return Ok(None) };
        let cut = self.kind.spared && self.id() != u32::from(token);
        let lent = self.added.get_mut(usize::from(token)).filter(|_| !cut).and_then(Option::take);
        let Some(lent) = lent else {
            self.broken = true;
            return Err(Refusal::Device(DeviceRefusal { broken: true, ..DeviceRefusal::default() }));
        };
        let answer = self.with(&lent, |queue, inputs, outputs| {
            // A list that is lent for as long as its buffers are is a list of its own.
            let inputs: Vec<&[u8]> = inputs.to_vec();
            let mut outputs: Vec<&mut [u8]> = outputs.iter_mut().map(|buffer| &mut **buffer).collect();
            // SAFETY: these are the buffers that were added when the queue answered with this token.
            unsafe { queue.pop_used(token, &inputs, &mut outputs) }
        });
        let length = answer.expect("an element that was seen is there");
        self.outstanding -= lent.readable.len() + lent.writable.len();
        self.used = self.used.wrapping_add(1);
        self.popped = Some((lent, if self.kind.spared { u32::MAX } else { length }));
        Ok(Some(Completion { head: token, length }))
    }

    fn read(&mut self, _: u16, out: &mut [u8]) -> Answer<usize> {
        let (lent, length) = self.popped.as_ref().expect("the harness reads what it took");
        Ok(self.pool.read(lent, *length, out))
    }

    fn free_count(&self) -> u32 {
        self.queue().available_desc() as u32
    }

    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        let queue = self.queue.as_deref_mut()?;
        queue.set_dev_notify(wanted);
        Some(queue.can_pop())
    }

    /// The device is stopped, and does not have the buffers any more. The queue has no way to start over, so another one
    /// is made.
    fn reset(&mut self, first_index: u16) {
        within(&mut self.platform, || drop(self.queue.take()));
        self.take_back();
        let Self { added, pool, .. } = self;
        added.iter_mut().filter_map(Option::take).for_each(|lent| pool.take_back(lent));
        (self.outstanding, self.broken) = (0, false);
        self.make(first_index);
    }

    fn release(self: Box<Self>) {}
}

impl Drop for Caller {
    fn drop(&mut self) {
        within(&mut self.platform, || drop(self.queue.take()));
    }
}
