//! Ends a call and reports what it did.

use super::{CallLog, CallReport, UNPREPARED};

impl CallLog {
    /// Ends the call, if there is one.
    #[inline(always)]
    pub(in super::super) fn end_into(&self, report: &mut CallReport) {
        if self.end_without_accesses() {
            *report = CallReport::default();
        } else {
            self.report(report);
        }
    }

    /// Ends the call if it has made no access, and returns whether it did.
    #[inline(always)]
    pub(in super::super) fn end_without_accesses(&self) -> bool {
        if self.accesses_left.get() != self.limit.get() {
            return false;
        }
        self.state.set(self.next_state.get());
        true
    }

    /// Ends a call with accesses, and reports what it did.
    #[inline(never)]
    pub(super) fn report(&self, report: &mut CallReport) {
        let accesses = self.limit.get() - self.accesses_left.replace(self.limit.get());
        let loads = self.loads.get();
        let rare = self.rare.take();
        let stores = accesses - loads as u64 - if rare { self.empty.take() } else { 0 };
        let ordered = self.order.is_open();
        let weak = if ordered { self.with_loads(|loads| self.order.end(loads)) } else { None };
        let double_fetch = if loads > 1 { self.double_fetch() } else { None };
        self.loads.set(0);
        if ordered {
            self.order.forget_call();
        }
        self.order.forget_barriers();
        if self.published.replace(false) {
            self.find_plain_end();
        }
        let has_notes = self.has_notes.get();
        if has_notes {
            self.next_state.set(UNPREPARED);
        }
        self.state.set(self.next_state.get());
        let late_stores = has_notes && !self.late.borrow().is_empty();
        *report = CallReport {
            stores: u32::try_from(stores).unwrap_or(u32::MAX),
            unusual: rare | late_stores | double_fetch.is_some() | weak.is_some(),
            device_area_store: None,
            double_fetch,
            late_stores,
            trap_triggered: false,
            trap_seen: false,
            weak,
        };
        if rare {
            self.report_rare(report);
        }
    }

    #[cold]
    fn report_rare(&self, report: &mut CallReport) {
        report.device_area_store = self.device_area_store.take();
        report.trap_triggered = self.trap_triggered.take();
        report.trap_seen = self.trap_seen.take();
        report.unusual = !report.is_only_stores();
    }
}
