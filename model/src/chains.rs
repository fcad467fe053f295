//! The live chains, as the driver made them.

use crate::extents::Extents;
use crate::invariant::require;
use crate::{ObservedDescriptor, Place, Violation};
use std::hash::{Hash, Hasher};

/// How far a chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) enum Progress {
    /// No live chain begins here.
    #[default]
    None,
    /// Submitted; the device cannot see it.
    Submitted,
    /// In the available ring.
    Published,
    /// The driver handed it back to the caller.
    Completed,
}

/// What is known of one chain.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chain {
    /// When it began: it is no chain of this queue unless in this epoch.
    epoch: u16,
    pub(crate) progress: Progress,
    /// Descriptors: as many as buffers, until the table shows how many.
    pub(crate) count: u32,
    /// Bytes submitted in device-writable buffers.
    pub(crate) writable: u64,
    /// Bytes submitted for the device to read.
    pub(crate) payload: Vec<u8>,
    /// Bytes that the caller was told of.
    pub(crate) used: u32,
    /// The chain as it was submitted.
    pub(crate) descriptors: Vec<ObservedDescriptor>,
    /// Whether the device scribbled on it.
    pub(crate) tampered: bool,
    /// Whether the device lost it: it overwrote its return, or let its entry be overwritten, before anybody saw it.
    pub(crate) lost: bool,
    /// When it was submitted.
    pub(crate) serial: u64,
}

/// The head of the live chain that has a descriptor; of an earlier queue, or nobody, unless in this epoch.
#[derive(Debug, Default, Clone, Copy)]
struct Owner {
    epoch: u16,
    head: u16,
}

/// All chains of a queue, by head, and who owns which descriptor.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chains {
    by_head: Vec<Chain>,
    /// By descriptor.
    owners: Vec<Owner>,
    /// Number of descriptors: what is behind belongs to larger queues of before.
    size: u16,
    /// Counts beginnings, from 1. What is of another one is forgotten, so that a beginning costs the same at every size.
    epoch: u16,
    extents: Extents,
    /// Live chains that the device lost.
    lost: u32,
    /// Descriptors of live chains.
    pub(crate) live_descriptors: u32,
    /// Live chains.
    pub(crate) live: u32,
    /// The most live chains that there were.
    pub(crate) most_live: u32,
    /// Chains that are published and not completed.
    pub(crate) in_flight: u32,
}

