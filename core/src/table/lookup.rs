//! Finding the chain of a handle or a used id, and the error if there is none.
//!
//! One lookup decides whether there is a chain. Separate cold functions find the exact error.

use super::DescriptorTable;
use super::record::{Chain, Stage};
use crate::{DeviceFault, Head, Misuse, NotInFlight, SharedMemory};

impl<M: SharedMemory> DescriptorTable<M> {
    /// The live chain of a handle.
    #[inline(always)]
    pub(crate) fn chain(&self, head: Head) -> Result<&Chain, Misuse> {
        match self.chains.get(self.place_of(head)) {
            Some(chain) if chain.serial == head.serial() && chain.stage != Stage::NotHead => Ok(chain),
            _ => Err(self.handle_error(head)),
        }
    }

    /// The place of a handle's chain in `chains`. For a handle of another queue it is past the end.
    #[inline(always)]
    pub(super) fn place_of(&self, head: Head) -> usize {
        usize::try_from(head.index_in(self.id)).unwrap_or(usize::MAX)
    }

    /// The chain of a handle, if it is completed.
    #[inline(always)]
    pub(crate) fn returned(&self, head: Head) -> Result<&Chain, Misuse> {
        match self.chains.get(self.place_of(head)) {
            Some(chain) if chain.serial == head.serial() && chain.stage == Stage::Returned => Ok(chain),
            _ => Err(self.not_returned_error(head)),
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

    /// Whether the live chain of a handle is not completed and has a serial number above `serial`.
    pub(crate) fn is_created_after(&self, head: Head, serial: u64) -> Result<bool, Misuse> {
        self.chain(head).map(|chain| chain.stage == Stage::Created && chain.serial > serial)
    }

    /// The chain in flight whose head has the index `id`. `published` is the serial number of the last published chain.
    #[inline(always)]
    pub(crate) fn in_flight(&mut self, id: u32, published: u64) -> Option<(Head, &mut Chain)> {
        let queue = self.id;
        match self.chains.get_mut(id as usize) {
            Some(chain) if chain.stage == Stage::Created && chain.serial <= published => {
                Some((Head::at(queue, id, chain.serial), chain))
            }
            _ => None,
        }
    }

    /// The error for a used id that is not the head of a chain in flight.
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
    pub(super) fn not_returned_error(&self, head: Head) -> Misuse {
        self.chain(head).err().unwrap_or(Misuse::NotReturned(head))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn handle_error(&self, head: Head) -> Misuse {
        match self.chains.get(usize::from(head.index())) {
            _ if head.queue() != self.id => Misuse::HeadOfAnotherQueue(head),
            None => Misuse::HeadOutOfRange(head),
            Some(chain) if chain.stage != Stage::NotHead => Misuse::HeadStale(head),
            Some(_) if self.is_free(head.index()) => Misuse::HeadFree(head),
            Some(_) => Misuse::HeadInsideChain(head),
        }
    }
}
