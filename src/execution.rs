//! Running a scenario: the only loop.
//!
//! ```text
//!    begin ──▶ step ──▶ step ──▶ ... ──▶ finish (settle, release)
//!               │ one call of the driver, or one act of the device
//!               ▼
//!    look at what changed in shared memory ──▶ events ──▶ Model ──▶ go on, or stop
//! ```
//!
//! A [`Rig`] is everything that one thread needs to run scenarios, kept from one to the next: memory, model,
//! scratch. The subject and the device are made anew for each.

mod calls;
mod device;
mod ending;
mod ground;
mod listener;
mod look;
mod misuse;
mod panics;
mod request;
mod settle;
mod snapshot;

pub use ground::Ground;
pub use listener::{Listener, Skip};
pub use snapshot::{Advance, Snapshot};

use crate::coverage::Coverage;
use crate::outcome::{Call, Outcome};
use crate::scenario::{Scenario, Setup, Step};
use crate::subject::{Capabilities, Kind, Provided, Subject};
use request::Request;
use ringstorm_core::{DeviceAddress, Layout, QueueSize, SystemError};
use ringstorm_model::{Descriptor, Event, Model, TraceHash, Violation};
use ringstorm_sim_device::{
    self as sim, AddressSpace, CallReport, Change, Device, Effect, Fault, WatchedMemory,
};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where the device sees the rings: fixed, so that no outcome depends on an address of this process.
const RINGS_ADDRESS: DeviceAddress = DeviceAddress::new(0x10_0000);
/// Where the device sees the buffers.
const BUFFERS_ADDRESS: DeviceAddress = DeviceAddress::new(0x1_0000_0000);
/// 2.7: where the descriptor table may begin. Buffers may begin anywhere.
const RINGS_ALIGNMENT: usize = 16;

/// Why an execution does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// An invariant does not hold.
    Violation(Violation),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// Everything that one thread needs to run scenarios.
pub struct Rig {
    ground: Ground,
    provided: Provided,
    model: Model,
    scratch: Scratch,
    run: Option<Run>,
    /// The execution before, kept for its memory.
    spare: Option<Run>,
    /// How long it took to make the last subject.
    construction: Duration,
}

/// Memory that is kept from step to step.
#[derive(Default)]
struct Scratch {
    request: Request,
    out: Vec<u8>,
    standing: Vec<u8>,
    seen: Vec<sim::Descriptor>,
    descriptors: Vec<Descriptor>,
    effects: Vec<Effect>,
    places: Vec<(usize, usize)>,
    late: Vec<usize>,
    /// What the last call did to rings and buffers.
    reports: [CallReport; 2],
}

/// One execution.
struct Run {
    can: Capabilities,
    setup: Setup,
    subject: Option<Box<dyn Subject>>,
    device: Device<Rc<WatchedMemory>>,
    geometry: sim::Geometry,
    /// The used ring, in bytes of the rings' memory: the device's part.
    device_part: std::ops::Range<usize>,
    /// The available index as last seen.
    available: u16,
    /// Heads of the chains that were taken and not freed, oldest first.
    returned: VecDeque<u16>,
    /// By head: how many chains have begun there.
    lives: Vec<u32>,
    submissions: u32,
    resets: u32,
    /// Accesses that a call may make.
    call_limit: u64,
    hash: TraceHash,
    call: Call,
    effective: bool,
    steps: u64,
    effective_steps: u64,
    skipped_steps: u64,
    last_fault: Option<Fault>,
    /// Faults that the driver has not met yet, with the state they were thrown in.
    unmet: Vec<(usize, Fault)>,
    /// What the trap that is set comes to, and the state it was set in.
    trap: Option<Change>,
    trap_state: usize,
    coverage: Coverage,
}

impl Rig {
    /// A rig with memory for small queues; larger ones make it grow.
    ///
    /// # Errors
    /// [`SystemError`] if there is no memory.
    pub fn new() -> Result<Self, SystemError> {
        Self::on(Ground::Kept)
    }

    /// A rig with memory of this kind.
    ///
    /// # Errors
    /// [`SystemError`] if there is no memory.
    pub fn on(ground: Ground) -> Result<Self, SystemError> {
        panics::install_hook();
        let provided = Provided {
            rings: Rc::new(ground.memory(ground::LEAST, RINGS_ALIGNMENT)?),
            buffers: Rc::new(ground.memory(ground::LEAST, 1)?),
            rings_address: RINGS_ADDRESS,
            buffers_address: BUFFERS_ADDRESS,
        };
        Ok(Self {
            ground,
            provided,
            model: Model::new(),
            scratch: Scratch::default(),
            run: None,
            spare: None,
            construction: Duration::ZERO,
        })
    }

