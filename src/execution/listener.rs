//! The trait through which others follow an execution.

use super::Rig;
use crate::scenario::Step;
use ringstorm_model::Event;

/// Follows an execution.
pub trait Listener {
    /// A step begins; `None` is the drain at the end.
    fn step(&mut self, number: usize, step: Option<&Step>, rig: &Rig) {
        let _ = (number, step, rig);
    }
    /// The execution is over.
    fn ended(&mut self, rig: &Rig) {
        let _ = rig;
    }
    /// An event was observed.
    fn event(&mut self, event: &Event<'_>) {
        let _ = event;
    }
    /// A step did nothing.
    fn skipped(&mut self, why: Skip) {
        let _ = why;
    }
}

/// Ignores everything.
impl Listener for () {}

/// Why a step did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The subject lacks this capability.
    Incapable(&'static str),
    /// Nothing fits the step, for example there is no chain to free or to return.
    NothingThere,
}
