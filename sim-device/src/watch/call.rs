//! What a driver's call does to the memory.

use super::{EndlessCall, FailingAccess};
use std::cell::{Cell, RefCell};

/// What a driver's call did to the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallReport {
    /// How often it stored something.
    pub stores: u32,
    /// Where it first stored into the device's part.
    pub foreign: Option<usize>,
    /// The lowest place that it loaded twice.
    pub refetched: Option<usize>,
    /// Whether it stored something after it had stored the available index.
    pub late: bool,
    /// Whether it ran into the [trap](super::WatchedMemory::set_trap).
    pub trapped: bool,
}

/// As many loads of a call are kept without a list: more than any call needs that handles one chain.
const FEW: usize = 8;

/// The call that is on, or was last.
///
/// Most stores of a driver lie in the table and ask for nothing but to be counted: they are all below
/// [`plain_end`](Self::plain_end). What the others mean is looked up out of the way.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    in_call: Cell<bool>,
    /// How many accesses the call may make.
    limit: Cell<u64>,
    accesses_left: Cell<u64>,
    /// Whether each access is counted on its own, since one is to fail. The call has then no access left in advance, but these.
    fails: Cell<bool>,
    spare: Cell<u64>,
    failing: RefCell<Option<FailingAccess>>,
    /// Accesses of no byte. All that are neither these nor loads are stores.
    empty: Cell<u64>,
    /// Stores that end here or before need not be looked at more closely.
    plain_end: Cell<usize>,
    foreign: Cell<Option<usize>>,
    pub(super) trapped: Cell<bool>,
    loads: Cell<usize>,
    first_loads: [Cell<(usize, usize)>; FEW],
    /// All loads after the first few: offset and length.
    more_loads: RefCell<Vec<(usize, usize)>>,
    /// Whether stores were recorded, or were late.
    noted: Cell<bool>,
    /// Where the driver stored, if that is recorded: offset and length.
    places: RefCell<Vec<(usize, usize)>>,
    /// Where the driver stored after it had stored the available index.
    late: RefCell<Vec<usize>>,
    published: Cell<bool>,
    recorded: Cell<bool>,
    /// Where the available index stands; nowhere if that is not known.
    available_index: Cell<Option<usize>>,
    /// What only the device may write.
    device_part: Cell<(usize, usize)>,
}

impl CallLog {
    pub(super) fn restart(&self) {
        self.end_into(&mut CallReport::default());
        self.available_index.set(None);
        self.device_part.set((0, 0));
        self.find_plain_end();
    }

    pub(super) fn reserve_for_device(&self, start: usize, end: usize) {
        self.device_part.set((start, end));
        self.find_plain_end();
    }

    pub(super) fn watch_available_index(&self, offset: usize) {
        self.available_index.set(Some(offset));
        self.find_plain_end();
    }

    pub(super) fn record_places(&self) {
        self.recorded.set(true);
        self.find_plain_end();
    }

    fn find_plain_end(&self) {
        let (start, end) = self.device_part.get();
        let device = if start < end { start } else { usize::MAX };
        let index = self.available_index.get().unwrap_or(usize::MAX);
        let telling = self.recorded.get() || self.published.get();
        self.plain_end.set(if telling { 0 } else { device.min(index) });
    }

    pub(super) fn take_late_stores(&self, out: &mut Vec<usize>) {
        out.clear();
        if self.noted.get() {
            out.append(&mut self.late.borrow_mut());
        }
    }

