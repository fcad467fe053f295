//! Records what a driver's call does to the memory.

use super::failing::fail;
use super::order::AccessOrder;
use super::report::{CallReport, LateStore};
use super::{EndlessCall, FailingAccess};
use std::cell::{Cell, RefCell};

/// Offset and length of a load.
type Load = (usize, usize);

/// The number of loads that are kept without a list: enough for any call that handles one chain.
const FEW: usize = 8;

/// The current call, or the last one.
///
/// Most stores of a driver go to the table, below [`plain_end`](Self::plain_end), and only have to be counted. Other stores
/// are checked in a function of their own, so that the common path stays short.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    in_call: Cell<bool>,
    /// The number of accesses that the call may make.
    limit: Cell<u64>,
    accesses_left: Cell<u64>,
    /// Whether each access is counted individually, because one of them has to fail. `accesses_left` is zero then.
    counts_individually: Cell<bool>,
    /// The number of accesses that the call may still make if they are counted individually.
    individual_accesses_left: Cell<u64>,
    failing: RefCell<Option<FailingAccess>>,
    /// The number of accesses of zero bytes. All accesses that are neither empty nor loads are stores.
    empty: Cell<u64>,
    /// Stores that end at or before this offset only have to be counted.
    plain_end: Cell<usize>,
    device_area_store: Cell<Option<usize>>,
    pub(super) trap_triggered: Cell<bool>,
    pub(super) trap_seen: Cell<bool>,
    loads: Cell<usize>,
    first_loads: [Cell<Load>; FEW],
    /// Offset and length of all loads after the first few.
    more_loads: RefCell<Vec<Load>>,
    /// The loads of a call and their numbers, sorted by offset.
    sorted_loads: RefCell<Vec<(Load, usize)>>,
    /// Whether `places` or `late` may have entries.
    has_notes: Cell<bool>,
    /// Offset and length of each store, if stores are recorded.
    places: RefCell<Vec<(usize, usize)>>,
    /// The stores after the one of the available index.
    late: RefCell<Vec<LateStore>>,
    /// Whether the call has stored the available index.
    published: Cell<bool>,
    /// Start and end of the part whose stores are recorded.
    recorded: Cell<(usize, usize)>,
    /// Stores that end at or before this offset need no check of their place.
    checked_from: Cell<usize>,
    /// Offset of the available index, if it is watched.
    available_index: Cell<Option<usize>>,
    /// Start and end of the part that only the device may write.
    device_part: Cell<(usize, usize)>,
    pub(super) order: AccessOrder,
}

impl CallLog {
    pub(super) fn restart(&self) {
        self.end_into(&mut CallReport::default());
        self.available_index.set(None);
        self.device_part.set((0, 0));
        self.recorded.set((0, 0));
        self.order.stop();
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

    pub(super) fn record_places(&self, start: usize, end: usize) {
        self.recorded.set((start, end));
        self.find_plain_end();
    }

    fn find_plain_end(&self) {
        let (start, end) = self.device_part.get();
        let device = if start < end { start } else { usize::MAX };
        let index = self.available_index.get().unwrap_or(usize::MAX);
        let checked_from = if self.published.get() { 0 } else { device.min(index) };
        let (first, last) = self.recorded.get();
        let recorded_from = if first < last { first } else { usize::MAX };
        self.checked_from.set(checked_from);
        self.plain_end.set(checked_from.min(recorded_from));
    }

    pub(super) fn take_late_stores(&self, out: &mut Vec<LateStore>) {
        out.clear();
        if self.has_notes.get() {
            out.append(&mut self.late.borrow_mut());
            self.has_notes.set(!self.places.borrow().is_empty());
        }
    }

    pub(super) fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        out.clear();
        if self.has_notes.get() {
            out.append(&mut self.places.borrow_mut());
            self.has_notes.set(!self.late.borrow().is_empty());
        }
    }

    #[inline(always)]
    pub(super) fn begin(&self, limit: u64) {
        let limit = if self.needs_preparation() { self.prepare(limit) } else { limit };
        self.limit.set(limit);
        self.accesses_left.set(limit);
        self.in_call.set(true);
    }

