//! Keeping the state of an execution, going back to it, and telling it from others.

use super::run_state::RunState;
use super::{CannotRun, Listener, Rig, Skip, Stop, panics};
use crate::outcome::Verdict;
use crate::scenario::{Setup, Step};
use crate::subject::{Subject, SubjectKind, WrongAdapter};
use ringstorm_core::SharedMemory;
use ringstorm_model::Model;
use ringstorm_sim_device::{self as sim, Change, DeviceState, Trap, WatchedMemory};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a step of an execution that is gone through step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// It went on.
    Continued,
    /// There was nothing to do, or nothing that the subject can do: everything is as it was.
    Skipped,
    /// The execution ends here, with this verdict.
    Ended(Verdict),
}

/// The state of an execution, to go back to. It holds a copy of the subject, so it is given to
/// [`Rig::forget`] in the end.
pub struct Snapshot {
    rings: Vec<u8>,
    buffers: Vec<u8>,
    /// How often rings and buffers were abandoned, by the copy of the subject too.
    abandonments: [u32; 2],
    subject: Box<dyn Subject>,
    device: DeviceState,
    model: Model,
    available: u16,
    returned: VecDeque<u16>,
    chains_started: Vec<u32>,
    submissions: u32,
    resets: u32,
    trap: (Option<Trap>, Option<Change>),
    /// How many accesses pass before one fails, if one is to.
    failing: Option<u32>,
    stopped: bool,
    steps: u64,
}

/// Whether a step was skipped.
struct WasSkipped(bool);

impl Listener for WasSkipped {
    fn skipped(&mut self, _: Skip) {
        self.0 = true;
    }
}

impl Rig {
    /// As [`begin`](Self::begin), with panics of the subject caught, and the subject of the execution before released.
    ///
    /// # Errors
    /// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
    pub fn try_begin(&mut self, kind: SubjectKind, setup: &Setup) -> Result<StepResult, CannotRun> {
        // Dropped with live chains, a subject may keep its memory for ever.
        panics::release(self.run.subject.take());
        let setup = self.prepare(kind, setup)?;
        let end = catch_unwind(AssertUnwindSafe(|| self.construct(kind, &setup, &mut ())));
        Ok(self.advance(end, false)?)
    }

