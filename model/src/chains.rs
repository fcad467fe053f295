//! The live chains, as the driver submitted them.

use crate::extents::Extents;
use crate::invariant::require;
use crate::wording::Count;
use crate::{ObservedDescriptor, Place, Violation};
use std::hash::{Hash, Hasher};

/// How far a chain is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Progress {
    /// No live chain has this head.
    #[default]
    None,
    /// Submitted and not published.
    Submitted,
    /// In the available ring, or taken from it by the device.
    Published,
    /// The driver returned it to the caller, who has not freed it.
    Completed,
}

/// One chain, found by its head.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chain {
    /// The epoch of the queue that the chain belongs to; a chain of another epoch is stale.
    epoch: u16,
    pub(crate) progress: Progress,
    /// Number of descriptors; the number of buffers until the chain is read from the table.
    pub(crate) count: u32,
    /// Number of buffers that the caller submitted.
    buffers: u32,
    /// Total length of the device-writable buffers, in bytes.
    pub(crate) writable: u64,
    /// Contents of the device-readable buffers.
    pub(crate) payload: Vec<u8>,
    /// Length that the driver reported when the chain completed, in bytes.
    pub(crate) used: u32,
    /// The descriptors, as submitted.
    pub(crate) descriptors: Vec<ObservedDescriptor>,
    /// Whether the device overwrote a descriptor or a device-readable buffer of the chain.
    pub(crate) corrupted: bool,
    /// Whether the device lost the chain: its entry in the available ring was overwritten before the device took it, or the
    /// device overwrote its used element before the driver took it.
    pub(crate) lost: bool,
    /// Whether the used index has covered an element that names the chain.
    pub(crate) claimed: bool,
    /// Number of its submission, counted over all chains.
    pub(crate) serial: u64,
}

/// The head of the live chain that has a descriptor. In another epoch: no chain.
#[derive(Debug, Default, Clone, Copy)]
struct Owner {
    epoch: u16,
    head: u16,
}

/// All chains of a queue, found by head and by descriptor.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chains {
    by_head: Vec<Chain>,
    /// Indexed by descriptor.
    owners: Vec<Owner>,
    /// Number of descriptors. The vectors may be longer: entries from here on are of earlier, larger queues.
    size: u16,
    /// Counts the queues that began, from 1. Entries of other epochs are stale, so starting a queue takes constant time.
    epoch: u16,
    extents: Extents,
    /// Number of live chains that the device lost.
    lost: u32,
    /// Number of descriptors in live chains.
    pub(crate) live_descriptors: u32,
    /// Number of buffers in live chains.
    pub(crate) live_buffers: u32,
    /// Number of live chains.
    pub(crate) live: u32,
    /// The highest number of live chains at the same time since the queue began.
    pub(crate) most_live: u32,
    /// Number of chains that are published and not completed.
    pub(crate) in_flight: u32,
}

