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
//! scratch, and the device, which begins anew each time. The subject is made anew for each.

mod act;
mod cannot_run;
mod device_acts;
mod device_slot;
mod driver_calls;
mod external_device;
mod fault_attribution;
mod geometry;
mod honest_device;
mod judge;
mod listener;
mod memory_kind;
mod misuse;
mod observation;
mod panics;
mod progress_cell;
mod request;
mod reset;
mod run;
mod settle;
mod snapshot;
mod state;
mod unwound;
mod verdict;
mod withdraw;

pub use cannot_run::CannotRun;
pub use honest_device::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
pub use listener::{Listener, Skip};
pub use memory_kind::MemoryKind;
pub use progress_cell::{ExecutionPosition, ProgressCell, SharedProgressCell};
pub(crate) use settle::endings;
pub use snapshot::{Advance, Snapshot};
pub use state::{Standing, State};

use crate::counts::Counts;
use crate::outcome::{Call, Outcome};
use crate::scenario::{Ending, Scenario, Setup, Step};
use crate::subject::{Provided, SubjectKind};
use judge::Judge;
use request::Request;
use ringstorm_core::{DeviceAddress, Error as MemoryError, SharedMemory};
use ringstorm_model::{Model, ObservedDescriptor, Policies, TraceHash, Violation};
use ringstorm_sim_device::{self as sim, CallReport, Effect, WatchedMemory};
use run::Run;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where the device sees the rings: fixed, so that no outcome depends on an address of this process.
const RINGS_ADDRESS: DeviceAddress = DeviceAddress::new(0x10_0000);
/// Where the device sees the buffers: beyond 32 bits, and a page before the next bits change, so that an offset has to be added.
const BUFFERS_ADDRESS: DeviceAddress = DeviceAddress::new(0x1_ffff_f000);
/// 2.7: where the descriptor table may begin. Buffers may begin anywhere.
const RINGS_ALIGNMENT: usize = 16;

/// How many handles to each memory are there without a subject: one of the rig, and one of the device.
const OWN_HANDLES: usize = 2;

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
    ground: MemoryKind,
    provided: Provided,
    judge: Judge,
    scratch: Scratch,
    run: Run,
    /// How long it took to make the last subject.
    construction: Duration,
    /// Where it is said which call of the subject goes on.
    pulse: Option<ProgressCell>,
    /// Calls of subjects, around.
    calls: u16,
}

/// Memory that is kept from step to step.
#[derive(Default)]
struct Scratch {
    request: Request,
    out: Vec<u8>,
    standing: Vec<u8>,
    seen: Vec<sim::Descriptor>,
    descriptors: Vec<ObservedDescriptor>,
    effects: Vec<Effect>,
    places: Vec<(usize, usize)>,
    late: Vec<usize>,
    /// What the last call did to rings and buffers.
    reports: [CallReport; 2],
}

impl Rig {
    /// A rig with memory for small queues; larger ones make it grow.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory.
    pub fn new() -> Result<Self, MemoryError> {
        Self::on(MemoryKind::Kept)
    }

    /// A rig with memory of this kind.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory.
    pub fn on(ground: MemoryKind) -> Result<Self, MemoryError> {
        panics::install_hook();
        let provided = Provided {
            rings: Rc::new(ground.memory(memory_kind::LEAST, RINGS_ALIGNMENT)?),
            buffers: Rc::new(ground.memory(memory_kind::LEAST, 1)?),
            rings_address: RINGS_ADDRESS,
            buffers_address: BUFFERS_ADDRESS,
        };
        Ok(Self {
            ground,
            run: Run::new(&provided),
            provided,
            judge: Judge::default(),
            scratch: Scratch::default(),
            construction: Duration::ZERO,
            pulse: None,
            calls: 0,
        })
    }

    /// The same with a device that somebody else wrote, in the simulated one's place. It commits no faults: a scenario's
    /// are skipped.
    #[must_use]
    pub fn with_device(mut self, device: Box<dyn HonestDevice>) -> Self {
        self.run.device.replace_with(device);
        self
    }

