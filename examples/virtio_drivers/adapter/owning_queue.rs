//! `OwningQueue` as a subject. It owns its buffers, and all are in flight except while its caller handles one.

use super::platform::{Area, Harness, Platform, within};
use super::transport::RecordingTransport;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Capabilities, Completion, DeviceRefusal, Geometry, Provided, Refusal, SharedMemory, Subject,
    Submission,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, Ordering};
use virtio_drivers::Result;
use virtio_drivers::queue::{OwningQueue, VirtQueue};

/// The largest queue size: the limit of [`any_queue`](super::any_queue::LARGEST), and one type for each pair of sizes.
pub const LARGEST: u16 = 256;

/// The capabilities of the queue.
pub const CAN: Capabilities = Capabilities {
    should_notify: true,
    submits_itself: true,
    lengths: true,
    used_notifications: true,
    event_index: true,
    reset: true,
    ..Capabilities::NONE
};

/// The methods of the crate's queue.
trait AnyOwning {
    /// Passes the next used buffer to `handler`, if there is one, and submits the buffer again.
    fn poll(
        &mut self,
        transport: &mut RecordingTransport,
        handler: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<()>>;
    fn should_notify(&self) -> bool;
    fn set_dev_notify(&mut self, enable: bool);
}

impl<const SIZE: usize, const BYTES: usize> AnyOwning for OwningQueue<Harness, SIZE, BYTES> {
    fn poll(
        &mut self,
        transport: &mut RecordingTransport,
        handler: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<()>> {
        self.poll(transport, |bytes| {
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
fn made(size: u16, bytes: u32, transport: &mut RecordingTransport, event_index: bool) -> Box<dyn AnyOwning> {
    macro_rules! of_size {
        ($bytes:literal: $($size:literal)*) => {
            match size {
                $($size => {
                    let queue = VirtQueue::<Harness, $size>::new(transport, 0, false, event_index);
                    let queue = queue.expect("the transport accepts any queue");
                    Box::new(OwningQueue::<_, $size, $bytes>::new(queue).expect("an empty queue has room"))
                })*
                _ => unreachable!("the harness makes no larger queue"),
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
    /// Whether this caller works around the known findings, to find others.
    spared: bool,
    setup: Setup,
    provided: Provided,
    /// Bytes of each buffer: the largest size that fits the setup and for which there is a type.
    bytes: u32,
    platform: Option<Platform>,
    transport: RecordingTransport,
    queue: Option<Box<dyn AnyOwning>>,
    rings: Area,
    /// The available index: the number of chains that the queue has published.
    available: u16,
    /// Heads of the chains that the queue submitted and that the harness does not know yet.
    unreported: VecDeque<u16>,
    /// Whether the queue is new. The caller sends the first notification; the queue sends the later ones itself.
    fresh: bool,
    /// The bytes of the last polled buffer.
    polled: Vec<u8>,
    broken: bool,
}

/// Makes a caller of a queue.
pub fn new(spared: bool, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let bytes = [64, 16].into_iter().find(|bytes| *bytes <= setup.buffer_size).unwrap_or(1);
    let mut caller = Caller {
        spared,
        setup: *setup,
        provided: provided.clone(),
        bytes: bytes.into(),
        platform: Some(Platform::bounced(provided, bytes.into())),
        transport: RecordingTransport::new(false),
        queue: None,
        rings: Area::of_rings(provided),
        available: 0,
        unreported: VecDeque::new(),
        fresh: false,
        polled: Vec::new(),
        broken: false,
    };
    caller.make();
    Box::new(caller)
}

impl Caller {
    fn make(&mut self) {
        let Self { setup, bytes, platform, transport, .. } = self;
        let size = setup.queue_size.get();
        self.queue = Some(within(platform, || made(size, *bytes, transport, setup.event_index)));
        (self.available, self.fresh, self.broken) = (0, true, false);
        self.unreported.clear();
        (0..size).for_each(|_| self.published());
    }

    /// Records that the queue published one more chain. Its head is in the available ring.
    fn published(&mut self) {
        let Geometry { size, available, .. } = self.geometry();
        let entry = self.rings.start.wrapping_add(available + 4 + 2 * usize::from(self.available % size));
        // SAFETY: an entry of the available ring, aligned to two bytes, in the rings' memory. No call of the queue is in
        // progress, so it has no reference to it.
        self.unreported.push_back(unsafe { AtomicU16::from_ptr(entry.cast()) }.load(Ordering::Relaxed));
        self.available = self.available.wrapping_add(1);
    }

    /// Whether the device claims more elements than there are buffers, or the crate does not handle the next element.
    fn next_is_bad(&self) -> bool {
        let Geometry { size, used, .. } = self.geometry();
        // All published chains that are not in flight were polled.
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
        self.transport.geometry(&self.provided)
    }

    fn submit(&mut self, _: &[&[u8]], _: &[u32]) -> Answer<u16> {
        unreachable!("the queue takes no chains of its caller")
    }

    fn submitted_itself(&mut self) -> Option<Submission> {
        let head = self.unreported.pop_front()?;
        Some(Submission { head, readable: Vec::new(), writable: vec![self.bytes] })
    }

    fn publish(&mut self) -> bool {
        let asked = std::mem::take(&mut self.fresh);
        let notified = self.transport.take_notified();
        notified || asked && self.queue.as_deref().is_some_and(AnyOwning::should_notify)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        if self.spared && self.next_is_bad() {
            self.broken = true;
            return Err(Refusal::Device(DeviceRefusal { broken: true, ..DeviceRefusal::default() }));
        }
        let Self { platform, transport, queue, polled, .. } = self;
        let queue = queue.as_deref_mut().expect("the queue exists until the release");
        let answer = within(platform, || {
            queue.poll(transport, &mut |bytes| {
                polled.clear();
                polled.extend_from_slice(bytes);
            })
        });
        match answer {
            Ok(None) => Ok(None),
            Ok(Some(())) => {
                self.published();
                let head = *self.unreported.back().expect("a polled chain is published again");
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

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.queue.as_deref_mut()?.set_dev_notify(wanted);
        // The crate has no way to ask whether a used element is waiting.
        None
    }

    /// The device is stopped. Unshares the buffers that the queue left shared.
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
