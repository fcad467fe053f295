//! Records whether the driver's accesses are in the order that the specification demands, on every machine.
//!
//! Driver and device take turns here, so a wrong order has no effect that could be seen.

use super::WatchedMemory;
use crate::Geometry;
use ringstorm_core::SharedMemory;
use std::cell::Cell;
use std::sync::atomic::Ordering;

/// How the driver ordered the store of one field and the load of another one, which need a full barrier in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum StoreThenLoad {
    /// It has loaded the second field after the barrier that followed its last store, or has not stored the first field.
    #[default]
    InOrder,
    /// It has loaded the second field after its last store, but without a barrier in between.
    NoBarrier,
    /// It has not loaded the second field since its last store.
    NotLoaded,
}

/// An access that needs a stronger order than the driver gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeakAccess {
    /// The available index was stored after other stores of the same call, neither with release ordering nor after a barrier
    /// (2.7.13.3.1).
    AvailableIndex,
    /// A used element was loaded after the used index, which was loaded without acquire ordering, and no barrier was in
    /// between (2.7.14).
    UsedElement,
}

/// Store and load, as far as they are known between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
enum Progress {
    #[default]
    InOrder,
    /// Stored, and no barrier since.
    Stored { loaded: bool },
    /// Stored, and then a barrier. The load after it is still to come.
    Fenced { loaded: bool },
}

#[derive(Debug, Default)]
struct Pair {
    progress: Cell<Progress>,
    /// The number of loads of the current call before the last store and before the barrier after it.
    stored_at: Cell<usize>,
    fenced_at: Cell<usize>,
    /// The number of loads of the current call before the last store, also of the same value.
    round_at: Cell<usize>,
}

impl Pair {
    fn store(&self, loads: usize) {
        self.progress.set(Progress::Stored { loaded: false });
        self.stored_at.set(loads);
    }

    fn barrier(&self, loads: usize) {
        if let Progress::Stored { loaded } = self.progress.get() {
            self.progress.set(Progress::Fenced { loaded });
            self.fenced_at.set(loads);
        }
    }

    fn end(&self, loaded_since: impl Fn(usize) -> bool) {
        let since_store = || loaded_since(self.stored_at.get());
        self.progress.set(match self.progress.get() {
            Progress::InOrder => Progress::InOrder,
            Progress::Fenced { .. } if loaded_since(self.fenced_at.get()) => Progress::InOrder,
            Progress::Fenced { loaded } => Progress::Fenced { loaded: loaded || since_store() },
            Progress::Stored { loaded } => Progress::Stored { loaded: loaded || since_store() },
        });
        self.fenced_at.set(0);
    }

    const fn order(&self) -> StoreThenLoad {
        match self.progress.get() {
            Progress::InOrder => StoreThenLoad::InOrder,
            Progress::Stored { loaded: true } | Progress::Fenced { loaded: true } => StoreThenLoad::NoBarrier,
            Progress::Stored { .. } | Progress::Fenced { .. } => StoreThenLoad::NotLoaded,
        }
    }
}

/// What is known about the order of accesses between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct OrderState {
    publication: Progress,
    request: Progress,
}

/// The offset of a field that is not watched.
const NONE: usize = usize::MAX;
/// The size of each field but the elements, in bytes.
const FIELD: usize = 2;

#[derive(Debug)]
pub(super) struct AccessOrder {
    available_index: Cell<usize>,
    request: Cell<usize>,
    wish: Cell<usize>,
    used_index: Cell<usize>,
    elements: Cell<(usize, usize)>,
    event_index: Cell<bool>,
    /// The available index, then the device's wish to be notified (2.7.13.4.1).
    publication: Pair,
    /// The driver's wish to be notified, then the used index (2.7.14).
    requesting: Pair,
    /// The available index that the current call stored last.
    published_index: Cell<Option<u16>>,
    weak: Cell<Option<WeakAccess>>,
    /// The number of loads before the used index was loaded without acquire ordering, until a barrier.
    not_acquired: Cell<Option<usize>>,
    /// The number of stores of the current call before its last barrier.
    fenced_stores: Cell<u64>,
    /// Whether the end of the call has something to do.
    open: Cell<bool>,
}

impl Default for AccessOrder {
    fn default() -> Self {
        let nowhere = || Cell::new(NONE);
        Self {
            available_index: nowhere(),
            request: nowhere(),
            wish: nowhere(),
            used_index: nowhere(),
            elements: Cell::new((0, 0)),
            event_index: Cell::new(false),
            publication: Pair::default(),
            requesting: Pair::default(),
            published_index: Cell::new(None),
            weak: Cell::new(None),
            not_acquired: Cell::new(None),
            fenced_stores: Cell::new(0),
            open: Cell::new(false),
        }
    }
}

