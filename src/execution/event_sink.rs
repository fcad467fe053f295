//! Telling what was observed to whoever has to know.

use super::{Listener, Stop};
use ringstorm_model::{Event, Model, TraceHash};

/// Who hears of every event: the hash and the model.
#[derive(Default)]
pub(super) struct EventSink {
    pub(super) hash: TraceHash,
    pub(super) model: Model,
}

impl EventSink {
    /// Tells everybody of an event: the hash, the listener, and the model, which judges it. Written out where it is
    /// called, since what is to be done for the event is known there.
    #[inline(always)]
    pub(super) fn emit(&mut self, event: &Event<'_>, listener: &mut impl Listener) -> Result<(), Stop> {
        self.hash.event(event);
        listener.event(event);
        self.model.observe(event)?;
        Ok(())
    }
}
