//! What an execution came to.

use super::{Rig, panics};
use crate::outcome::{Outcome, Verdict};

impl Rig {
    pub(super) fn outcome(&mut self, verdict: Verdict, step: usize) -> Outcome {
        let run = &mut self.run;
        if verdict != Verdict::Pass {
            self.judge.hash.number(run.call as u64);
            // A subject that went wrong may go wrong again when it is released; that tells nothing new.
            panics::release(run.subject.take());
        }
        Outcome {
            verdict,
            step,
            steps: run.steps,
            effective_steps: run.effective_steps,
            skipped_steps: run.skipped_steps,
            trace_hash: self.judge.hash.get(),
            call: run.call,
            last_fault: run.last_fault,
            coverage: run.coverage,
        }
    }
}
