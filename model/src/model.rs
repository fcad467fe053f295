//! The model: its state, and how each event changes it.

use crate::chains::{Chain, Chains};
use crate::invariant::{Invariant, require};
use crate::publish_answer::PublishAnswer;
use crate::used::UsedRing;
use crate::wish::{Delay, NamedUsedElement, Wish};
use crate::wording::{Count, are};
use crate::{DriverState, Event, ModelSetup, ObservedDescriptor, Occupancy, Violation};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// The reference model of the driver's side of one queue.
///
/// It follows the queue event by event, and reports the first event that a correct driver cannot cause.
#[derive(Debug, Default, Clone)]
pub struct Model {
    pub(crate) setup: ModelSetup,
    pub(crate) chains: Chains,
    pub(crate) used: UsedRing,
    /// Heads of chains that are submitted and not yet in the available ring, oldest first.
    pub(crate) unpublished: VecDeque<u16>,
    /// Heads and serial numbers of chains in the available ring that the device has not taken, oldest first.
    pub(crate) awaiting_device: VecDeque<(u16, u64)>,
    /// Whether more chains were available than the ring has entries, so that entries were overwritten before the device took
    /// them. That is possible because the device returned chains that it had not taken.
    pub(crate) overrun: bool,
    /// The last observed available index.
    pub(crate) available: u16,
    /// Number of new entries that the available index covers and that were not observed yet.
    pub(crate) entries_due: u16,
    /// Whether the device wants available-buffer notifications. Only without event indexes.
    pub(crate) notifications_wanted: bool,
    /// `avail_event`: the entry of which the device wants to be notified. Only with event indexes.
    pub(crate) available_event: u16,
    /// The number of published chains since the driver last reported that the device must be notified.
    pub(crate) added_since_notification: u32,
    /// The available index that is due after the last publish call.
    pub(crate) publish_due: u16,
    /// The answer of the last publish call, until what it published is judged.
    pub(crate) publish_answer: Option<PublishAnswer>,
    /// Whether that call published chains and reported that no notification is needed.
    pub(crate) published_silently: bool,
    /// Whether the driver's caller wants used-buffer notifications. A reset does not change it.
    pub(crate) wish: Wish,
    /// Whether the driver was reset after its caller asked for no notifications.
    pub(crate) wish_precedes_reset: bool,
    /// The last value of `used_event` since the caller asked for no notifications, or since a later reset.
    pub(crate) unwanted_used_event: Option<NamedUsedElement>,
    /// What the caller lets the device delay, since it last switched notifications.
    pub(crate) delay: Option<Delay>,
    /// The flags of the available ring when the queue was made; `None` until they are observed.
    pub(crate) initial_flags: Option<u16>,
    /// Whether the device moved the used index back, and has not moved it forward since.
    pub(crate) used_index_went_back: bool,
    /// Whether the device overwrote parts of the table or the available ring since the last reset.
    pub(crate) driver_part_corrupted: bool,
    /// Whether it overwrote parts of the available ring: then it is unknown what is published.
    pub(crate) available_ring_corrupted: bool,
    /// Whether the queue has reported that it is broken.
    pub(crate) broken: bool,
    /// Whether a memory access failed in a call that broke or changed the queue: then its state is unknown until a reset.
    pub(crate) state_unknown: bool,
    /// How many stores the last call may have made: none if it was refused.
    pub(crate) stores_allowed: u32,
    /// Whether the last call left the driver without a used element that it knows of: `used_event` must name the next one.
    pub(crate) out_of_elements: bool,
    /// Whether the last call was an accepted submission.
    pub(crate) submitting: bool,
    /// Whether the subject was dropped while the device was running, and released the memory of the rings.
    pub(crate) rings_gone: bool,
    /// The same for the memory of the buffers.
    pub(crate) buffers_gone: bool,
    /// Whether the next free count is the first one after a reset.
    pub(crate) after_reset: bool,
    /// Number of chains submitted since the last publish call, without withdrawn ones.
    pub(crate) submitted_since_publish: u16,
    /// Number of chains submitted since the queue began.
    pub(crate) submitted_chains: u64,
    /// The serial number of the chain to be freed next, if chains are freed in the order of their submission.
    pub(crate) next_serial_to_free: u64,
    /// Whether chains were freed in another order since the queue was last empty.
    pub(crate) fragmented: bool,
}

impl Model {
    /// A model without a queue; call [`begin`](Self::begin) first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with a new queue. Allocated memory is used again from one queue to the next.
    ///
    /// # Panics
    /// If the queue size is not a power of two (2.7).
    pub fn begin(&mut self, setup: &ModelSetup) {
        assert!(
            setup.queue_size.is_power_of_two(),
            "a queue size of {} is not a power of two",
            setup.queue_size
        );
        self.setup = *setup;
        self.submitted_chains = 0;
        self.restart(setup.first_index);
        (self.after_reset, self.stores_allowed) = (false, u32::MAX);
        self.initial_flags = None;
        (self.wish, self.wish_precedes_reset) = (Wish::Default, false);
        (self.rings_gone, self.buffers_gone) = (false, false);
    }