    /// Runs a scenario from the beginning to the end.
    ///
    /// # Errors
    /// [`SystemError`] if there is no memory for it.
    pub fn run(
        &mut self,
        kind: Kind,
        scenario: &Scenario,
        listener: &mut impl Listener,
    ) -> Result<Outcome, SystemError> {
        let start = Instant::now();
        self.construction = Duration::ZERO;
        self.prepare(&scenario.setup)?;
        let mut at = 0;
        let end = catch_unwind(AssertUnwindSafe(|| -> Result<(), Stop> {
            self.construct(kind, &scenario.setup, listener)?;
            self.construction = start.elapsed();
            for step in &scenario.steps {
                self.step_at(at, Some(step), listener)?;
                at += 1;
            }
            self.step_at(at, None, listener)
        }));
        Ok(self.outcome(panics::verdict(end), at))
    }

    /// Begins an execution, to be gone on with by [`step`](Self::step) and [`finish`](Self::finish). A panic of
    /// the subject is the caller's to catch, as is one during the steps.
    ///
    /// # Errors
    /// [`SystemError`] if there is no memory for it.
    pub fn begin(&mut self, kind: Kind, setup: &Setup) -> Result<Result<(), Stop>, SystemError> {
        self.prepare(setup)?;
        Ok(self.construct(kind, setup, &mut ()))
    }

    /// Goes one step on.
    ///
    /// # Errors
    /// [`Stop`] if the execution ends here.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let number = self.current().steps as usize;
        self.step_at(number, Some(step), &mut ())
    }

    /// Settles and releases the subject.
    ///
    /// # Errors
    /// [`Stop`] if something is wrong at the end.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let number = self.current().steps as usize;
        self.step_at(number, None, &mut ())
    }

    /// How long it took to prepare the memory of the last [`run`](Self::run) and to construct its subject.
    /// A measurement: no outcome depends on it.
    pub const fn construction_time(&self) -> Duration {
        self.construction
    }

    /// The hash over all events of the current execution so far, if one was begun.
    pub fn trace_hash(&self) -> Option<u64> {
        self.run.as_ref().map(|run| run.hash.get())
    }

    /// The model's view of the current execution.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Makes room, and memory that is all zero.
    fn prepare(&mut self, setup: &Setup) -> Result<(), SystemError> {
        if let Some(mut run) = self.run.take() {
            // The one before may have ended by a panic, with its subject half-way through a call.
            drop(run.subject.take());
            self.spare = Some(run);
        }
        let size = setup.queue_size;
        let buffers = usize::from(setup.buffer_size) * size.as_usize();
        let Provided { rings: one, buffers: other, .. } = &mut self.provided;
        for (memory, length, alignment) in
            [(one, Layout::new(size).len(), RINGS_ALIGNMENT), (other, buffers, 1)]
        {
            let ours = 1 + usize::from(self.spare.is_some());
            // A subject that kept a handle must not be able to touch the next one's memory.
            if !self.ground.serves(memory, length) || Rc::strong_count(memory) > ours {
                self.spare = None;
                *memory = Rc::new(self.ground.memory(length, alignment)?);
            }
            memory.restart(length);
        }
        self.provided.buffers.record_places();
        Ok(())
    }

    fn construct(&mut self, kind: Kind, setup: &Setup, listener: &mut impl Listener) -> Result<(), Stop> {
        // What is negotiated is what both know.
        let setup = &Setup { event_index: setup.event_index && kind.capabilities().event_index, ..*setup };
        let size = setup.queue_size;
        let first = setup.first_index.get();
        self.model.begin(&ringstorm_model::Setup {
            queue_size: size.get(),
            buffer_size: setup.buffer_size.into(),
            first_index: first,
            event_index: setup.event_index,
            zeroed: setup.zeroes() && kind.capabilities().zeroing,
            goes_on: kind.capabilities().policies.then(|| setup.goes_on()),
        });
        let call_limit = call_limit(size);
        self.provided.rings.begin_call(call_limit);
        self.provided.buffers.begin_call(call_limit);
        let subject = panics::guard(|| kind.build(setup, &self.provided));
        self.provided.rings.end_call();
        self.provided.buffers.end_call();
        let run = Run::begun(self.spare.take(), &self.provided, kind.capabilities(), setup, subject);
        let (available, device_part) = (run.geometry.available, run.device_part.clone());
        self.run = Some(run);
        self.provided.rings.watch_available_index(available + 2);
        self.provided.rings.reserve_for_device(device_part);
        self.tell_effects(listener)?;
        self.look_at_event(listener)?;
        self.look_at_free_count(listener)
    }

    #[inline(always)]
    fn current(&mut self) -> &mut Run {
        self.run.as_mut().expect("an execution was begun")
    }

    fn step_at(
        &mut self,
        number: usize,
        step: Option<&Step>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        listener.step(number, step, self);
        let run = self.current();
        run.effective = false;
        run.steps += 1;
        let result = match step {
            Some(step) => self.act(step, listener),
            None => self.settle_and_release(listener).map(|()| None),
        };
        let run = self.current();
        run.effective_steps += u64::from(run.effective);
        // A device that does nothing with this step may have finished what it had begun before.
        if let Some(why) = result?.filter(|_| !run.effective) {
            run.skipped_steps += u64::from(why == Skip::Incapable);
            listener.skipped(why);
        }
        Ok(())
    }

    /// Does what the step says, or tells why not.
    fn act(&mut self, step: &Step, listener: &mut impl Listener) -> Result<Option<Skip>, Stop> {
        match *step {
            Step::Idle => Ok(Some(Skip::NothingThere)),
            Step::Submit { readable, writable } => self.submit(readable, writable, false, true, listener),
            Step::Prepare { readable, writable } => self.submit(readable, writable, false, false, listener),
            Step::Write { readable, writable } => self.submit(readable, writable, true, true, listener),
            Step::Publish => self.publish(listener),
            Step::Take => self.take(listener).map(|_| None),
            Step::Collect => self.collect(listener).map(|()| None),
            Step::Read { pick, limit } => self.read_returned(pick, limit, listener),
            Step::Free { pick } => self.free_returned(pick, listener),
            Step::Reset => self.reset(listener),
            Step::Misuse { call, head, pick } => self.misuse(call, head, pick, listener),
            Step::Interrupts { wanted } => self.interrupts(wanted, listener),
            Step::DeviceTake { count } => self.device_take(count, listener),
            Step::DeviceReturn { pick, written, count, beyond } => {
                self.device_return(pick, written, count, beyond, listener)
            }
            Step::DeviceEvent { ahead } => {
                if !self.current().device.set_event(ahead) {
                    return Ok(Some(Skip::NothingThere));
                }
                self.tell_effects(listener)?;
                Ok(None)
            }
            Step::DeviceNotifications { wanted } => {
                self.current().device.set_notifications(wanted);
                self.tell_effects(listener)?;
                Ok(None)
            }
            Step::Fault { fault, pick, value } => self.fault(fault, pick, value, listener),
            Step::Settle => self.settle(listener).map(|()| None),
        }
    }

    /// Tells everybody of an event: the hash, the listener, and the model, which judges it. Written out where it is
    /// called, since what is to be done for the event is known there.
    #[inline(always)]
    fn tell(&mut self, event: &Event<'_>, listener: &mut impl Listener) -> Result<(), Stop> {
        self.current().hash.event(event);
        listener.event(event);
        self.model.observe(event)?;
        Ok(())
    }
}

