//! What the crate asks of a platform ([`Hal`]), over the memory of the harness.
//!
//! A `Hal` has no `self`, so the platform of a queue is put where its functions find it for as long as a call of the
//! queue takes: [`within`].

use ringstorm::subject::{Provided, SharedMemory, WatchedMemory, WrongAdapter};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

thread_local! {
    /// The platform of the queue whose call goes on.
    static CURRENT: RefCell<Option<Platform>> = const { RefCell::new(None) };
    /// What queues left shared that are no more, until the next platform is there.
    static LEFT_SHARED: RefCell<Vec<Rc<WatchedMemory>>> = const { RefCell::new(Vec::new()) };
}

/// Memory, where this process has it and where the device sees it.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub start: *mut u8,
    pub length: usize,
    pub address: u64,
}

impl Area {
    /// The rings' memory.
    pub fn of_rings(provided: &Provided) -> Self {
        let Provided { rings, rings_address, .. } = provided;
        Self { start: rings.expose(), length: rings.len(), address: rings_address.get() }
    }

    /// The buffers' memory. No byte of it is written by this pointer: the caller's payload goes through the harness, and the
    /// queue does not touch its buffers.
    pub fn of_buffers(provided: &Provided) -> Self {
        let Provided { buffers, buffers_address, .. } = provided;
        let start = std::ptr::with_exposed_provenance_mut(buffers.host_address() as usize);
        Self { start, length: buffers.len(), address: buffers_address.get() }
    }

    /// Where the device sees a place in it; nowhere, if that is another one's memory.
    fn address_of(&self, place: *const u8, length: usize) -> Option<PhysAddr> {
        let offset = place.addr().checked_sub(self.start.addr())?;
        (offset.checked_add(length)? <= self.length).then(|| self.address + offset as u64)
    }
}

/// Where the device finds nothing.
const NOWHERE: PhysAddr = 0;

/// A platform for one queue.
#[derive(Debug)]
pub struct Platform {
    rings: Area,
    buffers: Area,
    /// Bytes of the rings' memory that are given out, and in how many parts.
    given: usize,
    parts: usize,
    sharing: Sharing,
}

/// Where the device sees a buffer that is shared.
#[derive(Debug)]
enum Sharing {
    /// Where it is.
    InPlace,
    /// At the beginning of the buffers' memory: there is no other buffer.
    Beside,
    /// In a buffer of the platform's own, as in a confidential guest.
    Copied(Bounce),
}

impl Platform {
    fn new(provided: &Provided, sharing: Sharing) -> Self {
        LEFT_SHARED.with_borrow_mut(Vec::clear);
        let (rings, buffers) = (Area::of_rings(provided), Area::of_buffers(provided));
        Self { rings, buffers, given: 0, parts: 0, sharing }
    }

    /// A platform where the device sees the caller's buffers where they are, and nothing is allocated.
    pub fn direct(provided: &Provided) -> Self {
        Self::new(provided, Sharing::InPlace)
    }

    /// A platform for one buffer at a time, which is no shared memory. What the device sees in its place, the first buffer of
    /// a pool, is filled before it is shared and read afterwards by whoever calls the queue.
    pub fn beside(provided: &Provided) -> Self {
        Self::new(provided, Sharing::Beside)
    }

    /// A platform where the device sees nothing but buffers of the platform's own, of `each` bytes, that are copied through,
    /// and where nothing is allocated and nothing is shared.
    pub fn bounced(provided: &Provided, each: usize) -> Self {
        let slots = (0..provided.buffers.len() / each).map(|_| None).collect();
        let bounce = Bounce { memory: Rc::clone(&provided.buffers), each, slots };
        Self::new(provided, Sharing::Copied(bounce))
    }

    /// Nothing is shared any more: the device was stopped, and the queue is no more.
    pub fn unshare_all(&mut self) {
        if let Sharing::Copied(bounce) = &mut self.sharing {
            bounce.slots.fill_with(|| None);
        }
    }

