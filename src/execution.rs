//! Runs scenarios. Every scenario of the project goes through the loop in this module.
//!
//! ```text
//!    begin ──▶ step ──▶ step ──▶ ... ──▶ finish (drain; release or drop the subject)
//!               │ calls of the driver, or actions of the device
//!               ▼
//!    observe what changed in shared memory ──▶ events ──▶ Model ──▶ continue, or stop
//! ```
//!
//! A [`Rig`] has everything that one thread needs to run scenarios and keeps it between scenarios: memory, model,
//! scratch buffers and the device, which restarts for each scenario. The subject is constructed for each scenario.
//!
//! | file | content |
//! |---|---|
//! | `construct_subject` | provides memory and constructs the subject |
//! | `execute_step` | calls the function that executes a step |
//! | `driver_calls` | submit, publish, take, read, free and notification control |
//! | `recorded_call` | makes a call and records its memory accesses |
//! | `submit_many_and_rounds` | the steps that do much at once: `submit ... times=N`, and `rounds N` |
//! | `submit_request` | the buffers of a `submit` step |
//! | `buffer_pool_check` | checks whether an adapter gives buffers back to its pool |
//! | `self_submitted_chains` | the chains that a subject submits by itself |
//! | `chain_tokens` | subjects that name chains by tokens of their own |
//! | `switch_used_notifications`, `request_delayed_notifications` | the driver turns used-buffer notifications on or off, or asks for delayed ones |
//! | `used_notification_handler` | the driver handles a used-buffer notification |
//! | `withdraw`, `take_back`, `reset`, `misuse` | the calls with these names |
//! | `device_actions` | the steps of the device, and the device's effects as events |
//! | `drain_and_release` | the end: stops the faults, drains the queue, releases or drops the subject |
//! | `simulated_or_external_device` | the simulated device, or an external one in its place |
//! | `external_device_trait`, `external_device` | the trait for an external device; how one takes part in an execution |
//! | `observation` | what a call did to shared memory, as events |
//! | `access_order` | accesses of a call whose order is wrong, as events |
//! | `event_sink`, `execution_listener` | where events go: trace hash, model, listener; the trait of the listener |
//! | `fault_attribution` | which answer of the driver belongs to which fault |
//! | `memory_failure` | accesses that fail in the middle of a call |
//! | `subject_panics` | panics of the subject and of the harness |
//! | `execution_state` | the state of one execution |
//! | `queue_view` | the state of the queue, for drawings and as numbers |
//! | `snapshot` | saves, restores and fingerprints an execution |
//! | `watchdog_position` | the position of an execution, for the watchdog and for other processes |
//! | `memory_kind` | heap memory, or memory beside an inaccessible page |
//! | `geometry_check` | checks where an adapter places the descriptor table and the rings |
//! | `verdict`, `cannot_run` | how an execution ended; why a scenario cannot be run |

mod access_order;
mod buffer_pool_check;
mod cannot_run;
mod chain_tokens;
mod construct_subject;
mod device_actions;
mod drain_and_release;
mod driver_calls;
mod event_sink;
mod execute_step;
mod execution_listener;
mod execution_state;
mod external_device;
mod external_device_trait;
mod fault_attribution;
mod geometry_check;
mod memory_failure;
mod memory_kind;
mod misuse;
mod observation;
mod queue_view;
mod recorded_call;
mod request_delayed_notifications;
mod reset;
mod self_submitted_chains;
mod simulated_or_external_device;
mod snapshot;
mod subject_panics;
mod submit_many_and_rounds;
mod submit_request;
mod switch_used_notifications;
mod take_back;
mod used_notification_handler;
mod verdict;
mod watchdog_position;
mod withdraw;

