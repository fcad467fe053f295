//! Lets a memory access fail in the middle of a call, and checks what the call left behind.

use super::{Listener, Rig, Skip, Stop, subject_panics};
use crate::outcome::Call;
use crate::scenario::Step;
use ringstorm_core::SharedMemory;
use ringstorm_model::{Event, HandleAge};
use ringstorm_sim_device::MemoryFailed;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What the device can see. A call that changed nothing must leave it as it was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Visible {
    available_index: u16,
    available_flags: u16,
    used_event: u16,
    /// The used ring during a reset, which may write to it; else empty.
    used_ring: Vec<u8>,
}

impl Rig {
    /// Lets the next `after` accesses of the driver succeed and the one after them fail.
    pub(super) fn arm_memory_failure(&mut self, after: u16) -> Option<Skip> {
        let can = self.run.can;
        // Without `free`, the harness reads a chain after the take and reports it as freed. A failure would cut that
        // read short.
        let needed = [("unwinds", can.unwinds), ("watched", can.watched), ("free", can.free)];
        let others = ("submit (it has submits_itself)", !can.submits_itself);
        if let Some((lacking, _)) = needed.into_iter().chain([others]).find(|(_, has)| !has) {
            return Some(Skip::Incapable(lacking));
        }
        let failing = &self.run.failing;
        failing.set(Some(after.into()));
        self.provided.rings.fail_at(Some(failing.clone()));
        self.provided.buffers.fail_at(Some(failing.clone()));
        None
    }

    /// Lets no further access fail.
    pub(super) fn stop_memory_failure(&mut self) {
        self.run.failing.set(None);
        self.provided.rings.fail_at(None);
        self.provided.buffers.fail_at(None);
    }

    /// Executes a step in which an access may fail. If it does, the rest of the step is not executed.
    pub(super) fn dispatch_while_memory_fails(
        &mut self,
        step: &Step,
        listener: &mut impl Listener,
    ) -> Result<Option<Skip>, Stop> {
        match catch_unwind(AssertUnwindSafe(|| self.execute_step(step, listener))) {
            Ok(result) => result,
            Err(payload) if payload.is::<MemoryFailed>() => {
                self.after_memory_failure(listener).map(|()| None)
            }
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Saves what the device can see before a call in which an access may fail.
    #[cold]
    #[inline(never)]
    pub(super) fn save_visible(&mut self, call: Call) {
        self.run.call = call;
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

    /// Handles the failure of an access in the last call.
    fn after_memory_failure(&mut self, listener: &mut impl Listener) -> Result<(), Stop> {
        subject_panics::forget_panic();
        self.end_call();
        self.stop_memory_failure();
        let run = &mut self.run;
        (run.effective, run.memory_failed, run.unwound) = (true, true, Some(run.call));
        let stopped = run.call == Call::Reset;
        run.restore_limits(&self.provided);
        let subject = run.subject.as_deref().expect("the subject is there until it is released");
        let broken = subject_panics::in_subject_call(|| subject.is_broken());
        // The call may have freed its chain before the access failed.
        let freed = run.freeing.filter(|head| {
            run.call == Call::Free
                && !broken
                && run.taken.contains(head)
                && !subject_panics::in_subject_call(|| subject.is_live(*head))
        });
        // A queue that was already broken refuses most calls. It may have started these calls, by a change of its
        // private state.
        let was_broken = self.sink.model.is_broken();
        let private = was_broken && matches!(run.call, Call::Free | Call::Withdraw | Call::Reset);
        let changed = private || self.visible() != self.run.visible;
        let available = self.run.device.observer().available_index();
        self.sink.emit(&Event::Unwound { broken, changed, available }, listener)?;
        if let Some(head) = freed {
            self.sink.emit(&Event::Free { head, handle: HandleAge::Current, answer: Ok(()) }, listener)?;
            self.run.taken.retain(|returned| *returned != head);
        }
        let run = &mut self.run;
        if broken {
            // A device that was stopped for a reset stays stopped until a reset succeeds.
            (run.available, run.stopped) = (available, run.stopped || stopped);
        }
        let [rings, buffers] = &self.scratch.reports;
        let count = rings.stores.saturating_add(buffers.stores);
        let (foreign, trapped) = (rings.device_area_store.is_some(), rings.trap_triggered);
        let places = buffers.stores > 0;
        if trapped {
            self.observe_trap(listener)?;
        }
        // A call that unwound is not judged by what it read.
        self.scratch.reports[0].trap_seen = false;
        if !stopped && count > 0 {
            self.sink.emit(&Event::Stores { count, to_device_area: foreign }, listener)?;
            if places {
                self.observe_buffer_stores(listener)?;
            }
        }
        self.observe_free_count(listener)
    }
}