impl Chains {
    /// Begins with a new queue without chains, in the memory of the last one. `longest` is the usual limit of a buffer in bytes.
    pub(crate) fn begin(&mut self, queue_size: u16, longest: u64) {
        let size = usize::from(queue_size);
        self.size = queue_size;
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.by_head.iter_mut().for_each(|chain| chain.epoch = 0);
            self.owners.fill(Owner::default());
            self.epoch = 1;
        }
        self.by_head.resize_with(size.max(self.by_head.len()), Chain::default);
        self.owners.resize(size.max(self.owners.len()), Owner::default());
        self.extents.begin(longest);
        (self.live_descriptors, self.live, self.in_flight, self.lost) = (0, 0, 0, 0);
        (self.most_live, self.live_buffers) = (0, 0);
    }

    /// The live chain with this head.
    #[inline]
    pub(crate) fn get(&self, head: u16) -> Option<&Chain> {
        let chain = self.by_head.get(usize::from(head))?;
        self.is_live(head, chain).then_some(chain)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, head: u16) -> Option<&mut Chain> {
        self.get(head)?;
        self.by_head.get_mut(usize::from(head))
    }

    #[inline(always)]
    fn is_live(&self, head: u16, chain: &Chain) -> bool {
        head < self.size && chain.epoch == self.epoch && chain.progress != Progress::None
    }

    /// The chain with this head, if it is published and not completed.
    pub(crate) fn in_flight(&self, head: u32) -> Option<&Chain> {
        self.get(u16::try_from(head).ok()?).filter(|chain| chain.progress == Progress::Published)
    }

    /// The head of the live chain that has a descriptor.
    #[inline]
    pub(crate) fn owner(&self, descriptor: u16) -> Option<u16> {
        let owner = self.owners.get(usize::from(descriptor))?;
        (descriptor < self.size && owner.epoch == self.epoch).then_some(owner.head)
    }

    /// Adds a chain that the driver accepted.
    pub(crate) fn add(
        &mut self,
        head: u16,
        serial: u64,
        readable: &[&[u8]],
        writable: &[u32],
    ) -> Result<(), Violation> {
        let size = self.size;
        require!(
            head < size,
            WellFormed,
            "submit returned head {head}, but the queue has only {}",
            Count(size.into(), "descriptor")
        );
        let other = self.get(head).map(|_| head).or(self.owner(head));
        require!(
            other.is_none(),
            NoDoubleUse,
            "submit returned head {head}, but this descriptor is in live chain {}",
            other.unwrap_or(head)
        );
        let chain = &mut self.by_head[usize::from(head)];
        chain.payload.clear();
        for bytes in readable {
            chain.payload.extend_from_slice(bytes);
        }
        (chain.epoch, chain.progress) = (self.epoch, Progress::Submitted);
        chain.count = (readable.len() + writable.len()) as u32;
        chain.buffers = chain.count;
        chain.writable = writable.iter().map(|length| u64::from(*length)).sum();
        chain.descriptors.clear();
        (chain.used, chain.corrupted, chain.lost, chain.serial) = (0, false, false, serial);
        chain.claimed = false;
        self.live_descriptors += chain.count;
        self.live_buffers += chain.buffers;
        self.live += 1;
        self.most_live = self.most_live.max(self.live);
        Ok(())
    }

    /// Adds a descriptor to the chain at `head`. Its index must be below the queue size.
    #[inline(always)]
    pub(crate) fn add_descriptor(
        &mut self,
        head: u16,
        descriptor: &ObservedDescriptor,
    ) -> Result<(), Violation> {
        let ObservedDescriptor { index, place, length, writable } = *descriptor;
        let owner = self.owner(index);
        require!(
            owner.is_none(),
            NoDoubleUse,
            "descriptor {index} of chain {head} is already in live chain {}",
            owner.unwrap_or(head)
        );
        self.owners[usize::from(index)] = Owner { epoch: self.epoch, head };
        if let Some(Place { region, offset }) = place {
            let added = self.extents.add(region, offset, length, head, writable);
            require!(
                added.is_ok(),
                BuffersDisjoint,
                "the buffer of descriptor {index} in chain {head} overlaps a buffer of chain {}",
                added.err().unwrap_or(head)
            );
        }
        Ok(())
    }

    /// Sets the descriptors of the chain at `head`. Each was [added](Self::add_descriptor) before.
    pub(crate) fn set_descriptors(&mut self, head: u16, descriptors: &[ObservedDescriptor]) -> &Chain {
        let chain = &mut self.by_head[usize::from(head)];
        self.live_descriptors = self.live_descriptors - chain.count + descriptors.len() as u32;
        chain.count = descriptors.len() as u32;
        chain.descriptors.extend_from_slice(descriptors);
        chain
    }

    /// Marks the chain at `head` as published and returns its serial number.
    pub(crate) fn mark_published(&mut self, head: u16) -> u64 {
        let chain = &mut self.by_head[usize::from(head)];
        chain.progress = Progress::Published;
        self.in_flight += 1;
        chain.serial
    }

    /// Marks the chain with this id as returned by the device with this length. Returns false if the device may not return it:
    /// it is not in flight, is returned already, or has fewer device-writable bytes.
    pub(crate) fn mark_claimed(&mut self, id: u32, length: u32) -> bool {
        let Some(chain) = self.in_flight(id) else { return false };
        let right = !chain.claimed && u64::from(length) <= chain.writable;
        self.by_head[id as usize].claimed = true;
        right
    }

    /// Marks the chain at `head` as lost by the device, if it still has this serial number.
    pub(crate) fn mark_lost(&mut self, head: u16, serial: u64) {
        if let Some(chain) = self.get_mut(head).filter(|chain| chain.serial == serial && !chain.lost) {
            chain.lost = true;
            self.lost += 1;
        }
    }

    /// Marks the chain with this id as not lost, since the device returns it.
    pub(crate) fn unmark_lost(&mut self, id: u32) {
        if self.lost == 0 {
            return;
        }
        let chain = u16::try_from(id).ok().and_then(|head| self.get_mut(head));
        if let Some(chain) = chain.filter(|chain| chain.lost) {
            chain.lost = false;
            self.lost -= 1;
        }
    }

    /// Number of live chains that the driver has not returned to its caller.
    pub(crate) fn not_completed(&self) -> u32 {
        let waits = |chain: &Chain| matches!(chain.progress, Progress::Submitted | Progress::Published);
        let chains = self.by_head[..usize::from(self.size)].iter().zip(0_u16..);
        chains.filter(|(chain, head)| self.is_live(*head, chain) && waits(chain)).count() as u32
    }

    /// Number of live chains that the device did not lose.
    pub(crate) const fn not_lost(&self) -> u32 {
        self.live - self.lost
    }

    /// Marks the chains as corrupted that have a device-readable buffer where the device wrote.
    pub(crate) fn mark_corrupted_at(&mut self, place: Place, length: u32) {
        let by_head = &mut self.by_head;
        self.extents.each_at(place.region, place.offset, length, |extent| {
            by_head[usize::from(extent.head)].corrupted |= !extent.writable;
        });
    }

    /// A live chain, other than `own`, that has a buffer in this run of bytes.
    pub(crate) fn live_chain_at(&self, own: Option<u16>, place: Place, length: u32) -> Option<u16> {
        let mut other = None;
        self.extents.each_at(place.region, place.offset, length, |extent| {
            if Some(extent.head) != own {
                other = Some(extent.head);
            }
        });
        other
    }

    /// Hashes the live chains without their contents and serial numbers. The extents follow from the descriptors.
    pub(crate) fn fingerprint(&self, state: &mut impl Hasher) {
        let Self {
            by_head,
            owners: _,
            size,
            epoch: _,
            extents: _,
            lost: _,
            live_descriptors,
            // Follows from the chains.
            live_buffers: _,
            live,
            // Only a queue that refills itself uses it, and there it does not change.
            most_live: _,
            in_flight,
        } = self;
        (0..*size).for_each(|descriptor| self.owner(descriptor).hash(state));
        (live_descriptors, live, in_flight).hash(state);
        for (chain, head) in by_head[..usize::from(*size)].iter().zip(0_u16..) {
            let Chain {
                epoch: _,
                progress,
                count,
                buffers: _,
                writable,
                payload,
                used,
                descriptors,
                corrupted,
                lost,
                claimed,
                serial: _,
            } = chain;
            if self.is_live(head, chain) {
                (head, progress, count, writable, payload.len() as u64, used, corrupted, lost).hash(state);
                claimed.hash(state);
                descriptors.hash(state);
            }
        }
    }

    /// Marks the chain at `head` as completed with this length.
    pub(crate) fn mark_completed(&mut self, head: u16, used: u32) {
        let chain = &mut self.by_head[usize::from(head)];
        chain.progress = Progress::Completed;
        chain.used = used;
        self.in_flight -= 1;
    }

    /// Removes the chain at `head`, which is not in flight, and returns its serial number.
    pub(crate) fn remove(&mut self, head: u16) -> u64 {
        let chain = &mut self.by_head[usize::from(head)];
        for descriptor in &chain.descriptors {
            self.owners[usize::from(descriptor.index)].epoch = 0;
            if let Some(place) = descriptor.place {
                self.extents.remove(place.region, place.offset, descriptor.length, head);
            }
        }
        chain.progress = Progress::None;
        self.live_descriptors -= chain.count;
        self.live_buffers -= chain.buffers;
        self.live -= 1;
        self.lost -= u32::from(chain.lost);
        chain.serial
    }
}