impl Chains {
    /// Forgets everything, but keeps the memory.
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
        self.most_live = 0;
    }

    /// The live chain that begins at `head`.
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

    /// The chain at `head` if the device has it.
    pub(crate) fn in_flight(&self, head: u32) -> Option<&Chain> {
        self.get(u16::try_from(head).ok()?).filter(|chain| chain.progress == Progress::Published)
    }

    /// The chain that owns a descriptor.
    #[inline]
    pub(crate) fn owner(&self, descriptor: u16) -> Option<u16> {
        let owner = self.owners.get(usize::from(descriptor))?;
        (descriptor < self.size && owner.epoch == self.epoch).then_some(owner.head)
    }

    /// A chain was submitted.
    pub(crate) fn submitted(
        &mut self,
        head: u16,
        serial: u64,
        readable: &[&[u8]],
        writable: &[u32],
    ) -> Result<(), Violation> {
        let size = self.size;
        require!(head < size, WellFormed, "submit answered head {head} on a queue of {size}");
        let other = self.get(head).map(|_| head).or(self.owner(head));
        require!(
            other.is_none(),
            NoDoubleUse,
            "submit answered head {head}, which is in the live chain {}",
            other.unwrap_or(head)
        );
        let chain = &mut self.by_head[usize::from(head)];
        chain.payload.clear();
        for bytes in readable {
            chain.payload.extend_from_slice(bytes);
        }
        (chain.epoch, chain.progress) = (self.epoch, Progress::Submitted);
        chain.count = (readable.len() + writable.len()) as u32;
        chain.writable = writable.iter().map(|length| u64::from(*length)).sum();
        chain.descriptors.clear();
        (chain.used, chain.tampered, chain.lost, chain.serial) = (0, false, false, serial);
        self.live_descriptors += chain.count;
        self.live += 1;
        self.most_live = self.most_live.max(self.live);
        Ok(())
    }

    /// The chain at `head` has this descriptor, which is one of the table.
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
            "descriptor {index} of chain {head} is in the live chain {} too",
            owner.unwrap_or(head)
        );
        self.owners[usize::from(index)] = Owner { epoch: self.epoch, head };
        if let Some(Place { region, offset }) = place {
            let added = self.extents.add(region, offset, length, head, writable);
            require!(
                added.is_ok(),
                BuffersDisjoint,
                "the buffer of descriptor {index} of chain {head} overlaps one of chain {}",
                added.err().unwrap_or(head)
            );
        }
        Ok(())
    }

    /// The chain at `head` stands in the table with these descriptors, each of which was [placed](Self::place).
    pub(crate) fn set_descriptors(&mut self, head: u16, descriptors: &[ObservedDescriptor]) -> &Chain {
        let chain = &mut self.by_head[usize::from(head)];
        self.live_descriptors = self.live_descriptors - chain.count + descriptors.len() as u32;
        chain.count = descriptors.len() as u32;
        chain.descriptors.extend_from_slice(descriptors);
        chain
    }

    /// The chain at `head` appeared in the available ring. Says when it was submitted.
    pub(crate) fn published(&mut self, head: u16) -> u64 {
        let chain = &mut self.by_head[usize::from(head)];
        chain.progress = Progress::Published;
        self.in_flight += 1;
        chain.serial
    }

    /// The chain at `head` was lost by the device, if it is still the one with this serial.
    pub(crate) fn mark_lost(&mut self, head: u16, serial: u64) {
        if let Some(chain) = self.get_mut(head).filter(|chain| chain.serial == serial && !chain.lost) {
            chain.lost = true;
            self.lost += 1;
        }
    }

    /// The device returns the chain with this id, so that it is not lost, or not any more.
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

    /// How many live chains the driver should have seen again.
    pub(crate) const fn not_lost(&self) -> u32 {
        self.live - self.lost
    }

    /// The device wrote to a place. Whatever it had to read there is no longer what was submitted.
    pub(crate) fn overwritten(&mut self, place: Place, length: u32) {
        let by_head = &mut self.by_head;
        self.extents.each_at(place.region, place.offset, length, |extent| {
            by_head[usize::from(extent.head)].tampered |= !extent.writable;
        });
    }

    /// A live chain other than `own` that has a buffer at a place.
    pub(crate) fn other_than(&self, own: Option<u16>, place: Place, length: u32) -> Option<u16> {
        let mut other = None;
        self.extents.each_at(place.region, place.offset, length, |extent| {
            if Some(extent.head) != own {
                other = Some(extent.head);
            }
        });
        other
    }

    /// Folds in what is known of live chains, but for their bytes and when they were submitted. The extents follow
    /// from it.
    pub(crate) fn fingerprint(&self, state: &mut impl Hasher) {
        let Self {
            by_head,
            owners: _,
            size,
            epoch: _,
            extents: _,
            lost: _,
            live_descriptors,
            live,
            // Of a queue that fills itself, and there it stays the same.
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
                writable,
                payload,
                used,
                descriptors,
                tampered,
                lost,
                serial: _,
            } = chain;
            if self.is_live(head, chain) {
                (head, progress, count, writable, payload.len() as u64, used, tampered, lost).hash(state);
                descriptors.hash(state);
            }
        }
    }

    /// The driver handed the chain at `head` back.
    pub(crate) fn completed(&mut self, head: u16, used: u32) {
        let chain = &mut self.by_head[usize::from(head)];
        chain.progress = Progress::Completed;
        chain.used = used;
        self.in_flight -= 1;
    }

    /// The chain at `head`, which the device does not have, was freed. Says when it was submitted.
    pub(crate) fn freed(&mut self, head: u16) -> u64 {
        let chain = &mut self.by_head[usize::from(head)];
        for descriptor in &chain.descriptors {
            self.owners[usize::from(descriptor.index)].epoch = 0;
            if let Some(place) = descriptor.place {
                self.extents.remove(place.region, place.offset, descriptor.length, head);
            }
        }
        chain.progress = Progress::None;
        self.live_descriptors -= chain.count;
        self.live -= 1;
        self.lost -= u32::from(chain.lost);
        chain.serial
    }
}
