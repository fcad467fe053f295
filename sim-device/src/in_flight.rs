//! Chains in flight at the device.

use crate::chain::Descriptor;
use std::collections::VecDeque;

/// A chain that the device took and has not returned.
#[derive(Debug, Default, Clone, Hash)]
pub(crate) struct InFlightChain {
    pub(crate) head: u16,
    pub(crate) descriptors: Vec<Descriptor>,
    /// Whether the chain has no error. The device accesses no buffer of a chain with an error.
    pub(crate) whole: bool,
    /// Whether the device keeps the chain until the faults stop.
    pub(crate) withheld: bool,
}

impl InFlightChain {
    pub(crate) fn writable_bytes(&self) -> u64 {
        self.writable().map(|descriptor| u64::from(descriptor.length)).sum()
    }

    /// The device-writable buffers; none if the chain has an error.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &Descriptor> {
        let usable =
            |descriptor: &&Descriptor| self.whole && descriptor.is_writable() && descriptor.place.is_some();
        self.descriptors.iter().filter(usable)
    }
}

/// The most descriptors of a short chain.
const SHORT: usize = 16;

/// Chains that are no longer in flight. Their memory is used again. Short and long chains are kept apart; otherwise every
/// short chain would have the memory of a long one in the end.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    short: Vec<InFlightChain>,
    long: Vec<InFlightChain>,
}

impl Spare {
    pub(crate) fn keep(&mut self, chain: Option<InFlightChain>) {
        if let Some(chain) = chain {
            self.of(chain.descriptors.capacity()).push(chain);
        }
    }

    /// A chain with room for this number of descriptors. It still has the contents of an earlier chain.
    pub(crate) fn take(&mut self, descriptors: usize) -> InFlightChain {
        self.of(descriptors).pop().unwrap_or_else(|| InFlightChain {
            // A short chain never has to grow later.
            descriptors: Vec::with_capacity(descriptors.max(SHORT)),
            ..InFlightChain::default()
        })
    }

    fn of(&mut self, descriptors: usize) -> &mut Vec<InFlightChain> {
        if descriptors > SHORT { &mut self.long } else { &mut self.short }
    }
}

/// The position that `pick` chooses among `count` chains in flight: 0 is the newest, 1 the oldest, 2 the next, and so on,
/// modulo `count`. `None` if there is no chain. The chains are in the order in which the device took them, except for those
/// that [`remove_at`] moved.
pub const fn picked_position(count: usize, pick: u8) -> Option<usize> {
    match (count, pick) {
        (0, _) => None,
        (count, 0) => Some(count - 1),
        (count, pick) => Some((pick as usize - 1) % count),
    }
}

/// Removes a chain in flight in constant time. The newest chain takes its position, unless it was the oldest.
pub fn remove_at<T>(in_flight: &mut VecDeque<T>, position: usize) -> Option<T> {
    match position {
        0 => in_flight.pop_front(),
        _ => in_flight.swap_remove_back(position),
    }
}
