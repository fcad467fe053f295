//! Shared memory that watches the driver.

mod call;
mod failing;
mod pages;

pub use call::CallReport;
pub use failing::{FailingAccess, MemoryFailed};

use call::CallLog;
use pages::{PAGE, Pages};
use ringstorm_core::{AnyMemory, Error, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory};
use std::cell::Cell;
use std::ops::Range;

/// The panic payload with which a call is ended that would go on accessing memory for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndlessCall;

/// A value that changes as soon as the driver has read it: the device writes between two reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// Where, in bytes from the beginning of the rings' memory.
    pub offset: usize,
    /// Bytes of the value: 2, 4 or 8.
    pub width: usize,
    /// What the driver reads the second time.
    pub value: u64,
}

/// Memory with a door for the driver, which is watched while a call is on, and none for the device.
///
/// It is used again from one scenario to the next: [`restart`](Self::restart) clears only what was touched.
#[derive(Debug)]
pub struct WatchedMemory {
    memory: AnyMemory,
    length: Cell<usize>,
    call: CallLog,
    pages: Pages,
    trap: Cell<Option<Trap>>,
    /// Where the trap is; nowhere if there is none.
    trap_offset: Cell<usize>,
    abandoned: Cell<u32>,
}

impl WatchedMemory {
    /// Memory for up to `capacity` bytes.
    ///
    /// # Errors
    /// [`Error`] if the allocator has not that much, or the capacity is zero.
    pub fn new(capacity: usize) -> Result<Self, Error> {
        let memory = Self::over(HeapMemory::new(capacity.next_multiple_of(PAGE))?.into());
        memory.length.set(capacity);
        Ok(memory)
    }

    /// Watches all of `memory`, which is zero: every access goes to it, at the same offset.
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

    /// Bytes that the memory can have.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Makes the memory `length` zero bytes.
    ///
    /// # Panics
    /// If that is more than the capacity.
    pub fn restart(&self, length: usize) {
        assert!(length <= self.capacity(), "watched memory: {length} bytes exceed its capacity");
        let capacity = self.capacity();
        self.pages.clean(|start| self.memory.zero(start, PAGE.min(capacity - start)));
        self.length.set(length);
        self.call.restart();
        self.fail_at(None);
        self.set_trap(None);
        self.abandoned.set(0);
    }

