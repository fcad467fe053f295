//! Chains that the device took.

use crate::chain::Descriptor;
use std::collections::VecDeque;

/// A chain that the device took and has not returned.
#[derive(Debug, Default, Clone, Hash)]
pub(crate) struct Held {
    pub(crate) head: u16,
    pub(crate) descriptors: Vec<Descriptor>,
    /// Whether the device could make sense of it. If not, it neither reads nor writes.
    pub(crate) whole: bool,
    /// Kept back until the faults stop.
    pub(crate) withheld: bool,
}

impl Held {
    pub(crate) fn writable_bytes(&self) -> u64 {
        self.writable().map(|descriptor| u64::from(descriptor.length)).sum()
    }

    /// The buffers that can be written to.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &Descriptor> {
        let usable =
            |descriptor: &&Descriptor| self.whole && descriptor.is_writable() && descriptor.place.is_some();
        self.descriptors.iter().filter(usable)
    }
}

/// As many descriptors has a short chain at most.
const SHORT: usize = 16;

/// Chains that are not held any more, kept for their memory: short ones and long ones apart, or in the end every short one
/// would have the memory of the longest.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    short: Vec<Held>,
    long: Vec<Held>,
}

impl Spare {
    /// Keeps a chain, if there is one.
    pub(crate) fn keep(&mut self, chain: Option<Held>) {
        if let Some(chain) = chain {
            self.of(chain.descriptors.capacity()).push(chain);
        }
    }

    /// A chain for so many descriptors, with whatever an earlier one has left in it.
    pub(crate) fn take(&mut self, descriptors: usize) -> Held {
        self.of(descriptors).pop().unwrap_or_else(|| Held {
            // So that a short one need not grow later.
            descriptors: Vec::with_capacity(descriptors.max(SHORT)),
            ..Held::default()
        })
    }

    fn of(&mut self, descriptors: usize) -> &mut Vec<Held> {
        if descriptors > SHORT { &mut self.long } else { &mut self.short }
    }
}

/// The place that `pick` chooses among `count` chains that are held, in the order in which they were taken but for what
/// [`let_go`] moves: 0 is the newest, others count from the oldest on, around.
pub const fn picked(count: usize, pick: u8) -> Option<usize> {
    match (count, pick) {
        (0, _) => None,
        (count, 0) => Some(count - 1),
        (count, pick) => Some((pick as usize - 1) % count),
    }
}

/// Lets go of a held chain: the newest takes its place, if it is not the oldest.
pub fn let_go<T>(held: &mut VecDeque<T>, position: usize) -> Option<T> {
    match position {
        0 => held.pop_front(),
        _ => held.swap_remove_back(position),
    }
}
