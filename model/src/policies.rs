//! Checks how a driver answers device faults against the policies that it declares.

use crate::invariant::require;
use crate::model::Model;
use crate::used::Claim;
use crate::wording::{Count, TakeAnswer, bytes};
use crate::{Answer, Completion, DeviceRefusal, Policies, Refusal, Violation};

impl Model {
    /// Whether the device lied in the used ring since the last reset, and the driver may act on what it loaded then: it does not
    /// promise that each take loads everything again.
    pub(crate) const fn may_act_on_lies(&self) -> bool {
        self.used.device_lied && !self.setup.policies.reloads_used_index
    }

    /// Whether the driver may have consumed other elements than the model has followed: the device lied in the used ring, and the
    /// driver does not promise to look at the elements one by one and to report and consume each bad one.
    pub(crate) const fn may_be_elsewhere(&self) -> bool {
        let Policies { reports_bad_elements, consumes_bad_elements, reloads_used_index, .. } =
            self.setup.policies;
        self.used.device_lied && !(reports_bad_elements && consumes_bad_elements && reloads_used_index)
    }

    /// Checks the answer to `take` against what the driver promises for the state of the used ring. Must be called before the
    /// model follows the answer.
    pub(crate) fn check_policies(&self, answer: Answer<Option<Completion>>) -> Result<(), Violation> {
        let policies = self.setup.policies;
        if policies == Policies::NONE || self.available_ring_corrupted {
            // After the device overwrote the available ring, the model no longer knows which chains are published.
            return Ok(());
        }
        let reported = |should_consume: Option<bool>, head: Option<u16>| match answer {
            Err(Refusal::Device(DeviceRefusal { consumed, returned, .. })) => {
                should_consume.is_none_or(|should| consumed == should) && returned == head
            }
            _ => false,
        };
        let kept = if self.broken {
            !policies.reports_broken || answer == Err(Refusal::Broken)
        } else if !policies.reloads_used_index {
            // It may act on what the ring contained in an earlier call.
            true
        } else if u32::from(self.used.claimed()) > self.chains.in_flight {
            !policies.refuses_index_jumps || reported(Some(false), None)
        } else {
            match self.used.claim(&self.chains) {
                Claim::Nothing => answer == Ok(None),
                Claim::Bad if policies.reports_bad_elements => {
                    reported(policies.consumes_bad_elements.then_some(true), None)
                }
                Claim::Bad => true,
                Claim::Good { head, length } => {
                    let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
                    match u64::from(length) > writable {
                        true if policies.refuses_over_long == Some(true) => reported(Some(true), Some(head)),
                        true if policies.refuses_over_long.is_none() => answer != Ok(None),
                        _ => matches!(answer, Ok(Some(_))),
                    }
                }
            }
        };
        require!(
            kept,
            FailedUnchanged,
            "take {}, but {}",
            TakeAnswer(answer),
            self.expected_of_take(policies.refuses_over_long == Some(true))
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