    /// Whether the last call has left something, or each access of the next one is counted.
    #[inline(always)]
    fn needs_preparation(&self) -> bool {
        (self.accesses_left.get() != self.limit.get()) | self.counts_individually.get() | self.has_notes.get()
    }

    /// Prepares for a call of at most `limit` accesses. Returns the number of accesses that are not counted individually.
    #[cold]
    fn prepare(&self, limit: u64) -> u64 {
        if self.accesses_left.get() != self.limit.get() {
            self.forget_call();
        }
        if self.has_notes.get() {
            self.forget_notes();
        }
        if self.counts_individually.get() { self.count_each(limit) } else { limit }
    }

    pub(super) fn fail_at(&self, access: Option<FailingAccess>) {
        self.counts_individually.set(access.is_some());
        self.failing.replace(access);
    }

    #[cold]
    fn count_each(&self, limit: u64) -> u64 {
        self.individual_accesses_left.set(limit);
        0
    }

    /// A barrier. It is not an access, but it can fail.
    #[inline(never)]
    pub(super) fn barrier(&self) {
        if self.in_call.get() {
            if self.counts_individually.get() {
                self.count_failing();
            }
            if self.order.needs_acquire() {
                self.with_loads(|loads| self.order.look_for_elements(loads));
            }
            self.order.barrier(self.loads_and_stores());
        }
    }

    /// The numbers of loads and of stores of the call so far.
    #[inline(always)]
    fn loads_and_stores(&self) -> [u64; 2] {
        let (accesses, loads) = (self.limit.get() - self.accesses_left.get(), self.loads.get() as u64);
        [loads, accesses - loads - self.empty.get()]
    }

    /// The driver stores a field whose order is watched, with the values before and after. The store is already counted.
    #[cold]
    pub(super) fn store_field(&self, offset: usize, values: [u16; 2], releases: bool) {
        let [loads, stores] = self.loads_and_stores();
        self.order.stored(offset, values, releases, [loads, stores - 1]);
    }

    /// The driver loads the used index. The load is already counted.
    #[cold]
    pub(super) fn load_used_index(&self, acquires: bool) {
        self.with_loads(|loads| self.order.loaded_used_index(acquires, &loads[..loads.len() - 1]));
    }

    /// Calls a function with offset and length of all loads of the call so far, in order.
    #[inline(always)]
    fn with_loads<T>(&self, f: impl FnOnce(&[Cell<Load>]) -> T) -> T {
        let loads = self.loads.get();
        match self.first_loads.get(..loads) {
            Some(loads) => f(loads),
            None => f(&self.all_loads()),
        }
    }

    /// The loads of the call so far, if they are more than a few.
    #[cold]
    fn all_loads(&self) -> Vec<Cell<Load>> {
        let others = self.loads.get() - FEW;
        let more = self.more_loads.borrow();
        self.first_loads.iter().cloned().chain(more[..others].iter().copied().map(Cell::new)).collect()
    }

    fn count_failing(&self) {
        // The borrow ends first, so that a panic has nothing to clean up here.
        if self.failing.borrow().as_ref().is_some_and(FailingAccess::count) {
            fail();
        }
    }

    /// Counts an access when `accesses_left` is zero: accesses are counted individually, or this one exceeds the limit.
    #[cold]
    fn count_individually(&self) -> u64 {
        let left = if self.counts_individually.get() {
            self.individual_accesses_left.get().checked_sub(1)
        } else {
            None
        };
        let Some(left) = left else { end_endless_call() };
        self.count_failing();
        self.individual_accesses_left.set(left);
        self.limit.set(self.limit.get() + 1);
        0
    }

    /// Clears the state of a call that was not ended, for example because it panicked.
    #[cold]
    fn forget_call(&self) {
        self.report(&mut CallReport::default());
    }

    #[cold]
    fn forget_notes(&self) {
        self.has_notes.set(false);
        self.places.borrow_mut().clear();
        self.late.borrow_mut().clear();
    }

    /// Ends the call, if there is one.
    #[inline(always)]
    pub(super) fn end_into(&self, report: &mut CallReport) {
        self.in_call.set(false);
        *report = CallReport::default();
        if self.accesses_left.get() != self.limit.get() {
            self.report(report);
        }
    }

