//! A simple queue with a switch for each known defect. The tests of the harness use it.

mod chain;
mod contents;
mod defect;
mod follow;
mod freeing;
mod rings;
mod shared;
mod table;

pub use defect::Defect;

use super::{Capabilities, Provided, Subject};
use crate::scenario::Setup;
use chain::Stage;
use rings::{Element, Rings};
use ringstorm_core::SharedMemory;
use ringstorm_model::{Answer, Completion, DeviceRefusal, HandleAge, Refusal};
use ringstorm_sim_device::{Geometry, WatchedMemory};
use shared::DESCRIPTOR_BYTES;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use table::Table;

thread_local! {
    /// The memory that [`Defect::ReleaseLeaks`] leaks. Only the last one of each thread is kept, since a long run
    /// would otherwise use up the machine's memory.
    static KEPT: RefCell<Option<Rc<WatchedMemory>>> = const { RefCell::new(None) };
}

/// A simple split virtqueue that shares no code with ringstorm-core. Without a defect it is correct.
#[derive(Debug, Clone)]
pub struct Specimen {
    defect: Option<Defect>,
    geometry: Geometry,
    continues_after_fault: bool,
    refuses_over_long: bool,
    memory: Rc<WatchedMemory>,
    rings: Rings,
    table: Table,
    /// The heads of chains that are submitted and not published.
    unpublished: Vec<u16>,
    /// The number of chains in flight.
    in_flight: u16,
    broken: bool,
    /// True during each call that changes something. If the call unwinds, it stays true, and the queue is broken.
    interrupted: bool,
}

impl Specimen {
    pub(super) const CAPABILITIES: Capabilities = Capabilities {
        prepare: true,
        should_notify: true,
        submits_itself: false,
        tokens: false,
        computes_geometry: true,
        first_index: true,
        lengths: true,
        free: true,
        withdraw: true,
        write_in_place: false,
        free_count: true,
        used_notifications: true,
        event_index: true,
        rearms_each_take: true,
        reset: true,
        misuse: true,
        stale_handles: false,
        zeroing: false,
        policies: false,
        reports_bad_elements: false,
        consumes_bad_elements: false,
        refuses_index_jumps: false,
        reloads_used_index: false,
        reports_broken: false,
        follows_after_fault: false,
        follows_over_long: false,
        exact: false,
        reset_keeps_used_notifications: true,
        watched: true,
        watched_barriers: true,
        keeps_memory: true,
        unwinds: true,
        take_back: false,
        take_back_live: false,
        delayed_used_notifications: false,
        used_notification_handler: false,
    };

    /// Creates a specimen over this memory.
    pub fn new(defect: Option<Defect>, setup: &Setup, provided: &Provided) -> Self {
        let size = setup.queue_size.get();
        let available = DESCRIPTOR_BYTES * usize::from(size);
        let used = (available + 6 + 2 * usize::from(size)).next_multiple_of(4);
        let used = if defect == Some(Defect::UsedRingTooEarly) { used - 4 } else { used };
        let geometry = Geometry { size, table: 0, available, used };
        let memory = Rc::clone(&provided.rings);
        Self {
            defect,
            geometry,
            continues_after_fault: setup.continues_after_fault(),
            refuses_over_long: setup.refuses_over_long(),
            rings: Rings::new(defect, geometry, Rc::clone(&memory), setup),
            table: Table::new(defect, setup, provided),
            memory,
            unpublished: Vec::new(),
            in_flight: 0,
            broken: false,
            interrupted: false,
        }
    }

    /// Runs a change. If it unwinds, the queue is broken, except with the defect `unless`.
    fn break_if_unwound<T>(&mut self, unless: Defect, change: impl FnOnce(&mut Self) -> T) -> T {
        self.interrupted = !self.has(unless);
        let done = change(self);
        self.interrupted = false;
        done
    }

    /// Takes the next used element, which the used index covers.
    fn take_element(&mut self, index: u16) -> Answer<Completion> {
        let element = self.rings.next(index);
        if self.has(Defect::BadElementStalls) && self.table.completed_by(element.id).is_none() {
            let stalled = DeviceRefusal { consumed: false, broken: false, returned: None };
            return Err(Refusal::Device(stalled));
        }
        self.rings.step_over(element.slot);
        self.complete(element)
    }

