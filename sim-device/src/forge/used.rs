//! Faults in the used ring.

use crate::device::Device;
use crate::effect::{Change, Effect};
use crate::watch::Trap;
use ringstorm_core::{OrderedStore, SharedMemory};

impl<M: SharedMemory> Device<M> {
    /// Small values give an id just outside the table, large ones an id of more than 16 bits. The sum saturates, so the id is
    /// never in range.
    pub(super) fn id_out_of_range(&mut self, value: u32) -> Option<()> {
        self.claim(u32::from(self.geometry.size).saturating_add(value), 0)
    }

    pub(super) fn truncated_id(&mut self, pick: u8, value: u32) -> Option<()> {
        let head = self.in_flight_at(pick).filter(|chain| chain.whole)?.head;
        self.claim(u32::from(head) | (value % 0xffff + 1) << 16, 0)
    }

    pub(super) fn mid_chain_id(&mut self, pick: u8, value: u32) -> Option<()> {
        let chain = &self.in_flight_at(pick)?.descriptors;
        let inside = chain.get(1 + value as usize % chain.len().saturating_sub(1).max(1))?.index;
        self.claim(inside.into(), 0)
    }

    pub(super) fn duplicate_id(&mut self, value: u32) -> Option<()> {
        let id = *self.returned.back()?;
        self.claim(id.into(), value)
    }

    pub(super) fn stale_id(&mut self, pick: u8, value: u32) -> Option<()> {
        // The newest head is left to `duplicate-id`.
        let older = self.returned.len().checked_sub(1).filter(|older| *older > 0)?;
        let id = self.returned[usize::from(pick) % older];
        self.claim(id.into(), value)
    }

    pub(super) fn free_id(&mut self, value: u32) -> Option<()> {
        // While a chain is available, the device does not know which descriptors are free.
        let known = !self.has_available();
        let free = self.free_from(value).filter(|_| known)?;
        self.claim(free.into(), 0)
    }

    /// The first descriptor, from `value` on and modulo the queue size, that is in no chain in flight.
    pub(super) fn free_from(&self, value: u32) -> Option<u16> {
        let size = self.geometry.size;
        let from = (value % u32::from(size)) as u16;
        (from..size).chain(0..from).find(|index| self.descriptor_uses[usize::from(*index)] == 0)
    }

    pub(super) fn length_too_long(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let writable = self.in_flight[position].writable_bytes();
        let most = u64::from(u32::MAX).checked_sub(writable).filter(|room| *room > 0)?;
        let excess = u64::from(value).clamp(1, most);
        let head = self.return_at(position);
        self.claim(head.into(), (writable + excess) as u32)
    }

    pub(super) fn length_for_readable(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        if self.in_flight[position].writable_bytes() > 0 {
            return None;
        }
        let head = self.return_at(position);
        self.claim(head.into(), value.max(1))
    }

    pub(super) fn length_unwritten(&mut self, pick: u8, value: u32) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let room = self.in_flight[position].writable_bytes().min(u32::MAX.into());
        let written = u64::from(value).checked_rem(room)?;
        self.write_reply(position, written);
        let head = self.return_at(position);
        self.claim(head.into(), room as u32)
    }

    /// Changes the index only in memory. The device keeps its own index and stores it when it publishes the next element.
    pub(super) fn index_backwards(&mut self, value: u32) -> Option<()> {
        let index = self.used_index.wrapping_sub((value % 0x7fff) as u16 + 1);
        self.rings.store_ordered(OrderedStore::UsedIndex, self.geometry.used + 2, index);
        self.effects.push(Effect::UsedIndex(index));
        Some(())
    }

    /// The sum of all jumps is less than half of 2^16. Otherwise the index could return to an earlier value, and the driver could
    /// not see the jump.
    pub(super) fn move_index(&mut self, by: u16) -> Option<()> {
        self.total_jump = self.jump(by)?;
        self.used_index = self.used_index.wrapping_add(by);
        self.publish();
        Some(())
    }

    pub(super) fn index_before_element(&mut self, pick: u8) -> Option<()> {
        let position = self.returnable_at(pick)?;
        let id = u32::from(self.in_flight[position].head);
        // The chain stays in flight: a driver that took an old element instead of this one still gets the chain back.
        self.jump(1)?;
        self.late_element = Some((self.used_index, id));
        self.move_index(1)
    }

    /// The sum of all jumps with another one; `None` if it would be too large.
    fn jump(&self, by: u16) -> Option<u16> {
        self.total_jump.checked_add(by).filter(|total| *total <= 0x7fff)
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

    /// Chooses a value to change right after the driver has read it. The owner of the watched memory sets the trap.
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

    /// Adds a used element without a check, and publishes it.
    fn claim(&mut self, id: u32, length: u32) -> Option<()> {
        self.add_element(id, length);
        self.publish();
        Some(())
    }

    fn returnable_at(&self, pick: u8) -> Option<usize> {
        self.position(pick).filter(|position| {
            let chain = &self.in_flight[*position];
            chain.whole && !chain.withheld
        })
    }
}
