//! Resets a queue.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;
use ringstorm_sim_device::OrderState;

impl Rig {
    /// Stops the device, resets the driver, and restarts the device.
    pub(super) fn reset(&mut self, listener: &mut impl Listener) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        if !run.can.reset {
            return Ok(Some(Skip::Incapable("reset")));
        }
        // Odd resets start at index 0, as after a device reset. Even ones resume at the first index of the setup, if
        // the subject can.
        run.resets += 1;
        let resumed = run.can.first_index && run.resets.is_multiple_of(2);
        let first = if resumed { run.setup.first_index.get() } else { 0 };
        let part = run.device_part.clone();
        self.clear_trap();
        // While the device is stopped, the driver may write to the used ring.
        self.provided.rings.reserve_for_device(0..0);
        let limit = self.run.call_limit;
        // A reset writes the whole table, which takes more accesses than a chain.
        self.run.call_limit = 2 * limit;
        self.call(Call::Reset, |subject| subject.reset(first));
        self.provided.rings.reserve_for_device(part);
        self.provided.rings.set_order_state(OrderState::default());
        let run = &mut self.run;
        run.call_limit = limit;
        run.device.reset(first);
        run.stopped = false;
        run.available = first;
        run.depth.restart();
        run.taken.clear();
        run.tokens.clear();
        run.faults.forget_faults();
        self.clear_trap();
        let run = &mut self.run;
        run.effective = true;
        self.sink.emit(&Event::Reset { first_index: first }, listener)?;
        self.emit_effects(listener)?;
        self.check_self_submitted(listener)?;
        Ok(None)
    }
}
