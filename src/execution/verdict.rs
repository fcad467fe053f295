//! Turns the end of an execution into a verdict and an outcome.

use super::{Listener, Rig, Stop, subject_panics};
use crate::outcome::{Call, Outcome, Verdict};
use crate::subject::WrongAdapter;
use std::any::Any;
use std::thread;

impl Rig {
    /// The verdict of an execution that ended in this way. For a wrong adapter, the error states the step and the call.
    pub(super) fn verdict(&mut self, end: thread::Result<Result<(), Stop>>) -> Result<Verdict, WrongAdapter> {
        subject_panics::verdict(end).map_err(|wrong| {
            self.release_quietly();
            let Self { run, .. } = self;
            match run.steps {
                0 => wrong.at("when the queue was constructed"),
                steps => wrong.at(&format!("in step {}, {}", steps - 1, run.call)),
            }
        })
    }

    /// Ends the call that a panic cut short. If the device had changed a value between two reads of that call, the execution ends
    /// with the double fetch instead of the panic.
    #[cold]
    pub(super) fn end_of_panic(
        &mut self,
        payload: Box<dyn Any + Send>,
        listener: &mut impl Listener,
    ) -> thread::Result<Result<(), Stop>> {
        self.end_call();
        if !subject_panics::is_panic_of_subject(&*payload) {
            return Err(payload);
        }
        match self.observe_seen_double_fetch(listener) {
            Ok(()) => Err(payload),
            stopped => {
                subject_panics::forget_panic();
                Ok(stopped)
            }
        }
    }

    /// Releases the subject, if there is one, in any state and without a verdict. It may fail again. Only a release that
    /// does not return matters: its accesses are limited, and its position is reported for the watchdog.
    pub(super) fn release_quietly(&mut self) {
        let Some(subject) = self.run.subject.take() else { return };
        self.stop_memory_failure();
        self.provided.rings.set_trap(None);
        let run = &self.run;
        if let Some(progress_cell) = &self.progress_cell {
            self.calls = self.calls.wrapping_add(1);
            progress_cell.begin_call(Call::Release, run.steps, &run.faults, self.calls);
        }
        self.provided.begin_call(run.call_limit);
        subject_panics::release(Some(subject));
        self.end_call();
    }

    pub(super) fn outcome(&mut self, verdict: Verdict, step: usize) -> Outcome {
        let run = &mut self.run;
        if verdict != Verdict::Pass {
            self.sink.hash.number(run.call as u64);
            run.faults.attribute_finding();
            self.release_quietly();
        }
        let run = &mut self.run;
        if let Some(progress_cell) = &self.progress_cell {
            progress_cell.end_execution();
        }
        Outcome {
            verdict,
            step,
            steps: run.steps,
            effective_steps: run.effective_steps,
            skipped_steps: run.skipped_steps,
            trace_hash: self.sink.hash.get(),
            call: run.call,
            last_fault: run.faults.last_fault,
            faults: run.faults.faults,
            unwound: run.unwound,
            coverage: run.faults.coverage,
        }
    }
}
