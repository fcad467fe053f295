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
    /// A part of the current drain begins that submits a chain of its own.
    fn own_chain(&mut self, why: OwnChain, rig: &Rig) {
        let _ = (why, rig);
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

/// Why a drain submits a chain, which no step of the scenario does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnChain {
    /// The queue is broken. After a reset, it must process one more chain.
    Trial,
    /// The queue is released or dropped with this chain.
    LeftLive,
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
