//! The crate's interface to the platform ([`Hal`]), over the memory of the harness.
//!
//! The functions of `Hal` have no `self`. So [`within`] stores the platform of a queue in a thread-local variable during a call.

use ringstorm::subject::{Provided, SharedMemory, WatchedMemory, WrongAdapter};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

thread_local! {
    /// The platform of the queue whose call is in progress.
    static CURRENT: RefCell<Option<Platform>> = const { RefCell::new(None) };
    /// Buffers that dropped queues left shared, until the next platform is made.
    static LEFT_SHARED: RefCell<Vec<Rc<WatchedMemory>>> = const { RefCell::new(Vec::new()) };
}

/// A memory: its address in this process, its length, and its device address.
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

    /// The buffers' memory. Nothing writes through this pointer: the harness writes the caller's payload, and the queue does not
    /// access the contents of buffers.
    pub fn of_buffers(provided: &Provided) -> Self {
        let Provided { buffers, buffers_address, .. } = provided;
        let start = std::ptr::with_exposed_provenance_mut(buffers.host_address() as usize);
        Self { start, length: buffers.len(), address: buffers_address.get() }
    }

    /// The device address of a range of this memory, or `None` if the range is not inside it.
    fn address_of(&self, place: *const u8, length: usize) -> Option<PhysAddr> {
        let offset = place.addr().checked_sub(self.start.addr())?;
        (offset.checked_add(length)? <= self.length).then(|| self.address + offset as u64)
    }
}

/// A device address without memory.
const NOWHERE: PhysAddr = 0;

/// A platform for one queue.
#[derive(Debug)]
pub struct Platform {
    rings: Area,
    buffers: Area,
    /// Bytes of the rings' memory that are allocated, and the number of allocations.
    allocated: usize,
    parts: usize,
    sharing: Sharing,
}

/// The memory in which the device sees a shared buffer.
#[derive(Debug)]
enum Sharing {
    /// The buffer itself.
    InPlace,
    /// The beginning of the buffers' memory. There is only one buffer.
    Beside,
    /// A bounce buffer of the platform, as in a confidential guest.
    Copied(Bounce),
}

impl Platform {
    fn new(provided: &Provided, sharing: Sharing) -> Self {
        LEFT_SHARED.with_borrow_mut(Vec::clear);
        let (rings, buffers) = (Area::of_rings(provided), Area::of_buffers(provided));
        Self { rings, buffers, allocated: 0, parts: 0, sharing }
    }

    /// A platform in which the device sees the caller's buffers themselves.
    pub fn direct(provided: &Provided) -> Self {
        Self::new(provided, Sharing::InPlace)
    }

    /// A platform for one buffer at a time, which is not in shared memory. The device sees the first buffer of the pool instead.
    /// The caller of the queue fills that buffer before the call and reads it afterwards.
    pub fn beside(provided: &Provided) -> Self {
        Self::new(provided, Sharing::Beside)
    }

    /// A platform in which the device sees only bounce buffers of `each` bytes. None is shared at the beginning.
    pub fn bounced(provided: &Provided, each: usize) -> Self {
        let slots = (0..provided.buffers.len() / each).map(|_| None).collect();
        let bounce = Bounce { memory: Rc::clone(&provided.buffers), each, slots };
        Self::new(provided, Sharing::Copied(bounce))
    }

    /// Unshares all buffers. The device must be stopped and the queue dropped.
    pub fn unshare_all(&mut self) {
        if let Sharing::Copied(bounce) = &mut self.sharing {
            bounce.slots.fill_with(|| None);
        }
    }

    fn allocate(&mut self, pages: usize) -> (PhysAddr, NonNull<u8>) {
        let (start, length) = (self.allocated, pages * PAGE_SIZE);
        if start + length > self.rings.length {
            WrongAdapter::raise("the queue allocates more memory than the adapter's `rings` computes");
        }
        (self.allocated, self.parts) = (start + length, self.parts + 1);
        // SAFETY: the range is inside the rings' memory, which is valid until the scenario ends.
        let place = unsafe { self.rings.start.add(start) };
        // SAFETY: as above, and this part is not allocated twice.
        unsafe { place.write_bytes(0, length) };
        (self.rings.address + start as u64, NonNull::new(place).expect("memory is not at null"))
    }

    fn deallocate(&mut self) {
        self.parts -= 1;
        if self.parts == 0 {
            self.allocated = 0;
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Buffers that the queue did not unshare stay shared, so that the harness can see that.
        if let Sharing::Copied(bounce) = &mut self.sharing {
            LEFT_SHARED.with_borrow_mut(|left| left.extend(bounce.slots.drain(..).flatten()));
        }
    }
}

/// Bounce buffers: the device sees them instead of the queue's buffers, and bytes are copied between the two.
#[derive(Debug)]
struct Bounce {
    memory: Rc<WatchedMemory>,
    each: usize,
    /// For each bounce buffer, a handle to the memory while the buffer is shared.
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

/// Runs a call of a queue with its platform.
pub fn within<T>(platform: &mut Option<Platform>, call: impl FnOnce() -> T) -> T {
    /// Takes the platform back, also if the call panics.
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
    CURRENT
        .with_borrow_mut(|platform| act(platform.as_mut().expect("every call of a queue is inside `within`")))
}

/// The platform of the call in progress, as the crate's `Hal`.
#[derive(Debug)]
pub struct Harness;

// SAFETY: allocated pages are zeroed and page-aligned, since the harness's memory begins at a page, and are not allocated twice
// before they are freed. The device sees a shared buffer at the address that `share` returns. Bounce buffers are copied when a
// buffer is shared and unshared.
unsafe impl Hal for Harness {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        current(|platform| platform.allocate(pages))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        current(Platform::deallocate);
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("the transport has no MMIO")
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        current(|Platform { buffers, sharing, .. }| match sharing {
            Sharing::InPlace => {
                buffers.address_of(buffer.cast::<u8>().as_ptr(), buffer.len()).unwrap_or(NOWHERE)
            }
            Sharing::Beside => buffers.address,
            Sharing::Copied(bounce) => {
                // SAFETY: by the contract of `Hal::share`, the buffer is valid and nothing else accesses it now.
                let bytes = unsafe { buffer.as_ref() };
                bounce.share(bytes, direction).map_or(NOWHERE, |offset| buffers.address + offset as u64)
            }
        })
    }

    unsafe fn unshare(address: PhysAddr, mut buffer: NonNull<[u8]>, direction: BufferDirection) {
        current(|Platform { buffers, sharing, .. }| {
            if let Sharing::Copied(bounce) = sharing {
                // SAFETY: by the contract of `Hal::unshare`, the buffer is valid and nothing else accesses it now.
                let bytes = unsafe { buffer.as_mut() };
                bounce.unshare((address - buffers.address) as usize, bytes, direction);
            }
        });
    }
}
