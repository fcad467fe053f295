//! `VirtQueue::add_notify_wait_pop` as a subject: a caller that waits for the device.
//!
//! The call is made in a thread of its own, which stands still where it has notified the device, until there is a used
//! element for it: so the two take turns, and the call has nothing to wait for once it goes on. It "assumes that the
//! device isn't processing any other buffers at the same time", so the queue is one of a single descriptor.
//!
//! The call has its buffer for as long as it takes, and the device writes meanwhile. So that nobody writes under a
//! reference, the buffer is a [`One`] on the heap, and the device sees the pool's in its place.

use super::platform::{Harness, Platform, within};
use super::transport::{Pause, Told};
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, DeviceRefusal, Geometry, Lent, MisuseKind, Provided,
    Refusal, SharedMemory, Subject,
};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use virtio_drivers::Result;
use virtio_drivers::queue::VirtQueue;

/// What the queue can do.
pub const CAN: Capabilities = Capabilities { lengths: true, reset: true, ..Capabilities::NONE };

/// The head of every chain there can be.
const HEAD: u16 = 0;

/// A queue, and what it needs to be called.
struct Callable {
    queue: Option<VirtQueue<Harness, 1>>,
    platform: Option<Platform>,
    told: Told,
}

// SAFETY: queue and transport may be sent, and a platform beside the buffers has nothing but addresses.
unsafe impl Send for Callable {}

impl Callable {
    fn new(provided: &Provided) -> Self {
        let (mut platform, mut told) = (Some(Platform::beside(provided)), Told::new(false));
        let queue = within(&mut platform, || VirtQueue::new(&mut told, 0, false, false));
        Self { queue: Some(queue.expect("the transport takes any queue")), platform, told }
    }

    /// Makes a call of the queue.
    fn call<T>(&mut self, call: impl FnOnce(&mut VirtQueue<Harness, 1>, &mut Told) -> T) -> T {
        let Self { queue, platform, told } = self;
        let queue = queue.as_mut().expect("the queue is there until it is dropped");
        within(platform, || call(queue, told))
    }
}

impl Drop for Callable {
    fn drop(&mut self) {
        within(&mut self.platform, || drop(self.queue.take()));
    }
}

/// The one buffer of a chain, for the crate. Its bytes stand still: the caller's go into and out of the pool's buffer.
struct One {
    bytes: Box<[u8]>,
    writable: bool,
}

impl One {
    fn new(readable: &[&[u8]], writable: &[u32]) -> Self {
        match (readable, writable) {
            ([bytes], []) => Self { bytes: Box::from(*bytes), writable: false },
            ([], [length]) => Self { bytes: vec![0; *length as usize].into(), writable: true },
            _ => unreachable!("the pool lends no chain without a buffer, and more are refused before"),
        }
    }

    /// Adds it, tells the device, waits until the device uses it, and pops it: all in one call, of which nothing is asked but
    /// that the buffer is not empty.
    fn carry_through(&mut self, queue: &mut VirtQueue<Harness, 1>, told: &mut Told) -> Result<u32> {
        match self.writable {
            true => queue.add_notify_wait_pop(&[], &mut [&mut self.bytes], told),
            false => queue.add_notify_wait_pop(&[&self.bytes], &mut [], told),
        }
    }

    /// Adds it.
    fn add(&mut self, queue: &mut VirtQueue<Harness, 1>) -> Result<u16> {
        match self.writable {
            // SAFETY: nobody accesses the bytes, on the heap and not the device's, which are there until they are popped or
            // the queue is no more.
            true => unsafe { queue.add(&[], &mut [&mut self.bytes]) },
            // SAFETY: as above.
            false => unsafe { queue.add(&[&self.bytes], &mut []) },
        }
    }

    /// Pops it.
    fn pop(&mut self, queue: &mut VirtQueue<Harness, 1>) -> Result<u32> {
        match self.writable {
            // SAFETY: it is what was added, by the only token there is.
            true => unsafe { queue.pop_used(HEAD, &[], &mut [&mut self.bytes]) },
            // SAFETY: as above.
            false => unsafe { queue.pop_used(HEAD, &[&self.bytes], &mut []) },
        }
    }
}

