//! Takes back the chains that the device has not returned.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;

impl Rig {
    /// Stops the device, takes all chains back, and resets the queue. Or, if the device is not to be `stopped`, takes chains
    /// back while it runs.
    pub(super) fn take_back(
        &mut self,
        stopped: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let offered = self.run.can.offered_calls();
        if !offered.take_back || !stopped && !offered.take_back_live {
            let lacking = if offered.take_back { "take_back_live" } else { "take_back" };
            return Ok(Some(Skip::Incapable(lacking)));
        }
        if !stopped && self.run.stopped {
            return Ok(Some(Skip::NothingThere));
        }
        // Memory fails in no call of this kind: a queue need not be able to repeat it.
        let failing = self.run.failing.left();
        self.stop_memory_failure();
        if stopped {
            self.clear_trap();
            // The driver may write to the used ring now.
            self.provided.rings.reserve_for_device(0..0);
        }
        let result = self.take_back_chains(stopped, listener);
        self.provided.rings.reserve_for_device(self.run.device_part.clone());
        result?;
        if let Some(after) = failing {
            self.arm_memory_failure(after as u16);
        }
        if stopped {
            return self.reset(listener);
        }
        Ok(None)
    }

    /// Takes chains back until there are no more. A queue that returns more chains than it has descriptors returns one twice.
    fn take_back_chains(&mut self, stopped: bool, listener: &mut impl Listener) -> Result<(), Stop> {
        for _ in 0..=self.run.setup.queue_size.get() {
            let head = self.call(Call::TakeBack, |subject| subject.take_back(stopped));
            let head = head.map(|name| self.taken_back_by_token(name)).transpose()?;
            self.sink.emit(&Event::TakeBack { stopped, head }, listener)?;
            self.run.effective |= head.is_some();
            self.run.faults.attribute_call(Call::TakeBack, None);
            if !stopped {
                self.observe_changes(listener)?;
            }
            if head.is_none() {
                break;
            }
        }
        self.observe_free_count(listener)
    }
}