    fn allocate(&mut self, pages: usize) -> (PhysAddr, NonNull<u8>) {
        let (start, length) = (self.given, pages * PAGE_SIZE);
        if start + length > self.rings.length {
            WrongAdapter::raise("the queue allocates more than it was said to need");
        }
        (self.given, self.parts) = (start + length, self.parts + 1);
        // SAFETY: inside the rings' memory, which is valid for its length until the scenario ends.
        let place = unsafe { self.rings.start.add(start) };
        // SAFETY: as above; nobody else has this part.
        unsafe { place.write_bytes(0, length) };
        (self.rings.address + start as u64, NonNull::new(place).expect("memory is not at null"))
    }

    fn deallocate(&mut self) {
        self.parts -= 1;
        if self.parts == 0 {
            self.given = 0;
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // What a queue did not unshare stays shared, for the harness to see.
        if let Sharing::Copied(bounce) = &mut self.sharing {
            LEFT_SHARED.with_borrow_mut(|left| left.extend(bounce.slots.drain(..).flatten()));
        }
    }
}

/// Buffers that the device sees, which are not those of the queue: bytes are copied from one to the other.
#[derive(Debug)]
struct Bounce {
    memory: Rc<WatchedMemory>,
    each: usize,
    /// By number: a handle to the memory while that buffer is shared.
    slots: Vec<Option<Rc<WatchedMemory>>>,
}

impl Bounce {
    fn share(&mut self, bytes: &[u8], direction: BufferDirection) -> Option<usize> {
        let slot = self.slots.iter().position(Option::is_none).filter(|_| bytes.len() <= self.each)?;
        self.slots[slot] = Some(Rc::clone(&self.memory));
        if direction != BufferDirection::DeviceToDriver {
            self.memory.copy_in_for_caller(slot * self.each, bytes);
        }
        Some(slot * self.each)
    }

    fn unshare(&mut self, offset: usize, bytes: &mut [u8], direction: BufferDirection) {
        if direction != BufferDirection::DriverToDevice {
            self.memory.copy_out_for_caller(offset, bytes);
        }
        self.slots[offset / self.each] = None;
    }
}

/// Makes a call of a queue on its platform.
pub fn within<T>(platform: &mut Option<Platform>, call: impl FnOnce() -> T) -> T {
    /// Takes the platform back, however the call ends.
    struct Back<'a>(&'a mut Option<Platform>);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            *self.0 = CURRENT.take();
        }
    }
    CURRENT.set(platform.take());
    let _back = Back(platform);
    call()
}

fn current<T>(act: impl FnOnce(&mut Platform) -> T) -> T {
    CURRENT.with_borrow_mut(|platform| act(platform.as_mut().expect("a queue is called within its platform")))
}

/// The platform of the call that goes on, for the crate.
#[derive(Debug)]
pub struct Harness;

// SAFETY: pages are zeroed, page-aligned (the harness's memory begins at a page), and given out once until they are given
// back; whatever is shared is where its `Sharing` says that the device sees it, and what is copied is copied back when it is
// unshared.
unsafe impl Hal for Harness {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        current(|platform| platform.allocate(pages))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        current(Platform::deallocate);
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("there is no bus")
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        current(|Platform { buffers, sharing, .. }| match sharing {
            Sharing::InPlace => {
                buffers.address_of(buffer.cast::<u8>().as_ptr(), buffer.len()).unwrap_or(NOWHERE)
            }
            Sharing::Beside => buffers.address,
            Sharing::Copied(bounce) => {
                // SAFETY: `Hal::share` is given a valid buffer that nobody else accesses meanwhile.
                let bytes = unsafe { buffer.as_ref() };
                bounce.share(bytes, direction).map_or(NOWHERE, |offset| buffers.address + offset as u64)
            }
        })
    }

    unsafe fn unshare(address: PhysAddr, mut buffer: NonNull<[u8]>, direction: BufferDirection) {
        current(|Platform { buffers, sharing, .. }| {
            if let Sharing::Copied(bounce) = sharing {
                // SAFETY: `Hal::unshare` is given a valid buffer that nobody else accesses meanwhile.
                let bytes = unsafe { buffer.as_mut() };
                bounce.unshare((address - buffers.address) as usize, bytes, direction);
            }
        });
    }
}
