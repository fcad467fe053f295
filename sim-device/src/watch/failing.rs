//! Memory that fails in the middle of a call.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

/// The panic payload of an access that [fails](FailingAccess).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFailed;

/// Makes one access of the driver's calls panic, with [`MemoryFailed`]: a wrapper that checks bounds, or a mapping that was lost.
/// Clones count together, so that memories which share one are counted as one.
#[derive(Debug, Clone, Default)]
pub struct FailingAccess(Rc<Cell<Option<u32>>>);

impl FailingAccess {
    /// Lets so many accesses pass and the next one fail, or none.
    pub fn set(&self, after: Option<u32>) {
        self.0.set(after);
    }

    /// How many accesses still pass before one fails; `None` if none is to fail.
    pub fn left(&self) -> Option<u32> {
        self.0.get()
    }

    /// Counts an access.
    pub(super) fn count(&self) {
        match self.0.get() {
            None => {}
            Some(0) => {
                self.0.set(None);
                // Past the panic hook, since nothing went wrong that a message would explain.
                resume_unwind(Box::new(MemoryFailed));
            }
            Some(left) => self.0.set(Some(left - 1)),
        }
    }
}
