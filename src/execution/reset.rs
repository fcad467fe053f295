//! Starting a queue over.

use super::{Listener, Rig, Skip, Stop};
use crate::outcome::Call;
use ringstorm_model::Event;

impl Rig {
    /// Stops the device, resets the driver, and starts the device again.
    pub(super) fn reset(&mut self, listener: &mut impl Listener) -> Result<Option<Skip>, Stop> {
        let run = &mut self.run;
        if !run.can.reset {
            return Ok(Some(Skip::Incapable));
        }
        // A device that was reset begins at 0, a resumed one where it is told: by turns.
        run.resets += 1;
        let resumed = run.can.first_index && run.resets.is_multiple_of(2);
        let first = if resumed { run.setup.first_index.get() } else { 0 };
        let part = run.device_part.clone();
        self.clear_trap();
        // While the device is stopped, its part is the driver's too.
        self.provided.rings.reserve_for_device(0..0);
        let limit = self.run.call_limit;
        // Writing the whole table anew takes more than a chain.
        self.run.call_limit = 2 * limit;
        self.call(Call::Reset, |subject| subject.reset(first));
        self.provided.rings.reserve_for_device(part);
        let run = &mut self.run;
        run.call_limit = limit;
        run.device.reset(first);
        run.stopped = false;
        run.available = first;
        run.returned.clear();
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
