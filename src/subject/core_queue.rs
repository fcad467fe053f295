//! The adapter of ringstorm-core's queue.

use super::{Capabilities, Provided, Subject};
use crate::scenario::Setup;
use ringstorm_core::{
    ChainWriter, Config, DeviceFault, DeviceStopped, Error, Head, Layout, Misuse, Notification, Region,
    RingIndex, SplitQueue,
};
use ringstorm_model::{Answer, Completion, DeviceRefusal, HandleAge, MisuseKind, Refusal};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The error with which the caller cancels a chain.
const CANCELLED: Misuse = Misuse::EmptyChain;

/// A [`SplitQueue`] whose chains are identified by the index of their head.
#[derive(Debug, Clone)]
pub struct CoreQueue {
    queue: SplitQueue<Rc<WatchedMemory>>,
    setup: Setup,
    /// By head: the newest handle and the one before it. The handle that `take` returns replaces the newest one.
    handles: Vec<[Head; 2]>,
    lengths: Vec<u32>,
}

impl CoreQueue {
    pub(super) const CAPABILITIES: Capabilities = Capabilities {
        prepare: true,
        should_notify: true,
        submits_itself: false,
        tokens: false,
        computes_geometry: true,
        first_index: true,
        lengths: true,
        free: true,
        withdraw: true,
        write_in_place: true,
        free_count: true,
        used_notifications: true,
        event_index: true,
        rearms_each_take: true,
        reset: true,
        misuse: true,
        stale_handles: true,
        zeroing: true,
        policies: true,
        reports_bad_elements: true,
        consumes_bad_elements: true,
        refuses_index_jumps: true,
        reloads_used_index: true,
        reports_broken: true,
        follows_after_fault: true,
        follows_over_long: true,
        exact: true,
        reset_keeps_used_notifications: true,
        watched: true,
        watched_barriers: true,
        keeps_memory: true,
        unwinds: true,
        take_back: false,
        take_back_live: false,
        delayed_used_notifications: false,
        used_notification_handler: false,
    };

    /// Creates a queue over this memory.
    ///
    /// # Panics
    /// If core refuses the setup, which no setup of a scenario causes.
    pub fn new(setup: &Setup, provided: &Provided) -> Self {
        let config = Config {
            size: setup.queue_size,
            buffer_size: setup.buffer_size.into(),
            first_index: setup.first_index,
            event_index: setup.event_index,
            policies: setup.policies,
        };
        let rings = Region::at(Rc::clone(&provided.rings), provided.rings_address);
        let buffers = Region::at(Rc::clone(&provided.buffers), provided.buffers_address);
        let queue = SplitQueue::new(config, rings, buffers).expect("core accepts every setup of a scenario");
        let size = setup.queue_size.as_usize();
        // Capacity costs nothing until it is written, and no call has to allocate.
        Self { queue, setup: *setup, handles: Vec::with_capacity(size), lengths: Vec::with_capacity(size) }
    }

    fn handle(&self, head: u16, age: HandleAge) -> Head {
        let unknown = Head::from_parts(self.queue.id(), head, 0);
        let [current, stale] = self.handles.get(usize::from(head)).copied().unwrap_or([unknown; 2]);
        match age {
            HandleAge::Current => current,
            HandleAge::Stale => stale,
        }
    }

    fn submitted(&mut self, answer: Result<Head, Error>) -> Answer<u16> {
        let head = answer.map_err(|error| self.refusal(&error))?;
        let index = head.index();
        for unknown in self.handles.len()..=index.into() {
            self.handles.push([Head::from_parts(self.queue.id(), unknown as u16, 0); 2]);
        }
        let handles = &mut self.handles[usize::from(index)];
        *handles = [head, handles[0]];
        Ok(index)
    }

    fn record_taken(&mut self, head: Head) {
        if let Some([current, _]) = self.handles.get_mut(usize::from(head.index())) {
            *current = head;
        }
    }

    fn refusal(&self, error: &Error) -> Refusal {
        match error {
            Error::Misuse(misuse) => Refusal::Misuse(misuse_kind(misuse)),
            Error::Device(fault) => self.device_refusal(fault),
            Error::System(_) => Refusal::System,
        }
    }

    fn device_refusal(&self, fault: &DeviceFault) -> Refusal {
        let broken = self.queue.is_broken();
        match fault {
            DeviceFault::Broken | DeviceFault::Unwound => Refusal::Broken,
            DeviceFault::IndexJump { .. } => {
                Refusal::Device(DeviceRefusal { consumed: false, broken, returned: None })
            }
            DeviceFault::LengthTooLong { head, .. } => {
                Refusal::Device(DeviceRefusal { consumed: true, broken, returned: Some(head.index()) })
            }
            _ => Refusal::Device(DeviceRefusal { consumed: true, broken, returned: None }),
        }
    }
}

impl Subject for CoreQueue {
    fn geometry(&self) -> Geometry {
        let layout = Layout::new(self.setup.queue_size);
        Geometry {
            size: self.setup.queue_size.get(),
            table: layout.descriptors(),
            available: layout.available(),
            used: layout.used(),
        }
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let answer = self.queue.submit(readable, writable);
        self.submitted(answer)
    }

