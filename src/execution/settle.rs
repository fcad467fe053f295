//! The end of the faults: everything comes back, or the queue is broken and a reset brings it back.

use super::device_acts::reply;
use super::{Listener, OWN_HANDLES, Rig, Stop};
use crate::outcome::Call;
use crate::scenario::{Amount, Buffers, Ending};
use ringstorm_model::{Event, HandleAge};
use ringstorm_sim_device::WatchedMemory;
use std::rc::Rc;

/// How often the device returns all that it holds and the caller takes and frees it. Once is enough for an
/// honest queue; a fault just before can cost a chain one more.
const ROUNDS: u32 = 3;

/// After how many steps more an ending comes to the same again: which chains are live in the end depends on how many there were.
pub(crate) const fn endings(ending: Ending) -> u64 {
    match ending {
        Ending::Released => 2,
        Ending::Dropped => 8,
    }
}

impl Rig {
    /// Settles: the faults stop, the device takes and returns everything, the caller takes and frees it, within
    /// [`ROUNDS`] rounds. A broken queue is reset, and must then carry a chain through.
    pub(super) fn settle(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.mend_memory();
        let run = &mut self.run;
        if run.device.needs_reset() && run.can.reset {
            self.reset(listener)?;
        }
        let run = &mut self.run;
        run.device.stop_faults();
        run.forget_faults();
        self.disarm();
        self.tell_effects(listener)?;
        self.bring_home(listener)?;
        self.judge.tell(&Event::Settled, listener)?;
        if self.judge.model.is_broken() && self.run.can.reset {
            self.reset(listener)?;
            let buffer = Buffers::full(1);
            let room = if self.run.setup.queue_size.get() > 1 { buffer } else { Buffers::NONE };
            self.submit(buffer, room, false, true, listener)?;
            self.bring_home(listener)?;
            self.judge.tell(&Event::Settled, listener)?;
        }
        Ok(())
    }

    fn bring_home(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        for _ in 0..ROUNDS {
            self.publish(listener)?;
            let stopped = self.run.stopped;
            while !stopped && self.fetch(listener)? {}
            let device = &mut self.run.device;
            let mut returned = false;
            while !stopped && device.return_chain(1, |room| reply(Amount::Full, false, room)) {
                returned = true;
            }
            if returned {
                device.publish();
            }
            self.tell_effects(listener)?;
            self.collect(listener)?;
            for _ in 0..self.run.returned.len() {
                let Some(head) = self.run.returned.front().copied() else { break };
                self.free(head, HandleAge::Current, listener)?;
            }
            if self.judge.model.live_chains() == 0 || self.judge.model.is_broken() {
                break;
            }
        }
        Ok(())
    }

    /// Settles, then lets the subject go as the setup says.
    pub(super) fn settle_and_let_go(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        self.settle(listener)?;
        match self.run.setup.ending {
            Ending::Released => self.release(listener),
            Ending::Dropped => self.drop_while_device_runs(listener),
        }
    }

    /// Releases the subject and looks whether it let go of its memory.
    fn release(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        // Half of the queues are released with a live chain: the device is stopped by then, and nothing may be left.
        if self.run.steps.is_multiple_of(endings(Ending::Released)) && !self.judge.model.is_broken() {
            self.submit(Buffers::full(1), Buffers::NONE, false, true, listener)?;
        }
        let subject = self.run.subject.take().expect("the subject is there until it is released");
        self.begin_call(Call::Release);
        super::panics::guard(|| subject.release());
        self.end_call();
        let left = |memory| (Rc::strong_count(memory) - OWN_HANDLES) as u32;
        let left = left(&self.provided.rings) + left(&self.provided.buffers);
        self.judge.tell(&Event::Released { left }, listener)
    }

    /// Drops the subject while the device is running, and lets the device do what it may do until it is reset: say what it wants
    /// to be notified of, take a chain that is available, and return one that it has.
    fn drop_while_device_runs(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        // Half of the queues are idle; of the others, the device has a chain or could take one, to read or to write.
        let turn = self.run.steps.wrapping_add(self.run.submissions.into()) % endings(Ending::Dropped);
        if turn.is_multiple_of(2) && !self.judge.model.is_broken() {
            let (readable, writable) = match turn & 4 {
                0 => (Buffers::NONE, Buffers::full(1)),
                _ => (Buffers::full(1), Buffers::NONE),
            };
            self.submit(readable, writable, false, true, listener)?;
            if turn & 2 == 0 {
                self.fetch(listener)?;
            }
        }
        let subject = self.run.subject.take().expect("the subject is there until it is dropped");
        self.begin_call(Call::Drop);
        super::panics::guard(|| subject.drop_while_device_runs());
        self.end_call();
        let kept =
            |memory: &Rc<WatchedMemory>| memory.is_abandoned() || Rc::strong_count(memory) > OWN_HANDLES;
        let (rings, buffers) = (kept(&self.provided.rings), kept(&self.provided.buffers));
        self.judge.tell(&Event::Dropped { rings, buffers }, listener)?;
        let device = &mut self.run.device;
        if !device.set_event(0) {
            device.set_notifications(true);
        }
        self.tell_effects(listener)?;
        self.fetch(listener)?;
        let device = &mut self.run.device;
        if device.return_chain(1, |room| reply(Amount::Full, false, room)) {
            device.publish();
        }
        self.tell_effects(listener)
    }
}
