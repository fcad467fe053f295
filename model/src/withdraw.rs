//! Checks the call that withdraws a chain before it is published.

use crate::chains::Progress;
use crate::invariant::require;
use crate::model::Model;
use crate::{Answer, MisuseKind, Violation};

impl Model {
    pub(crate) fn withdraw(&mut self, head: u16, answer: Answer<()>) -> Result<(), Violation> {
        self.stores_allowed = if answer.is_ok() { u32::MAX } else { 0 };
        let progress = self.chains.get(head).map(|chain| chain.progress);
        let submitted = progress == Some(Progress::Submitted);
        match answer {
            _ if self.state_unknown && !(answer.is_ok() && submitted) => Ok(()),
            Ok(()) => {
                require!(
                    submitted,
                    MisuseRefused,
                    "withdraw accepted head {head}, but {}",
                    if progress.is_some() {
                        "its chain is already published"
                    } else {
                        "no live chain has this head"
                    }
                );
                self.unpublished.retain(|unpublished| *unpublished != head);
                self.submitted_since_publish = self.submitted_since_publish.saturating_sub(1);
                self.free_descriptors(head);
                Ok(())
            }
            Err(refusal) if submitted => self.check_refusal(refusal, "withdraw"),
            Err(refusal) => {
                let right = if progress.is_some() { MisuseKind::Published } else { MisuseKind::BadHead };
                self.check_bad_head(right, refusal, "withdraw", head)
            }
        }
    }
}
