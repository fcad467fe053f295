//! Passes each event to the trace hash, the listener and the model.

use super::{Listener, Stop};
use ringstorm_model::{Event, Model, TraceHash};

/// What receives every event of an execution.
#[derive(Default)]
pub(super) struct EventSink {
    pub(super) hash: TraceHash,
    pub(super) model: Model,
}

impl EventSink {
    /// Passes an event to the hash, the listener and the model, which may return a violation. Inlined: the kind of
    /// event is known at each call, so most of the work is decided at compile time.
    #[inline(always)]
    pub(super) fn emit(&mut self, event: &Event<'_>, listener: &mut impl Listener) -> Result<(), Stop> {
        self.hash.event(event);
        listener.event(event);
        self.model.observe(event)?;
        Ok(())
    }
}