    /// Whether a driver [abandoned](SharedMemory::abandon) the memory since it was last restarted, and did not reclaim it.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.get() > 0
    }

    /// How often drivers abandoned the memory and did not [reclaim](SharedMemory::reclaim) it.
    pub fn abandonments(&self) -> u32 {
        self.abandoned.get()
    }

    /// Sets that number, to go back to an earlier state.
    pub fn set_abandonments(&self, abandonments: u32) {
        self.abandoned.set(abandonments);
    }

    /// Says which part the driver must not write from now on.
    pub fn reserve_for_device(&self, part: Range<usize>) {
        self.call.reserve_for_device(part.start, part.end);
    }

    /// Says where the available index stands, so that stores behind it in a call are [told](Self::take_late_stores).
    pub fn watch_available_index(&self, offset: usize) {
        self.call.watch_available_index(offset);
    }

    /// Moves the places where the last call stored after it had stored the available index to `out`.
    pub fn take_late_stores(&self, out: &mut Vec<usize>) {
        self.call.take_late_stores(out);
    }

    /// The trap that is set and was not sprung.
    pub fn trap(&self) -> Option<Trap> {
        self.trap.get()
    }

    /// Sets a trap, in place of the one before. It is gone once it was sprung.
    pub fn set_trap(&self, trap: Option<Trap>) {
        self.trap.set(trap);
        self.trap_offset.set(trap.map_or(usize::MAX, |trap| trap.offset));
    }

    /// Records where the driver stores, from now on.
    pub fn record_places(&self) {
        self.call.record_places();
    }

    /// Moves the places of the last call's stores to `out`: offset and length, in order.
    pub fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        self.call.take_places(out);
    }

    /// Where the memory is in this process, for a driver that cannot go through [`SharedMemory`]: what it does by this
    /// address is not watched. It is valid for [`len`](SharedMemory::len) bytes until the memory starts again.
    pub fn expose(&self) -> *mut u8 {
        if self.length.get() > 0 {
            // Whatever is written there is to be zero again.
            self.pages.touch(0, self.length.get());
        }
        std::ptr::with_exposed_provenance_mut(self.memory.host_address() as usize)
    }

    /// Copies `bytes` into the memory for the caller of the driver, whose doing is not the driver's.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn copy_in_for_caller(&self, offset: usize, bytes: &[u8]) {
        self.check(offset, bytes.len());
        if !bytes.is_empty() {
            self.pages.touch(offset, bytes.len());
        }
        self.memory.copy_in(offset, bytes);
    }

    /// Copies from the memory to `out` for the caller of the driver.
    ///
    /// # Panics
    /// If there is less.
    pub fn copy_out_for_caller(&self, offset: usize, out: &mut [u8]) {
        self.check(offset, out.len());
        self.memory.copy_out(offset, out);
    }

    /// Makes an access of the driver's next calls fail, or none any more. Barriers count too.
    pub fn fail_at(&self, access: Option<FailingAccess>) {
        self.call.fail_at(access);
    }

    /// From here to [`end_call`](Self::end_call), accesses are the driver's, at most `limit` of them.
    #[inline]
    pub fn begin_call(&self, limit: u64) {
        self.call.begin(limit);
    }

    /// Ends the driver's call and tells what it did.
    pub fn end_call(&self) -> CallReport {
        let mut report = CallReport::default();
        self.end_call_into(&mut report);
        report
    }

    /// As [`end_call`](Self::end_call), in place of another report. A call that made no access costs next to nothing.
    #[inline(always)]
    pub fn end_call_into(&self, report: &mut CallReport) {
        self.call.end_into(report);
    }

    #[inline(always)]
    fn loads(&self, offset: usize, size: usize) {
        self.check(offset, size);
        if self.call.is_on() {
            self.call.load(offset, size);
        }
    }

    /// Hands on a value that was just loaded, and changes it in memory if that is the trap.
    #[inline(always)]
    fn loaded<T>(&self, offset: usize, value: T) -> T {
        if self.trap_offset.get() == offset && self.call.is_on() {
            self.spring();
        }
        value
    }

    #[cold]
    fn spring(&self) {
        let Some(Trap { offset, width, value }) = self.trap.get() else { return };
        self.set_trap(None);
        match width {
            2 => self.memory.store_u16(offset, value as u16),
            4 => self.memory.store_u32(offset, value as u32),
            _ => self.memory.store_u64(offset, value),
        }
        self.pages.touch(offset, width);
        self.call.trapped.set(true);
    }

    #[inline(always)]
    fn stores(&self, offset: usize, size: usize) {
        self.check(offset, size);
        if self.call.is_on() {
            self.call.store(offset, size);
        }
    }

    /// Stores an integer, or will not, if it is not aligned.
    #[inline(always)]
    fn stores_integer(&self, offset: usize, size: usize) {
        self.stores(offset, size);
        self.pages.touch_integer(offset);
    }

    /// The memory is as long as the longest scenario needs; this one may be shorter.
    #[inline(always)]
    fn check(&self, offset: usize, size: usize) {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(inside, "shared memory: access outside");
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
        self.loads(offset, 2);
        self.loaded(offset, self.memory.load_u16(offset))
    }

    #[inline(always)]
    fn load_u32(&self, offset: usize) -> u32 {
        self.loads(offset, 4);
        self.loaded(offset, self.memory.load_u32(offset))
    }

    #[inline(always)]
    fn load_u64(&self, offset: usize) -> u64 {
        self.loads(offset, 8);
        self.loaded(offset, self.memory.load_u64(offset))
    }

    #[inline(always)]
    fn store_u16(&self, offset: usize, value: u16) {
        self.stores_integer(offset, 2);
        self.memory.store_u16(offset, value);
    }

    #[inline(always)]
    fn store_u32(&self, offset: usize, value: u32) {
        self.stores_integer(offset, 4);
        self.memory.store_u32(offset, value);
    }

    #[inline(always)]
    fn store_u64(&self, offset: usize, value: u64) {
        self.stores_integer(offset, 8);
        self.memory.store_u64(offset, value);
    }

    #[inline(always)]
    fn store_u64_pair(&self, offset: usize, values: [u64; 2]) {
        self.stores_integer(offset, 8);
        self.stores_integer(offset + 8, 8);
        self.memory.store_u64_pair(offset, values);
    }

    /// Where the first one is the trap, the second one is loaded behind it.
    #[inline(always)]
    fn load_u32_pair(&self, offset: usize) -> [u32; 2] {
        if self.trap_offset.get() == offset {
            return [self.load_u32(offset), self.load_u32(offset + 4)];
        }
        self.loads(offset, 4);
        self.loads(offset + 4, 4);
        let [first, second] = self.memory.load_u32_pair(offset);
        [first, self.loaded(offset + 4, second)]
    }

    #[inline(always)]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.loads(offset, 2);
        self.loaded(offset, self.memory.load_ordered(access, offset))
    }

    #[inline(always)]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.stores_integer(offset, 2);
        self.memory.store_ordered(access, offset, value);
    }

    #[inline(always)]
    fn barrier(&self, _: FullBarrier) {
        // Driver and device take turns in one thread, so there is nothing to do, but it can fail.
        self.call.barrier();
    }

    #[inline(always)]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.stores(offset, bytes.len());
        if !bytes.is_empty() {
            self.pages.touch(offset, bytes.len());
        }
        self.memory.copy_in(offset, bytes);
    }

    #[inline(always)]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        self.loads(offset, out.len());
        self.memory.copy_out(offset, out);
    }

    #[inline(always)]
    fn zero(&self, offset: usize, length: usize) {
        self.stores(offset, length);
        // What nobody has written to is zero.
        for part in self.pages.touched_in(offset..offset + length) {
            self.memory.zero(part.start, part.len());
        }
    }

    /// Only noted: the simulated device acts when it is called and never afterwards, so nothing has to be kept for it.
    fn abandon(&self) {
        self.abandoned.set(self.abandoned.get() + 1);
    }

    fn reclaim(&self) {
        self.abandoned.set(self.abandoned.get().saturating_sub(1));
    }
}
