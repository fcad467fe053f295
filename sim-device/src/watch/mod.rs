//! Shared memory that watches the driver's accesses.

mod call;
mod device_side;
mod driver_call;
mod failing;
mod order;
mod pages;
mod report;

pub use device_side::DeviceSide;
pub use failing::{FailingAccess, MemoryFailed};
pub use order::{OrderState, StoreThenLoad, WeakAccess};
pub use report::{CallReport, LateStore};

use call::CallLog;
use pages::{PAGE, Pages};
use ringstorm_core::{AnyMemory, Error, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory};
use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// The panic payload that ends a call of the driver with too many memory accesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndlessCall;

/// An injected change between two reads: a value changes right after the driver has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// Offset of the value in the memory of the rings, in bytes.
    pub offset: usize,
    /// Size of the value in bytes: 2, 4 or 8.
    pub width: usize,
    /// The new value, which a second read returns.
    pub value: u64,
}

/// Memory that watches each call of the driver.
///
/// Accesses between [`begin_call`](Self::begin_call) and [`end_call`](Self::end_call) count as the driver's. All others,
/// and those by a [`DeviceSide`], are not watched. [`restart`](Self::restart) prepares the memory for another scenario; it
/// clears only pages that were written to.
#[derive(Debug)]
pub struct WatchedMemory {
    memory: AnyMemory,
    length: Cell<usize>,
    call: CallLog,
    pages: Pages,
    trap: Cell<Option<Trap>>,
    /// Offset of the trap; `usize::MAX` if there is none.
    trap_offset: Cell<usize>,
    abandoned: Cell<u32>,
}

impl WatchedMemory {
    /// Allocates memory for up to `capacity` bytes.
    ///
    /// # Errors
    /// [`Error`] if the allocation fails, or the capacity is zero.
    pub fn new(capacity: usize) -> Result<Self, Error> {
        let memory = Self::over(HeapMemory::new(capacity.next_multiple_of(PAGE))?.into());
        memory.length.set(capacity);
        Ok(memory)
    }

    /// Watches all of `memory`, which must be zero. Every access goes to it, at the same offset.
    pub fn over(memory: AnyMemory) -> Self {
        Self {
            length: Cell::new(memory.len()),
            pages: Pages::new(memory.len()),
            memory,
            call: CallLog::default(),
            trap: Cell::new(None),
            trap_offset: Cell::new(usize::MAX),
            abandoned: Cell::new(0),
        }
    }

    /// The largest length for [`restart`](Self::restart), in bytes.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Makes the memory `length` zero bytes. Ends all watching of places, traps and failing accesses.
    ///
    /// # Panics
    /// If `length` exceeds the capacity.
    pub fn restart(&self, length: usize) {
        assert!(
            length <= self.capacity(),
            "watched memory: {length} bytes exceed the capacity of {} bytes",
            self.capacity()
        );
        // Nothing was written beyond the length.
        let end = self.length.get();
        self.pages.clean(|start| self.memory.zero(start, PAGE.min(end - start)));
        self.length.set(length);
        self.call.restart();
        self.fail_at(None);
        self.set_trap(None);
        self.abandoned.set(0);
    }

