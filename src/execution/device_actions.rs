//! Executes the steps of the device, and emits what the device did as events.

use super::fault_attribution::adds_element;
use super::{Listener, Rig, Scratch, Skip, Stop};
use crate::scenario::{Amount, Pick};
use ringstorm_model::{Event, Place};
use ringstorm_sim_device::{self as sim, Change, Effect, Fault, Reply};

/// `VIRTQ_USED_F_NO_NOTIFY` (2.7.8).
const F_NO_NOTIFY: u16 = 1;

impl Rig {
    /// The device takes up to `count` available chains.
    pub(super) fn device_take(
        &mut self,
        count: u8,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let mut skip = Some(Skip::NothingThere);
        for _ in 0..count {
            if !self.device_take_one(listener)? {
                break;
            }
            skip = None;
        }
        Ok(skip)
    }

    /// The device takes one available chain. Returns whether there was one.
    pub(super) fn device_take_one(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let Self { run, sink, scratch: Scratch { descriptors, out: payload, .. }, .. } = self;
        let taken = run.device.take(descriptors, payload);
        if let Some((head, whole)) = taken {
            run.effective = true;
            sink.emit(&Event::DeviceTook { head, whole, descriptors, payload }, listener)?;
        }
        self.emit_effects(listener)?;
        Ok(taken.is_some())
    }

    /// The device returns up to `count` chains and then publishes them with one store of the used index.
    pub(super) fn device_return(
        &mut self,
        pick: Pick,
        written: Amount,
        count: u8,
        beyond: bool,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let device = &mut self.run.device;
        let mut returned = 0;
        while returned < count && device.return_chain(pick.0, |room| reply(written, beyond, room)) {
            returned += 1;
        }
        if returned > 0 {
            device.publish();
        }
        self.emit_effects(listener)?;
        Ok((returned == 0).then_some(Skip::NothingThere))
    }

    pub(super) fn fault(
        &mut self,
        fault: Fault,
        pick: Pick,
        value: u32,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let state = self.sink.model.state().number();
        let run = &mut self.run;
        let lacking = match fault {
            Fault::ChangedBetweenReads => Some("watched").filter(|_| !run.can.watched),
            // A device that needs a reset returns nothing. Without a reset the queue cannot drain, and this is nobody's
            // fault.
            Fault::NeedsReset => Some("reset").filter(|_| !run.can.reset),
            _ => None,
        };
        let external = Some("faults (its device is external)").filter(|_| run.device.is_external());
        if let Some(lacking) = external.or(lacking) {
            return Ok(Some(Skip::Incapable(lacking)));
        }
        if !run.device.misbehave(fault, pick.0, value) {
            // The device may still complete an action of an earlier step.
            self.emit_effects(listener)?;
            return Ok(Some(Skip::NothingThere));
        }
        run.faults.fault_committed(state, fault);
        // From the first fault on, stores to descriptors are not judged.
        self.provided.rings.stop_recording_places();
        self.emit_effects(listener)?;
        if adds_element(fault) {
            let Self { run, scratch: Scratch { effects, .. }, .. } = self;
            run.faults.element_forged(effects);
        }
        if fault == Fault::SpuriousNotification {
            // The caller takes a used chain, as it does after each notification.
            self.used_notification_arrives(listener)?;
            self.take(listener)?;
        }
        Ok(None)
    }

    /// Emits an event for each effect of the device.
    #[inline(always)]
    pub(super) fn emit_effects(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if self.run.device.has_effects() { self.emit_all_effects(listener) } else { Ok(()) }
    }

    #[inline(never)]
    fn emit_all_effects(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.run.effective = true;
        let mut effects = std::mem::take(&mut self.scratch.effects);
        self.run.device.take_effects(&mut effects);
        let result = effects.iter().try_for_each(|effect| self.emit_effect(effect, listener));
        self.scratch.effects = effects;
        result
    }

    fn emit_effect(&mut self, effect: &Effect, listener: &mut impl Listener) -> Result<(), Stop> {
        match *effect {
            Effect::BufferWritten { place: sim::BufferPlace { region, offset }, length } => {
                self.sink.emit(&Event::DeviceWrote { place: Place { region, offset }, length }, listener)
            }
            Effect::UsedElement { index, id, length } => {
                self.sink.emit(&Event::UsedElement { index, id, length }, listener)
            }
            Effect::UsedIndex(index) => {
                // The trap would change the used index, which the device has now moved.
                if matches!(self.run.trap, Some(Change::UsedIndex(_))) {
                    self.clear_trap();
                }
                self.sink.emit(&Event::UsedIndex { index }, listener)
            }
            Effect::AvailableNotifications(wanted) => {
                self.sink.emit(&Event::AvailableNotifications { wanted }, listener)
            }
            Effect::AvailableEvent(index) => self.sink.emit(&Event::AvailableEvent { index }, listener),
            Effect::UsedFlags(flags) => {
                self.sink.emit(&Event::AvailableNotifications { wanted: flags & F_NO_NOTIFY == 0 }, listener)
            }
            Effect::AvailableIndex(_) | Effect::AvailableEntry { .. } => {
                self.sink.emit(&Event::AvailableRingCorrupted, listener)
            }
            Effect::SpuriousNotification => self.sink.emit(&Event::SpuriousNotification, listener),
            Effect::Silent => self.sink.emit(&Event::Silent, listener),
            Effect::Trap { trap, then } => {
                self.provided.rings.set_trap(Some(trap));
                self.run.trap = Some(then);
                self.sink.emit(&Event::Trap, listener)
            }
            Effect::Descriptor { index } => {
                self.sink.emit(&Event::DescriptorCorrupted { descriptor: index }, listener)
            }
            Effect::Withheld { head } => self.sink.emit(&Event::Withheld { head }, listener),
        }
    }
}

impl Rig {
    /// Removes a trap that did not trigger.
    pub(super) fn clear_trap(&mut self) {
        self.provided.rings.set_trap(None);
        self.run.trap = None;
    }
}

/// What the device writes to a chain with `room` device-writable bytes.
pub(super) fn reply(written: Amount, beyond: bool, room: u64) -> Reply {
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let written = match written {
        Amount::Full => room,
        Amount::Bytes(bytes) => bytes.min(room),
    };
    Reply { written, beyond }
}
