//! Records what a driver's call does to the memory.

mod double_fetch;
mod end;

use super::failing::fail;
use super::order::AccessOrder;
use super::report::{CallReport, LateStore};
use super::{EndlessCall, FailingAccess};
use std::cell::{Cell, RefCell};

/// Offset and length of a load.
type Load = (usize, usize);

/// The number of loads that are kept without a list: enough for any call that handles one chain.
const FEW: usize = 8;

/// The [state](CallLog::state) during a call, and when the next call needs preparation. No limit is so large.
const IN_CALL: u64 = u64::MAX;
const UNPREPARED: u64 = u64::MAX - 1;

/// The current call, or the last one.
///
/// Most stores of a driver go to the table, below [`plain_end`](Self::plain_end), and only have to be counted. Other stores
/// are checked in a function of their own, so that the common path stays short.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    /// [`IN_CALL`], [`UNPREPARED`], or the limit for which the next call is prepared. One word, since most calls make no access.
    state: Cell<u64>,
    /// The state after a call without accesses.
    next_state: Cell<u64>,
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
    /// Whether one of the following may be set, or the store to the device's part, or `empty`.
    rare: Cell<bool>,
    trap_triggered: Cell<bool>,
    trap_seen: Cell<bool>,
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
            self.set_notes(!self.places.borrow().is_empty());
        }
    }

    pub(super) fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        out.clear();
        if self.has_notes.get() {
            out.append(&mut self.places.borrow_mut());
            self.set_notes(!self.late.borrow().is_empty());
        }
    }

    /// Begins a call of at most `limit` accesses.
    #[inline(always)]
    pub(super) fn begin(&self, limit: u64) {
        let limit = limit.min(UNPREPARED - 1);
        if self.state.replace(IN_CALL) != limit {
            self.prepare(limit);
        }
    }

    /// Whether [`enter`](Self::enter) suffices to begin a call of at most `limit` accesses.
    #[inline(always)]
    pub(super) fn is_prepared(&self, limit: u64) -> bool {
        limit < UNPREPARED && self.state.get() == limit
    }

    #[inline(always)]
    pub(super) fn enter(&self) {
        self.state.set(IN_CALL);
    }

    /// Prepares for a call of at most `limit` accesses: the last one had another limit, has left something, or was not ended, or
    /// each access of the next one is counted.
    #[cold]
    #[inline(never)]
    fn prepare(&self, limit: u64) {
        if self.accesses_left.get() != self.limit.get() {
            self.report(&mut CallReport::default());
        }
        if self.has_notes.get() {
            self.places.borrow_mut().clear();
            self.late.borrow_mut().clear();
            self.has_notes.set(false);
        }
        let limit = if self.counts_individually.get() {
            self.individual_accesses_left.set(limit);
            self.next_state.set(UNPREPARED);
            0
        } else {
            self.next_state.set(limit);
            limit
        };
        self.limit.set(limit);
        self.accesses_left.set(limit);
        self.state.set(IN_CALL);
    }

    /// Sets whether the last call has left notes. Without them, the next one may have the same limit without preparation.
    fn set_notes(&self, has_notes: bool) {
        self.has_notes.set(has_notes);
        if !has_notes && !self.counts_individually.get() && self.state.get() == UNPREPARED {
            self.next_state.set(self.limit.get());
            self.state.set(self.limit.get());
        }
    }

    pub(super) fn fail_at(&self, access: Option<FailingAccess>) {
        if access.is_none() && !self.counts_individually.get() {
            return;
        }
        self.counts_individually.set(access.is_some());
        self.failing.replace(access);
        self.next_state.set(UNPREPARED);
        if !self.is_on() {
            self.state.set(UNPREPARED);
        }
    }

    /// A barrier. It is not an access, but it can fail.
    #[inline(never)]
    pub(super) fn barrier(&self) {
        if self.is_on() {
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

    #[inline(always)]
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

    /// The call triggers the trap.
    pub(super) fn trigger_trap(&self) {
        self.rare.set(true);
        self.trap_triggered.set(true);
    }

    /// The call loads from the trap's place again. If it has triggered the trap, it sees the new value.
    pub(super) fn see_trap(&self) {
        self.trap_seen.set(self.trap_triggered.get());
    }

    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.state.get() == IN_CALL
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
            self.count_empty();
        }
    }

    #[cold]
    fn count_empty(&self) {
        self.rare.set(true);
        self.empty.set(self.empty.get() + 1);
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
            self.count_empty();
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
            self.rare.set(true);
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
}

#[cold]
fn end_endless_call() -> ! {
    // Skip the panic hook: this panic only ends the call and needs no message.
    std::panic::resume_unwind(Box::new(EndlessCall))
}
