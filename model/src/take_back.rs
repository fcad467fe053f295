//! Checks the call that takes back chains which the device has not returned.

use crate::Violation;
use crate::chains::Progress;
use crate::invariant::require;
use crate::model::Model;
use crate::wording::chains_were;

impl Model {
    pub(crate) fn take_back(&mut self, stopped: bool, head: Option<u16>) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        if self.state_unknown {
            return Ok(());
        }
        let Some(head) = head else {
            let left = self.chains.not_completed();
            require!(
                !stopped || left == 0,
                Drains,
                "take_back returned nothing, but {} neither taken nor taken back",
                chains_were(left)
            );
            return Ok(());
        };
        let progress = self.chains.get(head).map(|chain| chain.progress);
        require!(
            matches!(progress, Some(Progress::Submitted | Progress::Published)),
            CompletedOnce,
            "take_back returned head {head}, but {}",
            match progress {
                Some(_) => "take had already returned this chain",
                None => "no live chain has this head",
            }
        );
        require!(
            stopped || progress == Some(Progress::Submitted),
            AvailableOrder,
            "take_back returned chain {head}, which is published, while the device runs; expected that a published chain stays available until the device returns it"
        );
        if progress == Some(Progress::Published) {
            self.chains.mark_completed(head, 0);
        } else {
            self.unpublished.retain(|unpublished| *unpublished != head);
            self.submitted_since_publish = self.submitted_since_publish.saturating_sub(1);
        }
        self.free_descriptors(head);
        Ok(())
    }
}
