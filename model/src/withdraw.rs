//! Judging the call that takes a chain back before it is published.

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
            _ if self.halfway && !(answer.is_ok() && submitted) => Ok(()),
            Ok(()) => {
                let what = if progress.is_some() { "the device has or had" } else { "is none" };
                require!(submitted, MisuseRefused, "withdraw accepted chain {head}, which {what}");
                self.unpublished.retain(|unpublished| *unpublished != head);
                self.unannounced = self.unannounced.saturating_sub(1);
                self.gone(head);
                Ok(())
            }
            Err(refusal) if submitted => self.other_refusal(refusal, "withdraw"),
            Err(refusal) => {
                let right = if progress.is_some() { MisuseKind::Published } else { MisuseKind::BadHead };
                self.bad_head(right, refusal, "withdraw", head)
            }
        }
    }
}
