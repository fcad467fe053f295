//! Faults in the used ring.

use crate::device::Device;
use crate::effect::{Change, Effect};
use crate::watch::Trap;
use ringstorm_core::{OrderedStore, SharedMemory};

impl<M: SharedMemory> Device<M> {
    /// Both near misses and ids beyond 16 bits; saturating, so that the last id stays out of range.
    pub(super) fn id_out_of_range(&mut self, value: u32) -> Option<()> {
        self.claim(u32::from(self.geometry.size).saturating_add(value), 0)
    }

    pub(super) fn truncated_id(&mut self, pick: u8, value: u32) -> Option<()> {
        let head = self.held_at(pick).filter(|chain| chain.whole)?.head;
        self.claim(u32::from(head) | (value % 0xffff + 1) << 16, 0)
    }

    pub(super) fn mid_chain_id(&mut self, pick: u8, value: u32) -> Option<()> {
        let chain = &self.held_at(pick)?.descriptors;
        let inside = chain.get(1 + value as usize % chain.len().saturating_sub(1).max(1))?.index;
        self.claim(inside.into(), 0)
    }

    pub(super) fn duplicate_id(&mut self, value: u32) -> Option<()> {
        let id = *self.returned.back()?;
        self.claim(id.into(), value)
    }

    pub(super) fn stale_id(&mut self, pick: u8, value: u32) -> Option<()> {
        // The newest is what a duplicate is for.
        let older = self.returned.len().checked_sub(1).filter(|older| *older > 0)?;
        let id = self.returned[usize::from(pick) % older];
        self.claim(id.into(), value)
    }

    pub(super) fn free_id(&mut self, value: u32) -> Option<()> {
        // While something is available, the device cannot know what is free.
        let known = !self.has_available();
        let free = self.free_from(value).filter(|_| known)?;
        self.claim(free.into(), 0)
    }

    /// A descriptor from `value` on, around, that is in no chain which the device holds.
    pub(super) fn free_from(&self, value: u32) -> Option<u16> {
        let size = self.geometry.size;
        let from = (value % u32::from(size)) as u16;
        (from..size).chain(0..from).find(|index| self.in_held[usize::from(*index)] == 0)
    }

    pub(super) fn length_too_long(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let writable = self.held[position].writable_bytes();
        let most = u64::from(u32::MAX).checked_sub(writable).filter(|room| *room > 0)?;
        let excess = u64::from(value).clamp(1, most);
        let head = self.forget(position);
        self.claim(head.into(), (writable + excess) as u32)
    }

    pub(super) fn length_for_readable(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        if self.held[position].writable_bytes() > 0 {
            return None;
        }
        let head = self.forget(position);
        self.claim(head.into(), value.max(1))
    }

    pub(super) fn length_unwritten(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let room = self.held[position].writable_bytes().min(u32::MAX.into());
        let written = u64::from(value).checked_rem(room)?;
        self.write_reply(position, written);
        let head = self.forget(position);
        self.claim(head.into(), room as u32)
    }

    /// A lie in memory alone: the device knows where it is, and says so when it adds the next element.
    pub(super) fn index_backwards(&mut self, value: u32) -> Option<()> {
        let index = self.used_index.wrapping_sub((value % 0x7fff) as u16 + 1);
        self.rings.store_ordered(OrderedStore::UsedIndex, self.geometry.used + 2, index);
        self.effects.push(Effect::UsedIndex(index));
        Some(())
    }

    /// All jumps together go less than half way around, or the index could come back to where it was, with nothing to see.
    pub(super) fn move_index(&mut self, by: u16) -> Option<()> {
        self.jumped = self.jump(by)?;
        self.used_index = self.used_index.wrapping_add(by);
        self.publish();
        Some(())
    }

    pub(super) fn index_before_element(&mut self, pick: u8) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let id = u32::from(self.held[position].head);
        // The chain is not forgotten: a driver that took an earlier element for this one still gets it back.
        self.jump(1)?;
        self.late_element = Some((self.used_index, id));
        self.move_index(1)
    }

    /// How far the index has jumped after another jump; `None` if that is too far.
    fn jump(&self, by: u16) -> Option<u16> {
        self.jumped.checked_add(by).filter(|jumped| *jumped <= 0x7fff)
    }

    pub(super) fn flags_garbage(&mut self, value: u32) -> Option<()> {
        let flags = value as u16;
        if self.rings.load_u16(self.geometry.used) == flags {
            return None;
        }
        self.rings.store_ordered(OrderedStore::UsedFlags, self.geometry.used, flags);
        self.effects.push(Effect::UsedFlags(flags));
        Some(())
    }

    pub(super) fn event_garbage(&mut self, value: u32) -> Option<()> {
        let event = value as u16;
        if self.rings.load_u16(self.geometry.available_event()) == event {
            return None;
        }
        self.store_event(event);
        Some(())
    }

    /// Chooses what is to change once the driver has read it. Setting the trap is for whoever watches the memory.
    pub(super) fn changed_between_reads(&mut self, pick: u8, value: u32) -> Option<()> {
        let last = self.used_index.wrapping_sub(1);
        let element = self.geometry.used_element(last);
        let (id, length) = (self.rings.load_u32(element), self.rings.load_u32(element + 4));
        let (offset, width, value, then) = match pick % 4 {
            0 => {
                let by = (value % 0x7fff) as u16 + 1;
                self.jump(by)?;
                let index = self.used_index.wrapping_add(by);
                (self.geometry.used + 2, 2, u64::from(index), Change::UsedIndex(index))
            }
            1 => {
                let id = id ^ value.max(1);
                (element, 4, u64::from(id), Change::UsedElement { index: last })
            }
            2 => {
                let length = length ^ value.max(1);
                (element + 4, 4, u64::from(length), Change::UsedElement { index: last })
            }
            _ => {
                let index = self.any_descriptor(pick / 4);
                let offset = self.geometry.shape(index);
                let shape = self.rings.load_u64(offset) ^ u64::from(value.max(1));
                (offset, 8, shape, Change::Descriptor { index })
            }
        };
        self.effects.push(Effect::Trap { trap: Trap { offset, width, value }, then });
        Some(())
    }

    /// Adds an element, whatever its truth, and publishes it.
    fn claim(&mut self, id: u32, length: u32) -> Option<()> {
        self.add_element(id, length);
        self.publish();
        Some(())
    }

    fn returnable_at(&self, pick: u8) -> Option<usize> {
        self.position(pick).filter(|position| {
            let chain = &self.held[*position];
            chain.whole && !chain.withheld
        })
    }
}
