//! Checks shared memory: the chains in the table, the available ring, what the device reads there, and where both sides write.

use crate::chains::Progress;
use crate::invariant::require;
use crate::model::Model;
use crate::wording::{Count, bytes};
use crate::{ChainFlaw, ObservedDescriptor, Place, Violation};

impl Model {
    pub(crate) fn available_index(&mut self, index: u16) -> Result<(), Violation> {
        let added = index.wrapping_sub(self.available);
        let waiting = self.unpublished.len();
        require!(
            !self.broken || added == 0,
            AvailableOrder,
            "the queue had reported that it is broken, but it published: the available index moved from {} to {index}",
            self.available
        );
        require!(
            self.broken || usize::from(added) == waiting,
            AvailableOrder,
            "the available index moved by {added}, from {} to {index}; expected a move by {waiting}, the number of chains submitted and not published",
            self.available
        );
        (self.available, self.entries_due) = (index, added);
        if added == 0 { self.judge_publish() } else { Ok(()) }
    }

    pub(crate) fn available_entry(&mut self, head: u16) -> Result<(), Violation> {
        require!(
            self.entries_due > 0,
            AvailableOrder,
            "the available ring has an entry for chain {head} that the available index does not cover"
        );
        let slot = self.available.wrapping_sub(self.entries_due) & (self.setup.queue_size - 1);
        let expected = self.unpublished.pop_front();
        require!(
            expected == Some(head),
            AvailableOrder,
            "the new entry in slot {slot} of the available ring names chain {head}; expected {}",
            expected.map_or("no entry".to_owned(), |head| format!("chain {head}, which was submitted next"))
        );
        self.entries_due -= 1;
        let serial = self.chains.mark_published(head);
        self.awaiting_device.push_back((head, serial));
        // The ring has as many entries as the queue has descriptors: this one has overwritten an older one.
        let size = usize::from(self.setup.queue_size);
        if let Some(oldest) = self.awaiting_device.len().checked_sub(size + 1) {
            let (head, serial) = self.awaiting_device[oldest];
            self.chains.mark_lost(head, serial);
        }
        if self.entries_due == 0 { self.judge_publish() } else { Ok(()) }
    }

    pub(crate) fn chain(
        &mut self,
        head: u16,
        descriptors: &[ObservedDescriptor],
        flaw: Option<ChainFlaw>,
        not_zeroed: bool,
    ) -> Result<(), Violation> {
        require!(
            self.unpublished.back() == Some(&head) && self.descriptors(head).is_some_and(<[_]>::is_empty),
            WellFormed,
            "the table was read for chain {head}, which is not the chain that was submitted last"
        );
        if let Some(flaw) = flaw {
            let text = flaw.text(head, self.setup.queue_size);
            return Err(Violation::new(flaw.invariant(), format_args!("{text}")));
        }
        let first = descriptors.first().map(|descriptor| descriptor.index);
        require!(
            first == Some(head),
            WellFormed,
            "chain {head} begins with {}; expected descriptor {head}",
            first.map_or("no descriptor".to_owned(), |index| format!("descriptor {index}"))
        );
        let (mut readable, mut writable, mut writing) = (0, 0, false);
        for descriptor in descriptors {
            self.check_shape(head, descriptor, writing)?;
            writing = descriptor.writable;
            *if descriptor.writable { &mut writable } else { &mut readable } += u64::from(descriptor.length);
            self.chains.add_descriptor(head, descriptor)?;
        }
        let chain = self.chains.set_descriptors(head, descriptors);
        require!(
            readable == chain.payload.len() as u64,
            Payload,
            "the device-readable buffers of chain {head} have {}; the caller submitted {}",
            bytes(readable),
            bytes(chain.payload.len())
        );
        require!(
            writable == chain.writable,
            Payload,
            "the device-writable buffers of chain {head} have {}; the caller submitted {}",
            bytes(writable),
            bytes(chain.writable)
        );
        require!(
            !(not_zeroed && self.setup.zeroes_buffers),
            Response,
            "the device-writable buffers of chain {head} are not zero; the driver promises to zero them before it submits a chain"
        );
        Ok(())
    }