    /// Whether a driver [abandoned](SharedMemory::abandon) the memory since the last restart and did not reclaim it.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.get() > 0
    }

    /// The number of times that drivers abandoned the memory and did not [reclaim](SharedMemory::reclaim) it.
    pub fn abandonments(&self) -> u32 {
        self.abandoned.get()
    }

    /// Sets the number of abandonments, to restore an earlier state.
    pub fn set_abandonments(&self, abandonments: u32) {
        self.abandoned.set(abandonments);
    }

    /// Sets the part that only the device may write.
    pub fn reserve_for_device(&self, part: Range<usize>) {
        self.call.reserve_for_device(part.start, part.end);
    }

    /// Sets the offset of the available index. From now on, stores after it in the same call are
    /// [recorded](Self::take_late_stores).
    pub fn watch_available_index(&self, offset: usize) {
        self.call.watch_available_index(offset);
    }

    /// Moves the last call's stores after the available index to `out`, in order.
    pub fn take_late_stores(&self, out: &mut Vec<LateStore>) {
        self.call.take_late_stores(out);
    }

    /// The trap that is set and was not triggered.
    pub fn trap(&self) -> Option<Trap> {
        self.trap.get()
    }

    /// Sets or removes the trap. There is at most one, and it triggers once.
    pub fn set_trap(&self, trap: Option<Trap>) {
        self.trap.set(trap);
        self.trap_offset.set(trap.map_or(usize::MAX, |trap| trap.offset));
    }

    /// From now on, records the driver's stores.
    pub fn record_places(&self) {
        self.call.record_places(0, usize::MAX);
    }

    /// From now on, records the driver's stores that begin in this part.
    pub fn record_places_in(&self, part: Range<usize>) {
        self.call.record_places(part.start, part.end);
    }

    /// From now on, does not record the driver's stores.
    pub fn stop_recording_places(&self) {
        self.call.record_places(0, 0);
    }

    /// Moves offset and length of the last call's stores to `out`, in order.
    pub fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        self.call.take_places(out);
    }

    /// The address of the memory in this process, for a driver that cannot use [`SharedMemory`]. Accesses by this address are
    /// not watched. It is valid for [`len`](SharedMemory::len) bytes until the next restart.
    pub fn expose(&self) -> *mut u8 {
        if self.length.get() > 0 {
            // The driver may write anywhere, so all of it must be cleared by the next restart.
            self.pages.touch(0, self.length.get());
        }
        std::ptr::with_exposed_provenance_mut(self.memory.host_address() as usize)
    }

    /// Copies `bytes` into the memory for the driver's caller. The access does not count as the driver's.
    ///
    /// # Panics
    /// If they are not inside the memory.
    pub fn copy_in_for_caller(&self, offset: usize, bytes: &[u8]) {
        self.check(offset, bytes.len());
        if !bytes.is_empty() {
            self.pages.touch(offset, bytes.len());
        }
        self.memory.copy_in(offset, bytes);
    }

    /// Copies from the memory to `out` for the driver's caller. The access does not count as the driver's.
    ///
    /// # Panics
    /// If the bytes are not inside the memory.
    pub fn copy_out_for_caller(&self, offset: usize, out: &mut [u8]) {
        self.check(offset, out.len());
        self.memory.copy_out(offset, out);
    }

    /// Makes an access in the driver's next calls fail; `None` lets none fail. Barriers count as accesses here.
    pub fn fail_at(&self, access: Option<FailingAccess>) {
        self.call.fail_at(access);
    }

    #[inline(always)]
    fn watch_load(&self, offset: usize, size: usize) {
        self.check(offset, size);
        if self.call.is_on() {
            self.call.load(offset, size);
        }
    }

    /// Returns a value that was just loaded. Triggers the trap if it is at this offset.
    #[inline(always)]
    fn loaded<T>(&self, offset: usize, value: T) -> T {
        if self.trap_offset.get() == offset && self.call.is_on() {
            self.trigger_trap();
        }
        value
    }

    #[cold]
    fn trigger_trap(&self) {
        let Some(Trap { offset, width, value }) = self.trap.take() else {
            // The trap was triggered by an earlier load. If that was in this call, the driver has loaded the new value now.
            self.call.see_trap();
            self.set_trap(None);
            return;
        };
        match width {
            2 => self.memory.store_u16(offset, value as u16),
            4 => self.memory.store_u32(offset, value as u32),
            _ => self.memory.store_u64(offset, value),
        }
        self.pages.touch(offset, width);
        self.call.trigger_trap();
    }

    #[inline(always)]
    fn watch_store(&self, offset: usize, size: usize) {
        self.check(offset, size);
        if self.call.is_on() {
            self.call.store(offset, size);
        }
    }

    /// Watches the store of an integer. The store itself panics if it is not aligned.
    #[inline(always)]
    fn watch_integer_store(&self, offset: usize, size: usize) {
        self.watch_store(offset, size);
        self.pages.touch_integer(offset);
    }

    /// Checks against the length of this scenario, since the memory itself may be longer.
    #[inline(always)]
    fn check(&self, offset: usize, size: usize) {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(inside, "shared memory: access outside of the memory");
    }
}

