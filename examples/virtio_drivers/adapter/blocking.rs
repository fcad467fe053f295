//! `VirtQueue::add_notify_wait_pop` as a subject: a caller that waits for the device.
//!
//! The call runs in its own thread. After it has notified the device, the thread pauses until there is a used element. So the
//! two threads take turns, and the call never spins. It "assumes that the device isn't processing any other buffers at the same
//! time", so the queue has a single descriptor.
//!
//! The call borrows its buffer while the device writes. To avoid a write to borrowed bytes, the borrowed buffer is a
//! [`SingleBuffer`] on the heap, and the device sees a buffer of the pool instead.

use super::platform::{Harness, Platform, within};
use super::transport::{Pause, RecordingTransport};
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, Geometry, Lent, MisuseKind, Provided,
    Refusal, SharedMemory, Subject,
};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use virtio_drivers::Result;
use virtio_drivers::queue::VirtQueue;

/// The capabilities of the queue.
pub const CAN: Capabilities = Capabilities { lengths: true, reset: true, ..Capabilities::NONE };

/// The only possible head.
const HEAD: u16 = 0;

/// A queue with the platform and the transport that its calls need.
struct Callable {
    queue: Option<VirtQueue<Harness, 1>>,
    platform: Option<Platform>,
    transport: RecordingTransport,
}

// SAFETY: queue and transport are `Send`, and a platform made by `Platform::beside` contains only addresses.
unsafe impl Send for Callable {}

impl Callable {
    fn new(provided: &Provided) -> Self {
        let (mut platform, mut transport) =
            (Some(Platform::beside(provided)), RecordingTransport::new(false));
        let queue = within(&mut platform, || VirtQueue::new(&mut transport, 0, false, false));
        Self { queue: Some(queue.expect("the transport accepts any queue")), platform, transport }
    }

    /// Makes a call of the queue.
    fn call<T>(&mut self, call: impl FnOnce(&mut VirtQueue<Harness, 1>, &mut RecordingTransport) -> T) -> T {
        let Self { queue, platform, transport } = self;
        let queue = queue.as_mut().expect("the queue exists until the drop");
        within(platform, || call(queue, transport))
    }
}

impl Drop for Callable {
    fn drop(&mut self) {
        within(&mut self.platform, || drop(self.queue.take()));
    }
}

/// The only buffer of a chain, for the crate's calls. The device does not access it; payload goes through the pool's buffer.
struct SingleBuffer {
    bytes: Box<[u8]>,
    writable: bool,
}

impl SingleBuffer {
    fn new(readable: &[&[u8]], writable: &[u32]) -> Self {
        match (readable, writable) {
            ([bytes], []) => Self { bytes: Box::from(*bytes), writable: false },
            ([], [length]) => Self { bytes: vec![0; *length as usize].into(), writable: true },
            _ => unreachable!("the pool refuses an empty chain, and `submit` refuses more than one buffer"),
        }
    }

    /// Adds the buffer, notifies the device, waits for it, and pops the buffer, in one call. Its only condition is a buffer that
    /// is not empty.
    fn add_notify_wait_pop(
        &mut self,
        queue: &mut VirtQueue<Harness, 1>,
        transport: &mut RecordingTransport,
    ) -> Result<u32> {
        match self.writable {
            true => queue.add_notify_wait_pop(&[], &mut [&mut self.bytes], transport),
            false => queue.add_notify_wait_pop(&[&self.bytes], &mut [], transport),
        }
    }

    /// Adds the buffer.
    fn add(&mut self, queue: &mut VirtQueue<Harness, 1>) -> Result<u16> {
        match self.writable {
            // SAFETY: nothing else accesses these bytes on the heap, and they live until they are popped or the queue is
            // dropped.
            true => unsafe { queue.add(&[], &mut [&mut self.bytes]) },
            // SAFETY: as above.
            false => unsafe { queue.add(&[&self.bytes], &mut []) },
        }
    }

    /// Pops the buffer.
    fn pop(&mut self, queue: &mut VirtQueue<Harness, 1>) -> Result<u32> {
        match self.writable {
            // SAFETY: this buffer was added, and there is only one token.
            true => unsafe { queue.pop_used(HEAD, &[], &mut [&mut self.bytes]) },
            // SAFETY: as above.
            false => unsafe { queue.pop_used(HEAD, &[&self.bytes], &mut []) },
        }
    }
}

/// The state of the only chain.
enum State {
    /// There is no chain.
    Idle(Callable),
    /// A call waits for the chain.
    Waits { thread: JoinHandle<(Callable, Result<u32>)>, go_on: Sender<()> },
    /// The device did not want a notification, so a call could not be paused there. The chain was added and will be popped.
    Added(Callable, SingleBuffer),
    /// The device returned a bad element, and the queue was dropped.
    Broken,
    /// During a change of the state.
    Changing,
}

/// A caller of the queue.
struct Caller {
    /// Whether this caller works around the known findings, to find others.
    spared: bool,
    provided: Provided,
    geometry: Geometry,
    pool: BufferPool,
    state: State,
    /// Used elements so far.
    used: u16,
    /// The buffer of the current or the last chain, and its used length.
    lent: Option<(Lent, u32)>,
}