    /// Checks a descriptor again, independently of the code that read the table.
    #[inline(always)]
    fn check_shape(
        &self,
        head: u16,
        descriptor: &ObservedDescriptor,
        writing: bool,
    ) -> Result<(), Violation> {
        let ObservedDescriptor { index, place, writable, .. } = *descriptor;
        let size = self.setup.queue_size;
        require!(
            index < size,
            WellFormed,
            "chain {head} has descriptor {index}, but the table has only {}",
            Count(size.into(), "descriptor")
        );
        require!(
            writable || !writing,
            WellFormed,
            "chain {head} has a device-readable buffer after a device-writable one, at descriptor {index}"
        );
        require!(
            place.is_some(),
            BuffersRegistered,
            "the buffer of descriptor {index} in chain {head} is outside every registered region"
        );
        Ok(())
    }

    pub(crate) fn device_took(
        &mut self,
        head: u16,
        whole: bool,
        descriptors: &[ObservedDescriptor],
        payload: &[u8],
    ) -> Result<(), Violation> {
        self.device_accesses_rings("takes an available chain")?;
        if !payload.is_empty() {
            self.device_accesses_buffers("reads a buffer of a chain in flight")?;
        }
        if self.state_unknown {
            return Ok(());
        }
        let published = self.awaiting_device.pop_front();
        let expected = published.map(|(head, _)| head);
        require!(
            self.overrun || expected == Some(head),
            AvailableOrder,
            "the device found chain {head} in the next entry of the available ring; expected {}",
            expected
                .map_or("no new entry".to_owned(), |head| format!("chain {head}, which was published next"))
        );
        // Another entry has overwritten this one. That entry may not even be published yet.
        if let Some((overwritten, serial)) = published.filter(|(published, _)| *published != head) {
            self.chains.mark_lost(overwritten, serial);
        }
        // After faults of the device, the head may be that of no chain in flight. A chain that the device overwrote may have
        // changed. Neither is the driver's fault.
        let Some(chain) = self.chains.get(head).filter(|chain| chain.progress == Progress::Published) else {
            return Ok(());
        };
        if chain.corrupted {
            return Ok(());
        }
        require!(
            whole && descriptors == chain.descriptors,
            Payload,
            "the descriptors of chain {head} have changed since the driver submitted it"
        );
        require!(
            payload == chain.payload,
            Payload,
            "the device read {} from chain {head}; the caller submitted {}; the first difference is at byte {}",
            bytes(payload.len()),
            bytes(chain.payload.len()),
            first_difference(payload, &chain.payload)
        );
        Ok(())
    }

    /// The device accesses the table or the rings, as it may until it is reset. `act` describes how.
    #[inline(always)]
    pub(crate) fn device_accesses_rings(&self, act: &str) -> Result<(), Violation> {
        require!(
            !self.rings_gone,
            MemoryKept,
            "the running device {act}, but the queue was dropped and its rings' memory was released; expected the queue to keep it"
        );
        Ok(())
    }

    /// The device accesses the buffers of a chain in flight. `act` describes how.
    #[inline(always)]
    pub(crate) fn device_accesses_buffers(&self, act: &str) -> Result<(), Violation> {
        require!(
            !self.buffers_gone,
            MemoryKept,
            "the running device {act}, but the queue was dropped and its buffers' memory was released; expected the queue to keep it"
        );
        Ok(())
    }

    pub(crate) fn stores(&self, count: u32, to_device_area: bool) -> Result<(), Violation> {
        require!(
            !to_device_area,
            OwnArea,
            "the driver wrote to the used ring, which only the device may write"
        );
        require!(
            count <= self.stores_allowed,
            FailedUnchanged,
            "a refused call made {} to shared memory; expected {}",
            Count(count.into(), "store"),
            match self.stores_allowed {
                0 => "none".to_owned(),
                1 => "at most one, to used_event".to_owned(),
                most => format!("at most {most}, to used_event"),
            }
        );
        Ok(())
    }

    pub(crate) fn driver_wrote(&self, place: Place, length: u32) -> Result<(), Violation> {
        let own = if self.submitting { self.unpublished.back().copied() } else { None };
        if let Some(head) = self.chains.live_chain_at(own, place, length) {
            require!(
                false,
                OwnArea,
                "the driver wrote {} at offset {} of region {}, to a buffer of live chain {head}",
                bytes(length),
                place.offset,
                place.region
            );
        }
        Ok(())
    }
}

/// The first position at which two byte strings differ.
pub(crate) fn first_difference(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()))
}