    /// Reports what the call did, and clears it.
    fn report(&self, report: &mut CallReport) {
        let accesses = self.limit.get() - self.accesses_left.replace(self.limit.get());
        let stores = accesses - self.loads.get() as u64 - self.empty.take();
        report.stores = u32::try_from(stores).unwrap_or(u32::MAX);
        let ordered = self.order.is_open();
        if ordered {
            report.weak = self.with_loads(|loads| self.order.end(loads));
        }
        if self.loads.get() > 1 {
            report.double_fetch = self.double_fetch();
        }
        self.loads.set(0);
        if ordered {
            self.order.forget_call();
        }
        self.order.forget_barriers();
        if self.published.replace(false) {
            self.find_plain_end();
        }
        report.device_area_store = self.device_area_store.take();
        report.late_stores = self.has_notes.get() && !self.late.borrow().is_empty();
        report.trap_triggered = self.trap_triggered.take();
        report.trap_seen = self.trap_seen.take();
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
            None => self.load_beyond_few(number, offset, size),
        }
        if size > 0 {
            self.loads.set(number + 1);
        } else {
            self.empty.set(self.empty.get() + 1);
        }
    }

    #[cold]
    fn load_beyond_few(&self, number: usize, offset: usize, size: usize) {
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
            self.store_checked(offset, size);
        }
    }

    fn store_checked(&self, offset: usize, size: usize) {
        let (start, end) = self.recorded.get();
        if start <= offset && offset < end {
            self.has_notes.set(true);
            self.places.borrow_mut().push((offset, size));
        }
        if offset + size > self.checked_from.get() {
            self.check_place(offset, size);
        }
    }

    #[inline(always)]
    fn check_place(&self, offset: usize, size: usize) {
        let (start, end) = self.device_part.get();
        if offset < end && start < offset + size && self.device_area_store.get().is_none() {
            self.device_area_store.set(Some(offset));
        }
        if self.available_index.get() == Some(offset) {
            self.published.set(true);
            self.checked_from.set(0);
            self.plain_end.set(0);
        } else if self.published.get() {
            self.has_notes.set(true);
            self.late.borrow_mut().push(LateStore { offset, published: self.order.published_index() });
        }
    }

    #[inline(always)]
    fn count(&self) {
        let left = self.accesses_left.get().checked_sub(1).unwrap_or_else(|| self.count_individually());
        self.accesses_left.set(left);
    }

    /// The lowest offset at which a load begins inside another load. A field that the driver must load again, after it has stored
    /// another one, counts once for each of these stores. The used index and the elements count again when the driver looks for
    /// more elements.
    fn double_fetch(&self) -> Option<usize> {
        let loads = self.loads.get();
        // Most drivers load in ascending order. Then there is nothing to sort.
        let in_order = |(offset, size): Load, next: Load| offset + size <= next.0;
        if let Some(few) = self.first_loads.get(..loads)
            && few.is_sorted_by(|one, next| in_order(one.get(), next.get()))
        {
            return None;
        }
        self.overlapping_load()
    }

    /// [`double_fetch`](Self::double_fetch), if the loads are not in ascending order.
    fn overlapping_load(&self) -> Option<usize> {
        let loads = self.loads.get();
        let first = self.first_loads.each_ref().map(Cell::get);
        let first = &first[..loads.min(FEW)];
        let mut more = self.more_loads.borrow_mut();
        more.truncate(loads.saturating_sub(FEW));
        let loads = || first.iter().chain(more.iter()).copied();
        let mut sorted = self.sorted_loads.borrow_mut();
        sorted.clear();
        sorted.extend(
            loads().zip(0..).filter(|(load, number)| !self.order.is_of_earlier_round(*number, *load)),
        );
        sorted.sort_unstable();
        let again = sorted.windows(2).find(|pair| {
            let [((offset, size), one), (next, other)] = [pair[0], pair[1]];
            let (before, after) = (one.min(other), one.max(other));
            let mut between = loads().take(after).skip(before + 1);
            next.0 < offset + size && !self.order.looks_for_more(next, &mut between)
        });
        again.map(|pair| pair[1].0.0)
    }
}

#[cold]
fn end_endless_call() -> ! {
    // Skip the panic hook: this panic only ends the call and needs no message.
    std::panic::resume_unwind(Box::new(EndlessCall))
}
