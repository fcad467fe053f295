//! The device's private state, to be kept and gone back to.

use crate::device::{Device, Held};
use ringstorm_core::SharedMemory;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// Everything that a [`Device`] knows beyond what stands in shared memory.
#[derive(Debug, Clone, Default)]
pub struct DeviceState {
    next_available: u16,
    used_index: u16,
    held: VecDeque<Held>,
    in_held: Vec<u16>,
    last_returned: Option<u16>,
    replies: u32,
}

impl<M: SharedMemory> Device<M> {
    /// The device's state, to be given to [`restore`](Self::restore). Effects that were not taken yet are no part of
    /// it.
    pub fn state(&self) -> DeviceState {
        let Self {
            rings: _,
            geometry: _,
            space: _,
            next_available,
            used_index,
            held,
            in_held,
            last_returned,
            effects: _,
            spare: _,
            scratch: _,
            replies,
        } = self;
        DeviceState {
            next_available: *next_available,
            used_index: *used_index,
            held: held.clone(),
            in_held: in_held.clone(),
            last_returned: *last_returned,
            replies: *replies,
        }
    }

    /// Goes back to a state of this device. The shared memory is the caller's to put back.
    pub fn restore(&mut self, state: &DeviceState) {
        let DeviceState { next_available, used_index, held, in_held, last_returned, replies } = state;
        self.spare.extend(self.held.drain(..));
        for chain in held {
            let Held { head, descriptors, whole, withheld } = chain;
            let mut copy = self.spare.pop().unwrap_or_default();
            copy.descriptors.clone_from(descriptors);
            (copy.head, copy.whole, copy.withheld) = (*head, *whole, *withheld);
            self.held.push_back(copy);
        }
        self.in_held.clone_from(in_held);
        self.effects.clear();
        (self.next_available, self.used_index) = (*next_available, *used_index);
        (self.last_returned, self.replies) = (*last_returned, *replies);
    }

    /// Folds in everything that decides what the device will do, but for the bytes it will write. Ring indexes count
    /// from `base`, a multiple of the queue size.
    pub fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self {
            rings: _,
            geometry: _,
            space: _,
            next_available,
            used_index,
            held,
            // Counted from what is held.
            in_held: _,
            last_returned,
            effects: _,
            spare: _,
            scratch: _,
            replies: _,
        } = self;
        (next_available.wrapping_sub(base), used_index.wrapping_sub(base)).hash(state);
        (held, last_returned).hash(state);
    }
}
