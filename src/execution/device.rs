//! The device's acts.

use super::look::to_model;
use super::{Listener, Rig, Run, Skip, Stop};
use crate::outcome::Call;
use crate::scenario::{Amount, Pick};
use ringstorm_model::{Event, Place};
use ringstorm_sim_device::{self as sim, Change, Effect, Fault, Reply, Target};

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
        let mut descriptors = std::mem::take(&mut self.scratch.descriptors);
        let mut seen = std::mem::take(&mut self.scratch.seen);
        let mut payload = std::mem::take(&mut self.scratch.out);
        let device = &mut self.current().device;
        let taken = device.take().map(|taken| {
            to_model(taken.descriptors, &mut descriptors);
            seen.clear();
            seen.extend_from_slice(taken.descriptors);
            (taken.head, taken.error.is_none())
        });
        let mut told = Ok(());
        if let Some((head, whole)) = taken {
            payload.clear();
            if whole {
                device.space().gather(&seen, false, u64::MAX, &mut payload);
            }
            self.current().effective = true;
            let event = Event::Fetched { head, whole, descriptors: &descriptors, payload: &payload };
            told = self.tell(&event, listener);
        }
        (self.scratch.descriptors, self.scratch.seen, self.scratch.out) = (descriptors, seen, payload);
        told?;
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
        let device = &mut self.current().device;
        let mut returned = 0;
        while returned < count && device.give_back(pick.0, |room| reply(written, beyond, room)) {
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
        let state = self.model.state().number();
        let run = self.current();
        if fault == Fault::ChangedBetweenReads && !run.can.watched {
            return Ok(Some(Skip::Incapable));
        }
        if !run.device.misbehave(fault, pick.0, value) {
            // What it did before may have come to an end all the same.
            self.tell_effects(listener)?;
            return Ok(Some(Skip::NothingThere));
        }
        run.last_fault = Some(fault);
        if fault == Fault::ChangedBetweenReads {
            // Nothing has changed yet.
            run.trap_state = state;
        } else {
            run.unmet.push((state, fault));
        }
        self.tell_effects(listener)?;
        if fault == Fault::SpuriousNotification {
            // The caller does what it does when it is notified.
            self.take(listener)?;
        }
        Ok(None)
    }

    /// Tells what the device did.
    pub(super) fn tell_effects(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        let mut effects = std::mem::take(&mut self.scratch.effects);
        effects.clear();
        let run = self.current();
        effects.extend(run.device.take_effects());
        run.effective |= !effects.is_empty();
        let told = effects.iter().try_for_each(|effect| {
            match effect {
                Effect::Trap { trap, then } => {
                    self.provided.rings.set_trap(Some(*trap));
                    self.current().trap = Some(*then);
                }
                // The index that was to change is no more.
                Effect::UsedIndex(_) if matches!(self.current().trap, Some(Change::UsedIndex(_))) => {
                    self.disarm();
                }
                _ => {}
            }
            self.tell(&event(*effect), listener)
        });
        self.scratch.effects = effects;
        told
    }
}

impl Rig {
    /// Takes a trap away that was not sprung.
    pub(super) fn disarm(&mut self) {
        self.provided.rings.set_trap(None);
        self.current().trap = None;
    }
}

impl Run {
    /// The driver made a call that could meet some of the faults.
    pub(super) fn meet_faults(&mut self, call: Call) {
        let coverage = &mut self.coverage;
        self.unmet.retain(|(state, fault)| {
            let met = can_meet(call, *fault);
            if met {
                coverage.reach(*state, *fault);
            }
            !met
        });
    }
}

/// Whether a driver could come across a fault in a call.
const fn can_meet(call: Call, fault: Fault) -> bool {
    match (fault.target(), call) {
        // Whoever looks for used chains can come across anything.
        (_, Call::Take) | (Target::Table | Target::AvailableRing | Target::Buffers, _) => true,
        (Target::UsedRing, Call::Publish) => matches!(fault, Fault::FlagsGarbage | Fault::EventGarbage),
        (Target::UsedRing | Target::Time, _) => false,
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

const fn event(effect: Effect) -> Event<'static> {
    match effect {
        Effect::Wrote { place: sim::Place { region, offset }, length } => {
            Event::Wrote { place: Place { region, offset }, length }
        }
        Effect::UsedElement { index, id, length } => Event::UsedElement { index, id, length },
        Effect::UsedIndex(index) => Event::UsedIndex { index },
        Effect::Notifications(wanted) => Event::Notifications { wanted },
        Effect::AvailableEvent(index) => Event::AvailableEvent { index },
        Effect::UsedFlags(flags) => Event::Notifications { wanted: flags & F_NO_NOTIFY == 0 },
        Effect::AvailableIndex(_) | Effect::AvailableEntry { .. } => Event::RingTampered,
        Effect::Spurious => Event::Spurious,
        Effect::Silent => Event::Silent,
        Effect::Trap { .. } => Event::Trap,
        Effect::Descriptor { index } => Event::Tampered { descriptor: index },
        Effect::Withheld { head } => Event::Withheld { head },
    }
}
