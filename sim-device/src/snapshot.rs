//! The device's private state, to be kept and gone back to.

use crate::device::Device;
use crate::in_flight::Held;
use crate::responsiveness::{NotificationLoss, Silence};
use ringstorm_core::SharedMemory;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// Everything that a [`Device`] knows beyond what stands in shared memory.
#[derive(Debug, Clone)]
pub struct DeviceState {
    next_available: u16,
    used_index: u16,
    event_ahead: Option<u16>,
    held: VecDeque<Held>,
    in_held: Vec<u16>,
    returned: VecDeque<u16>,
    late_element: Option<(u16, u32)>,
    jumped: u16,
    overwritten_index: Option<(u16, u16)>,
    overwritten_entries: Vec<(u16, u16, u16)>,
    silence: Option<Silence>,
    hearing: NotificationLoss,
    last: Option<Held>,
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
            event_index: _,
            event_ahead,
            held,
            in_held,
            returned,
            late_element,
            jumped,
            overwritten_index,
            overwritten_entries,
            silence,
            hearing,
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
            held: held.clone(),
            in_held: in_held.clone(),
            returned: returned.clone(),
            late_element: *late_element,
            jumped: *jumped,
            overwritten_index: *overwritten_index,
            overwritten_entries: overwritten_entries.clone(),
            silence: *silence,
            hearing: *hearing,
            last: last.clone(),
            replies: *replies,
        }
    }

    /// Goes back to a state of this device. The shared memory is the caller's to put back.
    pub fn restore(&mut self, state: &DeviceState) {
        while let Some(chain) = self.held.pop_back() {
            self.spare.keep(Some(chain));
        }
        self.spare.keep(self.last.take());
        let mut copy = |chain: &Held| {
            let Held { head, descriptors, whole, withheld } = chain;
            let mut copy = self.spare.take(descriptors.len());
            copy.descriptors.clone_from(descriptors);
            (copy.head, copy.whole, copy.withheld) = (*head, *whole, *withheld);
            copy
        };
        self.held.extend(state.held.iter().map(&mut copy));
        self.last = state.last.as_ref().map(copy);
        self.in_held.clone_from(&state.in_held);
        self.returned.clone_from(&state.returned);
        self.overwritten_entries.clone_from(&state.overwritten_entries);
        self.effects.clear();
        (self.next_available, self.used_index) = (state.next_available, state.used_index);
        (self.event_ahead, self.late_element) = (state.event_ahead, state.late_element);
        (self.overwritten_index, self.silence) = (state.overwritten_index, state.silence);
        (self.hearing, self.replies, self.jumped) = (state.hearing, state.replies, state.jumped);
    }

    /// Folds in everything that decides what the device will do, but for the bytes it will write. Ring indexes count
    /// from `base`, a multiple of the queue size. A device that does not misbehave any more (`honest`) has no use for
    /// what it returned.
    pub fn fingerprint(&self, base: u16, honest: bool, state: &mut impl Hasher) {
        let Self {
            rings: _,
            geometry: _,
            space: _,
            next_available,
            used_index,
            event_index: _,
            event_ahead,
            held,
            // Counted from what is held.
            in_held: _,
            returned,
            late_element,
            jumped,
            overwritten_index,
            overwritten_entries,
            silence,
            hearing,
            effects: _,
            last,
            spare: _,
            walked: _,
            scratch: _,
            replies: _,
        } = self;
        (next_available.wrapping_sub(base), used_index.wrapping_sub(base)).hash(state);
        (event_ahead, held, overwritten_entries, silence, hearing).hash(state);
        late_element.map(|(index, id)| (index.wrapping_sub(base), id)).hash(state);
        if !honest {
            jumped.hash(state);
        }
        overwritten_index.map(|(lie, truth)| (lie.wrapping_sub(base), truth.wrapping_sub(base))).hash(state);
        if !honest {
            (returned, last).hash(state);
        }
    }
}