    /// The memory of the current execution, or of the one that has ended.
    pub const fn provided(&self) -> &Provided {
        &self.provided
    }

    /// From now on, says with every call of a subject where it is.
    pub fn report_progress_to(&mut self, pulse: ProgressCell) {
        self.pulse = Some(pulse);
    }

    /// Says that the next scenario is that of this seed.
    pub fn begin_seed(&self, seed: u64) {
        if let Some(pulse) = &self.pulse {
            pulse.begin(seed);
        }
    }

    /// Runs a scenario from the beginning to the end.
    ///
    /// # Errors
    /// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
    pub fn run(
        &mut self,
        kind: SubjectKind,
        scenario: &Scenario,
        listener: &mut impl Listener,
    ) -> Result<Outcome, CannotRun> {
        let start = Instant::now();
        self.construction = Duration::ZERO;
        let setup = self.prepare(kind, &scenario.setup)?;
        let mut at = 0;
        let end = catch_unwind(AssertUnwindSafe(|| -> Result<(), Stop> {
            self.construct(kind, &setup, listener)?;
            self.construction = start.elapsed();
            for step in &scenario.steps {
                self.step_at(at, Some(step), listener)?;
                at += 1;
            }
            self.step_at(at, None, listener)
        }));
        if end.is_err() {
            // What was cut short by a panic is over.
            self.end_call();
        }
        listener.ended(self);
        let verdict = self.verdict(end)?;
        Ok(self.outcome(verdict, at))
    }

    /// Begins an execution, to be gone on with by [`step`](Self::step) and [`finish`](Self::finish). A panic of
    /// the subject is the caller's to catch, as is one during the steps.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory for it.
    pub fn begin(&mut self, kind: SubjectKind, setup: &Setup) -> Result<Result<(), Stop>, MemoryError> {
        let setup = self.prepare(kind, setup)?;
        Ok(self.construct(kind, &setup, &mut ()))
    }

