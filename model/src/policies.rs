//! Checks how a driver answers device faults against the policies that it declares.

use crate::invariant::require;
use crate::model::Model;
use crate::used::Claim;
use crate::wording::{Count, TakeAnswer, bytes};
use crate::{Answer, Completion, DeviceRefusal, Refusal, Violation};

impl Model {
    /// Checks the answer to `take` against the driver's policies: it reports each bad element and skips none silently, and
    /// a broken queue reports that it is broken. Must be called before the model follows the answer.
    pub(crate) fn check_policies(&self, answer: Answer<Option<Completion>>) -> Result<(), Violation> {
        let Some(policies) = self.setup.policies else { return Ok(()) };
        if self.available_ring_corrupted {
            // The model no longer knows which chains are published.
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
            "take {}, but {}",
            TakeAnswer(answer),
            self.expected_of_take(policies.refuses_over_long)
        );
        Ok(())
    }

    /// The state before `take`, and the answer that the policies demand.
    #[cold]
    fn expected_of_take(&self, refuses_over_long: bool) -> String {
        let (claimed, next) = (self.used.claimed(), self.used.next);
        if self.broken {
            return "the queue is broken; expected it to report that".to_owned();
        }
        if u32::from(claimed) > self.chains.in_flight {
            return format!(
                "the used index claims {}, more than the {} in flight; expected a device fault that consumes no element",
                Count(claimed.into(), "new element"),
                Count(self.chains.in_flight.into(), "chain")
            );
        }
        let next_element = format!("the next used element, index {next}, has id {}", self.used.next_id());
        match self.used.claim(&self.chains) {
            Claim::Nothing => "the device has added no used element; expected nothing".to_owned(),
            Claim::Bad => {
                format!(
                    "{next_element}, which is not in flight; expected a device fault that consumes the element"
                )
            }
            Claim::Good { head, length } => {
                let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
                if u64::from(length) > writable && refuses_over_long {
                    format!(
                        "{next_element} and a length of {}, and the chain has {} to write; expected a device fault that consumes the element and returns chain {head}",
                        bytes(length),
                        bytes(writable)
                    )
                } else {
                    format!("{next_element}; expected chain {head}")
                }
            }
        }
    }
}
