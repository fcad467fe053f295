//! Checks what a driver takes from the used ring.

use crate::invariant::require;
use crate::model::Model;
use crate::used::Claim;
use crate::wording::{Count, bytes};
use crate::{Answer, Completion, DeviceRefusal, Policies, Refusal, Violation};

impl Model {
    /// How often a take that reports a fault may store. It may move `used_event` before it loads the used index, unless it
    /// promises to do that with each element, and with each element that it looks at.
    fn stores_with_fault(&self, consumed: bool) -> u32 {
        let in_flight = self.chains.in_flight;
        let claimed = u32::from(self.used.ever_claimed());
        match self.setup.policies {
            _ if !self.setup.event_index || self.broken => 0,
            // The call may have skipped bad elements. For each it may move `used_event`, and again before it looks for the next.
            Policies { reloads_used_index: false, .. } => 2 + 2 * claimed,
            Policies { refuses_index_jumps: true, .. } if claimed > in_flight && !consumed => {
                u32::from(!self.setup.rearms_each_take)
            }
            _ => 1,
        }
    }

    pub(crate) fn take(&mut self, answer: Answer<Option<Completion>>) -> Result<(), Violation> {
        self.stores_allowed = match answer {
            Ok(_) => u32::MAX,
            Err(Refusal::Device(DeviceRefusal { consumed, .. })) => self.stores_with_fault(consumed),
            Err(Refusal::Broken) => self.stores_with_fault(false),
            Err(_) => 0,
        };
        self.out_of_elements = answer == Ok(None);
        // The policies concern the state before the call.
        let policies = self.check_policies(answer);
        match answer {
            // A driver that forgets a chain is found at the end, when the queue has drained.
            Ok(None) => {}
            Ok(Some(completion)) => self.completion(completion)?,
            Err(_) if self.state_unknown => {}
            Err(Refusal::Device(refusal)) => {
                self.check_refusal(Refusal::Device(refusal), "take")?;
                self.device_refusal(refusal)?;
            }
            Err(refusal) => self.check_refusal(refusal, "take")?,
        }
        policies
    }

    fn completion(&mut self, Completion { head, length }: Completion) -> Result<(), Violation> {
        require!(
            !self.broken,
            FailedUnchanged,
            "take returned chain {head}, although the queue had reported that it is broken"
        );
        if self.completed_after_lie(head, length)? {
            return Ok(());
        }
        let claim = self.used.skip_bad(&self.chains);
        let Claim::Good { head: returned, length: claimed } = claim else {
            require!(
                false,
                CompletedOnce,
                "take returned chain {head}, but the device has not returned that chain"
            );
            return Ok(());
        };
        require!(
            head == returned,
            CompletedOnce,
            "take returned chain {head}, but the next used element names chain {returned}"
        );
        let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
        if !self.setup.reports_lengths {
            self.used.consume();
            self.chains.mark_completed(head, u32::try_from(writable).unwrap_or(u32::MAX));
            return Ok(());
        }
        require!(
            u64::from(length) <= writable,
            LengthBound,
            "take reported a length of {} for chain {head}, but its device-writable buffers have only {}",
            bytes(length),
            bytes(writable)
        );
        require!(
            u64::from(length) == u64::from(claimed).min(writable),
            Response,
            "take reported a length of {} for chain {head}; expected {}: the used element states {}, and the chain has {}",
            bytes(length),
            bytes(u64::from(claimed).min(writable)),
            bytes(claimed),
            Count(writable, "device-writable byte")
        );
        self.used.consume();
        self.chains.mark_completed(head, length);
        Ok(())
    }

    /// Follows a completion by a driver that may have read the used element in an earlier call, before the device changed it.
    /// Returns false if the driver cannot have read such an element.
    fn completed_after_lie(&mut self, head: u16, length: u32) -> Result<bool, Violation> {
        if !self.may_act_on_lies() || self.chains.in_flight(head.into()).is_none() {
            return Ok(false);
        }
        let writable = self.chains.get(head).map_or(0, |chain| chain.writable);
        let exactly = self.setup.reports_lengths;
        let fits = |claimed: u32| !exactly || u64::from(length) == u64::from(claimed).min(writable);
        let Policies { reports_bad_elements, refuses_over_long, .. } = self.setup.policies;
        let refuses = refuses_over_long == Some(true);
        let allowed = |claimed: u32| fits(claimed) && (!refuses || u64::from(claimed) <= writable);
        let found = self.used.consume_up_to(head, allowed).or_else(|| self.used.consume_up_to(head, fits));
        let Some((claimed, skipped)) = found else { return Ok(false) };
        require!(
            skipped == 0 || !reports_bad_elements,
            FailedUnchanged,
            "take returned chain {head} and skipped {}; expected it to report each one that is bad",
            Count(skipped.into(), "used element")
        );
        require!(
            u64::from(claimed) <= writable || refuses_over_long != Some(true),
            FailedUnchanged,
            "take returned chain {head}, whose used element states a length of {}, but the chain has only {}; expected take to report a device fault",
            bytes(claimed),
            Count(writable, "device-writable byte")
        );
        self.chains.mark_completed(head, if exactly { length } else { writable as u32 });
        Ok(true)
    }

    /// Checks what the driver did with the used element that it reports, and follows it.
    fn device_refusal(&mut self, refusal: DeviceRefusal) -> Result<(), Violation> {
        if let Some(head) = refusal.returned
            && self.may_act_on_lies()
            && self.chains.in_flight(head.into()).is_some()
            && self.used.consume_up_to(head, |_| true).is_some()
        {
            self.chains.mark_completed(head, 0);
            return Ok(());
        }
        if let Some(head) = refusal.returned {
            let claim = self.used.skip_bad(&self.chains);
            require!(
                matches!(claim, Claim::Good { head: returned, .. } if returned == head),
                CompletedOnce,
                "take reported a device fault and returned chain {head}, but the next used element does not name that chain"
            );
            self.chains.mark_completed(head, 0);
        }
        if refusal.consumed && (self.used.claimed() > 0 || self.used.ever_claimed() > 0) {
            self.used.consume();
        }
        Ok(())
    }
}
