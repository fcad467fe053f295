//! Saves and restores the device's private state, and hashes it.

use crate::device::Device;
use crate::in_flight::InFlightChain;
use crate::silence::{NotificationLoss, Silence};
use ringstorm_core::SharedMemory;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// The private state of a [`Device`]: all that is not in shared memory.
#[derive(Debug, Clone)]
pub struct DeviceState {
    next_available: u16,
    used_index: u16,
    event_ahead: Option<u16>,
    in_flight: VecDeque<InFlightChain>,
    descriptor_uses: Vec<u16>,
    returned: VecDeque<u16>,
    late_element: Option<(u16, u32)>,
    total_jump: u16,
    overwritten_index: Option<(u16, u16)>,
    overwritten_entries: Vec<(u16, u16, u16)>,
    silence: Option<Silence>,
    notification_loss: NotificationLoss,
    last: Option<InFlightChain>,
    replies: u32,
}

impl<M: SharedMemory> Device<M> {
    /// Saves the device's state for [`restore`](Self::restore). Effects that were not taken yet are not part of it.
    pub fn state(&self) -> DeviceState {
        let Self {
            rings: _,
            geometry: _,
            space: _,
            next_available,
            used_index,
            event_index: _,
            event_ahead,
            in_flight,
            descriptor_uses,
            returned,
            late_element,
            total_jump,
            overwritten_index,
            overwritten_entries,
            silence,
            notification_loss,
            effects: _,
            last,
            spare: _,
            walked: _,
            scratch: _,
            replies,
        } = self;
        DeviceState {
            next_available: *next_available,
            used_index: *used_index,
            event_ahead: *event_ahead,
            in_flight: in_flight.clone(),
            descriptor_uses: descriptor_uses.clone(),
            returned: returned.clone(),
            late_element: *late_element,
            total_jump: *total_jump,
            overwritten_index: *overwritten_index,
            overwritten_entries: overwritten_entries.clone(),
            silence: *silence,
            notification_loss: *notification_loss,
            last: last.clone(),
            replies: *replies,
        }
    }

    /// Restores a saved state of this device. The caller has to restore the shared memory.
    pub fn restore(&mut self, state: &DeviceState) {
        while let Some(chain) = self.in_flight.pop_back() {
            self.spare.keep(Some(chain));
        }
        self.spare.keep(self.last.take());
        let mut copy = |chain: &InFlightChain| {
            let InFlightChain { head, descriptors, whole, withheld } = chain;
            let mut copy = self.spare.take(descriptors.len());
            copy.descriptors.clone_from(descriptors);
            (copy.head, copy.whole, copy.withheld) = (*head, *whole, *withheld);
            copy
        };
        self.in_flight.extend(state.in_flight.iter().map(&mut copy));
        self.last = state.last.as_ref().map(copy);
        self.descriptor_uses.clone_from(&state.descriptor_uses);
        self.returned.clone_from(&state.returned);
        self.overwritten_entries.clone_from(&state.overwritten_entries);
        self.effects.clear();
        (self.next_available, self.used_index) = (state.next_available, state.used_index);
        (self.event_ahead, self.late_element) = (state.event_ahead, state.late_element);
        (self.overwritten_index, self.silence) = (state.overwritten_index, state.silence);
        (self.notification_loss, self.replies, self.total_jump) =
            (state.notification_loss, state.replies, state.total_jump);
    }

    /// Hashes all state that decides what the device will do, except the contents that it will write to buffers. Ring indexes
    /// are hashed relative to `base`, which must be a multiple of the queue size. `honest` means that the device will not
    /// misbehave any more: then it does not matter what it has returned and how far the used index has jumped.
    pub fn fingerprint(&self, base: u16, honest: bool, state: &mut impl Hasher) {
        let Self {
            rings: _,
            geometry: _,
            space: _,
            next_available,
            used_index,
            event_index: _,
            event_ahead,
            in_flight,
            // Follows from the chains in flight.
            descriptor_uses: _,
            returned,
            late_element,
            total_jump,
            overwritten_index,
            overwritten_entries,
            silence,
            notification_loss,
            effects: _,
            last,
            spare: _,
            walked: _,
            scratch: _,
            replies: _,
        } = self;
        (next_available.wrapping_sub(base), used_index.wrapping_sub(base)).hash(state);
        (event_ahead, in_flight, overwritten_entries, silence, notification_loss).hash(state);
        late_element.map(|(index, id)| (index.wrapping_sub(base), id)).hash(state);
        if !honest {
            total_jump.hash(state);
        }
        overwritten_index
            .map(|(forged, original)| (forged.wrapping_sub(base), original.wrapping_sub(base)))
            .hash(state);
        if !honest {
            (returned, last).hash(state);
        }
    }
}
