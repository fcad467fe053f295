//! What the model knows, as a hash.

use crate::Model;
use crate::notifications::Wish;
use std::hash::{Hash, Hasher};

impl Model {
    /// Folds in everything that a later judgement depends on, so that two models with the same fingerprint judge the
    /// same events alike. Ring indexes count from `base`, a multiple of the queue size.
    ///
    /// Left out: the bytes that chains carry (see [`payload`](Self::payload)); when a chain was submitted, which
    /// coverage alone looks at; and what one call leaves for the events right behind it, since a fingerprint is taken
    /// between calls. The setup is the caller's.
    pub fn fingerprint(&self, base: u16, state: &mut impl Hasher) {
        let Self {
            setup,
            chains,
            used,
            unpublished,
            offered,
            overrun,
            available,
            announced,
            notifications_wanted,
            available_event,
            asked_for,
            wish,
            wish_carried,
            unwanted_event,
            first_flags,
            went_back,
            tampered,
            ring_tampered,
            broken,
            halfway,
            stores_allowed: _,
            submitting: _,
            // Nothing follows that is gone on from.
            rings_gone: _,
            buffers_gone: _,
            fresh,
            unannounced,
            submissions: _,
            free_next: _,
            fragmented: _,
        } = self;
        chains.fingerprint(state);
        used.fingerprint(base, state);
        for (head, serial) in offered {
            (head, chains.get(*head).is_some_and(|chain| chain.serial == *serial)).hash(state);
        }
        (unpublished, offered.len(), overrun, available.wrapping_sub(base), announced).hash(state);
        (notifications_wanted, wish, wish_carried, went_back).hash(state);
        (tampered, ring_tampered, broken, halfway, fresh, unannounced).hash(state);
        asked_for.wrapping_sub(base).hash(state);
        first_flags.hash(state);
        if setup.event_index {
            available_event.wrapping_sub(base).hash(state);
            let named = unwanted_event.filter(|_| *wish == Wish::Unwanted);
            named.map(|named| (named.index.wrapping_sub(base), named.passed)).hash(state);
        }
    }

    /// The bytes that were submitted for the device to read in a live chain.
    pub fn payload(&self, head: u16) -> Option<&[u8]> {
        self.chains.get(head).map(|chain| chain.payload.as_slice())
    }
}