    fn restart(&mut self, first_index: u16) {
        self.chains.begin(self.setup.queue_size, self.setup.buffer_size.into());
        self.used.begin(self.setup.queue_size, first_index);
        self.unpublished.clear();
        self.awaiting_device.clear();
        self.overrun = false;
        (self.available, self.entries_due) = (first_index, 0);
        self.notifications_wanted = true;
        self.used_index_went_back = false;
        (self.available_event, self.publish_due) = (first_index, first_index);
        self.publish_answer = None;
        (self.driver_part_corrupted, self.available_ring_corrupted) = (false, false);
        (self.broken, self.state_unknown) = (false, false);
        (self.next_serial_to_free, self.fragmented) = (self.submitted_chains + 1, false);
        self.submitted_since_publish = 0;
        (self.unwanted_used_event, self.delay, self.added_since_notification) = (None, None, 0);
        self.out_of_elements = true;
    }

    /// The driver's state, as coverage counts it.
    pub fn state(&self) -> DriverState {
        let occupancy = match self.chains.live_descriptors {
            0 => Occupancy::Empty,
            live if live < self.setup.queue_size.into() => Occupancy::Partly,
            _ => Occupancy::Full,
        };
        let near = |index: u16| index.wrapping_add(4) < 8;
        DriverState {
            occupancy,
            fragmented: self.fragmented,
            at_wrap: near(self.available) || near(self.used.next),
            broken: self.broken,
        }
    }

    /// Whether the queue has reported that it is broken.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Number of chains that are submitted and not freed.
    pub const fn live_chains(&self) -> u32 {
        self.chains.live
    }

    /// Number of descriptors in live chains.
    pub const fn live_descriptors(&self) -> u32 {
        self.chains.live_descriptors
    }

    /// Number of buffers that the caller submitted in live chains.
    pub const fn live_buffers(&self) -> u32 {
        self.chains.live_buffers
    }

    /// Number of chains in flight: published and not completed.
    pub const fn chains_in_flight(&self) -> u32 {
        self.chains.in_flight
    }

    /// Whether the chain with this head is in flight: published and not completed.
    pub fn is_in_flight(&self, head: u16) -> bool {
        self.chains.in_flight(head.into()).is_some()
    }

    /// Heads of the chains that are submitted and not published, oldest first.
    pub const fn unpublished(&self) -> &VecDeque<u16> {
        &self.unpublished
    }

    /// The head of the chain that the driver should return to its caller next.
    pub fn next_completion(&self) -> Option<u16> {
        self.used.first_good(&self.chains)
    }

    /// The head of the live chain that has this descriptor.
    pub fn owner(&self, descriptor: u16) -> Option<u16> {
        self.chains.owner(descriptor)
    }

    /// The descriptors, as submitted, of a chain that only the device may use now: it is published, no used element names it,
    /// and the device has neither lost nor corrupted it.
    pub fn descriptors_at_device(&self, head: u16) -> Option<&[ObservedDescriptor]> {
        let chain = self.chains.in_flight(head.into()).filter(|chain| !chain.corrupted && !chain.lost)?;
        (!self.used.names(head)).then_some(chain.descriptors.as_slice())
    }

    /// The index of the first entry of the available ring that the model has not accepted.
    pub const fn next_available(&self) -> u16 {
        self.available.wrapping_sub(self.entries_due)
    }

    /// The index of the first used element that the driver has not consumed.
    pub const fn next_used(&self) -> u16 {
        self.used.next
    }

    /// The descriptors of a live chain, as submitted.
    pub fn descriptors(&self, head: u16) -> Option<&[ObservedDescriptor]> {
        self.chains.get(head).map(|chain| chain.descriptors.as_slice())
    }