    /// Marks the chain of a used element as returned if the element is valid.
    fn complete(&mut self, Element { slot, id, length }: Element) -> Answer<Completion> {
        let fault = DeviceRefusal { consumed: true, broken: !self.continues_after_fault, returned: None };
        let mut head = self.table.completed_by(id).ok_or(Refusal::Device(fault))?;
        if self.has(Defect::IdFetchedTwice) {
            head = self.rings.id(slot) as u16;
        }
        let length = if self.has(Defect::LengthCutTo16Bits) { u32::from(length as u16) } else { length };
        let bound = self.table.bound(head);
        let over_long = u64::from(length) > bound;
        if over_long && self.has(Defect::OverLongLosesChain) {
            return Err(Refusal::Device(DeviceRefusal { broken: false, ..fault }));
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        let chain = self.table.chain_mut(head);
        (chain.stage, chain.slot, chain.written) = (Stage::Returned, slot, 0);
        chain.written = match self.defect {
            Some(Defect::LengthPassedThrough) => length,
            Some(Defect::LengthFetchedTwice) if !over_long => self.rings.length(slot),
            _ if !over_long => length,
            _ if self.refuses_over_long => {
                return Err(Refusal::Device(DeviceRefusal { returned: Some(head), ..fault }));
            }
            _ => bound as u32,
        };
        Ok(Completion { head, length: chain.written })
    }

    /// Records whether a fault breaks the queue.
    fn record_fault<T>(&mut self, answer: Answer<T>) -> Answer<T> {
        if let Err(Refusal::Device(DeviceRefusal { broken, .. })) = answer {
            self.broken |= broken;
            if self.has(Defect::FaultResetsDriver) {
                self.restart();
            }
        }
        answer
    }

    /// Discards all chains and leaves the rings as they are.
    fn restart(&mut self) {
        self.table.restart();
        self.unpublished.clear();
        self.in_flight = 0;
        self.broken = false;
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

impl Subject for Specimen {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if self.interrupted || self.broken && !self.has(Defect::BrokenStillSubmits) {
            return Err(Refusal::Broken);
        }
        self.interrupted = true;
        let answer = self.table.create(readable, writable);
        if let Ok(head) = answer {
            self.unpublished.push(head);
            self.rings.submitted();
        }
        self.interrupted = false;
        self.record_fault(answer)
    }

    fn publish(&mut self) -> bool {
        if self.is_broken() || self.unpublished.is_empty() {
            return false;
        }
        self.break_if_unwound(Defect::UnwoundPublish, |queue| {
            for head in &queue.unpublished {
                queue.in_flight += 1;
                if queue.has(Defect::InFlightCutTo8Bits) {
                    queue.in_flight &= 0xff;
                }
                queue.table.publish(*head);
            }
            queue.rings.publish(queue.unpublished.drain(..))
        })
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        if self.is_broken() {
            return Err(Refusal::Broken);
        }
        let mut index = self.rings.used_index();
        if self.rings.claimed(index) == 0 {
            return Ok(None);
        }
        if self.has(Defect::UsedIndexFetchedTwice) {
            index = self.rings.used_index();
        }
        let claimed = self.rings.claimed(index);
        let jumped = match self.defect {
            // A queue that stalls at a bad element must not detect this as a jump later, when the device has returned
            // all chains after the element.
            Some(Defect::IndexJumpFollowed | Defect::BadElementStalls) => false,
            Some(Defect::FullRingBlamed) => claimed >= self.in_flight,
            Some(Defect::WrapBlamed) => claimed > self.in_flight || self.rings.wrapped(index),
            _ => claimed > self.in_flight,
        };
        if jumped {
            let jump = DeviceRefusal { consumed: false, broken: true, returned: None };
            return self.record_fault(Err(Refusal::Device(jump)));
        }
        let answer = self.break_if_unwound(Defect::UnwoundTake, |queue| {
            let mut answer = queue.take_element(index);
            if queue.has(Defect::IndexJumpFollowed) {
                while answer.is_err() && queue.rings.claimed(index) > 0 {
                    answer = queue.take_element(index);
                }
            }
            answer
        });
        self.record_fault(answer).map(Some)
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        if self.interrupted {
            return Err(Refusal::Broken);
        }
        let answer = self.table.read(head, out);
        self.record_fault(answer)
    }

    fn free(&mut self, head: u16, _: HandleAge) -> Answer<()> {
        if self.interrupted {
            return Err(Refusal::Broken);
        }
        let answer = self.break_if_unwound(Defect::UnwoundFree, |queue| queue.table.free(head));
        self.record_fault(answer)
    }

    fn withdraw(&mut self, head: u16) -> Answer<()> {
        if self.interrupted {
            return Err(Refusal::Broken);
        }
        self.interrupted = true;
        let answer = self.table.withdraw(head);
        self.interrupted = false;
        if answer.is_ok() && !self.has(Defect::WithdrawLeavesEntry) {
            self.unpublished.retain(|unpublished| *unpublished != head);
        }
        answer
    }

    fn free_count(&self) -> u32 {
        self.table.free_count() as u32
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        let interrupted = std::mem::replace(&mut self.interrupted, true);
        let waiting = self.rings.ask_for_used_notifications(wanted);
        self.interrupted = interrupted;
        waiting
    }

    fn reset(&mut self, first_index: u16) {
        self.break_if_unwound(Defect::UnwoundReset, |queue| {
            queue.restart();
            queue.rings.restart(first_index);
        });
    }

    fn is_broken(&self) -> bool {
        self.broken || self.interrupted
    }

    fn snapshot(&self) -> Option<Box<dyn Subject>> {
        Some(Box::new(self.clone()))
    }

    fn fingerprint(&self, mut state: &mut dyn Hasher) -> bool {
        self.table.fingerprint(&mut state);
        self.rings.fingerprint(&mut state);
        (&self.unpublished, self.in_flight, self.broken, self.interrupted).hash(&mut state);
        true
    }

    fn release(self: Box<Self>) {
        if self.defect == Some(Defect::ReleaseLeaks) {
            KEPT.set(Some(Rc::clone(&self.memory)));
        }
    }

    fn drop_while_device_runs(self: Box<Self>) {
        let idle = self.table.free_count() == usize::from(self.geometry.size);
        if self.has(Defect::IdleDropFreesRings) && idle {
            return;
        }
        self.memory.abandon();
        if !idle && !self.has(Defect::DropFreesBuffers) {
            self.table.buffers.abandon();
        }
    }
}
