//! The judge: what each event means, and what it must not mean.

use crate::chains::{Chain, Chains};
use crate::invariant::require;
use crate::notifications::{NamedElement, Wish};
use crate::used::UsedRing;
use crate::{DriverState, Event, ModelSetup, ObservedDescriptor, Occupancy, Place, Violation};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// The reference model of one queue at a time.
#[derive(Debug, Default, Clone)]
pub struct Model {
    pub(crate) setup: ModelSetup,
    pub(crate) chains: Chains,
    pub(crate) used: UsedRing,
    /// Heads submitted and not yet seen in the available ring.
    pub(crate) unpublished: VecDeque<u16>,
    /// Heads in the available ring that the device did not take yet.
    pub(crate) offered: VecDeque<(u16, u64)>,
    /// Whether entries were overwritten before the device took them: it returned chains that it never took, so that
    /// the driver had room for more than the ring has.
    pub(crate) overrun: bool,
    /// The available index, as last seen.
    pub(crate) available: u16,
    /// Entries that the index says were added and that were not seen yet.
    pub(crate) announced: u16,
    /// Whether the device wants to be notified, without event indexes.
    pub(crate) notifications_wanted: bool,
    /// Of which entry it wants to be notified, with event indexes.
    pub(crate) available_event: u16,
    /// Behind the last entry that the driver was asked to publish.
    pub(crate) asked_for: u16,
    /// Whether the driver's caller wants to be notified. A reset changes nothing of it.
    pub(crate) wish: Wish,
    /// Whether the driver was reset since its caller said that it wants no notifications.
    pub(crate) wish_carried: bool,
    /// What the driver last named while its caller wants no notifications, since it said so or since a reset.
    pub(crate) unwanted_event: Option<NamedElement>,
    /// The available flags of the queue when it was made, as soon as they are known.
    pub(crate) first_flags: Option<u16>,
    /// Whether the device moved the used index back, and not forward again.
    pub(crate) went_back: bool,
    /// Whether the device scribbled on the table or the available ring since the last reset.
    pub(crate) tampered: bool,
    /// Whether it scribbled on the available ring, so that it is not known what is published.
    pub(crate) ring_tampered: bool,
    pub(crate) broken: bool,
    /// Whether memory failed in a call that broke it or changed it: what it is in private and in memory is not known.
    pub(crate) halfway: bool,
    /// How often the last call may have stored something: not at all if it was refused.
    pub(crate) stores_allowed: u32,
    /// Whether the last call was a submission that was accepted.
    pub(crate) submitting: bool,
    /// Whether the subject is gone and has given the rings' memory back while the device was running; and the buffers'.
    pub(crate) rings_gone: bool,
    pub(crate) buffers_gone: bool,
    /// Whether the next free count is the first one after a reset.
    pub(crate) fresh: bool,
    /// Submissions since the driver was last asked to publish.
    pub(crate) unannounced: u16,
    pub(crate) submissions: u64,
    /// Which submission is to be freed next, if chains are freed in the order they were submitted in.
    pub(crate) free_next: u64,
    pub(crate) fragmented: bool,
}

impl Model {
    /// A model of no queue yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with a new queue, of which nothing was used yet. Keeps its memory from one queue to the next.
    ///
    /// # Panics
    /// If the number of descriptors is no power of two (2.7).
    pub fn begin(&mut self, setup: &ModelSetup) {
        assert!(setup.queue_size.is_power_of_two(), "{} descriptors are no power of two", setup.queue_size);
        self.setup = *setup;
        self.submissions = 0;
        self.restart(setup.first_index);
        (self.fresh, self.stores_allowed) = (false, u32::MAX);
        self.first_flags = None;
        (self.wish, self.wish_carried) = (Wish::Unsaid, false);
        (self.rings_gone, self.buffers_gone) = (false, false);
    }