    fn write_in_place(&mut self, readable: &[&[u8]], writable: &[u32], piece: usize) -> Answer<u16> {
        self.lengths.clear();
        self.lengths.extend(readable.iter().map(|bytes| bytes.len() as u32));
        // A chain that the caller cancels must change nothing.
        let cancelled = self.queue.submit_with(&self.lengths, writable, |_| Err(CANCELLED));
        assert!(cancelled.is_err(), "`submit_with` returned a chain although its caller cancelled it");
        let answer = self
            .queue
            .submit_with(&self.lengths, writable, |writer| write_in_pieces(writer, readable, piece));
        self.submitted(answer)
    }

    fn publish(&mut self) -> bool {
        self.queue.publish() == Notification::Needed
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        match self.queue.take() {
            Ok(completion) => Ok(completion.map(|done| {
                self.record_taken(done.head);
                Completion { head: done.head.index(), length: done.written }
            })),
            Err(fault) => {
                if let DeviceFault::LengthTooLong { head, .. } = fault {
                    self.record_taken(head);
                }
                Err(self.device_refusal(&fault))
            }
        }
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue
            .read(self.handle(head, HandleAge::Current), out)
            .map_err(|misuse| Refusal::Misuse(misuse_kind(&misuse)))
    }

    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        self.queue.free(self.handle(head, age)).map_err(|misuse| Refusal::Misuse(misuse_kind(&misuse)))
    }

    fn withdraw(&mut self, head: u16) -> Answer<()> {
        let head = self.handle(head, HandleAge::Current);
        self.queue.withdraw(head).map_err(|misuse| Refusal::Misuse(misuse_kind(&misuse)))
    }

    fn free_count(&self) -> u32 {
        self.queue.free_count().into()
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        Some(self.queue.set_used_notifications(wanted))
    }

    fn reset(&mut self, first_index: u16) {
        self.queue.reset(DeviceStopped::confirmed(), RingIndex::new(first_index));
    }

    fn is_broken(&self) -> bool {
        self.queue.is_broken()
    }

    fn is_live(&self, head: u16) -> bool {
        self.queue.buffers(self.handle(head, HandleAge::Current)).is_ok()
    }

    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        Some(Box::new(self.clone()))
    }

    fn fingerprint(&self, mut state: &mut dyn Hasher) -> bool {
        let Self { queue, setup, handles: _, lengths: _ } = self;
        queue.fingerprint(&mut state);
        // The fingerprint needs only whether a handle is live.
        for head in 0..setup.queue_size.get() {
            for age in [HandleAge::Current, HandleAge::Stale] {
                queue.buffers(self.handle(head, age)).is_ok().hash(&mut state);
            }
        }
        true
    }

    fn release(self: Box<Self>) {
        self.queue.release(DeviceStopped::confirmed());
    }
}

/// Writes payload in pieces that cross buffer boundaries. Zeros at the end are not written, since the queue zeroes
/// what its caller does not write.
fn write_in_pieces(
    writer: &mut ChainWriter<'_, Rc<WatchedMemory>>,
    readable: &[&[u8]],
    piece: usize,
) -> Result<(), Misuse> {
    // A prime, so that pieces do not end where buffers end.
    let mut piece_bytes = [0; 251];
    let piece = piece.min(piece_bytes.len());
    let mut filled = 0;
    let zeros =
        readable.iter().rev().flat_map(|bytes| bytes.iter().rev()).take_while(|byte| **byte == 0).count();
    let mut left = writer.left() as usize - zeros;
    for bytes in readable {
        let mut rest = &bytes[..bytes.len().min(left)];
        left -= rest.len();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(piece - filled));
            piece_bytes[filled..filled + now.len()].copy_from_slice(now);
            (rest, filled) = (later, filled + now.len());
            if filled == piece {
                writer.write(&piece_bytes[..filled])?;
                filled = 0;
            }
        }
    }
    writer.write(&piece_bytes[..filled])
}

fn misuse_kind(misuse: &Misuse) -> MisuseKind {
    match misuse {
        Misuse::EmptyChain => MisuseKind::EmptyChain,
        Misuse::EmptyBuffer { .. } => MisuseKind::EmptyBuffer,
        Misuse::BufferTooLarge { .. } => MisuseKind::BufferTooLarge,
        Misuse::ChainTooLong => MisuseKind::ChainTooLong,
        Misuse::ChainExceedsQueue { .. } => MisuseKind::ChainExceedsQueue,
        Misuse::NotEnoughFree { .. } => MisuseKind::NotEnoughFree,
        Misuse::Published(_) => MisuseKind::Published,
        Misuse::HeadOutOfRange(_)
        | Misuse::HeadFree(_)
        | Misuse::HeadInsideChain(_)
        | Misuse::HeadStale(_)
        | Misuse::HeadOfAnotherQueue(_) => MisuseKind::BadHead,
        Misuse::NotReturned(_) => MisuseKind::NotReturned,
        // A scenario causes no other kind of misuse.
        _ => MisuseKind::Unspecified,
    }
}
