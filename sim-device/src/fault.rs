//! The ways in which the device misbehaves.

use crate::device::{Device, Effect};
use crate::geometry::F_NEXT;
use ringstorm_core::SharedMemory;
use strum::{EnumMessage, EnumString, FromRepr, IntoStaticStr, VariantArray};

/// One way to misbehave. Each doc line: what the device does; the sentence of the specification that it
/// breaks; the promise of the driver that it attacks. Numbers are only ever appended.
///
/// What a driver may do about any of them: report it, ignore it, clamp a length, or declare the queue broken.
/// What it must never do is stated by the model's invariants.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
    FromRepr,
)]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum Fault {
    /// Adds a used element whose id is no index of the table; "id indicates the head entry of the descriptor chain" (2.7.8); attacks every look-up by id.
    IdOutOfRange = 0,
    /// Adds a used element whose id equals a live head in its low 16 bits only; 2.7.8 as above; attacks drivers that cut the id.
    TruncatedId = 1,
    /// Adds a used element whose id is inside a chain; 2.7.8 as above; attacks the free list.
    MidChainId = 2,
    /// Returns a chain again that was returned before; each buffer is used once (2.7.8); attacks completed-once.
    DuplicateId = 3,
    /// Returns a chain with a length above its device-writable bytes; len is "the total length of the descriptor chain which was used (written to)" (2.7.8); attacks whoever reads that many.
    LengthTooLong = 4,
    /// Moves the used index beyond what it returned; idx says "where the device would put the next descriptor entry" (2.7.8); attacks the loop that follows it.
    IndexJump = 5,
    /// Links the last descriptor of a chain to its head; the table is the driver's, "A device MUST NOT write to any descriptor table entry" (2.7.5.1); attacks whoever follows the table.
    NextToHead = 6,
    /// Links the last descriptor of a chain to its second; 2.7.5.1 as above; attacks loop detection at the head.
    NextToMiddle = 7,
    /// Overwrites the length of a descriptor, free or not; 2.7.5.1 as above; attacks copies by that length.
    LengthScribbled = 8,
    /// Keeps a chain until the faults stop; buffers are to be returned when done (2.7.8); attacks liveness.
    NeverReturned = 9,
    /// Links a descriptor to an index outside the table; 2.7.5.1 as above; attacks whoever follows the table.
    NextOutOfRange = 10,
    /// Adds a used element whose id is in no chain that the device holds, with nothing more available: a free descriptor, or one that it returned; 2.7.8 as above; attacks the free list.
    FreeId = 11,
}

impl Fault {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it does, breaks and attacks.
    pub fn description(self) -> &'static str {
        self.get_documentation().expect("every fault has a doc line")
    }

    /// Whether it needs a chain that the device holds.
    pub const fn needs_held_chain(self) -> bool {
        match self {
            Self::TruncatedId
            | Self::MidChainId
            | Self::LengthTooLong
            | Self::NextToHead
            | Self::NextToMiddle
            | Self::NeverReturned => true,
            Self::IdOutOfRange
            | Self::DuplicateId
            | Self::IndexJump
            | Self::LengthScribbled
            | Self::NextOutOfRange
            | Self::FreeId => false,
        }
    }
}

impl<M: SharedMemory> Device<M> {
    /// Misbehaves. `pick` chooses the chain or descriptor, `value` what is lied. Says whether it could: some
    /// faults need a chain that the device holds, or one with several descriptors. The
    /// [effects](Self::take_effects) tell what was done.
    pub fn misbehave(&mut self, fault: Fault, pick: u8, value: u32) -> bool {
        self.forge(fault, pick, value).is_some()
    }

