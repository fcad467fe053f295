//! What an execution came to.

use super::{Rig, panics};
use crate::coverage::Coverage;
use crate::outcome::{Call, Outcome, Verdict};
use ringstorm_model::TraceHash;

impl Rig {
    pub(super) fn outcome(&mut self, verdict: Verdict, step: usize) -> Outcome {
        let Some(run) = self.run.as_mut() else {
            // The subject did not survive its construction.
            return Outcome {
                verdict,
                step,
                steps: 0,
                effective_steps: 0,
                skipped_steps: 0,
                trace_hash: TraceHash::default().get(),
                call: Call::Construct,
                last_fault: None,
                coverage: Coverage::default(),
            };
        };
        if verdict != Verdict::Pass {
            run.hash.number(run.call as u64);
            // A subject that went wrong may go wrong again when it is released; that tells nothing new.
            panics::release(run.subject.take());
        }
        Outcome {
            verdict,
            step,
            steps: run.steps,
            effective_steps: run.effective_steps,
            skipped_steps: run.skipped_steps,
            trace_hash: run.hash.get(),
            call: run.call,
            last_fault: run.last_fault,
            coverage: run.coverage,
        }
    }
}
