//! The queue's memory as `vm-memory` sees it: one region for the rings and one for the buffers.

use ringstorm::execution::DeviceMemory;
use ringstorm::subject::{DeviceAddress, SharedMemory, WatchedMemory};
use std::marker::PhantomData;
use vm_memory::{
    GuestAddress, GuestMemoryBackend, GuestMemoryError, GuestMemoryRegion, GuestMemoryRegionBytes,
    GuestMemoryResult, GuestUsize, MemoryRegionAddress, VolatileSlice,
};

pub struct Regions<'a>([Region<'a>; 2]);

pub struct Region<'a> {
    address: GuestAddress,
    start: *mut u8,
    length: usize,
    memory: PhantomData<&'a WatchedMemory>,
}

impl<'a> Regions<'a> {
    pub fn new(memory: &DeviceMemory<'a>) -> Self {
        Self([
            Region::new(memory.rings, memory.rings_address),
            Region::new(memory.buffers, memory.buffers_address),
        ])
    }
}

impl<'a> Region<'a> {
    fn new(memory: &'a WatchedMemory, address: DeviceAddress) -> Self {
        let address = GuestAddress(address.get());
        Self { address, start: memory.expose(), length: memory.len(), memory: PhantomData }
    }
}

impl<'a> GuestMemoryBackend for Regions<'a> {
    type R = Region<'a>;

    fn iter(&self) -> impl Iterator<Item = &Self::R> {
        self.0.iter()
    }
}

impl GuestMemoryRegion for Region<'_> {
    type B = ();

    fn len(&self) -> GuestUsize {
        self.length as u64
    }

    fn start_addr(&self) -> GuestAddress {
        self.address
    }

    fn bitmap(&self) {}

    fn get_slice(&self, offset: MemoryRegionAddress, count: usize) -> GuestMemoryResult<VolatileSlice<'_>> {
        let start = usize::try_from(offset.0).map_err(|_| GuestMemoryError::InvalidBackendAddress)?;
        if start.checked_add(count).is_none_or(|end| end > self.length) {
            return Err(GuestMemoryError::InvalidBackendAddress);
        }
        // SAFETY: `count` bytes from `start` are inside the watched memory, and `memory` borrows it for longer than the slice
        // lives. All other accesses go through `SharedMemory` in this thread, which forms no references to the bytes, and none
        // of them is in progress while the slice is used.
        Ok(unsafe { VolatileSlice::new(self.start.add(start), count) })
    }
}

impl GuestMemoryRegionBytes for Region<'_> {}