    fn restart(&mut self, first_index: u16) {
        self.chains.begin(self.setup.queue_size, self.setup.buffer_size.into());
        self.used.begin(self.setup.queue_size, first_index);
        self.unpublished.clear();
        self.offered.clear();
        self.overrun = false;
        (self.available, self.announced) = (first_index, 0);
        self.notifications_wanted = true;
        self.went_back = false;
        (self.available_event, self.asked_for) = (first_index, first_index);
        (self.tampered, self.ring_tampered) = (false, false);
        (self.broken, self.halfway) = (false, false);
        (self.free_next, self.fragmented) = (self.submissions + 1, false);
        self.unannounced = 0;
        self.unwanted_event = None;
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

    /// Whether the queue said that it is broken.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Number of live chains.
    pub const fn live_chains(&self) -> u32 {
        self.chains.live
    }

    /// Number of descriptors in live chains.
    pub const fn live_descriptors(&self) -> u32 {
        self.chains.live_descriptors
    }

    /// Whether a chain begins here that the device has.
    pub fn is_in_flight(&self, head: u16) -> bool {
        self.chains.in_flight(head.into()).is_some()
    }

    /// Heads of the chains that were submitted and not published, oldest first.
    pub const fn unpublished(&self) -> &VecDeque<u16> {
        &self.unpublished
    }

    /// The head of the chain that the device returned and the driver should hand back next.
    pub fn returned_next(&self) -> Option<u16> {
        self.used.first_good(&self.chains)
    }

    /// The head whose live chain has this descriptor, if one has.
    pub fn owner(&self, descriptor: u16) -> Option<u16> {
        self.chains.owner(descriptor)
    }

    /// The index of the first used element that the driver has not consumed.
    pub const fn next_used(&self) -> u16 {
        self.used.next
    }

    /// The descriptors of a live chain, as they were submitted.
    pub fn descriptors(&self, head: u16) -> Option<&[ObservedDescriptor]> {
        self.chains.get(head).map(|chain| chain.descriptors.as_slice())
    }

    /// Judges one event.
    ///
    /// # Errors
    /// The first [`Violation`]; the model is of no use afterwards, until it begins anew.
    #[inline(always)]
    pub fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.submitting &= !event.is_call();
        match *event {
            Event::Submit { readable, writable, answer } => self.submit(readable, writable, answer),
            Event::Publish { notify } => self.publish(notify),
            Event::Take { answer } => self.take(answer),
            Event::Read { head, limit, answer, standing } => self.read(head, limit, answer, standing),
            Event::Free { head, name, answer } => self.free(head, name, answer),
            Event::Withdraw { head, answer } => self.withdraw(head, answer),
            Event::Reset { first_index } => {
                self.restart(first_index);
                self.wish_carried = self.wish == Wish::Unwanted;
                (self.fresh, self.stores_allowed) = (true, u32::MAX);
                Ok(())
            }
            Event::Stores { count, foreign } => self.stores(count, foreign),
            Event::DriverWrote { place, length } => self.stored(place, length),
            Event::FreeCount { count } => self.free_count(count),
            Event::AvailableIndex { index } => self.available_index(index),
            Event::Chain { head, descriptors, flaw, unclean } => self.chain(head, descriptors, flaw, unclean),
            Event::Fetched { head, whole, descriptors, payload } => {
                self.fetched(head, whole, descriptors, payload)
            }
            Event::UsedElement { index, id, length } => {
                self.reach_rings("writes a used element")?;
                if let Some(unseen) = self.used.write(index, id, length)
                    && let Some(Chain { serial, .. }) = self.chains.in_flight(unseen)
                {
                    self.chains.mark_lost(unseen as u16, *serial);
                }
                self.chains.unmark_lost(id);
                Ok(())
            }
            Event::DeviceWrote { place, length } => {
                self.reach_buffers("writes to a chain that it has")?;
                self.chains.overwritten(place, length);
                Ok(())
            }
            Event::UsedIndex { index } => {
                self.reach_rings("moves the used index")?;
                match index.wrapping_sub(self.used.next).cmp(&self.used.claimed()) {
                    Ordering::Less => self.went_back = true,
                    // From now on the driver sees elements again, and has the last one to ask anew with.
                    Ordering::Greater => self.went_back = false,
                    Ordering::Equal => {}
                }
                self.used.index = index;
                Ok(())
            }
            Event::Notifications { wanted } => {
                self.reach_rings("writes its flags")?;
                self.notifications_wanted = wanted;
                Ok(())
            }
            Event::Tampered { descriptor } => {
                self.tampered = true;
                if let Some(chain) = self.chains.owner(descriptor).and_then(|head| self.chains.get_mut(head))
                {
                    chain.tampered = true;
                }
                Ok(())
            }
            Event::AvailableEvent { index } => {
                self.reach_rings("writes its event")?;
                self.available_event = index;
                Ok(())
            }
            Event::UsedEvent { index } => self.used_event(index),
            Event::AvailableFlags { flags } => self.available_flags(flags),
            Event::Interrupts { wanted, flags, used_event, waiting } => {
                self.interrupts(wanted, flags, used_event, waiting)
            }
            Event::Available { head } => self.entry(head),
            Event::Refetched { offset } => {
                require!(
                    false,
                    FetchedOnce,
                    "the driver read the bytes at {offset} of the rings twice in one call; a device can change them in between"
                );
                Ok(())
            }
            Event::StoredLate { offset } => {
                require!(
                    false,
                    AvailableOrder,
                    "the driver wrote to {offset} of the rings what it had published before in the same call"
                );
                Ok(())
            }
            Event::RingTampered => {
                (self.tampered, self.ring_tampered) = (true, true);
                Ok(())
            }
            Event::Withheld { .. } | Event::Silent | Event::Spurious | Event::Trap => Ok(()),
            Event::Settled => self.settled(),
            Event::Released { left } => {
                require!(left == 0, Released, "{left} handles to the memory are left after release");
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

    /// The device accesses table or rings, as it may until it is reset.
    #[inline(always)]
    pub(crate) fn reach_rings(&self, act: &str) -> Result<(), Violation> {
        require!(
            !self.rings_gone,
            MemoryKept,
            "the running device {act}, but the queue was dropped and gave the memory of its rings back"
        );
        Ok(())
    }

    /// The device accesses the buffers of a chain that it has.
    #[inline(always)]
    pub(crate) fn reach_buffers(&self, act: &str) -> Result<(), Violation> {
        require!(
            !self.buffers_gone,
            MemoryKept,
            "the running device {act}, but the queue was dropped and gave the memory of its buffers back"
        );
        Ok(())
    }

    fn stores(&self, count: u32, foreign: bool) -> Result<(), Violation> {
        require!(!foreign, OwnArea, "the driver wrote to the used ring, which is the device's");
        require!(
            count <= self.stores_allowed,
            FailedUnchanged,
            "a refused call stored {count} times into shared memory"
        );
        Ok(())
    }

    fn stored(&self, place: Place, length: u32) -> Result<(), Violation> {
        let own = if self.submitting { self.unpublished.back().copied() } else { None };
        if let Some(head) = self.chains.other_than(own, place, length) {
            require!(
                false,
                OwnArea,
                "the driver wrote {length} bytes to a buffer of the live chain {head}, at {} of region {}",
                place.offset,
                place.region
            );
        }
        Ok(())
    }

    fn free_count(&mut self, count: u32) -> Result<(), Violation> {
        if self.halfway {
            return Ok(());
        }
        let (size, live) = (u32::from(self.setup.queue_size), self.chains.live_descriptors);
        if std::mem::take(&mut self.fresh) {
            require!(
                count.checked_add(live) == Some(size),
                ResetRecovers,
                "{count} of {size} descriptors are free after a reset"
            );
        }
        require!(
            count.checked_add(live) == Some(size),
            FreeCount,
            "{count} free + {live} in live chains is not the queue size {size}"
        );
        Ok(())
    }

    fn settled(&self) -> Result<(), Violation> {
        if self.setup.refills {
            return self.refilled();
        }
        let missing = if self.chains.live == 0 { 0 } else { self.chains.not_lost() };
        require!(
            missing == 0 || self.broken,
            Drains,
            "{missing} chains never came back, and the queue is not broken"
        );
        Ok(())
    }

    /// All that came back was put back.
    fn refilled(&self) -> Result<(), Violation> {
        let (claimed, live, full) = (self.used.claimed(), self.chains.live, self.chains.most_live);
        require!(
            claimed == 0 && live == full || self.broken,
            Drains,
            "{claimed} used chains were never taken, {live} of {full} chains are there, and the queue is not broken"
        );
        Ok(())
    }
}
