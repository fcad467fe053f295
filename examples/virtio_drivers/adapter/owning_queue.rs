//! `OwningQueue` as a subject: it has buffers of its own, all of which the device has whenever the caller does not look at one.

use super::platform::{Area, Harness, Platform, within};
use super::transport::Told;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Capabilities, Completion, DeviceRefusal, Geometry, Provided, Refusal, SharedMemory, Subject,
    Submission,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, Ordering};
use virtio_drivers::Result;
use virtio_drivers::queue::{OwningQueue, VirtQueue};

/// The most descriptors: as for [`any_queue`](super::any_queue::LARGEST), but there is one type for each pair of sizes.
pub const LARGEST: u16 = 256;

/// What the queue can do.
pub const CAN: Capabilities = Capabilities {
    should_notify: true,
    submits_itself: true,
    lengths: true,
    interrupts: true,
    event_index: true,
    reset: true,
    ..Capabilities::NONE
};

/// What the crate offers of a queue.
trait AnyOwning {
    /// Hands what was used next to `handler`, if anything was, and gives it to the device again.
    fn poll(&mut self, told: &mut Told, handler: &mut dyn FnMut(&[u8])) -> Result<Option<()>>;
    fn should_notify(&self) -> bool;
    fn set_dev_notify(&mut self, enable: bool);
}

impl<const SIZE: usize, const BYTES: usize> AnyOwning for OwningQueue<Harness, SIZE, BYTES> {
    fn poll(&mut self, told: &mut Told, handler: &mut dyn FnMut(&[u8])) -> Result<Option<()>> {
        self.poll(told, |bytes| {
            handler(bytes);
            Ok(Some(()))
        })
    }
    fn should_notify(&self) -> bool {
        self.should_notify()
    }
    fn set_dev_notify(&mut self, enable: bool) {
        self.set_dev_notify(enable);
    }
}

/// A queue of this size with buffers of this many bytes.
fn made(size: u16, bytes: u32, told: &mut Told, event_index: bool) -> Box<dyn AnyOwning> {
    macro_rules! of_size {
        ($bytes:literal: $($size:literal)*) => {
            match size {
                $($size => {
                    let queue = VirtQueue::<Harness, $size>::new(told, 0, false, event_index);
                    let queue = queue.expect("the transport takes any queue");
                    Box::new(OwningQueue::<_, $size, $bytes>::new(queue).expect("an empty queue has room"))
                })*
                _ => unreachable!("larger queues are made of the largest size"),
            }
        };
    }
    match bytes {
        1 => of_size!(1: 1 2 4 8 16 32 64 128 256),
        16 => of_size!(16: 1 2 4 8 16 32 64 128 256),
        _ => of_size!(64: 1 2 4 8 16 32 64 128 256),
    }
}

/// A caller that polls.
struct Caller {
    /// Spared what was found: the harness does for this caller what the crate does not, to see what else there is.
    spared: bool,
    setup: Setup,
    provided: Provided,
    /// Bytes in each buffer: as many as the setup has room for, of those that there are types for.
    bytes: u32,
    platform: Option<Platform>,
    told: Told,
    queue: Option<Box<dyn AnyOwning>>,
    rings: Area,
    /// The available index, of which this counts what the queue has published.
    available: u16,
    /// Heads of the chains that the queue submitted and did not tell of.
    untold: VecDeque<u16>,
    /// Whether the queue was just made: its caller notifies the device then, and it does so itself from then on.
    fresh: bool,
    /// What was polled last.
    polled: Vec<u8>,
    broken: bool,
}

/// A caller of a queue.
pub fn new(spared: bool, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let bytes = [64, 16].into_iter().find(|bytes| *bytes <= setup.buffer_size).unwrap_or(1);
    let mut caller = Caller {
        spared,
        setup: *setup,
        provided: provided.clone(),
        bytes: bytes.into(),
        platform: Some(Platform::bounced(provided, bytes.into())),
        told: Told::new(false),
        queue: None,
        rings: Area::of_rings(provided),
        available: 0,
        untold: VecDeque::new(),
        fresh: false,
        polled: Vec::new(),
        broken: false,
    };
    caller.make();
    Box::new(caller)
}

