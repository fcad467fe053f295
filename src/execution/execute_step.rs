//! Calls the function that executes a step.

use super::{Listener, Rig, Skip, Stop};
use crate::scenario::Step;

impl Rig {
    /// Executes a step. Returns why the step did nothing, if so.
    pub(super) fn execute_step(
        &mut self,
        step: &Step,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        match *step {
            Step::Idle => Ok(Some(Skip::NothingThere)),
            Step::Submit { readable, writable } => self.submit(readable, writable, false, true, listener),
            Step::Prepare { readable, writable } => self.submit(readable, writable, false, false, listener),
            Step::Write { readable, writable } => self.submit(readable, writable, true, true, listener),
            Step::Publish => self.publish(listener),
            Step::Take => self.take(listener).map(|_| None),
            Step::Collect => self.collect(listener).map(|()| None),
            Step::Read { pick, limit } => self.read_taken(pick, limit, listener),
            Step::Free { pick } => self.free_taken(pick, listener),
            Step::Reset => self.reset(listener),
            Step::Misuse { call, head, pick } => self.misuse(call, head, pick, listener),
            Step::Interrupts { wanted } => self.set_used_notifications(wanted, listener),
            Step::Withdraw { pick } => self.withdraw_unpublished(pick, listener),
            Step::DelayInterrupts => self.delay_used_notifications(listener),
            Step::InterruptArrives => self.used_notification_arrives(listener),
            Step::TakeBack { stopped } => self.take_back(stopped, listener),
            Step::SubmitMany { readable, writable, times } => {
                self.submit_many(readable, writable, times, listener)
            }
            Step::Rounds { count } => self.round_trips(count, listener),
            Step::MemoryFails { after } => Ok(self.arm_memory_failure(after)),
            Step::DeviceTake { .. }
            | Step::DeviceReturn { .. }
            | Step::DeviceEvent { .. }
            | Step::DeviceNotifications { .. }
            | Step::Fault { .. }
                if self.run.stopped =>
            {
                Ok(Some(Skip::NothingThere))
            }
            Step::DeviceTake { count } => self.device_take(count, listener),
            Step::DeviceReturn { pick, written, count, beyond } => {
                self.device_return(pick, written, count, beyond, listener)
            }
            Step::DeviceEvent { ahead } => {
                if !self.run.device.set_event(ahead) {
                    return Ok(Some(Skip::NothingThere));
                }
                self.emit_effects(listener)?;
                Ok(None)
            }
            Step::DeviceNotifications { wanted } => {
                self.run.device.set_notifications(wanted);
                self.emit_effects(listener)?;
                Ok(None)
            }
            Step::Fault { fault, pick, value } => self.fault(fault, pick, value, listener),
            Step::Settle => self.drain(listener).map(|()| None),
        }
    }
}
