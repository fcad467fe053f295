//! Makes a memory access fail in the middle of a driver's call.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

/// The panic payload of an access that [fails](FailingAccess).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFailed;

/// Makes one memory access in the driver's calls panic with [`MemoryFailed`]. It stands for memory that checks bounds, or for
/// a lost mapping. Clones share one count, so several memories can be counted together.
#[derive(Debug, Clone, Default)]
pub struct FailingAccess(Rc<Cell<Option<u32>>>);

impl FailingAccess {
    /// Lets the access after `after` others fail; `None` lets none fail.
    pub fn set(&self, after: Option<u32>) {
        self.0.set(after);
    }

    /// The number of accesses before the one that fails; `None` if none will fail.
    pub fn left(&self) -> Option<u32> {
        self.0.get()
    }

    /// Counts an access. Returns whether it is the one that must fail.
    pub(super) fn count(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    }
}

/// Fails an access. Inlined, since the panic unwinds each function on its way.
#[inline(always)]
pub(super) fn fail() -> ! {
    // Skip the panic hook: this panic is intended and needs no message.
    resume_unwind(Box::new(MemoryFailed));
}