impl Caller {
    fn make(&mut self) {
        let Self { setup, bytes, platform, told, .. } = self;
        let size = setup.queue_size.get();
        self.queue = Some(within(platform, || made(size, *bytes, told, setup.event_index)));
        (self.available, self.fresh, self.broken) = (0, true, false);
        self.untold.clear();
        (0..size).for_each(|_| self.published());
    }

    /// The queue has published one more chain, whose head stands in the available ring.
    fn published(&mut self) {
        let Geometry { size, available, .. } = self.geometry();
        let entry = self.rings.start.wrapping_add(available + 4 + 2 * usize::from(self.available % size));
        // SAFETY: an entry of the available ring, two bytes at a multiple of two in the rings' memory; the queue, which is
        // not called now, has no reference to it.
        self.untold.push_back(unsafe { AtomicU16::from_ptr(entry.cast()) }.load(Ordering::Relaxed));
        self.available = self.available.wrapping_add(1);
    }

    /// Whether the device claims more elements than there are buffers, or the next one is none that the crate is prepared for.
    fn unbearable(&self) -> bool {
        let Geometry { size, used, .. } = self.geometry();
        // All that was published and is not with the device was polled.
        let index = self.available.wrapping_sub(size);
        let element = used + 4 + 8 * usize::from(index % size);
        let load = |offset| self.provided.rings.load_u32(offset);
        let claimed = self.provided.rings.load_u16(used + 2).wrapping_sub(index);
        claimed > size || claimed > 0 && (load(element) >= size.into() || load(element + 4) > self.bytes)
    }

    fn drop_queue(&mut self) {
        within(&mut self.platform, || drop(self.queue.take()));
        if let Some(platform) = self.platform.as_mut().filter(|_| self.spared) {
            platform.unshare_all();
        }
    }
}

impl Subject for Caller {
    fn geometry(&self) -> Geometry {
        self.told.geometry(&self.provided)
    }

    fn submit(&mut self, _: &[&[u8]], _: &[u32]) -> Answer<u16> {
        unreachable!("it takes no chains of its caller")
    }

    fn submitted_itself(&mut self) -> Option<Submission> {
        let head = self.untold.pop_front()?;
        Some(Submission { head, readable: Vec::new(), writable: vec![self.bytes] })
    }

    fn publish(&mut self) -> bool {
        let asked = std::mem::take(&mut self.fresh);
        let notified = self.told.take_notified();
        notified || asked && self.queue.as_deref().is_some_and(AnyOwning::should_notify)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        if self.spared && self.unbearable() {
            self.broken = true;
            return Err(Refusal::Device(DeviceRefusal { broken: true, ..DeviceRefusal::default() }));
        }
        let Self { platform, told, queue, polled, .. } = self;
        let queue = queue.as_deref_mut().expect("the queue is there until it is released");
        let answer = within(platform, || {
            queue.poll(told, &mut |bytes| {
                polled.clear();
                polled.extend_from_slice(bytes);
            })
        });
        match answer {
            Ok(None) => Ok(None),
            Ok(Some(())) => {
                self.published();
                let head = *self.untold.back().expect("what is polled is published again");
                Ok(Some(Completion { head, length: self.polled.len() as u32 }))
            }
            Err(_) => {
                self.broken = true;
                Err(Refusal::Device(DeviceRefusal { broken: true, ..DeviceRefusal::default() }))
            }
        }
    }

    fn read(&mut self, _: u16, out: &mut [u8]) -> Answer<usize> {
        let count = out.len().min(self.polled.len());
        out[..count].copy_from_slice(&self.polled[..count]);
        Ok(count)
    }

    fn interrupts(&mut self, wanted: bool) -> Option<bool> {
        self.queue.as_deref_mut()?.set_dev_notify(wanted);
        // It has no way to ask whether something is waiting.
        None
    }

    /// The device is stopped. What the queue left shared is shared no more.
    fn reset(&mut self, _: u16) {
        self.drop_queue();
        if let Some(platform) = &mut self.platform {
            platform.unshare_all();
        }
        self.make();
    }

    fn release(self: Box<Self>) {}
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.drop_queue();
    }
}
