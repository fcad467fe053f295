//! Faults in the descriptor table, which only the driver may write.

use crate::device::Device;
use crate::effect::Effect;
use crate::fault::Fault;
use crate::geometry::{F_INDIRECT, F_NEXT, F_WRITE};
use ringstorm_core::SharedMemory;

/// A device address in no region.
const NOWHERE: u64 = 0xdead_0000_0000_0000;

impl<M: SharedMemory> Device<M> {
    /// Changes length, flags and next of a descriptor.
    pub(super) fn corrupt_descriptor(&mut self, fault: Fault, pick: u8, value: u32) -> Option<()> {
        let size = u32::from(self.geometry.size);
        let (index, next) = match fault {
            Fault::NextToHead | Fault::NextToMiddle | Fault::NextToFree | Fault::NextSet => {
                let chain = self.in_flight_at(pick)?;
                let tail = chain.descriptors.last()?.index;
                let next = match fault {
                    Fault::NextToHead => chain.head,
                    Fault::NextToMiddle => chain.descriptors.get(1)?.index,
                    Fault::NextToFree => self.free_from(value).filter(|_| !self.has_available())?,
                    _ => self.geometry.descriptor(&self.rings, tail).3,
                };
                (tail, next)
            }
            Fault::NextCleared => (self.in_flight_at(pick)?.descriptors.first()?.index, 0),
            Fault::NextToSelf => {
                let index = self.any_descriptor(pick);
                (index, index)
            }
            _ => (self.any_descriptor(pick), (size + value % (0x1_0000 - size)) as u16),
        };
        let (_, length, flags, old) = self.geometry.descriptor(&self.rings, index);
        let changed = match fault {
            Fault::NextCleared => (length, flags & !F_NEXT, old),
            Fault::WriteFlipped => (length, flags ^ F_WRITE, old),
            Fault::IndirectFlipped => (length, flags ^ F_INDIRECT, old),
            Fault::LengthScribbled => (value, flags, old),
            Fault::LengthGrown => (length.saturating_add(value.max(1)), flags, old),
            Fault::LengthZeroed => (0, flags, old),
            _ => (length, flags | F_NEXT, next),
        };
        if changed == (length, flags, old) {
            return None;
        }
        self.geometry.corrupt_shape(&self.rings, index, changed);
        self.effects.push(Effect::Descriptor { index });
        Some(())
    }

    /// Changes the address of a descriptor.
    pub(super) fn corrupt_address(&mut self, fault: Fault, pick: u8, value: u32) -> Option<()> {
        let index = self.any_descriptor(pick);
        let address = match fault {
            Fault::AddressOfAnother => {
                let other = (u32::from(index) + 1 + value % u32::from(self.geometry.size)) as u16;
                self.geometry.descriptor(&self.rings, other % self.geometry.size).0
            }
            Fault::AddressOutside => NOWHERE + u64::from(value),
            _ => 0,
        };
        if self.geometry.descriptor(&self.rings, index).0 == address {
            return None;
        }
        self.rings.store_u64(self.geometry.address(index), address);
        self.effects.push(Effect::Descriptor { index });
        Some(())
    }

    /// The descriptor that `pick` chooses: for even values the last one of a chain in flight, for odd values any of the table.
    pub(super) fn any_descriptor(&self, pick: u8) -> u16 {
        let anywhere = u16::from(pick >> 1) % self.geometry.size;
        if pick & 1 == 1 {
            return anywhere;
        }
        match self.in_flight_at(pick >> 1) {
            Some(chain) => chain.descriptors.last().map_or(anywhere, |descriptor| descriptor.index),
            None => anywhere,
        }
    }
}
