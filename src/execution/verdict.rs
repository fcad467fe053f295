//! Turns the end of an execution into a verdict and an outcome.

use super::{Rig, Stop, subject_panics};
use crate::outcome::{Call, Outcome, Verdict};
use crate::subject::WrongAdapter;
use std::thread;

impl Rig {
    /// The verdict of an execution that ended in this way. For a wrong adapter, the error states the step and the call.
    pub(super) fn verdict(&mut self, end: thread::Result<Result<(), Stop>>) -> Result<Verdict, WrongAdapter> {
        let verdict = subject_panics::verdict(end).map_err(|wrong| {
            self.release_quietly();
            let Self { run, .. } = self;
            match run.steps {
                0 => wrong.at("when the queue was constructed"),
                steps => wrong.at(&format!("in step {}, {}", steps - 1, run.call)),
            }
        })?;
        match verdict {
            Verdict::Panic(message) => Ok(self.cause_of_panic(message)),
            verdict => Ok(verdict),
        }
    }

    /// The verdict after the subject panicked: a double fetch, if the device changed the value between the two reads of the call
    /// that panicked.
    #[cold]
    fn cause_of_panic(&mut self, message: String) -> Verdict {
        let changed = self.run.can.watched && self.scratch.reports[0].trap_triggered;
        match self.double_fetch().filter(|_| changed).map(|offset| self.emit_double_fetch(offset, &mut ())) {
            Some(Err(Stop::Violation(violation))) => Verdict::Violation(violation),
            _ => Verdict::Panic(message),
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