impl AccessOrder {
    /// Watches the rings of this geometry from now on.
    pub(super) fn watch(&self, geometry: &Geometry, event_index: bool) {
        let Geometry { size, available, used, .. } = *geometry;
        let elements = used + 4..used + 4 + 8 * usize::from(size);
        self.available_index.set(available + 2);
        self.request.set(if event_index { available + 4 + 2 * usize::from(size) } else { available });
        self.wish.set(if event_index { elements.end } else { used });
        self.used_index.set(used + 2);
        self.elements.set((elements.start, elements.end));
        self.event_index.set(event_index);
        self.set_state(OrderState::default());
    }

    /// Watches nothing.
    pub(super) fn stop(&self) {
        for field in [&self.available_index, &self.request, &self.wish, &self.used_index] {
            field.set(NONE);
        }
        self.set_state(OrderState::default());
    }

    pub(super) fn state(&self) -> OrderState {
        OrderState { publication: self.publication.progress.get(), request: self.requesting.progress.get() }
    }

    pub(super) fn set_state(&self, OrderState { publication, request }: OrderState) {
        self.publication.progress.set(publication);
        self.requesting.progress.set(request);
        self.forget_call();
        self.open.set(self.state() != OrderState::default());
    }

    pub(super) const fn published_index(&self) -> Option<u16> {
        self.published_index.get()
    }

    pub(super) const fn publication(&self) -> StoreThenLoad {
        self.publication.order()
    }

    /// A call that requested notifications and executed a barrier may leave the load to the next call: that call loads the used
    /// index, or it would find nothing for ever.
    pub(super) fn take_request(&self) -> StoreThenLoad {
        let order = self.requesting.order();
        if self.requesting.progress.get() == (Progress::Fenced { loaded: false }) {
            self.forget_request();
        }
        order
    }

    /// The driver wants no notifications, so it need not look after the request.
    pub(super) fn forget_request(&self) {
        self.requesting.progress.set(Progress::InOrder);
    }

    #[inline(always)]
    pub(super) fn is_stored_field(&self, offset: usize) -> bool {
        offset == self.available_index.get() || offset == self.request.get()
    }

    #[inline(always)]
    pub(super) fn is_used_index(&self, offset: usize) -> bool {
        offset == self.used_index.get()
    }

    /// The driver stores the available index, or its own wish to be notified. `loads` and `stores` are the numbers of accesses
    /// of the call before.
    #[cold]
    pub(super) fn stored(&self, offset: usize, value: [u16; 2], releases: bool, [loads, stores]: [u64; 2]) {
        let [before, after] = value;
        self.open.set(true);
        if offset == self.available_index.get() {
            self.published_index.set(Some(after));
        }
        let pair = if offset == self.available_index.get() { &self.publication } else { &self.requesting };
        pair.round_at.set(loads as usize);
        if before == after {
            // The device has known this value for as long as it was there.
        } else if offset == self.available_index.get() {
            self.publication.store(loads as usize);
            if !releases && stores > self.fenced_stores.get() {
                self.weak.set(Some(WeakAccess::AvailableIndex));
            }
        } else {
            let enables = self.event_index.get() || after & 1 == 0;
            if enables { self.requesting.store(loads as usize) } else { self.forget_request() }
        }
    }

    /// The driver loads the used index. `loads` are the loads of the call before.
    #[cold]
    pub(super) fn loaded_used_index(&self, acquires: bool, loads: &[Cell<(usize, usize)>]) {
        self.look_for_elements(loads);
        self.open.set(true);
        self.not_acquired.set((!acquires).then_some(loads.len()));
    }

    #[inline(always)]
    pub(super) fn needs_acquire(&self) -> bool {
        self.not_acquired.get().is_some()
    }

    /// The driver executes a full barrier.
    #[inline(always)]
    pub(super) fn barrier(&self, [loads, stores]: [u64; 2]) {
        self.publication.barrier(loads as usize);
        self.requesting.barrier(loads as usize);
        self.fenced_stores.set(stores);
    }