    /// Goes one step on.
    ///
    /// # Errors
    /// [`Stop`] if the execution ends here.
    ///
    /// # Panics
    /// If no execution was begun and the step is a driver's.
    pub fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let number = self.run.steps as usize;
        self.step_at(number, Some(step), &mut ())
    }

    /// Whether memory failed in the last step, so that the rest of it was left out.
    pub const fn was_cut_short(&self) -> bool {
        self.run.cut_short
    }

    /// Settles and lets the subject go.
    ///
    /// # Errors
    /// [`Stop`] if something is wrong at the end.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let number = self.run.steps as usize;
        self.step_at(number, None, &mut ())
    }

    /// How long it took to prepare the memory of the last [`run`](Self::run) and to construct its subject.
    /// A measurement: no outcome depends on it.
    pub const fn construction_time(&self) -> Duration {
        self.construction
    }

    /// What was done in the executions since this was last asked for, and how the driver answered. No outcome depends on it.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.run.counts)
    }

    /// How the current execution ends, with what its subject can do.
    pub(crate) const fn ending(&self) -> Ending {
        self.run.setup.ending
    }

    /// Whether memory is to fail at an access that no call has made yet.
    pub(crate) fn is_memory_to_fail(&self) -> bool {
        self.run.failing.left().is_some()
    }

    /// The hash over all events of the current execution so far.
    pub const fn trace_hash(&self) -> u64 {
        self.judge.hash.get()
    }

    /// The model's view of the current execution.
    pub const fn model(&self) -> &Model {
        &self.judge.model
    }

    /// Makes room, and memory that is all zero. Says what the setup comes to with this kind of subject.
    fn prepare(&mut self, kind: SubjectKind, setup: &Setup) -> Result<Setup, MemoryError> {
        let setup = kind.negotiate(setup);
        // The one before may have ended by a panic, with its subject half-way through a call.
        drop(self.run.subject.take());
        let size = setup.queue_size;
        let (ring_bytes, buffers) = (kind.ring_bytes(size), usize::from(setup.buffer_size) * size.as_usize());
        // Both are there before either is taken: if one is refused, the next execution finds everything as it was.
        let rings = self.other_memory(&self.provided.rings, ring_bytes, RINGS_ALIGNMENT)?;
        let other = self.other_memory(&self.provided.buffers, buffers, 1)?;
        if rings.is_some() || other.is_some() {
            self.provided.rings = rings.unwrap_or_else(|| Rc::clone(&self.provided.rings));
            self.provided.buffers = other.unwrap_or_else(|| Rc::clone(&self.provided.buffers));
            self.run.move_to(&self.provided);
        }
        self.provided.rings.restart(ring_bytes);
        self.provided.buffers.restart(buffers);
        self.provided.buffers.record_places();
        Ok(setup)
    }

    /// Other memory for so many bytes, if this one does not serve or somebody else has a handle to it: a subject that kept
    /// one must not be able to touch the next one's memory.
    fn other_memory(
        &self,
        memory: &Rc<WatchedMemory>,
        length: usize,
        alignment: usize,
    ) -> Result<Option<Rc<WatchedMemory>>, MemoryError> {
        if self.ground.serves(memory, length) && Rc::strong_count(memory) <= OWN_HANDLES {
            return Ok(None);
        }
        Ok(Some(Rc::new(self.ground.memory(length, alignment)?)))
    }

    fn construct(
        &mut self,
        kind: SubjectKind,
        setup: &Setup,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let (size, can) = (setup.queue_size, kind.capabilities());
        let first = setup.first_index.get();
        self.judge.model.begin(&ringstorm_model::ModelSetup {
            queue_size: size.get(),
            buffer_size: setup.buffer_size.into(),
            first_index: first,
            event_index: setup.event_index,
            zeroes_buffers: setup.zeroes() && can.zeroing,
            policies: can.policies.then(|| Policies {
                continues_after_fault: setup.continues_after_fault(),
                refuses_over_long: setup.refuses_over_long(),
            }),
            exact_notifications: can.exact,
            keeps_wish: can.keeps_wish,
            reports_lengths: can.lengths,
            refills: can.submits_itself,
        });
        self.judge.hash = TraceHash::default();
        self.run.begin(can, setup);
        geometry::check_room(size, self.provided.rings.len());
        self.begin_call(Call::Construct);
        let subject = panics::guard(|| kind.build(setup, &self.provided));
        self.end_call();
        self.run.attach_subject(subject, &self.provided);
        let (available, part) = (self.run.geometry.available, self.run.device_part.clone());
        self.provided.rings.watch_available_index(available + 2);
        self.provided.rings.reserve_for_device(part);
        self.tell_effects(listener)?;
        if matches!(kind, SubjectKind::External(_)) && can.first_index {
            let standing = self.standing().expect("the subject is there");
            geometry::check_first_index(first, standing.available, standing.used);
        }
        if can.submits_itself {
            return self.check_self_submitted(listener);
        }
        self.look_at_event(listener)?;
        self.look_at_first_free_count(listener)
    }

    fn step_at(
        &mut self,
        number: usize,
        step: Option<&Step>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        listener.step(number, step, self);
        let run = &mut self.run;
        (run.effective, run.cut_short) = (false, false);
        run.steps += 1;
        let begun = step.map(|step| run.counts.begin(step.op()));
        let result = match step {
            Some(step) if self.run.failing.left().is_some() => self.act_while_memory_fails(step, listener),
            Some(step) => self.act(step, listener),
            None => self.settle_and_let_go(listener).map(|()| None),
        };
        let run = &mut self.run;
        run.effective_steps += u64::from(run.effective);
        if let Some(begun) = begun {
            run.counts.took_effect(begun, run.effective);
        }
        // A device that does nothing with this step may have finished what it had begun before.
        if let Some(why) = result?.filter(|_| !run.effective) {
            run.skipped_steps += u64::from(why == Skip::Incapable);
            listener.skipped(why);
        }
        Ok(())
    }
}