/// What becomes of the one chain.
enum State {
    /// There is none.
    Idle(Callable),
    /// A call waits for it.
    Waits { thread: JoinHandle<(Callable, Result<u32>)>, go_on: Sender<()> },
    /// The device did not want to be notified, so no call could be held up there: the chain was added, and will be popped.
    Added(Callable, One),
    /// The device said what cannot be, and the queue was given up.
    Broken,
    /// Between two of them.
    Nowhere,
}

/// A caller that waits, or would.
struct Caller {
    /// Spared what was found: the harness does for this caller what the crate does not, to see what else there is.
    spared: bool,
    provided: Provided,
    geometry: Geometry,
    pool: BufferPool,
    state: State,
    /// Used elements so far.
    used: u16,
    /// The buffer of the chain that there is, or was last, and how much of it was written.
    lent: Option<(Lent, u32)>,
}

/// A caller of a queue.
pub fn new(spared: bool, setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
    let callable = Callable::new(provided);
    Box::new(Caller {
        spared,
        provided: provided.clone(),
        geometry: callable.told.geometry(provided),
        pool: BufferPool::new(setup, provided),
        state: State::Idle(callable),
        used: 0,
        lent: None,
    })
}

impl Caller {
    /// Whether the device has used something that was not popped.
    fn something_used(&self) -> bool {
        self.provided.rings.load_u16(self.geometry.used + 2) != self.used
    }

    /// Whether the next used element is none that the crate is prepared for. There is one slot.
    fn unbearable(&self) -> bool {
        self.provided.rings.load_u32(self.geometry.used + 4) != u32::from(HEAD)
    }

    /// Begins a call that waits, up to where it has notified the device.
    fn begin(mut callable: Callable, mut one: One) -> State {
        let ((notified, published), (go_on, told_to)) = (channel(), channel());
        callable.told.pause(Pause { notified, go_on: told_to });
        let thread = thread::spawn(move || {
            let result = callable.call(|queue, told| one.carry_through(queue, told));
            (callable, result)
        });
        // If it ends instead, that is seen when it is asked for its result.
        let _ = published.recv();
        State::Waits { thread, go_on }
    }

    /// What was used, as an answer; the chain is there no more.
    fn done(&mut self, callable: Callable, length: u32) -> Answer<Option<Completion>> {
        self.state = State::Idle(callable);
        self.used = self.used.wrapping_add(1);
        if let Some((_, used)) = &mut self.lent {
            *used = if self.spared { u32::MAX } else { length };
        }
        Ok(Some(Completion { head: HEAD, length }))
    }

    /// The call failed, because of the device. Whether the caller has its buffer again is in `returned`.
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
            State::Waits { .. } | State::Added(..) | State::Nowhere => false,
            State::Broken => return Err(Refusal::Broken),
        };
        if count > usize::from(idle) {
            // The caller knows, or is not there to ask.
            return Err(Refusal::Misuse(MisuseKind::NotEnoughFree));
        }
        if let Some((lent, _)) = self.lent.take_if(|_| idle) {
            self.pool.take_back(lent);
        }
        let lent = self.pool.lend(readable, writable).map_err(Refusal::Misuse)?;
        let mut one = One::new(readable, writable);
        self.lent = Some((lent, 0));
        self.state = match std::mem::replace(&mut self.state, State::Nowhere) {
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
        if self.spared && self.unbearable() && !matches!(self.state, State::Idle(_)) {
            self.give_up();
            return self.failed(None);
        }
        match std::mem::replace(&mut self.state, State::Nowhere) {
            State::Waits { thread, go_on } => {
                // It may have ended already.
                let _ = go_on.send(());
                let (callable, result) =
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                match result {
                    Ok(length) => self.done(callable, length),
                    // The call is over, and its buffer the caller's again.
                    Err(_) => self.failed(Some(HEAD)),
                }
            }
            State::Added(mut callable, mut one) => match callable.call(|queue, _| one.pop(queue)) {
                Ok(length) => self.done(callable, length),
                Err(_) => self.failed(None),
            },
            // Nobody looks at the queue until there is something to wait for.
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

    /// The device is stopped. A call that waits is given up, and another queue is made.
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
    /// Ends a call that waits, and the queue.
    fn give_up(&mut self) {
        if let State::Waits { thread, go_on } = std::mem::replace(&mut self.state, State::Nowhere) {
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