pub use cannot_run::CannotRun;
pub(crate) use drain_and_release::ending_variants;
pub use execution_listener::{Listener, OwnChain, Skip};
pub use external_device_trait::{ChainBuffer, DeviceMemory, HonestDevice, TakenChain};
pub use memory_kind::MemoryKind;
pub(crate) use queue_view::{QueueCounters, QueueView};
pub use snapshot::{Snapshot, StepResult};
pub(crate) use watchdog_position::{ExecutionPosition, ProgressCell, SharedProgressCell};

use crate::counts::Counts;
use crate::depth::Depth;
use crate::outcome::Outcome;
use crate::scenario::{Ending, Scenario, Setup, Step};
use crate::subject::{Provided, SubjectKind};
use event_sink::EventSink;
use execution_state::ExecutionState;
use ringstorm_core::{DeviceAddress, Error as MemoryError};
use ringstorm_model::{Model, ObservedDescriptor, Violation};
use ringstorm_sim_device::{self as sim, CallReport, Effect, LateStore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};
use submit_request::SubmitRequest;

/// The device address of the rings. It is fixed, so that no outcome depends on an address of this process.
const RINGS_ADDRESS: DeviceAddress = DeviceAddress::new(0x10_0000);
/// The device address of the buffers. It needs more than 32 bits and lies one page below a 4 GiB boundary, so that a
/// subject that combines base and offset without carry computes a wrong address.
const BUFFERS_ADDRESS: DeviceAddress = DeviceAddress::new(0x1_ffff_f000);
/// The alignment of the descriptor table in bytes (2.7). Buffers need no alignment.
const RINGS_ALIGNMENT: usize = 16;

/// Handles to each memory that exist without a subject: the rig has one and the device has one.
const OWN_HANDLES: usize = 2;

/// Why an execution stops early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// An invariant is violated.
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
    run: ExecutionState,
    /// The time to prepare the memory of the last scenario and to construct its subject.
    construction: Duration,
    /// Where the rig reports the current call of the subject.
    progress_cell: Option<ProgressCell>,
    /// The number of calls of subjects so far, modulo 2^16.
    calls: u16,
}

/// Buffers that are used again for each step.
#[derive(Default)]
struct Scratch {
    request: SubmitRequest,
    /// What the driver read from a chain.
    out: Vec<u8>,
    /// Device-writable bytes of a chain in memory.
    buffer_bytes: Vec<u8>,
    /// A chain in the types of the simulated device, and of the model.
    seen: Vec<sim::Descriptor>,
    descriptors: Vec<ObservedDescriptor>,
    effects: Vec<Effect>,
    /// Offsets and lengths of stores to the buffers.
    places: Vec<(usize, usize)>,
    /// The same for the rings' memory and the buffers, of a call of `submit` that is observed after another call.
    kept_places: [Option<Vec<(usize, usize)>>; 2],
    /// Stores to the rings' memory after the available index had moved.
    late: Vec<LateStore>,
    /// The accesses of the last call to the rings and to the buffers.
    reports: [CallReport; 2],
}

impl Rig {
    /// Makes a rig with memory for small queues, which grows when a scenario needs more.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory.
    pub fn new() -> Result<Self, MemoryError> {
        Self::with_memory(MemoryKind::Kept)
    }

    /// Makes a rig with this kind of memory.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory.
    pub fn with_memory(memory_kind: MemoryKind) -> Result<Self, MemoryError> {
        subject_panics::install_hook();
        let provided = Provided {
            rings: Rc::new(memory_kind.memory(memory_kind::MIN_BYTES, RINGS_ALIGNMENT)?),
            buffers: Rc::new(memory_kind.memory(memory_kind::MIN_BYTES, 1)?),
            rings_address: RINGS_ADDRESS,
            buffers_address: BUFFERS_ADDRESS,
            lendings: Rc::default(),
        };
        Ok(Self {
            memory_kind,
            run: ExecutionState::new(&provided),
            provided,
            sink: EventSink::default(),
            scratch: Scratch::default(),
            construction: Duration::ZERO,
            progress_cell: None,
            calls: 0,
        })
    }

