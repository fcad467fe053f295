//! Judging what stands in shared memory: the chains in the table, the available ring, and what the device fetches.

use crate::chains::Progress;
use crate::invariant::require;
use crate::model::Model;
use crate::{ChainFlaw, ObservedDescriptor, Violation};

impl Model {
    pub(crate) fn available_index(&mut self, index: u16) -> Result<(), Violation> {
        let added = index.wrapping_sub(self.available);
        let waiting = self.unpublished.len();
        require!(
            !self.broken || added == 0,
            AvailableOrder,
            "a queue that said it is broken published: the available index moved from {} to {index}",
            self.available
        );
        require!(
            self.broken || usize::from(added) == waiting,
            AvailableOrder,
            "the available index moved from {} to {index}, but {waiting} chains were added",
            self.available
        );
        (self.available, self.announced) = (index, added);
        Ok(())
    }

    pub(crate) fn entry(&mut self, head: u16) -> Result<(), Violation> {
        require!(
            self.announced > 0,
            AvailableOrder,
            "an entry for chain {head} that the index does not cover"
        );
        self.announced -= 1;
        let expected = self.unpublished.pop_front();
        require!(
            expected == Some(head),
            AvailableOrder,
            "the available ring names {head} where {expected:?} was submitted next"
        );
        let serial = self.chains.published(head);
        self.offered.push_back((head, serial));
        // The ring has room for as many entries as the queue has descriptors; an older one is gone now.
        let size = usize::from(self.setup.queue_size);
        if let Some(oldest) = self.offered.len().checked_sub(size + 1) {
            let (head, serial) = self.offered[oldest];
            self.chains.mark_lost(head, serial);
        }
        Ok(())
    }

    pub(crate) fn chain(
        &mut self,
        head: u16,
        descriptors: &[ObservedDescriptor],
        flaw: Option<ChainFlaw>,
        unclean: bool,
    ) -> Result<(), Violation> {
        require!(
            self.unpublished.back() == Some(&head) && self.descriptors(head).is_some_and(<[_]>::is_empty),
            WellFormed,
            "a chain at {head}, which is not what was submitted last"
        );
        match flaw {
            Some(ChainFlaw::Loop) => {
                require!(false, Acyclic, "chain {head} does not end within the queue size");
            }
            Some(ChainFlaw::Malformed) => require!(false, WellFormed, "chain {head} is malformed"),
            Some(ChainFlaw::Unregistered) => {
                require!(false, BuffersRegistered, "chain {head} has a buffer outside every region");
            }
            None => {}
        }
        let first = descriptors.first().map(|descriptor| descriptor.index);
        require!(first == Some(head), WellFormed, "chain {head} begins with descriptor {first:?}");
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
            "chain {head} has {readable} readable bytes, {} were submitted",
            chain.payload.len()
        );
        require!(
            writable == chain.writable,
            Payload,
            "chain {head} has {writable} writable bytes, {} were asked for",
            chain.writable
        );
        require!(
            !(unclean && self.setup.zeroed),
            Response,
            "chain {head} was submitted with bytes of an earlier one in its writable buffers"
        );
        Ok(())
    }

    /// Checks of a descriptor what the reader of the table may not have looked at.
    #[inline(always)]
    fn check_shape(
        &self,
        head: u16,
        descriptor: &ObservedDescriptor,
        writing: bool,
    ) -> Result<(), Violation> {
        let ObservedDescriptor { index, place, writable, .. } = *descriptor;
        let size = self.setup.queue_size;
        require!(index < size, WellFormed, "chain {head} has descriptor {index} of {size}");
        require!(
            writable || !writing,
            WellFormed,
            "chain {head} has a readable buffer after a writable one, at descriptor {index}"
        );
        require!(
            place.is_some(),
            BuffersRegistered,
            "chain {head} has a buffer outside every region, at descriptor {index}"
        );
        Ok(())
    }

    pub(crate) fn fetched(
        &mut self,
        head: u16,
        whole: bool,
        descriptors: &[ObservedDescriptor],
        payload: &[u8],
    ) -> Result<(), Violation> {
        self.reach_rings("takes an available chain")?;
        if !payload.is_empty() {
            self.reach_buffers("reads a chain that it has")?;
        }
        if self.halfway {
            return Ok(());
        }
        let offered = self.offered.pop_front();
        let expected = offered.map(|(head, _)| head);
        require!(
            self.overrun || expected == Some(head),
            AvailableOrder,
            "the device finds chain {head} in the available ring where {} was published",
            expected.map_or("none".to_owned(), |head| format!("chain {head}"))
        );
        // What stood there was overwritten, perhaps by an entry that is not published yet.
        if let Some((overwritten, serial)) = offered.filter(|(offered, _)| *offered != head) {
            self.chains.mark_lost(overwritten, serial);
        }
        // What the device takes from a queue that it lied to may be anything; a chain that it scribbled on too.
        let Some(chain) = self.chains.get(head).filter(|chain| chain.progress == Progress::Published) else {
            return Ok(());
        };
        if chain.tampered {
            return Ok(());
        }
        require!(
            whole && descriptors == chain.descriptors,
            Payload,
            "the device finds another chain at {head} than the driver submitted"
        );
        require!(
            payload == chain.payload,
            Payload,
            "the device reads {} bytes of chain {head}, {} were submitted; first difference at {}",
            payload.len(),
            chain.payload.len(),
            first_difference(payload, &chain.payload)
        );
        Ok(())
    }
}

/// Where two byte strings begin to differ.
pub(crate) fn first_difference(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()))
}
