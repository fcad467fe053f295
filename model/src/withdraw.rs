//! Judging what takes a chain out of the queue: freeing it, and taking it back.

use crate::chains::Progress;
use crate::invariant::require;
use crate::model::Model;
use crate::{Answer, MisuseKind, Refusal, Violation};

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

    /// The chain at `head` is none any more.
    pub(crate) fn gone(&mut self, head: u16) {
        let serial = self.chains.freed(head);
        self.fragmented |= serial != self.free_next;
        self.free_next += 1;
        if self.chains.live == 0 {
            (self.free_next, self.fragmented) = (self.submissions + 1, false);
        }
    }

    /// A refusal of a head that deserves one, for the right reason.
    pub(crate) fn bad_head(
        &mut self,
        right: MisuseKind,
        refusal: Refusal,
        call: &str,
        head: u16,
    ) -> Result<(), Violation> {
        match refusal {
            Refusal::Misuse(MisuseKind::Unspecified) => {}
            Refusal::Misuse(kind) => {
                require!(
                    kind == right,
                    MisuseRefused,
                    "{call} of {head} is refused as {kind:?}, not {right:?}"
                );
            }
            Refusal::Broken => return self.other_refusal(refusal, call),
            Refusal::Device(_) | Refusal::System => {
                require!(false, MisuseRefused, "{call} of {head} blames somebody else than the caller");
            }
        }
        Ok(())
    }
}
