//! Which chain a name or an index means, and what is wrong with one that means none.
//!
//! One lookup decides. What exactly is wrong is found out afterwards, apart from the code that is run for every chain.

use super::DescriptorTable;
use super::record::{Chain, Stage};
use crate::{DeviceFault, Head, Misuse, NotInFlight, SharedMemory};

impl<M: SharedMemory> DescriptorTable<M> {
    /// The chain that `head` names.
    #[inline(always)]
    pub(crate) fn chain(&self, head: Head) -> Result<&Chain, Misuse> {
        match self.chains.get(usize::from(head.index())) {
            Some(chain) if self.names(head, chain) && chain.stage != Stage::NotHead => Ok(chain),
            _ => Err(self.why_not(head)),
        }
    }

    /// Whether a name was given for this chain, or for what there was before at the same index.
    #[inline(always)]
    const fn names(&self, head: Head, chain: &Chain) -> bool {
        chain.serial == head.serial() && self.id.is(head.queue())
    }

    /// The chain that `head` names, if the device has given it back.
    #[inline(always)]
    pub(crate) fn returned(&self, head: Head) -> Result<&Chain, Misuse> {
        match self.chains.get(usize::from(head.index())) {
            Some(chain) if self.names(head, chain) && chain.stage == Stage::Returned => Ok(chain),
            _ => Err(self.why_not_returned(head)),
        }
    }

    /// The entry of a chain that was not published goes away: those of the chains behind it move up by one.
    pub(crate) fn move_entries_up(&mut self, gone: Head) {
        for (chain, head) in self.chains.iter_mut().zip(0_u16..) {
            if chain.stage == Stage::Created && chain.serial > gone.serial() {
                chain.entry = chain.entry.back_by_one();
                self.areas.store_entry(chain.entry, head);
            }
        }
    }

    /// Whether the live chain that `head` names is younger than the one with this serial number, and not back from the device.
    pub(crate) fn is_created_after(&self, head: Head, serial: u64) -> Result<bool, Misuse> {
        self.chain(head).map(|chain| chain.stage == Stage::Created && chain.serial > serial)
    }

    /// The chain that a used element can name: its head has this index, and its serial number was published.
    #[inline(always)]
    pub(crate) fn in_flight(&mut self, id: u32, published: u64) -> Option<(Head, &mut Chain)> {
        let queue = self.id;
        match self.chains.get_mut(id as usize) {
            Some(chain) if chain.stage == Stage::Created && chain.serial <= published => {
                // There are at most 32768 descriptors.
                Some((Head::from_parts(queue, id as u16, chain.serial), chain))
            }
            _ => None,
        }
    }

    /// What is wrong with the id of a used element that names no chain which the device has.
    #[cold]
    #[inline(never)]
    pub(crate) fn why_not_in_flight(&self, id: u32) -> DeviceFault {
        let Some(chain) = self.chains.get(id as usize) else { return DeviceFault::IdOutOfRange { id } };
        let id = id as u16;
        let actually = match chain.stage {
            Stage::Created => NotInFlight::Unpublished,
            Stage::Returned => NotInFlight::Returned,
            Stage::NotHead if self.is_free(id) => NotInFlight::Free,
            Stage::NotHead => NotInFlight::InsideChain,
        };
        DeviceFault::IdNotInFlight { id, actually }
    }

    fn is_free(&self, index: u16) -> bool {
        self.descriptors[usize::from(index)].is_free()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn why_not_returned(&self, head: Head) -> Misuse {
        self.chain(head).err().unwrap_or(Misuse::NotReturned(head))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn why_not(&self, head: Head) -> Misuse {
        match self.chains.get(usize::from(head.index())) {
            _ if head.queue() != self.id => Misuse::HeadOfAnotherQueue(head),
            None => Misuse::HeadOutOfRange(head),
            Some(chain) if chain.stage != Stage::NotHead => Misuse::HeadStale(head),
            Some(_) if self.is_free(head.index()) => Misuse::HeadFree(head),
            Some(_) => Misuse::HeadInsideChain(head),
        }
    }
}
