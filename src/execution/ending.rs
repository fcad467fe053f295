//! What an execution came to.

use super::{Rig, panics};
use crate::outcome::{Outcome, Verdict};

impl Rig {
    pub(super) fn outcome(&mut self, verdict: Verdict, step: usize) -> Outcome {
        let run = &mut self.run;
        if verdict != Verdict::Pass {
            self.judge.hash.number(run.call as u64);
            // A subject that went wrong may go wrong again when it is released; that tells nothing new, unless it never
            // comes back.
            if let Some(pulse) = &self.pulse {
                self.calls = self.calls.wrapping_add(1);
                pulse.enter(run.call, run.steps, run.last_fault, self.calls);
            }
            panics::release(run.subject.take());
        }
        if let Some(pulse) = &self.pulse {
            pulse.leave();
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
