//! Subjects that name chains by tokens of their own. The harness finds the head of a chain in the available ring.

use super::{Listener, Rig, Stop};
use crate::outcome::Call;
use crate::subject::{Capabilities, WrongAdapter};
use ringstorm_model::{Answer, Completion, Invariant, Refusal, Violation};
use std::collections::HashMap;

/// The tokens of the live chains. Empty without [`Capabilities::tokens`].
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    heads: HashMap<u16, u16>,
    tokens: HashMap<u16, u16>,
}

impl Tokens {
    /// Forgets the token of the chain at `head`, which is not live any more. The token can name another chain then.
    #[inline(always)]
    pub(super) fn forget(&mut self, head: u16) {
        // Most subjects have no tokens, and an empty map would still hash the head.
        if !self.tokens.is_empty()
            && let Some(token) = self.tokens.remove(&head)
        {
            self.heads.remove(&token);
        }
    }

    /// Forgets all tokens.
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.tokens.clear();
    }

    /// Adds a live chain. Its head is not that of another live chain.
    fn add(&mut self, token: u16, head: u16) {
        if let Some(other) = self.heads.insert(token, head) {
            WrongAdapter::raise(format!(
                "its `submit` returned the token {token} for the chain at descriptor {head}, but the live chain at descriptor \
                 {other} still has this token"
            ));
        }
        self.tokens.insert(head, token);
    }

    /// What the subject calls the chain at `head`. If no live chain begins there, a number that is no token of a live chain.
    #[cold]
    pub(super) fn name_of(&self, head: u16) -> u16 {
        let unused =
            || (0..=u16::MAX).map(|step| head.wrapping_add(step)).find(|name| !self.heads.contains_key(name));
        self.tokens.get(&head).copied().or_else(unused).unwrap_or(head)
    }
}

/// Checks that a subject with tokens has no capability for which the harness needs heads.
///
/// # Panics
/// With [`WrongAdapter`] if it has.
pub(super) fn check_capabilities(can: Capabilities) {
    let others = [
        ("submits_itself", can.submits_itself),
        ("unwinds", can.unwinds),
        ("stale_handles", can.stale_handles),
        ("withdraw", can.withdraw),
    ];
    if let Some((name, _)) = others.into_iter().find(|(_, has)| can.tokens && *has) {
        WrongAdapter::raise(format!("its capabilities include `tokens` and `{name}`, which needs heads"));
    }
}

impl Rig {
    /// Finds the head of a chain that the subject has just accepted, and continues as if the subject had returned it. A
    /// subject with `prepare` publishes the chain first.
    #[cold]
    pub(super) fn submitted_by_token(
        &mut self,
        readable: &[&[u8]],
        writable: &[u32],
        token: u16,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        if !self.run.can.prepare {
            let head = self.published_head(token)?;
            self.submitted(readable, writable, Ok(head), listener)?;
            self.run.tokens.add(token, head);
            return Ok(());
        }
        self.check_not_published();
        let reports = self.scratch.reports;
        let mut places = [Vec::new(), Vec::new()];
        self.provided.rings.take_places(&mut places[0]);
        self.provided.buffers.take_places(&mut places[1]);
        let notify = self.call(Call::Publish, |subject| subject.publish());
        let of_publish = std::mem::replace(&mut self.scratch.reports, reports);
        let head = self.published_head(token)?;
        // First what `submit` did, except for the free count.
        self.run.call = Call::Submit;
        self.check_watched(Ok(head));
        self.emit_submitted(readable, writable, Ok(head), listener)?;
        self.run.tokens.add(token, head);
        if self.run.can.watched {
            self.scratch.kept_places = places.map(Some);
            self.observe_accesses(listener)?;
            self.scratch.kept_places = [None, None];
        }
        (self.scratch.reports, self.run.call) = (of_publish, Call::Publish);
        self.published(notify, listener)
    }

    /// The head in the next entry of the available ring.
    fn published_head(&self, token: u16) -> Result<u16, Violation> {
        let (run, device) = (&self.run, self.run.device.observer());
        if device.available_index() == run.available {
            let detail = format!(
                "submit accepted a chain, token {token}, but after {} the available index was still {}; expected a move by 1",
                run.call, run.available
            );
            return Err(Violation { invariant: Invariant::AvailableOrder, detail });
        }
        Ok(device.available_entry(run.available))
    }

    /// The head of the live chain with the token that a call returned.
    fn head_of(&self, token: u16, call: &str) -> Result<u16, Violation> {
        self.run.tokens.heads.get(&token).copied().ok_or_else(|| Violation {
            invariant: Invariant::CompletedOnce,
            detail: format!("{call} returned token {token}, but no live chain has this token"),
        })
    }

    /// The head of the chain that `take_back` returned.
    pub(super) fn taken_back_by_token(&mut self, name: u16) -> Result<u16, Violation> {
        if !self.run.can.tokens {
            return Ok(name);
        }
        let head = self.head_of(name, "take_back")?;
        self.run.tokens.forget(head);
        Ok(head)
    }

    /// The answer of `take` with heads in place of tokens. Only for subjects with tokens.
    #[cold]
    pub(super) fn taken_by_token(
        &self,
        answer: Answer<Option<Completion>>,
    ) -> Result<Answer<Option<Completion>>, Violation> {
        let head_of = |token| self.head_of(token, "take");
        Ok(match answer {
            Ok(Some(Completion { head, length })) => Ok(Some(Completion { head: head_of(head)?, length })),
            Err(Refusal::Device(mut refusal)) => {
                refusal.returned = refusal.returned.map(head_of).transpose()?;
                Err(Refusal::Device(refusal))
            }
            Ok(None) | Err(Refusal::Misuse(_) | Refusal::System | Refusal::Broken) => answer,
        })
    }
}
