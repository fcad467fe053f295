//! Checks a call that unwound because a memory access failed.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wish::Wish;

impl Model {
    /// The call must have changed nothing, or the queue must be broken. In the second case its state is unknown, and until the next
    /// reset only the rules for broken queues apply. If the queue was broken before and the call changed nothing, its state stays
    /// known.
    pub(crate) fn unwound(&mut self, broken: bool, changed: bool, available: u16) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        require!(
            broken || !self.broken,
            UnwoundUnchanged,
            "a memory access failed in a call, and the queue reports that it is not broken; expected it to stay broken until a reset"
        );
        require!(
            broken || !changed,
            UnwoundUnchanged,
            "a memory access failed in a call that had already changed what the device sees; expected the queue to be broken, but it reports that it is not"
        );
        if broken {
            // A queue that was already broken and did not change has refused the call.
            self.state_unknown |= !self.broken || changed;
            self.broken = true;
            (self.available, self.entries_due) = (available, 0);
            // It may have been the call that sets the wish.
            self.wish = Wish::Unknown;
        }
        Ok(())
    }
}
