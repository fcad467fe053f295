//! Saves and restores the state of an execution, and computes fingerprints of it.

use super::chain_tokens::Tokens;
use super::execution_state::ExecutionState;
use super::{CannotRun, Listener, Rig, Skip, Stop, subject_panics};
use crate::outcome::Verdict;
use crate::scenario::{Setup, Step};
use crate::subject::{Subject, SubjectKind, WrongAdapter};
use ringstorm_core::SharedMemory;
use ringstorm_model::Model;
use ringstorm_sim_device::{self as sim, Change, DeviceState, OrderState, Trap, WatchedMemory};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The result of one step, for callers that execute step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// The execution continues.
    Continued,
    /// The step did nothing, because nothing fitted it or the subject lacks the capability. The state is unchanged.
    Skipped,
    /// The execution ended with this verdict.
    Ended(Verdict),
}

/// A saved state of an execution. It contains a copy of the subject, so pass it to [`Rig::forget`] at the end.
pub struct Snapshot {
    rings: Vec<u8>,
    buffers: Vec<u8>,
    /// How often the rings' memory and the buffers were abandoned, including by the copy of the subject.
    abandonments: [u32; 2],
    /// The number of buffers that the subject's pool has lent.
    lent: usize,
    subject: Box<dyn Subject>,
    device: DeviceState,
    model: Model,
    available: u16,
    taken: VecDeque<u16>,
    tokens: Tokens,
    chains_started: Vec<u32>,
    submissions: u32,
    resets: u32,
    trap: (Option<Trap>, Option<Change>),
    order: OrderState,
    /// How many accesses will succeed before the next failing one; `None` if no access is to fail.
    failing: Option<u32>,
    stopped: bool,
    repetitions_left: u32,
    steps: u64,
}

/// Records whether a step was skipped.
struct WasSkipped(bool);

impl Listener for WasSkipped {
    fn skipped(&mut self, _: Skip) {
        self.0 = true;
    }
}

impl Rig {
    /// Like [`begin`](Self::begin), but catches panics of the subject and releases the previous subject.
    ///
    /// # Errors
    /// [`CannotRun`] if there is no memory for it, or the subject's adapter is wrong.
    pub fn try_begin(&mut self, kind: SubjectKind, setup: &Setup) -> Result<StepResult, CannotRun> {
        let setup = self.prepare(kind, setup)?;
        let end = catch_unwind(AssertUnwindSafe(|| self.construct(kind, &setup, &mut ())));
        Ok(self.advance(end, false)?)
    }

