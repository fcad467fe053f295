//! `VirtQueue` as a subject, with a careful caller.
//!
//! The caller keeps the buffers of each chain by its token, from `add` until `pop_used`. It cannot call `pop_used` with a token
//! that `add` did not return, since there are no buffers to pass. If the queue shows such a token, the caller reports a device
//! fault and a broken queue.

use super::any_queue::{self, AnyQueue};
use super::carried::carry;
use super::platform::{Area, Platform, within};
use super::transport::RecordingTransport;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, Geometry, Lent, MisuseKind, Provided,
    Refusal, SharedMemory, Subject,
};
use virtio_drivers::Error;

/// The capabilities of the queue. It begins at index 0, publishes each chain at once, and frees a chain when it returns it.
pub const CAN: Capabilities = Capabilities {
    should_notify: true,
    lengths: true,
    free_count: true,
    used_notifications: true,
    event_index: true,
    reset: true,
    ..Capabilities::NONE
};

/// A variant of queue and caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Variant {
    /// Whether the queue has the layout of legacy devices.
    pub legacy: bool,
    /// Whether the caller works around the known findings, to find others.
    pub spared: bool,
}

/// A careful caller.
struct Caller {
    variant: Variant,
    setup: Setup,
    provided: Provided,
    platform: Option<Platform>,
    transport: RecordingTransport,
    queue: Option<Box<dyn AnyQueue>>,
    buffers: Area,
    pool: BufferPool,
    /// For each token, the buffers that were added and not popped.
    added: Vec<Option<Lent>>,
    /// Number of buffers that were added and not popped.
    outstanding: usize,
    /// The buffers that were popped last, and the length.
    popped: Option<(Lent, u32)>,
    /// Number of used elements so far.
    used: u16,
    /// Whether the available index has wrapped since the last `publish`, and the index.
    available: (bool, u16),
    /// Whether the device showed a token that `add` did not return.
    broken: bool,
}

/// Makes a caller of a queue of this variant.
pub fn new(variant: Variant, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let size = setup.queue_size.as_usize();
    let mut caller = Caller {
        variant,
        setup: *setup,
        provided: provided.clone(),
        platform: Some(Platform::direct(provided)),
        transport: RecordingTransport::new(variant.legacy),
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
    /// Makes the queue and advances its ring indexes to `first`.
    fn make(&mut self, first: u16) {
        (self.used, self.available) = (first, (false, first));
        let Self { setup, provided, platform, transport, queue, .. } = self;
        *queue = Some(within(platform, || {
            let mut made = any_queue::new(setup.queue_size.get(), transport, setup.event_index);
            carry(&mut *made, &transport.geometry(provided), Area::of_rings(provided), first);
            made
        }));
    }

    fn queue(&self) -> &dyn AnyQueue {
        self.queue.as_deref().expect("the queue exists until the release")
    }

    /// Calls the queue with the buffers of a chain.
    fn with<T>(
        &mut self,
        lent: &Lent,
        call: impl for<'a, 'b> FnOnce(&mut dyn AnyQueue, &'a [&'b [u8]], &'a mut [&'b mut [u8]]) -> T,
    ) -> T {
        let Self { platform, queue, buffers, .. } = self;
        let at = |offset: usize| buffers.start.wrapping_add(offset);
        let reads = lent.readable.iter().map(|buffer| {
            // SAFETY: the range is in the buffers' memory, and the pool lent it only to this chain. The device takes turns with
            // the caller and does not write now.
            unsafe { std::slice::from_raw_parts(at(buffer.offset), buffer.length as usize) }
        });
        let inputs: Vec<&[u8]> = reads.collect();
        let writes = lent.writable.iter().map(|buffer| {
            // SAFETY: as above, and lent buffers do not overlap.
            unsafe { std::slice::from_raw_parts_mut(at(buffer.offset), buffer.length as usize) }
        });
        let mut outputs: Vec<&mut [u8]> = writes.collect();
        let queue = queue.as_deref_mut().expect("the queue exists until the release");
        within(platform, || call(queue, &inputs, &mut outputs))
    }

    /// Adds a chain that the queue must refuse: an empty one, or one of more buffers than there are free descriptors. The buffers
    /// are not from the pool, which has fewer.
    fn add_too_many(&mut self, readable: usize, writable: usize) -> Answer<u16> {
        let inputs: Vec<&[u8]> = vec![&[0]; readable];
        let mut bytes = vec![0; writable];
        let mut outputs: Vec<&mut [u8]> = bytes.chunks_mut(1).collect();
        let queue = self.queue.as_deref_mut().expect("the queue exists until the release");
        // SAFETY: if the queue accepts the buffers, the model ends the execution at once, so no device accesses them.
        within(&mut self.platform, || unsafe { queue.add(&inputs, &mut outputs) }).map_err(refused)
    }

    /// All 32 bits of the id of the next used element.
    fn id(&self) -> u32 {
        let Geometry { size, used, .. } = self.geometry();
        self.provided.rings.load_u32(used + 4 + 8 * usize::from(self.used % size))
    }

    /// Returns the popped buffers to the pool. They have been read by now.
    fn take_back(&mut self) {
        if let Some((lent, _)) = self.popped.take() {
            self.pool.take_back(lent);
        }
    }
}