/// Makes a caller of a queue.
pub fn new(spared: bool, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let callable = Callable::new(provided);
    Box::new(Caller {
        spared,
        provided: provided.clone(),
        geometry: callable.transport.geometry(provided),
        pool: BufferPool::new(setup, provided),
        state: State::Idle(callable),
        used: 0,
        lent: None,
    })
}

impl Caller {
    /// Whether there is a used element that was not popped.
    fn something_used(&self) -> bool {
        self.provided.rings.load_u16(self.geometry.used + 2) != self.used
    }

    /// Whether the next used element is one that the crate does not handle. The used ring has one entry.
    fn next_is_bad(&self) -> bool {
        self.provided.rings.load_u32(self.geometry.used + 4) != u32::from(HEAD)
    }

    /// Starts a call that waits, and returns after it has notified the device.
    fn begin(mut callable: Callable, mut one: SingleBuffer) -> State {
        let ((notified, published), (go_on, resumed)) = (channel(), channel());
        callable.transport.pause(Pause { notified, go_on: resumed });
        let thread = thread::spawn(move || {
            let result = callable.call(|queue, transport| one.add_notify_wait_pop(queue, transport));
            (callable, result)
        });
        // If the call ends instead, `take` gets its result.
        let _ = published.recv();
        State::Waits { thread, go_on }
    }

    /// Returns a completion of the chain.
    fn done(&mut self, callable: Callable, length: u32) -> Answer<Option<Completion>> {
        self.state = State::Idle(callable);
        self.used = self.used.wrapping_add(1);
        if let Some((_, used)) = &mut self.lent {
            *used = if self.spared { u32::MAX } else { length };
        }
        Ok(Some(Completion { head: HEAD, length }))
    }

    /// The call failed because of the device. `returned` is the head if the caller has its buffer again.
    fn failed(&mut self, returned: Option<u16>) -> Answer<Option<Completion>> {
        self.state = State::Broken;
        Err(Refusal::Device(DeviceRefusal { consumed: false, broken: true, returned }))
    }
}

impl Subject for Caller {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let count = readable.len() + writable.len();
        let idle = match &self.state {
            State::Idle(_) => true,
            State::Waits { .. } | State::Added(..) | State::Changing => false,
            State::Broken => return Err(Refusal::Broken),
        };
        if count > usize::from(idle) {
            // A caller of this queue knows that, or is blocked in the call.
            return Err(Refusal::Misuse(MisuseKind::NotEnoughFree));
        }
        if let Some((lent, _)) = self.lent.take_if(|_| idle) {
            self.pool.take_back(lent);
        }
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let mut one = SingleBuffer::new(readable, writable);
        self.lent = Some((lent, 0));
        self.state = match std::mem::replace(&mut self.state, State::Changing) {
            State::Idle(mut callable) => match callable.call(|queue, _| queue.should_notify()) {
                true => Self::begin(callable, one),
                false => {
                    callable.call(|queue, _| one.add(queue)).expect("an empty queue has room");
                    State::Added(callable, one)
                }
            },
            other => other,
        };
        Ok(HEAD)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if matches!(self.state, State::Broken) {
            return Err(Refusal::Broken);
        }
        if !self.something_used() {
            return Ok(None);
        }
        if self.spared && self.next_is_bad() && !matches!(self.state, State::Idle(_)) {
            self.give_up();
            return self.failed(None);
        }
        match std::mem::replace(&mut self.state, State::Changing) {
            State::Waits { thread, go_on } => {
                // The call may have ended already.
                let _ = go_on.send(());
                let (callable, result) =
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                match result {
                    Ok(length) => self.done(callable, length),
                    // The call has returned, so its buffer belongs to the caller again.
                    Err(_) => self.failed(Some(HEAD)),
                }
            }
            State::Added(mut callable, mut one) => match callable.call(|queue, _| one.pop(queue)) {
                Ok(length) => self.done(callable, length),
                Err(_) => self.failed(None),
            },
            // Without a chain, nothing looks at the queue.
            idle => {
                self.state = idle;
                Ok(None)
            }
        }
    }

    fn read(&mut self, _: u16, out: &mut [u8]) -> Answer<usize> {
        let (lent, length) = self.lent.as_ref().expect("the harness reads what it took");
        Ok(self.pool.read(lent, *length, out))
    }

    /// The device is stopped. Ends a waiting call, and makes another queue.
    fn reset(&mut self, _: u16) {
        self.give_up();
        if let Some((lent, _)) = self.lent.take() {
            self.pool.take_back(lent);
        }
        self.used = 0;
        self.state = State::Idle(Callable::new(&self.provided));
    }

    fn release(self: Box<Self>) {}
}

impl Caller {
    /// Ends a waiting call and drops its queue.
    fn give_up(&mut self) {
        if let State::Waits { thread, go_on } = std::mem::replace(&mut self.state, State::Changing) {
            drop(go_on);
            let _ = thread.join();
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.give_up();
    }
}
