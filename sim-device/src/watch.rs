//! Shared memory that watches the driver.

use ringstorm_core::{
    AnyMemory, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, SharedMemory, SystemError,
};
use std::cell::{Cell, RefCell};
use std::ops::Range;

const PAGE: usize = 4096;

/// The panic payload with which a call is ended that would go on accessing memory for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndlessCall;

/// What a driver's call did to the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallReport {
    /// How often it stored something.
    pub stores: u32,
    /// Where it first stored into the device's part.
    pub foreign: Option<usize>,
    /// The lowest place that it loaded twice.
    pub refetched: Option<usize>,
    /// Whether it ran into the [trap](WatchedMemory::set_trap).
    pub trapped: bool,
}

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
    in_call: Cell<bool>,
    accesses_left: Cell<u64>,
    stores: Cell<u32>,
    foreign: Cell<Option<usize>>,
    /// Where the driver stored during the call, if that is recorded: offset and length.
    places: RefCell<Vec<(usize, usize)>>,
    recorded: Cell<bool>,
    /// Where the driver loaded during the call: offset and length.
    loads: RefCell<Vec<(usize, usize)>>,
    /// Where the available index stands, if that is known.
    available_index: Cell<Option<usize>>,
    /// Where the driver stored during the call after it had stored the available index.
    late: RefCell<Vec<usize>>,
    published: Cell<bool>,
    trap: Cell<Option<Trap>>,
    trapped: Cell<bool>,
    /// What only the device may write.
    device_part: Cell<(usize, usize)>,
    touched: Box<[Cell<bool>]>,
    touched_pages: RefCell<Vec<usize>>,
}

impl WatchedMemory {
    /// Memory for up to `capacity` bytes.
    ///
    /// # Errors
    /// [`SystemError`] if the allocator has not that much.
    pub fn new(capacity: usize) -> Result<Self, SystemError> {
        let memory = Self::over(HeapMemory::new(capacity.next_multiple_of(PAGE))?.into());
        memory.length.set(capacity);
        Ok(memory)
    }

