//! Listening to an execution.

use super::Rig;
use crate::scenario::Step;
use ringstorm_model::Event;

/// Somebody who listens to an execution.
pub trait Listener {
    /// A step begins; `None` is the settling at the end.
    fn step(&mut self, number: usize, step: Option<&Step>, rig: &Rig) {
        let _ = (number, step, rig);
    }
    /// No further step follows: the execution went wrong, or it is over.
    fn ended(&mut self, rig: &Rig) {
        let _ = rig;
    }
    /// Something was observed.
    fn event(&mut self, event: &Event<'_>) {
        let _ = event;
    }
    /// The subject cannot do this step, or there is nothing to do it with.
    fn skipped(&mut self, why: Skip) {
        let _ = why;
    }
}

/// Nobody listens.
impl Listener for () {}

/// Why a step did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The subject has no such capability.
    Incapable,
    /// There is nothing that it could be done with: no chain to free, none to return.
    NothingThere,
}
