//! What an execution came to.

use super::{Rig, Stop, panics};
use crate::outcome::{Outcome, Verdict};
use crate::subject::WrongAdapter;
use std::thread;

impl Rig {
    /// What an end comes to. Of an adapter that is wrong, it is said where that was seen.
    pub(super) fn verdict(&mut self, end: thread::Result<Result<(), Stop>>) -> Result<Verdict, WrongAdapter> {
        panics::verdict(end).map_err(|wrong| {
            panics::release(self.run.subject.take());
            let Self { run, .. } = self;
            match run.steps {
                0 => wrong.at("when it was made"),
                steps => wrong.at(&format!("in step {}, {}", steps - 1, run.call)),
            }
        })
    }

    pub(super) fn outcome(&mut self, verdict: Verdict, step: usize) -> Outcome {
        let run = &mut self.run;
        if verdict != Verdict::Pass {
            self.sink.hash.number(run.call as u64);
            run.faults.attribute_finding();
            // A subject that went wrong may go wrong again when it is released; that tells nothing new, unless it never
            // comes back.
            if let Some(progress_cell) = &self.progress_cell {
                self.calls = self.calls.wrapping_add(1);
                progress_cell.enter(run.call, run.steps, run.faults.last_fault, self.calls);
            }
            panics::release(run.subject.take());
        }
        if let Some(progress_cell) = &self.progress_cell {
            progress_cell.leave();
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
            coverage: run.faults.coverage,
        }
    }
}
