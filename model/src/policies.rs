//! Judging what a driver does about device faults by what it promised.

use crate::invariant::require;
use crate::model::Model;
use crate::used::Claim;
use crate::{Answer, Completion, DeviceRefusal, Refusal, Violation};

impl Model {
    /// Looks whether the answer to `take` is what the driver promised, before what it does is known: each bad element is
    /// reported, none is passed over in silence, and a broken queue says that it is.
    pub(crate) fn promised(&self, answer: Answer<Option<Completion>>) -> Result<(), Violation> {
        let Some(policies) = self.setup.policies else { return Ok(()) };
        if self.ring_tampered {
            // What the driver has published is not known any more.
            return Ok(());
        }
        let reported = |should: (bool, Option<u16>)| match answer {
            Err(Refusal::Device(DeviceRefusal { consumed, returned, .. })) => (consumed, returned) == should,
            _ => false,
        };
        let (claimed, in_flight) = (self.used.claimed(), self.chains.in_flight);
        let kept = if self.broken {
            answer == Err(Refusal::Broken)
        } else if u32::from(claimed) > in_flight {
            reported((false, None))
        } else {
            match self.used.claim(&self.chains) {
                Claim::Nothing => answer == Ok(None),
                Claim::Bad => reported((true, None)),
                Claim::Good { head, length } => {
                    let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
                    match u64::from(length) > writable && policies.refuses_over_long {
                        true => reported((true, Some(head))),
                        false => matches!(answer, Ok(Some(_))),
                    }
                }
            }
        };
        require!(
            kept,
            FailedUnchanged,
            "take answers {answer:?} against its policies, with {claimed} elements claimed, {in_flight} chains at the device{}",
            if self.broken { ", and the queue broken" } else { "" }
        );
        Ok(())
    }
}