impl Run {
    /// An execution that begins with this subject. Of the one before, it takes over memory and nothing else.
    fn begun(
        before: Option<Self>,
        provided: &Provided,
        can: Capabilities,
        setup: &Setup,
        subject: Box<dyn Subject>,
    ) -> Self {
        let (geometry, first) = (subject.geometry(), setup.first_index.get());
        let (mut device, mut returned, mut lives, mut unmet) = match before {
            Some(Self { device, returned, lives, unmet, .. }) => (device, returned, lives, unmet),
            None => {
                let Provided { rings, buffers, .. } = provided;
                let space = AddressSpace::new([(BUFFERS_ADDRESS.get(), Rc::clone(buffers))]);
                let device = Device::new(Rc::clone(rings), geometry, space, first);
                (device, VecDeque::new(), Vec::new(), Vec::new())
            }
        };
        device.restart(geometry, first, setup.event_index);
        returned.clear();
        lives.clear();
        lives.resize(setup.queue_size.as_usize(), 0);
        unmet.clear();
        Self {
            can,
            setup: *setup,
            subject: Some(subject),
            device,
            geometry,
            device_part: geometry.used..geometry.used + geometry.used_bytes(),
            available: first,
            returned,
            lives,
            submissions: 0,
            resets: 0,
            call_limit: call_limit(setup.queue_size),
            hash: TraceHash::default(),
            call: Call::Construct,
            effective: false,
            steps: 0,
            effective_steps: 0,
            skipped_steps: 0,
            last_fault: None,
            unmet,
            trap: None,
            trap_state: 0,
            coverage: Coverage::default(),
        }
    }
}

/// How many accesses a call may make: several times what handling one chain of all descriptors takes.
const fn call_limit(size: QueueSize) -> u64 {
    256 + 32 * size.get() as u64
}
