//! Shared memory made of loom's locations.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU16, Ordering, fence};
use ringstorm_core::{FullBarrier, OrderedLoad, OrderedStore, SharedMemory};
use std::rc::Rc;

/// One location, of the width at which it is always accessed.
enum Location {
    Byte(UnsafeCell<u8>),
    Half(UnsafeCell<u16>),
    Word(UnsafeCell<u32>),
    Double(UnsafeCell<u64>),
    /// An index, flags or an event field: the only atomics. Loom's atomics have no plain accesses. So a plain store
    /// is a write to `plain`, and every atomic access also reads `plain`. A plain and an atomic access therefore race
    /// as they do in real memory.
    Ordered {
        value: AtomicU16,
        plain: UnsafeCell<()>,
    },
}

impl Location {
    fn ordered() -> Self {
        Self::Ordered { value: AtomicU16::new(0), plain: UnsafeCell::new(()) }
    }
}

/// Memory whose clones are handles of the same memory. All threads of a model run in turns on one system thread. Loom
/// reports the source line of a race.
#[derive(Clone)]
pub struct LoomMemory(Rc<Vec<Option<Location>>>);

impl LoomMemory {
    /// Memory of single bytes, for payload.
    pub fn buffers(length: usize) -> Self {
        Self(Rc::new((0..length).map(|_| Some(Location::Byte(UnsafeCell::new(0)))).collect()))
    }

    /// Memory for the table, the available ring and the used ring of a queue, with the widths of 2.7.5, 2.7.6 and
    /// 2.7.8.
    pub fn rings(size: u16) -> Self {
        let mut locations = Vec::new();
        for _ in 0..2 * size {
            append(&mut locations, 8, Location::Double(UnsafeCell::new(0)));
        }
        append(&mut locations, 2, Location::ordered());
        append(&mut locations, 2, Location::ordered());
        for _ in 0..size {
            append(&mut locations, 2, Location::Half(UnsafeCell::new(0)));
        }
        append(&mut locations, 2, Location::ordered());
        locations.resize_with(locations.len().next_multiple_of(4), || None);
        append(&mut locations, 2, Location::ordered());
        append(&mut locations, 2, Location::ordered());
        for _ in 0..2 * size {
            append(&mut locations, 4, Location::Word(UnsafeCell::new(0)));
        }
        append(&mut locations, 2, Location::ordered());
        locations.resize_with(locations.len().next_multiple_of(8), || None);
        Self(Rc::new(locations))
    }

    fn location(&self, offset: usize) -> &Location {
        self.0[offset].as_ref().expect("a location begins here")
    }

    fn ordered(&self, offset: usize) -> (&AtomicU16, &UnsafeCell<()>) {
        match self.location(offset) {
            Location::Ordered { value, plain } => (value, plain),
            _ => panic!("an ordered access to a plain location at {offset}"),
        }
    }

    /// An atomic load.
    #[track_caller]
    pub fn load_as(&self, ordering: Ordering, offset: usize) -> u16 {
        let (value, plain) = self.ordered(offset);
        plain.with(|_| ());
        value.load(ordering)
    }

    /// An atomic store.
    #[track_caller]
    pub fn store_as(&self, ordering: Ordering, offset: usize, new: u16) {
        let (value, plain) = self.ordered(offset);
        plain.with(|_| ());
        value.store(new, ordering);
    }

    /// A plain load of an atomic location.
    #[track_caller]
    pub fn load_plain(&self, offset: usize) -> u16 {
        let (value, plain) = self.ordered(offset);
        plain.with(|_| ());
        // SAFETY: loom panics if no store is ordered before it, and its threads run in turns.
        unsafe { value.unsync_load() }
    }

    /// A plain store to an atomic location.
    #[track_caller]
    pub fn store_plain(&self, offset: usize, new: u16) {
        let (value, plain) = self.ordered(offset);
        plain.with_mut(|_| ());
        value.store(new, Ordering::Relaxed);
    }

    fn byte(&self, offset: usize) -> &UnsafeCell<u8> {
        match self.location(offset) {
            Location::Byte(cell) => cell,
            _ => panic!("bytes at {offset}"),
        }
    }
}

/// Appends a location of `width` bytes.
fn append(locations: &mut Vec<Option<Location>>, width: usize, location: Location) {
    locations.push(Some(location));
    locations.resize_with(locations.len() + width - 1, || None);
}

/// A plain load: loom panics if it races.
#[track_caller]
fn get<T: Copy>(cell: &UnsafeCell<T>) -> T {
    // SAFETY: the threads of a model run in turns, and none keeps a reference.
    cell.with(|value| unsafe { *value })
}

/// A plain store: loom panics if it races.
#[track_caller]
fn set<T: Copy>(cell: &UnsafeCell<T>, new: T) {
    // SAFETY: the threads of a model run in turns, and none keeps a reference.
    cell.with_mut(|value| unsafe { *value = new });
}

impl SharedMemory for LoomMemory {
    fn len(&self) -> usize {
        self.0.len()
    }
    /// A different address for each memory, because a queue refuses regions that overlap in this process.
    fn host_address(&self) -> u64 {
        (Rc::as_ptr(&self.0).addr() as u64) << 8
    }
    #[track_caller]
    fn load_u16(&self, offset: usize) -> u16 {
        match self.location(offset) {
            Location::Half(cell) => get(cell),
            _ => panic!("16 bits at {offset}"),
        }
    }
    #[track_caller]
    fn load_u32(&self, offset: usize) -> u32 {
        match self.location(offset) {
            Location::Word(cell) => get(cell),
            _ => panic!("32 bits at {offset}"),
        }
    }
    #[track_caller]
    fn load_u64(&self, offset: usize) -> u64 {
        match self.location(offset) {
            Location::Double(cell) => get(cell),
            _ => panic!("64 bits at {offset}"),
        }
    }
    #[track_caller]
    fn store_u16(&self, offset: usize, value: u16) {
        match self.location(offset) {
            Location::Half(cell) => set(cell, value),
            _ => panic!("16 bits at {offset}"),
        }
    }
    #[track_caller]
    fn store_u32(&self, offset: usize, value: u32) {
        match self.location(offset) {
            Location::Word(cell) => set(cell, value),
            _ => panic!("32 bits at {offset}"),
        }
    }
    #[track_caller]
    fn store_u64(&self, offset: usize, value: u64) {
        match self.location(offset) {
            Location::Double(cell) => set(cell, value),
            _ => panic!("64 bits at {offset}"),
        }
    }
    #[track_caller]
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.load_as(access.ordering(), offset)
    }
    #[track_caller]
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.store_as(access.ordering(), offset, value);
    }
    fn barrier(&self, _: FullBarrier) {
        fence(Ordering::SeqCst);
    }
    #[track_caller]
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        for (byte, at) in bytes.iter().zip(offset..) {
            set(self.byte(at), *byte);
        }
    }
    #[track_caller]
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        for (byte, at) in out.iter_mut().zip(offset..) {
            *byte = get(self.byte(at));
        }
    }
    #[track_caller]
    fn zero(&self, offset: usize, length: usize) {
        for location in self.0[offset..offset + length].iter().flatten() {
            match location {
                Location::Byte(cell) => set(cell, 0),
                Location::Half(cell) => set(cell, 0),
                Location::Word(cell) => set(cell, 0),
                Location::Double(cell) => set(cell, 0),
                Location::Ordered { .. } => panic!("an index is not zeroed as if it were plain"),
            }
        }
    }
    /// Does nothing: an execution of the model ends together with its memory, even if chains are live.
    fn abandon(&self) {}
    fn reclaim(&self) {}
}