    /// Replaces the simulated device with an external one. An external device commits no faults; the scenario's fault
    /// steps are skipped.
    #[must_use]
    pub fn with_device(mut self, device: Box<dyn HonestDevice>) -> Self {
        self.run.device.replace_with(device);
        self
    }

    /// The memory of the current or last execution.
    pub const fn provided(&self) -> &Provided {
        &self.provided
    }

    /// Reports the position of the execution to this cell at each call of a subject.
    pub(crate) fn report_progress_to(&mut self, progress_cell: ProgressCell) {
        self.progress_cell = Some(progress_cell);
    }

    /// Reports that the next scenario belongs to this seed.
    pub(crate) fn begin_seed(&self, seed: u64) {
        if let Some(progress_cell) = &self.progress_cell {
            progress_cell.begin_seed(seed);
        }
    }

    /// Runs a scenario from start to end.
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
        let end = end.or_else(|payload| self.end_of_panic(payload, listener));
        listener.ended(self);
        let verdict = self.verdict(end)?;
        Ok(self.outcome(verdict, at))
    }

    /// Starts an execution that [`step`](Self::step) and [`finish`](Self::finish) continue. The caller must catch
    /// panics of the subject, here and in the steps.
    ///
    /// # Errors
    /// [`MemoryError`] if there is no memory for it.
    pub fn begin(&mut self, kind: SubjectKind, setup: &Setup) -> Result<Result<(), Stop>, MemoryError> {
        let setup = self.prepare(kind, setup)?;
        Ok(self.construct(kind, &setup, &mut ()))
    }

    /// Executes one step.
    ///
    /// # Errors
    /// [`Stop`] if the execution stops in this step.
    ///
    /// # Panics
    /// If no execution was started and the step calls the driver.
    pub fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let number = self.run.steps as usize;
        self.step_at(number, Some(step), &mut ())
    }

    /// Whether memory failed in the last step, so that the rest of the step was not executed.
    pub const fn memory_failed_in_last_step(&self) -> bool {
        self.run.memory_failed
    }

    /// Drains the queue, then releases or drops the subject.
    ///
    /// # Errors
    /// [`Stop`] if this violates an invariant.
    ///
    /// # Panics
    /// If no execution was started.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let number = self.run.steps as usize;
        self.step_at(number, None, &mut ())
    }

    /// The time to prepare the memory of the last [`run`](Self::run) and to construct its subject. No outcome depends
    /// on it.
    pub const fn construction_time(&self) -> Duration {
        self.construction
    }

    /// Returns the counts of steps and of the driver's answers since the last call of this function. No outcome depends
    /// on them.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.run.faults.counts)
    }

    /// Returns the depth that executions reached since the last call of this function. No outcome depends on it.
    pub fn take_depth(&mut self) -> Depth {
        self.run.depth.take()
    }

    /// How the current execution ends, limited to what its subject can do.
    pub(crate) const fn ending(&self) -> Ending {
        self.run.setup.ending
    }

    /// Whether a memory failure is set up that no access has reached yet.
    pub(crate) fn has_pending_memory_failure(&self) -> bool {
        self.run.failing.left().is_some()
    }

    /// The hash of all events of the current execution so far.
    pub const fn trace_hash(&self) -> u64 {
        self.sink.hash.get()
    }

    /// The model of the current execution.
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
            Some(step) => self.execute_step(step, listener),
            None => self.drain_and_end(listener).map(|()| None),
        };
        let result = result.map_err(|stop| self.cause_of(stop, listener));
        let run = &mut self.run;
        run.effective_steps += u64::from(run.effective);
        if let Some(begun) = begun {
            run.faults.counts.took_effect(begun, run.effective);
        }
        // The device may do nothing in this step, and still complete an action of an earlier step.
        if let Some(why) = result?.filter(|_| !run.effective) {
            run.skipped_steps += u64::from(matches!(why, Skip::Incapable(_)));
            listener.skipped(why);
        }
        Ok(())
    }
}