    /// Like [`step`](Self::step), but catches panics of the subject.
    ///
    /// # Errors
    /// [`WrongAdapter`] if the subject's adapter is wrong.
    ///
    /// # Panics
    /// If no execution was started.
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
        let end = end.or_else(|payload| self.end_of_panic(payload, &mut ()));
        Ok(match self.verdict(end)? {
            Verdict::Pass if skipped => StepResult::Skipped,
            Verdict::Pass => StepResult::Continued,
            verdict => StepResult::Ended(verdict),
        })
    }

    /// Saves the state of the current execution. Returns `None` if the subject cannot be copied or the device is
    /// external.
    ///
    /// # Panics
    /// If no execution was started, or it has ended.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let run = &self.run;
        let subject = run.subject.as_deref().expect("the subject is there until it is released");
        let subject = subject.snapshot()?;
        Some(Snapshot {
            rings: bytes(&self.provided.rings),
            buffers: bytes(&self.provided.buffers),
            abandonments: [self.provided.rings.abandonments(), self.provided.buffers.abandonments()],
            lent: self.provided.lendings.lent(),
            subject,
            device: run.device.state()?,
            model: self.sink.model.clone(),
            available: run.available,
            taken: run.taken.clone(),
            tokens: run.tokens.clone(),
            chains_started: run.chains_started.clone(),
            submissions: run.submissions,
            resets: run.resets,
            trap: (self.provided.rings.trap(), run.trap),
            order: self.provided.rings.order_state(),
            failing: run.failing.left(),
            stopped: run.stopped,
            repetitions_left: run.repetitions_left,
            steps: run.steps,
        })
    }

    /// Restores a saved state of the current execution, even if the execution has ended. The trace hash and the counts
    /// are not restored, so they are meaningless afterwards.
    ///
    /// # Panics
    /// If no execution was started.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        // A panic may have cut a call short, so its end was not recorded.
        self.provided.end_call(&mut self.scratch.reports);
        self.run.restore_limits(&self.provided);
        self.stop_memory_failure();
        self.release_quietly();
        self.provided.rings.copy_in(0, &snapshot.rings);
        self.provided.buffers.copy_in(0, &snapshot.buffers);
        let (trap, then) = snapshot.trap;
        self.provided.rings.set_trap(trap);
        self.provided.rings.set_order_state(snapshot.order);
        self.sink.model.clone_from(&snapshot.model);
        let run = &mut self.run;
        run.subject = snapshot.subject.snapshot();
        // Undo what the released subject abandoned.
        let [rings, buffers] = snapshot.abandonments;
        self.provided.rings.set_abandonments(rings);
        self.provided.buffers.set_abandonments(buffers);
        self.provided.lendings.begin(snapshot.lent);
        run.device.restore(&snapshot.device);
        run.available = snapshot.available;
        run.taken.clone_from(&snapshot.taken);
        run.tokens.clone_from(&snapshot.tokens);
        run.chains_started.clone_from(&snapshot.chains_started);
        (run.submissions, run.steps) = (snapshot.submissions, snapshot.steps);
        (run.resets, run.trap) = (snapshot.resets, then);
        (run.stopped, run.repetitions_left) = (snapshot.stopped, snapshot.repetitions_left);
        run.faults.forget_faults();
        if let Some(after) = snapshot.failing {
            self.arm_memory_failure(after as u16);
        }
    }

    /// Releases a snapshot.
    pub fn forget(snapshot: Snapshot) {
        subject_panics::release(Some(snapshot.subject));
    }

    /// Hashes everything that decides how the current execution continues, except for the private state of the subject
    /// and of an external device. With `honest`, hashes only what matters if the device is honest from now on.
    ///
    /// The hash ignores two things that should not matter to a queue. It counts ring indexes from the last multiple of
    /// the queue size, so states that differ by full turns of the rings are equal. Of the buffers, it hashes which
    /// bytes are zero and whether each chain still carries its payload, but not the bytes.
    ///
    /// # Panics
    /// If no execution was started, or it has ended.
    pub fn fingerprint(&self, honest: bool, state: &mut impl Hasher) {
        self.fingerprint_memory(state);
        let run = &self.run;
        let base = run.base();
        run.device.observer().fingerprint(base, honest, state);
        self.sink.model.fingerprint(base, state);
        // The tokens of the chains follow from the subject's private state.
        (run.available.wrapping_sub(base), &run.taken).hash(state);
        if run.setup.event_index && !honest {
            // A corrupted `used_event` or `avail_event` stays constant while the ring indexes advance.
            base.hash(state);
        }
        (run.failing.left(), run.stopped).hash(state);
        if run.can.watched {
            self.provided.rings.order_state().hash(state);
        }
        // Decides the first index of the next reset.
        run.resets.is_multiple_of(2).hash(state);
        if let Some(Trap { offset, width, value }) = self.provided.rings.trap() {
            // The value may be a ring index, so hash it together with all that identifies the trap.
            (offset as u64, width as u64, value, base).hash(state);
        }
        // Whether no, one, or more than one chain has started at each head.
        run.chains_started.iter().for_each(|chains_started| (*chains_started).min(2).hash(state));
    }

    /// Hashes the subject's private state. Returns `false` if the subject does not provide it.
    ///
    /// # Panics
    /// If no execution was started, or it has ended.
    pub fn fingerprint_subject(&self, state: &mut dyn Hasher) -> bool {
        let run = &self.run;
        run.subject.as_deref().expect("the subject is there until it is released").fingerprint(state)
    }

    /// Hashes the shared memory, with the same exceptions as [`fingerprint`](Self::fingerprint).
    ///
    /// # Panics
    /// If no execution was started.
    pub(crate) fn fingerprint_memory(&self, state: &mut impl Hasher) {
        let run = &self.run;
        self.rings(run, state);
        self.payload(run, state);
    }

    /// Hashes the rings' memory, with its indexes relative to the last multiple of the queue size.
    fn rings(&self, run: &ExecutionState, state: &mut impl Hasher) {
        let mut bytes = bytes(&self.provided.rings);
        let sim::Geometry { size, available, used, .. } = run.geometry;
        let mut indexes = vec![available + 2, used + 2];
        if run.setup.event_index {
            // `used_event` and `avail_event` follow the entries of the available and the used ring.
            indexes.extend([available + 4 + 2 * usize::from(size), used + 4 + 8 * usize::from(size)]);
        }
        for index in indexes {
            let place = &mut bytes[index..index + 2];
            let turned = u16::from_le_bytes([place[0], place[1]]).wrapping_sub(run.base());
            place.copy_from_slice(&turned.to_le_bytes());
        }
        state.write(&bytes);
    }

    /// Hashes which bytes of the buffers are zero, and whether the buffers contain the submitted payload.
    fn payload(&self, run: &ExecutionState, state: &mut impl Hasher) {
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
                let (Some(actual), Some(expected)) = (bytes.get(start..start + length), rest.get(..length))
                else {
                    return false;
                };
                rest = &rest[length..];
                actual == expected
            });
            intact.hash(state);
        }
        bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
        state.write(&bytes);
    }
}

impl ExecutionState {
    /// The ring index that other indexes are relative to.
    fn base(&self) -> u16 {
        self.available & !(self.setup.queue_size.get() - 1)
    }
}

/// Copies all bytes of a memory.
fn bytes(memory: &WatchedMemory) -> Vec<u8> {
    let mut bytes = vec![0; memory.len()];
    memory.copy_out(0, &mut bytes);
    bytes
}