    /// As [`step`](Self::step), with panics of the subject caught.
    ///
    /// # Errors
    /// [`WrongAdapter`] if the subject's adapter is wrong.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn try_step(&mut self, step: &Step) -> Result<StepResult, WrongAdapter> {
        let number = self.run.steps as usize;
        let mut skipped = WasSkipped(false);
        let end = catch_unwind(AssertUnwindSafe(|| self.step_at(number, Some(step), &mut skipped)));
        self.advance(end, skipped.0)
    }

    fn advance(
        &mut self,
        end: std::thread::Result<Result<(), Stop>>,
        skipped: bool,
    ) -> Result<StepResult, WrongAdapter> {
        Ok(match self.verdict(end)? {
            Verdict::Pass if skipped => StepResult::Skipped,
            Verdict::Pass => StepResult::Continued,
            verdict => StepResult::Ended(verdict),
        })
    }

    /// The state of the current execution; `None` if the subject cannot be copied, or the device is somebody else's.
    ///
    /// # Panics
    /// If no execution was begun, or it has ended.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let run = &self.run;
        let subject = run.subject.as_deref().expect("the subject is there until it is released");
        let subject = subject.snapshot()?;
        Some(Snapshot {
            rings: bytes(&self.provided.rings),
            buffers: bytes(&self.provided.buffers),
            abandonments: [self.provided.rings.abandonments(), self.provided.buffers.abandonments()],
            subject,
            device: run.device.state()?,
            model: self.sink.model.clone(),
            available: run.available,
            returned: run.returned.clone(),
            chains_started: run.chains_started.clone(),
            submissions: run.submissions,
            resets: run.resets,
            trap: (self.provided.rings.trap(), run.trap),
            failing: run.failing.left(),
            stopped: run.stopped,
            steps: run.steps,
        })
    }

    /// Goes back to a state of the current execution, wherever it has gone since, and even if it has ended. Its trace
    /// and its counts go on, so they mean nothing any more.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        // What was cut short by a panic is over.
        self.provided.end_call(&mut self.scratch.reports);
        self.run.restore_limits(&self.provided);
        self.stop_memory_failure();
        self.provided.rings.copy_in(0, &snapshot.rings);
        self.provided.buffers.copy_in(0, &snapshot.buffers);
        let (trap, then) = snapshot.trap;
        self.provided.rings.set_trap(trap);
        self.sink.model.clone_from(&snapshot.model);
        let run = &mut self.run;
        panics::release(run.subject.take());
        run.subject = snapshot.subject.snapshot();
        // Whatever became of the subject that is gone.
        let [rings, buffers] = snapshot.abandonments;
        self.provided.rings.set_abandonments(rings);
        self.provided.buffers.set_abandonments(buffers);
        run.device.restore(&snapshot.device);
        run.available = snapshot.available;
        run.returned.clone_from(&snapshot.returned);
        run.chains_started.clone_from(&snapshot.chains_started);
        (run.submissions, run.steps) = (snapshot.submissions, snapshot.steps);
        (run.resets, run.trap) = (snapshot.resets, then);
        run.stopped = snapshot.stopped;
        run.faults.forget_faults();
        if let Some(after) = snapshot.failing {
            self.arm_memory_failure(after as u16);
        }
    }

    /// Lets go of a snapshot.
    pub fn forget(snapshot: Snapshot) {
        panics::release(Some(snapshot.subject));
    }

    /// Folds in everything that decides how the current execution goes on, but for the private state of the subject, and of a
    /// device that somebody else wrote: with more
    /// faults to come, or with an `honest` device from now on.
    ///
    /// Two things are taken to be of no matter to a queue. Ring indexes count from the last multiple of the queue
    /// size, so states that are whole turns of the rings apart are the same. And of the bytes in buffers it counts
    /// which are zero, and whether a chain still carries what was submitted, but not what they are.
    ///
    /// # Panics
    /// If no execution was begun, or it has ended.
    pub fn fingerprint(&self, honest: bool, state: &mut impl Hasher) {
        self.fingerprint_memory(state);
        let run = &self.run;
        let base = run.base();
        run.device.observer().fingerprint(base, honest, state);
        self.sink.model.fingerprint(base, state);
        (run.available.wrapping_sub(base), &run.returned).hash(state);
        if run.setup.event_index && !honest {
            // A garbled event is an index that stays where it is while the rings turn.
            base.hash(state);
        }
        (run.failing.left(), run.stopped).hash(state);
        // What first index the next reset is given.
        run.resets.is_multiple_of(2).hash(state);
        if let Some(Trap { offset, width, value }) = self.provided.rings.trap() {
            // The value may be an index: it is told from others by all that it is.
            (offset as u64, width as u64, value, base).hash(state);
        }
        // Whether a head has had a life, and whether an earlier one.
        run.chains_started.iter().for_each(|chains_started| (*chains_started).min(2).hash(state));
    }

    /// Folds in the subject's private state, and says so; `false` if it does not tell.
    ///
    /// # Panics
    /// If no execution was begun, or it has ended.
    pub fn fingerprint_subject(&self, state: &mut dyn Hasher) -> bool {
        let run = &self.run;
        run.subject.as_deref().expect("the subject is there until it is released").fingerprint(state)
    }

    /// Folds in what stands in shared memory, as [`fingerprint`](Self::fingerprint) does.
    ///
    /// # Panics
    /// If no execution was begun.
    pub fn fingerprint_memory(&self, state: &mut impl Hasher) {
        let run = &self.run;
        self.rings(run, state);
        self.payload(run, state);
    }

    /// The rings' memory, but for turns of its indexes.
    fn rings(&self, run: &RunState, state: &mut impl Hasher) {
        let mut bytes = bytes(&self.provided.rings);
        let sim::Geometry { size, available, used, .. } = run.geometry;
        let mut indexes = vec![available + 2, used + 2];
        if run.setup.event_index {
            // Behind the entries of either ring.
            indexes.extend([available + 4 + 2 * usize::from(size), used + 4 + 8 * usize::from(size)]);
        }
        for index in indexes {
            let place = &mut bytes[index..index + 2];
            let turned = u16::from_le_bytes([place[0], place[1]]).wrapping_sub(run.base());
            place.copy_from_slice(&turned.to_le_bytes());
        }
        state.write(&bytes);
    }

    /// The buffers: where they are zero, and whether they hold what was submitted.
    fn payload(&self, run: &RunState, state: &mut impl Hasher) {
        let mut bytes = bytes(&self.provided.buffers);
        for head in 0..run.setup.queue_size.get() {
            let (Some(descriptors), Some(payload)) =
                (self.sink.model.descriptors(head), self.sink.model.payload(head))
            else {
                continue;
            };
            let mut rest = payload;
            let intact = descriptors.iter().filter(|descriptor| !descriptor.writable).all(|descriptor| {
                let Some(place) = descriptor.place else { return false };
                let (start, length) = (place.offset as usize, descriptor.length as usize);
                let (Some(stands), Some(wanted)) = (bytes.get(start..start + length), rest.get(..length))
                else {
                    return false;
                };
                rest = &rest[length..];
                stands == wanted
            });
            intact.hash(state);
        }
        bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
        state.write(&bytes);
    }
}

impl RunState {
    /// What ring indexes are counted from.
    fn base(&self) -> u16 {
        self.available & !(self.setup.queue_size.get() - 1)
    }
}

/// All bytes of a memory.
fn bytes(memory: &WatchedMemory) -> Vec<u8> {
    let mut bytes = vec![0; memory.len()];
    memory.copy_out(0, &mut bytes);
    bytes
}
