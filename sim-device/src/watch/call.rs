//! Records what a driver's call does to the memory.

use super::order::AccessOrder;
use super::{EndlessCall, FailingAccess, WeakAccess};
use std::cell::{Cell, RefCell};

/// What a driver's call did to the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallReport {
    /// The number of stores.
    pub stores: u32,
    /// The offset of the first store to the part that only the device may write.
    pub device_area_store: Option<usize>,
    /// The lowest offset that it loaded twice (a double fetch).
    pub double_fetch: Option<usize>,
    /// Whether it stored something after the available index.
    pub late_stores: bool,
    /// Whether it triggered the [trap](super::WatchedMemory::set_trap).
    pub trap_triggered: bool,
    /// Whether it loaded the value that the trap had changed.
    pub trap_seen: bool,
    /// The last access that lacks a release, an acquire or a barrier.
    pub weak: Option<WeakAccess>,
}

/// A store after the available index was stored in the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateStore {
    /// Its offset.
    pub offset: usize,
    /// The available index at that time; `None` if it was not stored as 16 bits, or the order is not watched.
    pub published: Option<u16>,
}

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
    /// Whether stores are recorded.
    recorded: Cell<bool>,
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

    pub(super) fn record_places(&self) {
        self.recorded.set(true);
        self.find_plain_end();
    }

    fn find_plain_end(&self) {
        let (start, end) = self.device_part.get();
        let device = if start < end { start } else { usize::MAX };
        let index = self.available_index.get().unwrap_or(usize::MAX);
        let needs_every_store = self.recorded.get() || self.published.get();
        self.plain_end.set(if needs_every_store { 0 } else { device.min(index) });
    }

    pub(super) fn take_late_stores(&self, out: &mut Vec<LateStore>) {
        out.clear();
        if self.has_notes.get() {
            out.append(&mut self.late.borrow_mut());
        }
    }

    pub(super) fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        out.clear();
        if self.has_notes.get() {
            out.append(&mut self.places.borrow_mut());
        }
    }

    #[inline(always)]
    pub(super) fn begin(&self, limit: u64) {
        if self.accesses_left.get() != self.limit.get() {
            self.forget_call();
        }
        let limit = if self.counts_individually.get() { self.count_each(limit) } else { limit };
        self.limit.set(limit);
        self.accesses_left.set(limit);
        self.in_call.set(true);
        if self.has_notes.get() {
            self.forget_notes();
        }
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
    #[inline(always)]
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
    fn with_loads<T>(&self, f: impl FnOnce(&[(usize, usize)]) -> T) -> T {
        let loads = self.loads.get();
        let first = self.first_loads.each_ref().map(Cell::get);
        match loads.checked_sub(FEW) {
            None | Some(0) => f(&first[..loads]),
            Some(others) => {
                let all: Vec<_> = first.iter().chain(&self.more_loads.borrow()[..others]).copied().collect();
                f(&all)
            }
        }
    }

    fn count_failing(&self) {
        if let Some(access) = &*self.failing.borrow() {
            access.count();
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
        let (start, end) = self.device_part.get();
        if offset < end && start < offset + size && self.device_area_store.get().is_none() {
            self.device_area_store.set(Some(offset));
        }
        if self.recorded.get() {
            self.has_notes.set(true);
            self.places.borrow_mut().push((offset, size));
        }
        if self.available_index.get() == Some(offset) {
            self.published.set(true);
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
        let first = self.first_loads.each_ref().map(Cell::get);
        let first = &first[..loads.min(FEW)];
        // Most drivers load in ascending order. Then there is nothing to sort.
        if loads <= FEW && first.is_sorted_by(|one, next| one.0 + one.1 <= next.0) {
            return None;
        }
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
