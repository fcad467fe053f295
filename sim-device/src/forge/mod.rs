//! The entry point of all faults.

mod table;
mod used;

use crate::device::Device;
use crate::effect::Effect;
use crate::fault::Fault;
use crate::silence::Silence;
use ringstorm_core::SharedMemory;

impl<M: SharedMemory> Device<M> {
    /// Misbehaves. `pick` chooses the chain or descriptor, `value` the forged value. The [effects](Self::take_effects) show what
    /// changed. Returns false if the fault is not possible now: some faults need a chain in flight, or one with several
    /// descriptors.
    pub fn misbehave(&mut self, fault: Fault, pick: u8, value: u32) -> bool {
        if self.is_silent() {
            return false;
        }
        self.write_late_element();
        self.forge(fault, pick, value).is_some()
    }

    /// Returns `None` if the fault is not possible, or would change nothing.
    fn forge(&mut self, fault: Fault, pick: u8, value: u32) -> Option<()> {
        match fault {
            Fault::IdOutOfRange => self.id_out_of_range(value),
            Fault::TruncatedId => self.truncated_id(pick, value),
            Fault::MidChainId => self.mid_chain_id(pick, value),
            Fault::DuplicateId => self.duplicate_id(value),
            Fault::StaleId => self.stale_id(pick, value),
            Fault::FreeId => self.free_id(value),
            Fault::LengthTooLong => self.length_too_long(pick, value),
            Fault::LengthForReadable => self.length_for_readable(pick, value),
            Fault::LengthUnwritten => self.length_unwritten(pick, value),
            Fault::IndexJump => self.move_index((value % 0x7fff) as u16 + 1),
            Fault::IndexBackwards => self.index_backwards(value),
            Fault::IndexBeforeElement => self.index_before_element(pick),
            Fault::FlagsGarbage => self.flags_garbage(value),
            Fault::EventGarbage => self.event_garbage(value),
            Fault::ChangedBetweenReads => self.changed_between_reads(pick, value),
            Fault::NextToHead
            | Fault::NextToMiddle
            | Fault::NextToSelf
            | Fault::NextToFree
            | Fault::NextOutOfRange
            | Fault::NextSet
            | Fault::NextCleared
            | Fault::WriteFlipped
            | Fault::IndirectFlipped
            | Fault::LengthScribbled
            | Fault::LengthGrown
            | Fault::LengthZeroed => self.corrupt_descriptor(fault, pick, value),
            Fault::AddressOfAnother | Fault::AddressOutside | Fault::AddressZero => {
                self.corrupt_address(fault, pick, value)
            }
            Fault::AvailableIndexOverwritten => self.overwrite_index(value),
            Fault::AvailableEntryOverwritten => self.overwrite_entry(pick, value),
            Fault::ReadableWritten => self.write_to_readable(pick),
            Fault::WrittenAfterReturn => self.write_after_return(),
            Fault::SpuriousNotification => {
                self.effects.push(Effect::SpuriousNotification);
                Some(())
            }
            Fault::LostNotification => self.lose_notification(),
            Fault::NeverReturned => self.withhold(pick),
            Fault::StopsAnswering => self.fall_silent(Silence::UntilFaultsStop),
            Fault::NeedsReset => {
                self.drop_in_flight();
                self.fall_silent(Silence::NeedsReset)
            }
        }
    }

    fn withhold(&mut self, pick: u8) -> Option<()> {
        let position = self.position(pick)?;
        if std::mem::replace(&mut self.in_flight[position].withheld, true) {
            return None;
        }
        self.effects.push(Effect::Withheld { head: self.in_flight[position].head });
        Some(())
    }

    fn write_to_readable(&mut self, pick: u8) -> Option<()> {
        let chain = self.in_flight_at(pick).filter(|chain| chain.whole)?;
        let readable = chain.descriptors.iter().find(|descriptor| !descriptor.is_writable())?;
        let (place, length) = (readable.place?, readable.length);
        self.overwrite(place, length)
    }

    fn write_after_return(&mut self) -> Option<()> {
        let chain = self.last.as_ref().filter(|chain| chain.whole)?;
        let writable = chain.descriptors.iter().find(|descriptor| descriptor.is_writable())?;
        let (place, length) = (writable.place?, writable.length);
        self.overwrite(place, length)
    }

    fn overwrite_index(&mut self, value: u32) -> Option<()> {
        let original = self.available_index();
        // Far enough away that the driver does not write the same value soon.
        let forged = original.wrapping_add(0x4000 + (value % 0x4000) as u16);
        self.overwritten_index = Some((forged, original));
        self.rings.store_u16(self.geometry.available + 2, forged);
        self.effects.push(Effect::AvailableIndex(forged));
        Some(())
    }

    fn overwrite_entry(&mut self, pick: u8, value: u32) -> Option<()> {
        let waiting = self.available_index().wrapping_sub(self.next_available).min(self.geometry.size);
        let index = self.next_available.wrapping_add(u16::from(pick).checked_rem(waiting)?);
        let original = self.available_entry(index);
        // Not an index of the table, so it differs from everything that the driver writes.
        let size = u32::from(self.geometry.size);
        let forged = (size + value % (0x1_0000 - size)) as u16;
        if self.entry_in_memory(index) == forged {
            return None;
        }
        let slot = self.geometry.slot(index);
        self.overwritten_entries.retain(|(other, _, _)| *other != slot);
        self.overwritten_entries.push((slot, forged, original));
        self.rings.store_u16(self.geometry.available_entry(index), forged);
        self.effects.push(Effect::AvailableEntry { index, head: forged });
        Some(())
    }
}