    fn forge(&mut self, fault: Fault, pick: u8, value: u32) -> Option<()> {
        let size = u32::from(self.geometry.size);
        match fault {
            Fault::IdOutOfRange => {
                // Both near misses and ids beyond 16 bits; saturating, so that the last id stays out of range.
                self.add_element(size.saturating_add(value), 0);
                self.publish();
            }
            Fault::TruncatedId => {
                let head = self.held_at(pick).filter(|chain| chain.whole)?.head;
                self.add_element(u32::from(head) | (value % 0xffff + 1) << 16, 0);
                self.publish();
            }
            Fault::MidChainId => {
                let chain = &self.held_at(pick)?.descriptors;
                let inside = chain.get(1 + value as usize % chain.len().saturating_sub(1).max(1))?.index;
                self.add_element(inside.into(), 0);
                self.publish();
            }
            Fault::DuplicateId => {
                let id = self.last_returned?;
                self.add_element(id.into(), value);
                self.publish();
            }
            Fault::LengthTooLong => {
                let position = self.position(pick).filter(|position| {
                    let chain = &self.held[*position];
                    chain.whole && !chain.withheld
                })?;
                let writable = self.held[position].writable_bytes();
                let most = u64::from(u32::MAX).checked_sub(writable).filter(|room| *room > 0)?;
                let excess = u64::from(value).clamp(1, most);
                let head = self.forget(position);
                self.last_returned = Some(head);
                self.add_element(head.into(), (writable + excess) as u32);
                self.publish();
            }
            Fault::IndexJump => {
                self.used_index = self.used_index.wrapping_add((value % 0xffff) as u16 + 1);
                self.publish();
            }
            Fault::NextToHead => {
                let chain = self.held_at(pick)?;
                let (head, tail) = (chain.head, chain.descriptors.last()?.index);
                self.scribble(tail, |(length, flags, _)| (length, flags | F_NEXT, head))?;
            }
            Fault::NextToMiddle => {
                let chain = &self.held_at(pick)?.descriptors;
                let (middle, tail) = (chain.get(1)?.index, chain.last()?.index);
                self.scribble(tail, |(length, flags, _)| (length, flags | F_NEXT, middle))?;
            }
            Fault::LengthScribbled => {
                let target = self.any_descriptor(pick);
                self.scribble(target, |(_, flags, next)| (value, flags, next))?;
            }
            Fault::NeverReturned => {
                let position = self.position(pick)?;
                if std::mem::replace(&mut self.held[position].withheld, true) {
                    return None;
                }
                self.effects.push(Effect::Withheld { head: self.held[position].head });
            }
            Fault::NextOutOfRange => {
                let target = self.any_descriptor(pick);
                let next = (size + value % (0x1_0000 - size)) as u16;
                self.scribble(target, |(length, flags, _)| (length, flags | F_NEXT, next))?;
            }
            Fault::FreeId => {
                // While something is available, the device cannot know what is free.
                let unknown = self.has_available();
                let from = (value % size) as usize;
                let mut around = (from..size as usize).chain(0..from);
                let free = around.find(|index| !unknown && self.in_held[*index] == 0)? as u32;
                self.add_element(free, 0);
                self.publish();
            }
        }
        Some(())
    }

    /// A descriptor by an eight-bit choice: of a held chain for even ones, anywhere in the table for odd ones.
    fn any_descriptor(&self, pick: u8) -> u16 {
        let anywhere = u16::from(pick >> 1) % self.geometry.size;
        if pick & 1 == 1 {
            return anywhere;
        }
        match self.held_at(pick >> 1) {
            Some(chain) => chain.descriptors.last().map_or(anywhere, |descriptor| descriptor.index),
            None => anywhere,
        }
    }

    /// Changes length, flags and next of a descriptor; `None` if that changes nothing.
    fn scribble(&mut self, index: u16, change: impl Fn((u32, u16, u16)) -> (u32, u16, u16)) -> Option<()> {
        let (_, length, flags, next) = self.geometry.descriptor(&self.rings, index);
        let changed = change((length, flags, next));
        if changed == (length, flags, next) {
            return None;
        }
        self.geometry.scribble(&self.rings, index, changed);
        self.effects.push(Effect::Descriptor { index });
        Some(())
    }
}
