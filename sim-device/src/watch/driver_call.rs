//! Begins and ends the calls of the driver.

use super::{CallReport, WatchedMemory};

impl WatchedMemory {
    /// Begins a call of the driver, which may make at most `limit` accesses until [`end_call`](Self::end_call). One more panics
    /// with [`EndlessCall`](super::EndlessCall).
    #[inline]
    pub fn begin_call(&self, limit: u64) {
        self.call.begin(limit);
    }

    /// Begins a call that this memory and another one watch, as [`begin_call`](Self::begin_call) does for one.
    #[inline(always)]
    pub fn begin_call_with(&self, other: &Self, limit: u64) {
        if self.call.is_prepared(limit) && other.call.is_prepared(limit) {
            self.call.enter();
            other.call.enter();
        } else {
            self.prepare_call_with(other, limit);
        }
    }

    #[cold]
    #[inline(never)]
    fn prepare_call_with(&self, other: &Self, limit: u64) {
        self.call.begin(limit);
        other.call.begin(limit);
    }

    /// Ends the driver's call and reports what it did.
    pub fn end_call(&self) -> CallReport {
        let mut report = CallReport::default();
        self.end_call_into(&mut report);
        report
    }

    /// As [`end_call`](Self::end_call), but overwrites `report`. After a call without accesses this is nearly free.
    #[inline(always)]
    pub fn end_call_into(&self, report: &mut CallReport) {
        self.call.end_into(report);
    }

    /// Ends the driver's call if it has made no access. Returns whether it has ended.
    #[inline(always)]
    pub fn end_call_without_accesses(&self) -> bool {
        self.call.end_without_accesses()
    }
}