    /// Watches all of `memory`, which is zero: every access goes to it, at the same offset.
    pub fn over(memory: AnyMemory) -> Self {
        let pages = memory.len().div_ceil(PAGE);
        Self {
            length: Cell::new(memory.len()),
            memory,
            in_call: Cell::new(false),
            accesses_left: Cell::new(0),
            stores: Cell::new(0),
            foreign: Cell::new(None),
            places: RefCell::new(Vec::new()),
            recorded: Cell::new(false),
            loads: RefCell::new(Vec::new()),
            available_index: Cell::new(None),
            late: RefCell::new(Vec::new()),
            published: Cell::new(false),
            trap: Cell::new(None),
            trapped: Cell::new(false),
            device_part: Cell::new((0, 0)),
            touched: (0..pages).map(|_| Cell::new(false)).collect(),
            touched_pages: RefCell::new(Vec::with_capacity(pages)),
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
        for page in self.touched_pages.borrow_mut().drain(..) {
            self.touched[page].set(false);
            let start = page * PAGE;
            self.memory.zero(start, PAGE.min(self.capacity() - start));
        }
        self.length.set(length);
        self.device_part.set((0, 0));
        self.in_call.set(false);
        self.available_index.set(None);
        self.trap.set(None);
    }

    /// Says which part the driver must not write from now on.
    pub fn reserve_for_device(&self, part: Range<usize>) {
        self.device_part.set((part.start, part.end));
    }

    /// Says where the available index stands, so that stores behind it in a call are [told](Self::take_late_stores).
    pub fn watch_available_index(&self, offset: usize) {
        self.available_index.set(Some(offset));
    }

    /// Moves the places where the last call stored after it had stored the available index to `out`.
    pub fn take_late_stores(&self, out: &mut Vec<usize>) {
        out.clear();
        out.append(&mut self.late.borrow_mut());
    }

    /// The trap that is set and was not sprung.
    pub fn trap(&self) -> Option<Trap> {
        self.trap.get()
    }

    /// Sets a trap, in place of the one before. It is gone once it was sprung.
    pub fn set_trap(&self, trap: Option<Trap>) {
        self.trap.set(trap);
    }

    /// Records where the driver stores, from now on.
    pub fn record_places(&self) {
        self.recorded.set(true);
    }

    /// Moves the places of the last call's stores to `out`: offset and length, in order.
    pub fn take_places(&self, out: &mut Vec<(usize, usize)>) {
        out.clear();
        out.append(&mut self.places.borrow_mut());
    }

    /// From here to [`end_call`](Self::end_call), accesses are the driver's, at most `limit` of them.
    pub fn begin_call(&self, limit: u64) {
        self.accesses_left.set(limit);
        self.stores.set(0);
        self.foreign.set(None);
        self.places.borrow_mut().clear();
        self.loads.borrow_mut().clear();
        self.late.borrow_mut().clear();
        self.published.set(false);
        self.trapped.set(false);
        self.in_call.set(true);
    }

    /// Ends the driver's call and tells what it did.
    pub fn end_call(&self) -> CallReport {
        self.in_call.set(false);
        CallReport {
            stores: self.stores.get(),
            foreign: self.foreign.get(),
            refetched: first_overlap(&mut self.loads.borrow_mut()),
            trapped: self.trapped.get(),
        }
    }

    #[inline(always)]
    fn loads(&self, offset: usize, size: usize) {
        self.check(offset, size);
        self.count();
        if self.in_call.get() && size > 0 {
            self.loads.borrow_mut().push((offset, size));
        }
    }

    /// Hands on a value that was just loaded, and changes it in memory if that is the trap.
    #[inline(always)]
    fn loaded<T>(&self, offset: usize, value: T) -> T {
        if self.trap.get().is_some_and(|trap| trap.offset == offset) && self.in_call.get() {
            self.spring();
        }
        value
    }

    #[cold]
    fn spring(&self) {
        let Some(Trap { offset, width, value }) = self.trap.take() else { return };
        match width {
            2 => self.memory.store_u16(offset, value as u16),
            4 => self.memory.store_u32(offset, value as u32),
            _ => self.memory.store_u64(offset, value),
        }
        self.touch(offset, width);
        self.trapped.set(true);
    }

    #[inline(always)]
    fn stores(&self, offset: usize, size: usize) {
        self.check(offset, size);
        self.count();
        if size == 0 {
            return;
        }
        if self.in_call.get() {
            self.stores.set(self.stores.get().saturating_add(1));
            let (start, end) = self.device_part.get();
            if offset < end && start < offset + size && self.foreign.get().is_none() {
                self.foreign.set(Some(offset));
            }
            if self.recorded.get() {
                self.places.borrow_mut().push((offset, size));
            }
            if self.available_index.get() == Some(offset) {
                self.published.set(true);
            } else if self.published.get() {
                self.late.borrow_mut().push(offset);
            }
        }
        self.touch(offset, size);
    }

    /// The memory is as long as the longest scenario needs; this one may be shorter.
    #[inline(always)]
    fn check(&self, offset: usize, size: usize) {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(inside, "shared memory: access outside");
    }

    #[inline(always)]
    fn count(&self) {
        if self.in_call.get() {
            let Some(left) = self.accesses_left.get().checked_sub(1) else { self.give_up() };
            self.accesses_left.set(left);
        }
    }

    #[cold]
    fn give_up(&self) -> ! {
        // Past the panic hook, since nothing went wrong here that a message would explain.
        std::panic::resume_unwind(Box::new(EndlessCall))
    }

    #[inline(always)]
    fn touch(&self, offset: usize, size: usize) {
        for page in offset / PAGE..=(offset + size - 1) / PAGE {
            if !self.touched[page].replace(true) {
                self.touched_pages.borrow_mut().push(page);
            }
        }
    }
}

/// Where the first of several runs of bytes is that begins inside another one.
fn first_overlap(runs: &mut [(usize, usize)]) -> Option<usize> {
    if runs.len() > 1 {
        runs.sort_unstable();
    }
    runs.windows(2).find(|pair| pair[1].0 < pair[0].0 + pair[0].1).map(|pair| pair[1].0)
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
        self.stores(offset, 2);
        self.memory.store_u16(offset, value);
    }

    #[inline(always)]
    fn store_u32(&self, offset: usize, value: u32) {
        self.stores(offset, 4);
        self.memory.store_u32(offset, value);
    }

    #[inline(always)]
    fn store_u64(&self, offset: usize, value: u64) {
        self.stores(offset, 8);
        self.memory.store_u64(offset, value);
    }

    #[inline(always)]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.loads(offset, 2);
        self.loaded(offset, self.memory.load_ordered(access, offset))
    }

    #[inline(always)]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.stores(offset, 2);
        self.memory.store_ordered(access, offset, value);
    }

    #[inline(always)]
    fn barrier(&self, _: FullBarrier) {
        // Driver and device take turns in one thread.
    }

    #[inline(always)]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.stores(offset, bytes.len());
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
        self.memory.zero(offset, length);
    }

    fn abandon(&mut self) {
        self.memory.abandon();
    }
}
