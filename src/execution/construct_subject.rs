//! Starts an execution: provides memory and constructs the subject.

use super::{
    Listener, OWN_HANDLES, RINGS_ALIGNMENT, Rig, Stop, chain_tokens, geometry_check, subject_panics,
};
use crate::outcome::Call;
use crate::scenario::Setup;
use crate::subject::SubjectKind;
use ringstorm_core::{Error as MemoryError, SharedMemory};
use ringstorm_model::{Event, Policies, TraceHash};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use std::rc::Rc;

impl Rig {
    /// Provides zeroed memory for an execution. Returns the setup, limited to what this subject can do.
    pub(super) fn prepare(&mut self, kind: SubjectKind, setup: &Setup) -> Result<Setup, MemoryError> {
        let setup = kind.negotiate(setup);
        // If the last execution ended with a panic, its subject is still there, perhaps in the middle of a call.
        self.release_quietly();
        let size = setup.queue_size;
        let (ring_bytes, buffers) = (kind.ring_bytes(size), usize::from(setup.buffer_size) * size.as_usize());
        // Allocate both before replacing either: if an allocation fails, the next execution needs the old memory
        // unchanged.
        let rings = self.other_memory(&self.provided.rings, ring_bytes, RINGS_ALIGNMENT)?;
        let other = self.other_memory(&self.provided.buffers, buffers, 1)?;
        if rings.is_some() || other.is_some() {
            self.provided.rings = rings.unwrap_or_else(|| Rc::clone(&self.provided.rings));
            self.provided.buffers = other.unwrap_or_else(|| Rc::clone(&self.provided.buffers));
            self.run.move_to(&self.provided);
        }
        self.provided.rings.restart(ring_bytes);
        self.provided.buffers.restart(buffers);
        self.provided.buffers.record_places();
        self.provided.lendings.begin(0);
        Ok(setup)
    }

    /// Returns new memory of at least `length` bytes if `memory` is unsuitable or has a foreign handle. A subject that
    /// kept a handle must not access the memory of the next subject. Returns `None` if `memory` can be used again.
    fn other_memory(
        &self,
        memory: &Rc<WatchedMemory>,
        length: usize,
        alignment: usize,
    ) -> Result<Option<Rc<WatchedMemory>>, MemoryError> {
        if self.memory_kind.serves(memory, length) && Rc::strong_count(memory) <= OWN_HANDLES {
            return Ok(None);
        }
        Ok(Some(Rc::new(self.memory_kind.memory(length, alignment)?)))
    }

    pub(super) fn construct(
        &mut self,
        kind: SubjectKind,
        setup: &Setup,
        listener: &mut impl Listener,
    ) -> Result<(), Stop> {
        let (size, can) = (setup.queue_size, kind.capabilities().with_parts());
        let first = setup.first_index.get();
        self.sink.model.begin(&ringstorm_model::ModelSetup {
            queue_size: size.get(),
            buffer_size: setup.buffer_size.into(),
            first_index: first,
            event_index: setup.event_index,
            zeroes_buffers: setup.zeroes() && can.zeroing,
            policies: Policies {
                continues_after_fault: can.follows_after_fault.then(|| setup.continues_after_fault()),
                refuses_over_long: can.follows_over_long.then(|| setup.refuses_over_long()),
                reports_bad_elements: can.reports_bad_elements,
                consumes_bad_elements: can.consumes_bad_elements,
                refuses_index_jumps: can.refuses_index_jumps,
                reloads_used_index: can.reloads_used_index,
                reports_broken: can.reports_broken,
            },
            rearms_each_take: can.rearms_each_take,
            exact_notifications: can.exact,
            reset_keeps_used_notifications: can.reset_keeps_used_notifications,
            reports_lengths: can.lengths,
            refills: can.submits_itself,
        });
        self.sink.hash = TraceHash::default();
        self.run.begin(can, setup);
        chain_tokens::check_capabilities(can);
        geometry_check::check_room(size, self.provided.rings.len());
        self.begin_call(Call::Construct);
        let subject = subject_panics::in_subject_call(|| kind.build(setup, &self.provided));
        self.end_call();
        if let Err(Geometry { table, available, used, .. }) = self.run.attach_subject(subject, &self.provided)
        {
            let [table, available, used] = [table, available, used].map(|offset| offset as u64);
            self.sink.emit(&Event::Layout { table, available, used }, listener)?;
            unreachable!("the model refuses what `geometry_check` has found wrong");
        }
        let (available, part) = (self.run.geometry.available, self.run.device_part.clone());
        self.provided.rings.watch_available_index(available + 2);
        self.provided.rings.record_places_in(self.run.geometry.table_part());
        self.provided.rings.watch_order(&self.run.geometry, setup.event_index);
        self.provided.rings.reserve_for_device(part);
        self.emit_effects(listener)?;
        if matches!(kind, SubjectKind::External(_)) && can.first_index {
            let counters = self.queue_counters().expect("the subject is there");
            geometry_check::check_first_index(first, counters.available, counters.used);
        }
        if can.submits_itself {
            return self.check_self_submitted(listener);
        }
        self.observe_used_event(listener)?;
        self.check_first_free_count(listener)
    }
}
