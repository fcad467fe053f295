//! Memory that fails in the middle of a call, and what becomes of the call.

use super::{Listener, Rig, Skip, Stop, panics};
use crate::outcome::Call;
use crate::scenario::Step;
use ringstorm_core::SharedMemory;
use ringstorm_model::{Event, HandleAge};
use ringstorm_sim_device::MemoryFailed;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a device can see that has not looked yet: what a call that changes nothing must leave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Visible {
    available_index: u16,
    available_flags: u16,
    used_event: u16,
    /// The used ring, where the call is one that may write to it.
    used_ring: Vec<u8>,
}

impl Rig {
    /// Lets so many accesses of the driver's next calls pass, and the next one fail.
    pub(super) fn let_memory_fail(&mut self, after: u16) -> Option<Skip> {
        let can = self.run.can;
        // Without `free`, a chain that was taken is read and told free afterwards, so its read must not be cut short.
        if !can.unwinds || !can.watched || !can.free || can.submits_itself {
            return Some(Skip::Incapable);
        }
        let failing = &self.run.failing;
        failing.set(Some(after.into()));
        self.provided.rings.fail_at(Some(failing.clone()));
        self.provided.buffers.fail_at(Some(failing.clone()));
        None
    }

    /// The memory does not fail any more.
    pub(super) fn mend_memory(&mut self) {
        self.run.failing.set(None);
        self.provided.rings.fail_at(None);
        self.provided.buffers.fail_at(None);
    }

    /// Does a step in which memory may fail. If it does, the rest of the step is left out.
    pub(super) fn act_while_memory_fails(
        &mut self,
        step: &Step,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        match catch_unwind(AssertUnwindSafe(|| self.act(step, listener))) {
            Ok(result) => result,
            Err(payload) if payload.is::<MemoryFailed>() => self.unwound(listener).map(|()| None),
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Keeps what the device can see before a call that memory may cut short.
    #[cold]
    pub(super) fn look_before_call(&mut self) {
        self.run.visible = self.visible();
    }

    fn visible(&self) -> Visible {
        let run = &self.run;
        let device = run.device.observer();
        let mut used_ring = Vec::new();
        if run.call == Call::Reset {
            used_ring.resize(run.device_part.len(), 0);
            self.provided.rings.copy_out(run.device_part.start, &mut used_ring);
        }
        Visible {
            available_index: device.available_index(),
            available_flags: device.available_flags(),
            used_event: if run.setup.event_index { device.used_event() } else { 0 },
            used_ring,
        }
    }

    /// Memory failed in the last call.
    fn unwound(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        panics::leave();
        self.end_call();
        self.mend_memory();
        let run = &mut self.run;
        (run.effective, run.cut_short) = (true, true);
        let stopped = run.call == Call::Reset;
        run.restore_limits(&self.provided);
        let subject = run.subject.as_deref().expect("the subject is there until it is released");
        let broken = panics::guard(|| subject.is_broken());
        // A chain that was to be freed may be free.
        let freed = run.freeing.filter(|head| {
            run.call == Call::Free
                && !broken
                && run.returned.contains(head)
                && !panics::guard(|| subject.is_live(*head))
        });
        // A queue that was broken before refuses most calls. These it may have begun, with what is private.
        let was_broken = self.judge.model.is_broken();
        let private = was_broken && matches!(run.call, Call::Free | Call::Withdraw | Call::Reset);
        let changed = private || self.visible() != self.run.visible;
        let available = self.run.device.observer().available_index();
        self.judge.tell(&Event::Unwound { broken, changed, available }, listener)?;
        if let Some(head) = freed {
            self.judge.tell(&Event::Free { head, handle: HandleAge::Current, answer: Ok(()) }, listener)?;
            self.run.returned.retain(|returned| *returned != head);
        }
        let run = &mut self.run;
        if broken {
            // A device that was stopped for a reset stays so until one succeeds.
            (run.available, run.stopped) = (available, run.stopped || stopped);
        }
        let [rings, buffers] = &self.scratch.reports;
        let count = rings.stores.saturating_add(buffers.stores);
        let (foreign, trapped) = (rings.device_area_store.is_some(), rings.trap_triggered);
        let places = buffers.stores > 0;
        if trapped {
            self.look_at_trap(listener)?;
        }
        if !stopped && count > 0 {
            self.judge.tell(&Event::Stores { count, to_device_area: foreign }, listener)?;
            if places {
                self.look_at_places(listener)?;
            }
        }
        self.look_at_free_count(listener)
    }
}