    /// Checks one event and follows it.
    ///
    /// # Errors
    /// The [`Violation`], if a correct driver cannot cause this event. The model must not be used afterwards until the next
    /// [`begin`](Self::begin).
    #[inline(always)]
    pub fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        if event.is_call() {
            self.submitting = false;
            self.judge_publish()?;
        }
        match *event {
            Event::Submit { readable, writable, answer } => self.submit(readable, writable, answer),
            Event::Publish { notify } => {
                self.publish(notify);
                Ok(())
            }
            Event::Take { answer } => self.take(answer),
            Event::Read { head, limit, answer, in_memory } => self.read(head, limit, answer, in_memory),
            Event::Free { head, handle, answer } => self.free(head, handle, answer),
            Event::Withdraw { head, answer } => self.withdraw(head, answer),
            Event::TakeBack { stopped, head } => self.take_back(stopped, head),
            Event::Reset { first_index } => {
                self.restart(first_index);
                self.wish_precedes_reset = self.wish == Wish::Unwanted;
                (self.after_reset, self.stores_allowed) = (true, u32::MAX);
                Ok(())
            }
            Event::Stores { count, to_device_area } => self.stores(count, to_device_area),
            Event::DriverWrote { place, length } => self.driver_wrote(place, length),
            Event::FreeCount { count } => self.free_count(count),
            Event::AvailableIndex { index } => self.available_index(index),
            Event::Chain { head, descriptors, flaw, not_zeroed } => {
                self.chain(head, descriptors, flaw, not_zeroed)
            }
            Event::DeviceTook { head, whole, descriptors, payload } => {
                self.device_took(head, whole, descriptors, payload)
            }
            Event::UsedElement { index, id, length } => {
                self.device_accesses_rings("writes a used element")?;
                if let Some(unseen) = self.used.write(index, id, length)
                    && let Some(Chain { serial, .. }) = self.chains.in_flight(unseen)
                {
                    self.chains.mark_lost(unseen as u16, *serial);
                }
                self.chains.unmark_lost(id);
                Ok(())
            }
            Event::DeviceWrote { place, length } => {
                self.device_accesses_buffers("writes to a buffer of a chain in flight")?;
                self.chains.mark_corrupted_at(place, length);
                Ok(())
            }
            Event::UsedIndex { index } => {
                self.device_accesses_rings("moves the used index")?;
                match index.wrapping_sub(self.used.next).cmp(&self.used.claimed()) {
                    Ordering::Less => self.used_index_went_back = true,
                    // The driver sees new elements again, and can re-arm `used_event` when it takes the last of them.
                    Ordering::Greater => self.used_index_went_back = false,
                    Ordering::Equal => {}
                }
                self.used.move_index(index, &mut self.chains);
                Ok(())
            }
            Event::AvailableNotifications { wanted } => {
                self.device_accesses_rings("writes the flags of the used ring")?;
                self.notifications_wanted = wanted;
                Ok(())
            }
            Event::DescriptorCorrupted { descriptor } => {
                self.driver_part_corrupted = true;
                if let Some(chain) = self.chains.owner(descriptor).and_then(|head| self.chains.get_mut(head))
                {
                    chain.corrupted = true;
                }
                Ok(())
            }
            Event::AvailableEvent { index } => {
                self.device_accesses_rings("writes avail_event")?;
                self.available_event = index;
                Ok(())
            }
            Event::UsedEvent { index } => self.used_event(index),
            Event::AvailableFlags { flags } => self.available_flags(flags),
            Event::UsedNotifications { wanted, flags, used_event, waiting } => {
                self.used_notifications(wanted, flags, used_event, waiting)
            }
            Event::DelayedNotifications { flags, used_event, waiting } => {
                self.delayed_notifications(flags, used_event, waiting)
            }
            Event::Interrupted { on, flags, used_event } => self.interrupted(on, flags, used_event),
            Event::Available { head } => self.available_entry(head),
            Event::DoubleFetch { offset } => {
                require!(
                    false,
                    FetchedOnce,
                    "the driver read the bytes at offset {offset} of the memory of table and rings twice in one call; a device can change them in between"
                );
                Ok(())
            }
            Event::LateWrite { offset } => {
                require!(
                    false,
                    AvailableOrder,
                    "the driver wrote at offset {offset} of the memory of table and rings, at a part that it had already published in the same call"
                );
                Ok(())
            }
            Event::AccessOrder { flaw } => self.access_order(flaw),
            Event::DescriptorChanged { head, descriptor } => {
                require!(
                    false,
                    Payload,
                    "the driver changed descriptor {descriptor} of chain {head}, which the device has not returned"
                );
                Ok(())
            }
            Event::Layout { table, available, used } => self.layout([table, available, used]),
            Event::AvailableRingCorrupted => {
                (self.driver_part_corrupted, self.available_ring_corrupted) = (true, true);
                Ok(())
            }
            Event::Withheld { .. } | Event::Silent | Event::SpuriousNotification | Event::Trap => Ok(()),
            Event::Drained => self.drained(),
            Event::Released { left } => {
                require!(
                    left == 0,
                    Released,
                    "the queue was released, but {} to its memory still {}",
                    Count(left.into(), "handle"),
                    if left == 1 { "exists" } else { "exist" }
                );
                Ok(())
            }
            Event::Panic => {
                require!(false, NoPanic, "the driver panicked");
                Ok(())
            }
            Event::Unwound { broken, changed, available } => self.unwound(broken, changed, available),
            Event::Dropped { rings, buffers } => {
                (self.rings_gone, self.buffers_gone) = (!rings, !buffers);
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn free_count(&mut self, count: u32) -> Result<(), Violation> {
        let (size, live) = (u32::from(self.setup.queue_size), self.chains.live_descriptors);
        let after_reset = !self.state_unknown && std::mem::take(&mut self.after_reset);
        if self.state_unknown || count.checked_add(live) == Some(size) {
            return Ok(());
        }
        Err(self.wrong_free_count(count, after_reset))
    }

    #[cold]
    fn wrong_free_count(&self, count: u32, after_reset: bool) -> Violation {
        let (size, live) = (u32::from(self.setup.queue_size), self.chains.live_descriptors);
        if after_reset {
            let detail =
                format_args!("the driver reports that {} free after a reset; expected {size}", are(count));
            return Violation::new(Invariant::ResetRecovers, detail);
        }
        let detail = format_args!(
            "the driver reports that {} free; expected {}: live chains have {live} of {size}",
            are(count),
            size.saturating_sub(live)
        );
        Violation::new(Invariant::FreeCount, detail)
    }
}
