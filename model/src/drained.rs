//! Checks that no chain is missing after the faults stopped.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wording::{Count, chains_were};

impl Model {
    pub(crate) fn drained(&self) -> Result<(), Violation> {
        if self.setup.refills {
            return self.refilled();
        }
        let missing = if self.chains.live == 0 { 0 } else { self.chains.not_lost() };
        require!(
            missing == 0 || self.broken,
            Drains,
            "{} not returned to the caller after the faults stopped, and the queue does not report that it is broken",
            chains_were(missing)
        );
        Ok(())
    }

    /// The check for a driver that replaces each chain that it takes by a new one.
    fn refilled(&self) -> Result<(), Violation> {
        let (claimed, live, full) = (self.used.claimed(), self.chains.live, self.chains.most_live);
        require!(
            claimed == 0 && live == full || self.broken,
            Drains,
            "after the faults stopped, the driver left {} in the used ring and keeps {live} of {} live; expected none left and all live, or a queue that reports that it is broken",
            Count(claimed.into(), "used element"),
            Count(full.into(), "chain")
        );
        Ok(())
    }
}