    /// The used index is acquired from now on. Earlier loads of elements were too early.
    #[cold]
    pub(super) fn look_for_elements(&self, loads: &[Cell<(usize, usize)>]) {
        let (start, end) = self.elements.get();
        let inside = |(offset, size): (usize, usize)| offset < end && start < offset + size;
        if let Some(from) = self.not_acquired.take()
            && loads.iter().skip(from).any(|load| inside(load.get()))
        {
            self.weak.set(Some(WeakAccess::UsedElement));
        }
    }

    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.open.get()
    }

    /// The call ends, with these loads.
    pub(super) fn end(&self, loads: &[Cell<(usize, usize)>]) -> Option<WeakAccess> {
        self.look_for_elements(loads);
        let loaded = |field: usize, from: usize| {
            let mut later = loads.iter().skip(from).map(Cell::get);
            later.any(|(offset, size)| offset < field + FIELD && field < offset + size)
        };
        self.publication.end(|from| loaded(self.wish.get(), from));
        self.requesting.end(|from| loaded(self.used_index.get(), from));
        self.open.set(self.state() != OrderState::default());
        self.weak.take()
    }

    /// Whether a load belongs to an earlier round than the last one: since then, the driver has stored the field after which it
    /// must load this one again.
    pub(super) fn is_of_earlier_round(&self, number: usize, (offset, size): (usize, usize)) -> bool {
        let is = |field: usize| offset < field + FIELD && field < offset + size;
        self.wish.get() != NONE && is(self.wish.get()) && number < self.publication.round_at.get()
            || self.used_index.get() != NONE
                && is(self.used_index.get())
                && number < self.requesting.round_at.get()
    }

    /// Whether the driver loads this field again because it looks for more used elements: the used index after elements that it
    /// has loaded since, or an element after it has loaded the used index again. (An index that jumps by a lap leads to the same slot.)
    pub(super) fn looks_for_more(
        &self,
        load: (usize, usize),
        between: &mut impl Iterator<Item = (usize, usize)>,
    ) -> bool {
        let ((start, end), index) = (self.elements.get(), self.used_index.get());
        let is_element = |(offset, size): (usize, usize)| offset < end && start < offset + size;
        let is_index =
            |(offset, size): (usize, usize)| index != NONE && offset < index + FIELD && index < offset + size;
        is_index(load) && between.any(is_element) || is_element(load) && between.any(is_index)
    }

    /// Forgets the positions in the call that is over.
    pub(super) fn forget_call(&self) {
        for pair in [&self.publication, &self.requesting] {
            pair.stored_at.set(0);
            pair.fenced_at.set(0);
            pair.round_at.set(0);
        }
        self.published_index.set(None);
        self.weak.set(None);
        self.not_acquired.set(None);
    }

    #[inline(always)]
    pub(super) fn forget_barriers(&self) {
        self.fenced_stores.set(0);
    }
}

/// The order of accesses.
impl WatchedMemory {
    /// From now on, watches the order of the accesses to the rings of this geometry, which are all in order so far.
    pub fn watch_order(&self, geometry: &Geometry, event_index: bool) {
        self.call.order.watch(geometry, event_index);
    }

    /// Whether the driver has loaded the device's wish to be notified after it stored the available index (2.7.13.4.1).
    pub fn publication_order(&self) -> StoreThenLoad {
        self.call.order.publication()
    }

    /// Whether the driver has loaded the used index after it requested notifications: by another `used_event`, or by its flags
    /// (2.7.14). Must be asked after each call that may request them. If a barrier followed the request, the next call may load.
    pub fn take_request_order(&self) -> StoreThenLoad {
        self.call.order.take_request()
    }

    /// The driver's caller wants no notifications, so the driver need not load the used index.
    pub fn forget_request(&self) {
        self.call.order.forget_request();
    }

    /// What is known about the order between two calls.
    pub fn order_state(&self) -> OrderState {
        self.call.order.state()
    }

    /// Restores an earlier [`order_state`](Self::order_state).
    pub fn set_order_state(&self, state: OrderState) {
        self.call.order.set_state(state);
    }

    /// Watches the order of a 16-bit store, before it is made.
    #[inline(always)]
    pub(super) fn watch_field_store(&self, offset: usize, value: u16, ordering: Ordering) {
        if self.call.order.is_stored_field(offset) && self.call.is_on() {
            let values = [self.memory.load_u16(offset), value];
            self.call.store_field(offset, values, ordering == Ordering::Release);
        }
    }

    /// Watches the order of a 16-bit load. Only a load of the used index needs one.
    #[inline(always)]
    pub(super) fn watch_field_load(&self, offset: usize, ordering: Ordering) {
        let acquires = ordering == Ordering::Acquire;
        if self.call.order.is_used_index(offset)
            && (!acquires || self.call.order.needs_acquire())
            && self.call.is_on()
        {
            self.call.load_used_index(acquires);
        }
    }
}
