//! Ends an execution: stops the faults, drains the queue, and releases or drops the subject.

use super::device_actions::reply;
use super::{Listener, OWN_HANDLES, OwnChain, Rig, Stop};
use crate::outcome::Call;
use crate::scenario::{Amount, Buffers, Ending};
use ringstorm_model::{Event, HandleAge};
use ringstorm_sim_device::WatchedMemory;
use std::rc::Rc;

/// How often the device returns all chains and the caller takes and frees them. An honest queue needs one round. After
/// a fault, a chain may need one more.
const ROUNDS: u32 = 3;

/// The number of variants of an ending. The variant depends on the number of steps, modulo this number: it decides
/// which chains are live at the end.
pub(crate) const fn ending_variants(ending: Ending) -> u64 {
    match ending {
        Ending::Released => 2,
        Ending::Dropped => 8,
    }
}

impl Rig {
    /// Drains the queue: stops the faults, and lets the device return every chain and the caller take and free it,
    /// within [`ROUNDS`] rounds. A broken queue is reset and must then process one more chain.
    pub(super) fn drain(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.stop_memory_failure();
        let run = &mut self.run;
        if run.device.needs_reset() && run.can.reset {
            self.reset(listener)?;
        }
        let run = &mut self.run;
        run.device.stop_faults();
        run.faults.forget_faults();
        self.clear_trap();
        self.emit_effects(listener)?;
        self.drain_rounds(listener)?;
        self.sink.emit(&Event::Drained, listener)?;
        if self.sink.model.is_broken() && self.run.can.reset {
            listener.own_chain(OwnChain::Trial, self);
            self.reset(listener)?;
            let buffer = Buffers::full(1);
            let room = if self.run.setup.queue_size.get() > 1 { buffer } else { Buffers::NONE };
            self.submit(buffer, room, false, true, listener)?;
            self.drain_rounds(listener)?;
            self.sink.emit(&Event::Drained, listener)?;
        }
        Ok(())
    }

    fn drain_rounds(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        for _ in 0..ROUNDS {
            self.publish(listener)?;
            let stopped = self.run.stopped;
            while !stopped && self.device_take_one(listener)? {}
            let device = &mut self.run.device;
            let mut returned = false;
            while !stopped && device.return_chain(1, |room| reply(Amount::Full, false, room)) {
                returned = true;
            }
            if returned {
                device.publish();
            }
            self.emit_effects(listener)?;
            self.used_notification_arrives(listener)?;
            self.collect(listener)?;
            for _ in 0..self.run.taken.len() {
                let Some(head) = self.run.taken.front().copied() else { break };
                self.free(head, HandleAge::Current, listener)?;
            }
            if self.sink.model.live_chains() == 0 || self.sink.model.is_broken() {
                break;
            }
        }
        Ok(())
    }

    /// Drains the queue, then releases or drops the subject, as the setup requires.
    pub(super) fn drain_and_end(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.drain(listener)?;
        match self.run.setup.ending {
            Ending::Released => self.release(listener),
            Ending::Dropped => self.drop_while_device_runs(listener),
        }
    }

    /// Releases the subject and checks that it keeps no handle to its memory.
    fn release(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        // Half of the queues are released with a live chain. The device is stopped by then, so the subject must release
        // everything.
        if self.run.steps.is_multiple_of(ending_variants(Ending::Released)) && !self.sink.model.is_broken() {
            self.announce_live_chain(listener);
            self.submit(Buffers::full(1), Buffers::NONE, false, true, listener)?;
        }
        let subject = self.run.subject.take().expect("the subject is there until it is released");
        self.begin_call(Call::Release);
        super::subject_panics::in_subject_call(|| subject.release());
        self.end_call();
        let left = |memory| (Rc::strong_count(memory) - OWN_HANDLES) as u32;
        let left = left(&self.provided.rings) + left(&self.provided.buffers);
        self.sink.emit(&Event::Released { left }, listener)
    }

    /// A subject that submits chains itself gets none here.
    fn announce_live_chain(&self, listener: &mut impl Listener) {
        if !self.run.can.submits_itself {
            listener.own_chain(OwnChain::LeftLive, self);
        }
    }

    /// Drops the subject while the device is running. The device then does what it may do until a reset: it requests a
    /// notification, takes an available chain, and returns a chain.
    fn drop_while_device_runs(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        // Half of the queues are idle. In the others a chain is published or in flight, device-readable or
        // device-writable.
        let turn =
            self.run.steps.wrapping_add(self.run.submissions.into()) % ending_variants(Ending::Dropped);
        if turn.is_multiple_of(2) && !self.sink.model.is_broken() {
            let (readable, writable) = match turn & 4 {
                0 => (Buffers::NONE, Buffers::full(1)),
                _ => (Buffers::full(1), Buffers::NONE),
            };
            self.announce_live_chain(listener);
            self.submit(readable, writable, false, true, listener)?;
            if turn & 2 == 0 {
                self.device_take_one(listener)?;
            }
        }
        let subject = self.run.subject.take().expect("the subject is there until it is dropped");
        self.begin_call(Call::Drop);
        super::subject_panics::in_subject_call(|| subject.drop_while_device_runs());
        self.end_call();
        let kept =
            |memory: &Rc<WatchedMemory>| memory.is_abandoned() || Rc::strong_count(memory) > OWN_HANDLES;
        let (rings, buffers) = (kept(&self.provided.rings), kept(&self.provided.buffers));
        self.sink.emit(&Event::Dropped { rings, buffers }, listener)?;
        let device = &mut self.run.device;
        if !device.set_event(0) {
            device.set_notifications(true);
        }
        self.emit_effects(listener)?;
        self.device_take_one(listener)?;
        let device = &mut self.run.device;
        if device.return_chain(1, |room| reply(Amount::Full, false, room)) {
            device.publish();
        }
        self.emit_effects(listener)
    }
}