impl SharedMemory for WatchedMemory {
    fn len(&self) -> usize {
        self.length.get()
    }

    fn host_address(&self) -> u64 {
        self.memory.host_address()
    }

    #[inline(always)]
    fn load_u16(&self, offset: usize) -> u16 {
        self.watch_load(offset, 2);
        self.watch_field_load(offset, Ordering::Relaxed);
        self.loaded(offset, self.memory.load_u16(offset))
    }

    #[inline(always)]
    fn load_u32(&self, offset: usize) -> u32 {
        self.watch_load(offset, 4);
        self.loaded(offset, self.memory.load_u32(offset))
    }

    #[inline(always)]
    fn load_u64(&self, offset: usize) -> u64 {
        self.watch_load(offset, 8);
        self.loaded(offset, self.memory.load_u64(offset))
    }

    #[inline(always)]
    fn store_u16(&self, offset: usize, value: u16) {
        self.watch_integer_store(offset, 2);
        self.watch_field_store(offset, value, Ordering::Relaxed);
        self.memory.store_u16(offset, value);
    }

    #[inline(always)]
    fn store_u32(&self, offset: usize, value: u32) {
        self.watch_integer_store(offset, 4);
        self.memory.store_u32(offset, value);
    }

    #[inline(always)]
    fn store_u64(&self, offset: usize, value: u64) {
        self.watch_integer_store(offset, 8);
        self.memory.store_u64(offset, value);
    }

    #[inline(always)]
    fn store_u64_pair(&self, offset: usize, values: [u64; 2]) {
        self.watch_integer_store(offset, 8);
        self.watch_integer_store(offset + 8, 8);
        self.memory.store_u64_pair(offset, values);
    }

    /// If the trap is at the first value, the values are loaded one after the other, and the trap triggers in between.
    #[inline(always)]
    fn load_u32_pair(&self, offset: usize) -> [u32; 2] {
        if self.trap_offset.get() == offset {
            return [self.load_u32(offset), self.load_u32(offset + 4)];
        }
        self.watch_load(offset, 4);
        self.watch_load(offset + 4, 4);
        let [first, second] = self.memory.load_u32_pair(offset);
        [first, self.loaded(offset + 4, second)]
    }

    #[inline(always)]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.watch_load(offset, 2);
        self.watch_field_load(offset, access.ordering());
        self.loaded(offset, self.memory.load_ordered(access, offset))
    }

    #[inline(always)]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.watch_integer_store(offset, 2);
        self.watch_field_store(offset, value, access.ordering());
        self.memory.store_ordered(access, offset, value);
    }

    #[inline(always)]
    fn barrier(&self, _: FullBarrier) {
        // Driver and device take turns in one thread, so a barrier has nothing to do. But it is recorded, and it can fail.
        self.call.barrier();
    }

    #[inline(always)]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.watch_store(offset, bytes.len());
        if !bytes.is_empty() {
            self.pages.touch(offset, bytes.len());
        }
        self.memory.copy_in(offset, bytes);
    }

    #[inline(always)]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.watch_load(offset, out.len());
        self.memory.copy_out(offset, out);
    }

    #[inline(always)]
    fn zero(&self, offset: usize, length: usize) {
        self.watch_store(offset, length);
        // Pages that were never written to are already zero.
        for part in self.pages.touched_in(offset..offset + length) {
            self.memory.zero(part.start, part.len());
        }
    }

    /// Only counts: the simulated device acts only when it is called, so the memory need not be kept for it.
    fn abandon(&self) {
        self.abandoned.set(self.abandoned.get() + 1);
    }

    fn reclaim(&self) {
        self.abandoned.set(self.abandoned.get().saturating_sub(1));
    }
}
