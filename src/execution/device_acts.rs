//! The device's acts.

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
            if !self.fetch(listener)? {
                break;
            }
            skip = None;
        }
        Ok(skip)
    }

    /// The device takes one chain. Says whether there was one.
    pub(super) fn fetch(&mut self, listener: &mut impl Listener) -> Result<bool, Stop> {
        let Self { run, judge, scratch: Scratch { descriptors, out: payload, .. }, .. } = self;
        let taken = run.device.take(descriptors, payload);
        if let Some((head, whole)) = taken {
            run.effective = true;
            judge.tell(&Event::DeviceTook { head, whole, descriptors, payload }, listener)?;
        }
        self.tell_effects(listener)?;
        Ok(taken.is_some())
    }

    /// The device returns up to `count` chains in one move of the used index.
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
        self.tell_effects(listener)?;
        Ok((returned == 0).then_some(Skip::NothingThere))
    }

    pub(super) fn fault(
        &mut self,
        fault: Fault,
        pick: Pick,
        value: u32,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        let state = self.judge.model.state().number();
        let run = &mut self.run;
        let can_meet = match fault {
            Fault::ChangedBetweenReads => run.can.watched,
            // A device that needs a reset and gets none returns nothing any more, and nobody is to blame.
            Fault::NeedsReset => run.can.reset,
            _ => true,
        };
        if run.device.is_external() || !can_meet {
            return Ok(Some(Skip::Incapable));
        }
        if !run.device.misbehave(fault, pick.0, value) {
            // What it did before may have come to an end all the same.
            self.tell_effects(listener)?;
            return Ok(Some(Skip::NothingThere));
        }
        run.throw(state, fault);
        self.tell_effects(listener)?;
        if adds_element(fault) {
            let Self { run, scratch: Scratch { effects, .. }, .. } = self;
            run.forge(effects);
        }
        if fault == Fault::SpuriousNotification {
            // The caller does what it does when it is notified.
            self.take(listener)?;
        }
        Ok(None)
    }

    /// Tells what the device did.
    #[inline]
    pub(super) fn tell_effects(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        if !self.run.device.has_effects() {
            return Ok(());
        }
        self.run.effective = true;
        let mut effects = std::mem::take(&mut self.scratch.effects);
        self.run.device.take_effects(&mut effects);
        let told = effects.iter().try_for_each(|effect| self.tell_effect(effect, listener));
        self.scratch.effects = effects;
        told
    }

    fn tell_effect(&mut self, effect: &Effect, listener: &mut impl Listener) -> Result<(), Stop> {
        match *effect {
            Effect::BufferWritten { place: sim::BufferPlace { region, offset }, length } => {
                self.judge.tell(&Event::DeviceWrote { place: Place { region, offset }, length }, listener)
            }
            Effect::UsedElement { index, id, length } => {
                self.judge.tell(&Event::UsedElement { index, id, length }, listener)
            }
            Effect::UsedIndex(index) => {
                // The index that was to change is no more.
                if matches!(self.run.trap, Some(Change::UsedIndex(_))) {
                    self.disarm();
                }
                self.judge.tell(&Event::UsedIndex { index }, listener)
            }
            Effect::AvailableNotifications(wanted) => {
                self.judge.tell(&Event::AvailableNotifications { wanted }, listener)
            }
            Effect::AvailableEvent(index) => self.judge.tell(&Event::AvailableEvent { index }, listener),
            Effect::UsedFlags(flags) => {
                self.judge.tell(&Event::AvailableNotifications { wanted: flags & F_NO_NOTIFY == 0 }, listener)
            }
            Effect::AvailableIndex(_) | Effect::AvailableEntry { .. } => {
                self.judge.tell(&Event::AvailableRingCorrupted, listener)
            }
            Effect::SpuriousNotification => self.judge.tell(&Event::SpuriousNotification, listener),
            Effect::Silent => self.judge.tell(&Event::Silent, listener),
            Effect::Trap { trap, then } => {
                self.provided.rings.set_trap(Some(trap));
                self.run.trap = Some(then);
                self.judge.tell(&Event::Trap, listener)
            }
            Effect::Descriptor { index } => {
                self.judge.tell(&Event::DescriptorCorrupted { descriptor: index }, listener)
            }
            Effect::Withheld { head } => self.judge.tell(&Event::Withheld { head }, listener),
        }
    }
}

impl Rig {
    /// Takes a trap away that was not sprung.
    pub(super) fn disarm(&mut self) {
        self.provided.rings.set_trap(None);
        self.run.trap = None;
    }
}

/// What the device writes to a chain with room for `room` bytes.
pub(super) fn reply(written: Amount, beyond: bool, room: u64) -> Reply {
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let written = match written {
        Amount::Full => room,
        Amount::Bytes(bytes) => bytes.min(room),
    };
    Reply { written, beyond }
}