    pub(super) fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        out.clear();
        if self.noted.get() {
            out.append(&mut self.places.borrow_mut());
        }
    }

    #[inline(always)]
    pub(super) fn begin(&self, limit: u64) {
        if self.accesses_left.get() != self.limit.get() {
            self.forget_call();
        }
        let limit = if self.fails.get() { self.hold_back(limit) } else { limit };
        self.limit.set(limit);
        self.accesses_left.set(limit);
        self.in_call.set(true);
        if self.noted.get() {
            self.forget_notes();
        }
    }

    pub(super) fn fail_at(&self, access: Option<FailingAccess>) {
        self.fails.set(access.is_some());
        self.failing.replace(access);
    }

    #[cold]
    fn hold_back(&self, limit: u64) -> u64 {
        self.spare.set(limit);
        0
    }

    /// A barrier, which is no access but can fail.
    #[inline(always)]
    pub(super) fn barrier(&self) {
        if self.fails.get() && self.in_call.get() {
            self.fail_or_not();
        }
    }

    fn fail_or_not(&self) {
        if let Some(access) = &*self.failing.borrow() {
            access.count();
        }
    }

    /// An access that was not counted in advance: it is one of a call in which one is to fail, or one too many.
    #[cold]
    fn count_alone(&self) -> u64 {
        let spare = if self.fails.get() { self.spare.get().checked_sub(1) } else { None };
        let Some(spare) = spare else { give_up() };
        self.fail_or_not();
        self.spare.set(spare);
        self.limit.set(self.limit.get() + 1);
        0
    }

    /// Forgets a call that was never ended, as a panic can leave one.
    #[cold]
    fn forget_call(&self) {
        self.report(&mut CallReport::default());
    }

    #[cold]
    fn forget_notes(&self) {
        self.noted.set(false);
        self.places.borrow_mut().clear();
        self.late.borrow_mut().clear();
    }

    /// Ends the call, if one is on.
    #[inline(always)]
    pub(super) fn end_into(&self, report: &mut CallReport) {
        self.in_call.set(false);
        *report = CallReport::default();
        if self.accesses_left.get() != self.limit.get() {
            self.report(report);
        }
    }

    /// What the call did; the next one begins with nothing done.
    fn report(&self, report: &mut CallReport) {
        let accesses = self.limit.get() - self.accesses_left.replace(self.limit.get());
        let stores = accesses - self.loads.get() as u64 - self.empty.take();
        report.stores = u32::try_from(stores).unwrap_or(u32::MAX);
        if self.loads.get() > 1 {
            report.refetched = self.refetched();
        }
        self.loads.set(0);
        if self.published.replace(false) {
            self.find_plain_end();
        }
        report.foreign = self.foreign.take();
        report.late = self.noted.get() && !self.late.borrow().is_empty();
        report.trapped = self.trapped.take();
    }

    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.in_call.get()
    }

    #[inline(always)]
    pub(super) fn load(&self, offset: usize, size: usize) {
        self.count();
        let number = self.loads.get();
        match self.first_loads.get(number) {
            Some(load) => load.set((offset, size)),
            None => self.load_of_many(number, offset, size),
        }
        if size > 0 {
            self.loads.set(number + 1);
        } else {
            self.empty.set(self.empty.get() + 1);
        }
    }

    #[cold]
    fn load_of_many(&self, number: usize, offset: usize, size: usize) {
        let mut more = self.more_loads.borrow_mut();
        more.truncate(number - FEW);
        more.push((offset, size));
    }

    #[inline(always)]
    pub(super) fn store(&self, offset: usize, size: usize) {
        self.count();
        if size == 0 {
            self.empty.set(self.empty.get() + 1);
        } else if offset + size > self.plain_end.get() {
            self.store_elsewhere(offset, size);
        }
    }

    fn store_elsewhere(&self, offset: usize, size: usize) {
        let (start, end) = self.device_part.get();
        if offset < end && start < offset + size && self.foreign.get().is_none() {
            self.foreign.set(Some(offset));
        }
        if self.recorded.get() {
            self.noted.set(true);
            self.places.borrow_mut().push((offset, size));
        }
        if self.available_index.get() == Some(offset) {
            self.published.set(true);
            self.plain_end.set(0);
        } else if self.published.get() {
            self.noted.set(true);
            self.late.borrow_mut().push(offset);
        }
    }

    #[inline(always)]
    fn count(&self) {
        let left = self.accesses_left.get().checked_sub(1).unwrap_or_else(|| self.count_alone());
        self.accesses_left.set(left);
    }

    /// Where the first of several runs of bytes is that begins inside another one.
    fn refetched(&self) -> Option<usize> {
        let loads = self.loads.get();
        let first = self.first_loads.each_ref().map(Cell::get);
        let first = &first[..loads.min(FEW)];
        // Most drivers load from front to back.
        if loads <= FEW && first.is_sorted_by(|one, next| one.0 + one.1 <= next.0) {
            return None;
        }
        let mut more = self.more_loads.borrow_mut();
        more.truncate(loads.saturating_sub(FEW));
        more.extend_from_slice(first);
        more.sort_unstable();
        let overlap = more.windows(2).find(|pair| pair[1].0 < pair[0].0 + pair[0].1).map(|pair| pair[1].0);
        more.clear();
        overlap
    }
}

#[cold]
fn give_up() -> ! {
    // Past the panic hook, since nothing went wrong here that a message would explain.
    std::panic::resume_unwind(Box::new(EndlessCall))
}