/// The refusal for an error of `add`.
fn refused(error: Error) -> Refusal {
    Refusal::Misuse(match error {
        Error::QueueFull => MisuseKind::NotEnoughFree,
        Error::InvalidParam => MisuseKind::EmptyChain,
        _ => MisuseKind::Unspecified,
    })
}

impl Subject for Caller {
    fn geometry(&self) -> Geometry {
        self.transport.geometry(&self.provided)
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
        // "The buffers must not be empty": the pool refuses empty buffers, and buffers above the buffer size.
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        // SAFETY: the pool lends these buffers to no other chain until they are returned, after `pop_used` has succeeded.
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
        self.queue().should_notify() || self.variant.spared && wrapped
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.take_back();
        if self.broken {
            return Err(Refusal::Broken);
        }
        let Some(token) = self.queue().peek_used() else { return Ok(None) };
        let cut = self.variant.spared && self.id() != u32::from(token);
        let lent = self.added.get_mut(usize::from(token)).filter(|_| !cut).and_then(Option::take);
        let Some(lent) = lent else {
            self.broken = true;
            return Err(Refusal::Device(DeviceRefusal { broken: true, ..DeviceRefusal::default() }));
        };
        let answer = self.with(&lent, |queue, inputs, outputs| {
            // `pop_used` wants lists with the lifetime of the buffers, so copy the lists.
            let inputs: Vec<&[u8]> = inputs.to_vec();
            let mut outputs: Vec<&mut [u8]> = outputs.iter_mut().map(|buffer| &mut **buffer).collect();
            // SAFETY: these are the buffers for which `add` returned this token.
            unsafe { queue.pop_used(token, &inputs, &mut outputs) }
        });
        let length = answer.expect("`peek_used` has seen this element");
        self.outstanding -= lent.readable.len() + lent.writable.len();
        self.used = self.used.wrapping_add(1);
        self.popped = Some((lent, if self.variant.spared { u32::MAX } else { length }));
        Ok(Some(Completion { head: token, length }))
    }

    fn read(&mut self, _: u16, out: &mut [u8]) -> Answer<usize> {
        let (lent, length) = self.popped.as_ref().expect("the harness reads what it took");
        Ok(self.pool.read(lent, *length, out))
    }

    fn free_count(&self) -> u32 {
        self.queue().available_desc() as u32
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        let queue = self.queue.as_deref_mut()?;
        queue.set_dev_notify(wanted);
        Some(queue.can_pop())
    }

    /// The device is stopped and does not access the buffers any more. The crate's queue has no reset, so another one is made.
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
