//! Hashes the state of the model.

use crate::Model;
use crate::wish::Wish;
use std::hash::{Hash, Hasher};

impl Model {
    /// Hashes all state that later verdicts depend on: two models with the same fingerprint give the same verdicts on the same
    /// events. Ring indexes are hashed relative to `base`, which must be a multiple of the queue size.
    ///
    /// Left out are the contents of chains (see [`payload`](Self::payload)), serial numbers, which only coverage uses, and
    /// what only the events right after a call need, since a fingerprint is taken between calls. The caller has to hash the
    /// setup, if it can differ.
    pub fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self {
            setup,
            chains,
            used,
            unpublished,
            awaiting_device,
            overrun,
            available,
            entries_due,
            notifications_wanted,
            available_event,
            publish_due,
            publish_answer: _,
            published_silently: _,
            wish,
            wish_precedes_reset,
            unwanted_used_event,
            delay,
            // Only the words of a violation depend on it.
            added_since_notification: _,
            initial_flags,
            used_index_went_back,
            driver_part_corrupted,
            available_ring_corrupted,
            broken,
            state_unknown,
            stores_allowed: _,
            submitting: _,
            out_of_elements: _,
            // Set at the end of an execution, after which no fingerprint is taken.
            rings_gone: _,
            buffers_gone: _,
            after_reset,
            submitted_since_publish,
            submitted_chains: _,
            next_serial_to_free: _,
            fragmented: _,
        } = self;
        chains.fingerprint(state);
        used.fingerprint(base, state);
        for (head, serial) in awaiting_device {
            (head, chains.get(*head).is_some_and(|chain| chain.serial == *serial)).hash(state);
        }
        (unpublished, awaiting_device.len(), overrun, available.wrapping_sub(base), entries_due).hash(state);
        (notifications_wanted, wish, wish_precedes_reset, used_index_went_back).hash(state);
        (
            driver_part_corrupted,
            available_ring_corrupted,
            broken,
            state_unknown,
            after_reset,
            submitted_since_publish,
        )
            .hash(state);
        publish_due.wrapping_sub(base).hash(state);
        initial_flags.hash(state);
        if setup.event_index {
            available_event.wrapping_sub(base).hash(state);
            let named = unwanted_used_event.filter(|_| *wish == Wish::Unwanted);
            named.map(|named| (named.index.wrapping_sub(base), named.passed)).hash(state);
            delay.map(|delay| delay.fingerprint(base)).hash(state);
        }
    }

    /// The contents of the device-readable buffers of a live chain, as submitted.
    pub fn payload(&self, head: u16) -> Option<&[u8]> {
        self.chains.get(head).map(|chain| chain.payload.as_slice())
    }
}
