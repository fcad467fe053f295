//! Running a scenario: the only loop.
//!
//! ```text
//!    begin ──▶ step ──▶ step ──▶ ... ──▶ finish (drain, release)
//!               │ one call of the driver, or one act of the device
//!               ▼
//!    look at what changed in shared memory ──▶ events ──▶ Model ──▶ go on, or stop
//! ```
//!
//! A [`Rig`] is everything that one thread needs to run scenarios, kept from one to the next: memory, model,
//! scratch, and the device, which begins anew each time. The subject is made anew for each.

mod cannot_run;
mod device_actions;
mod device_slot;
mod dispatch;
mod drain;
mod driver_calls;
mod event_sink;
mod external_device;
mod fault_attribution;
mod geometry_check;
mod honest_device;
mod listener;
mod memory_failure;
mod memory_kind;
mod misuse;
mod observation;
mod panics;
mod progress_cell;
mod queue_view;
mod reset;
mod run_state;
mod snapshot;
mod start;
mod submit_request;
mod verdict;
mod withdraw;

pub use cannot_run::CannotRun;
pub(crate) use drain::ending_variants;
pub use honest_device::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
pub use listener::{Listener, Skip};
pub use memory_kind::MemoryKind;
pub use progress_cell::{ExecutionPosition, ProgressCell, SharedProgressCell};
pub use queue_view::{QueueCounters, QueueView};
pub use snapshot::{Snapshot, StepResult};

use crate::counts::Counts;
use crate::outcome::Outcome;
use crate::scenario::{Ending, Scenario, Setup, Step};
use crate::subject::{Provided, SubjectKind};
use event_sink::EventSink;
use ringstorm_core::{DeviceAddress, Error as MemoryError};
use ringstorm_model::{Model, ObservedDescriptor, Violation};
use ringstorm_sim_device::{self as sim, CallReport, Effect};
use run_state::RunState;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};
use submit_request::SubmitRequest;

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
    memory_kind: MemoryKind,
    provided: Provided,
    sink: EventSink,
    scratch: Scratch,
    run: RunState,
    /// How long it took to make the last subject.
    construction: Duration,
    /// Where it is said which call of the subject goes on.
    progress_cell: Option<ProgressCell>,
    /// Calls of subjects, around.
    calls: u16,
}

/// Memory that is kept from step to step.
#[derive(Default)]
struct Scratch {
    request: SubmitRequest,
    out: Vec<u8>,
    buffer_bytes: Vec<u8>,
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
    pub fn on(memory_kind: MemoryKind) -> Result<Self, MemoryError> {
        panics::install_hook();
        let provided = Provided {
            rings: Rc::new(memory_kind.memory(memory_kind::LEAST, RINGS_ALIGNMENT)?),
            buffers: Rc::new(memory_kind.memory(memory_kind::LEAST, 1)?),
            rings_address: RINGS_ADDRESS,
            buffers_address: BUFFERS_ADDRESS,
        };
        Ok(Self {
            memory_kind,
            run: RunState::new(&provided),
            provided,
            sink: EventSink::default(),
            scratch: Scratch::default(),
            construction: Duration::ZERO,
            progress_cell: None,
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
    pub fn report_progress_to(&mut self, progress_cell: ProgressCell) {
        self.progress_cell = Some(progress_cell);
    }

    /// Says that the next scenario is that of this seed.
    pub fn begin_seed(&self, seed: u64) {
        if let Some(progress_cell) = &self.progress_cell {
            progress_cell.begin(seed);
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
    pub const fn memory_failed_in_last_step(&self) -> bool {
        self.run.memory_failed
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
        std::mem::take(&mut self.run.faults.counts)
    }

    /// How the current execution ends, with what its subject can do.
    pub(crate) const fn ending(&self) -> Ending {
        self.run.setup.ending
    }

    /// Whether memory is to fail at an access that no call has made yet.
    pub(crate) fn has_pending_memory_failure(&self) -> bool {
        self.run.failing.left().is_some()
    }

    /// The hash over all events of the current execution so far.
    pub const fn trace_hash(&self) -> u64 {
        self.sink.hash.get()
    }

    /// The model's view of the current execution.
    pub const fn model(&self) -> &Model {
        &self.sink.model
    }

    fn step_at(
        &mut self,
        number: usize,
        step: Option<&Step>,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        listener.step(number, step, self);
        let run = &mut self.run;
        (run.effective, run.memory_failed) = (false, false);
        run.steps += 1;
        let begun = step.map(|step| run.faults.counts.begin(step.op()));
        let result = match step {
            Some(step) if self.run.failing.left().is_some() => {
                self.dispatch_while_memory_fails(step, listener)
            }
            Some(step) => self.dispatch(step, listener),
            None => self.drain_and_end(listener).map(|()| None),
        };
        let run = &mut self.run;
        run.effective_steps += u64::from(run.effective);
        if let Some(begun) = begun {
            run.faults.counts.took_effect(begun, run.effective);
        }
        // A device that does nothing with this step may have finished what it had begun before.
        if let Some(why) = result?.filter(|_| !run.effective) {
            run.skipped_steps += u64::from(why == Skip::Incapable);
            listener.skipped(why);
        }
        Ok(())
    }
}
