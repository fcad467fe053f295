//! Judging a call that was cut short, and what follows it.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::notifications::Wish;

impl Model {
    /// Memory failed in a call. Nothing has happened then, or the queue is broken and nobody knows how far the call came: until the
    /// next reset it is judged only by what no broken queue does. If the queue was broken before and the call changed nothing, it
    /// is judged as before the call.
    pub(crate) fn unwound(&mut self, broken: bool, changed: bool, available: u16) -> Result<(), Violation> {
        self.stores_allowed = u32::MAX;
        require!(
            broken || !self.broken,
            UnwoundUnchanged,
            "memory failed in a call of a queue that said it is broken, and it says that it is not"
        );
        require!(
            broken || !changed,
            UnwoundUnchanged,
            "memory failed in a call that had changed what the device sees, and the queue does not say that it is broken"
        );
        if broken {
            // One that was broken before and is as it was has refused the call: all that is known of it stays known.
            self.halfway |= !self.broken || changed;
            self.broken = true;
            (self.available, self.announced) = (available, 0);
            // It may have been the call that said it.
            self.wish = Wish::Unknown;
        }
        Ok(())
    }
}
