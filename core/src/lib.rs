//! The driver side of a split virtqueue, safe against any device.
//!
//! A virtqueue is the ring through which a driver hands buffers to a virtio device (Virtual I/O Device
//! specification 1.3, section 2.7; numbers in parentheses name its sections). Most drivers trust the device:
//! they follow the links that stand in shared memory, and believe ids, lengths and indexes. This one does
//! not. What the device can write is an allegation, read once and checked; what decides stands in private
//! memory.
//!
//! ```text
//!        caller                                                   device
//!          │ submit, publish          SplitQueue                    │
//!          ├──────────────▶ DescriptorTable ── AvailableRing ──────▶│ shared
//!          │                 private copy                           │ memory
//!          │◀────────────── checked against it ── UsedRing ◀────────┤
//!            take, read, free
//! ```
//!
//! - [`SplitQueue`] is what most callers want; [`DescriptorTable`], [`AvailableRing`] and [`UsedRing`] are
//!   its parts, and [`Areas`] is where they stand.
//! - [`SharedMemory`] is how memory is reached: [`HeapMemory`], `MappedMemory` (feature `std`, anonymous or
//!   shared with another process), [`RawMemory`] by pointer, [`AnyMemory`] of a kind chosen at run time, or the
//!   caller's own. `GuardedMemory` (feature `std`, Unix) is for tests: an access outside it ends the process.
//! - [`Policies`] say what becomes of the queue when the device breaks the specification; [`Error`] says
//!   who is to blame.
//!
//! A device that returns a chain which it was never given is reported, and the queue goes on as its policy says:
//!
//! ```
//! use ringstorm_core::{
//!     Config, DeviceFault, HeapMemory, Layout, OrderedStore, QueueSize, Refused, Region, SharedMemory, SplitQueue,
//! };
//!
//! let config = Config { buffer_size: 64, ..Config::new(QueueSize::new(4)?) };
//! let (rings, buffers) = (HeapMemory::new(Layout::new(config.size).len())?, HeapMemory::new(4 * 64)?);
//! let queue = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers));
//! let mut queue = queue.map_err(Refused::into_error)?;
//! queue.submit(&[b"a request"], &[64])?;
//! queue.publish();
//!
//! // The device, by the offsets of 2.7.8: an element with id 70,000, and the index that says it is there.
//! let used = Layout::new(config.size).used();
//! rings.store_u32(used + 4, 70_000);
//! rings.store_ordered(OrderedStore::UsedIndex, used + 2, 1);
//!
//! assert!(matches!(queue.take(), Err(DeviceFault::IdOutOfRange { id: 70_000 })));
//! assert_eq!(queue.free_count(), 2, "the request is still the device's");
//! # queue.release(ringstorm_core::DeviceStopped::confirmed());
//! # Ok::<(), ringstorm_core::Error>(())
//! ```
//!
//! # What is promised
//! - No input of a caller and no byte of a device makes queue or table panic, hang, or access anything outside their
//!   memory. (The rings alone are parts and trust their caller in what they write and read.)
//! - A call refused for the caller's misuse or by the system changes nothing. One that reports a device fault
//!   changes what the policy says, never the free list or another chain.
//! - No call on the data path costs more than the chain it handles ([`SplitQueue::withdraw`] is not on it); refusing a bad head costs the same at
//!   every queue size.
//! - No reference to payload, table or rings is handed out: bytes are copied in and out.
//! - Names of chains and regions are refused at every queue but their own, and its clones.
//! - A queue never gives memory back that the device may still access: only [`DeviceStopped`] does that. (A table alone keeps
//!   its memory while chains are live. [`RawMemory`] belongs to somebody else.)
//! - A call reads each byte of payload from memory of this crate's kinds once, also in compiled code.
//! - [`SplitQueue::reset`] recovers every descriptor, from any state.
//!
//! # Without an operating system
//! `ringstorm-core = { version = "0.1", default-features = false }` leaves out what needs `std`. The crate then needs `alloc`
//! and a global allocator, for the private copy: when a queue is made, and when a region is registered. Memory is
//! [`RawMemory`] or [`HeapMemory`]. A target needs atomics of 32 bits with compare-and-swap.
//!
//! Not here yet: indirect descriptors, in-order use, the packed ring.

#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod index;
mod layout;
pub mod memory;
mod policy;
mod queue;
mod region;
mod rings;
mod table;

pub use error::{Blame, DeviceFault, Error, Misuse, NotInFlight, Refused, SystemError};
pub use index::{Head, QueueId, QueueSize, RingIndex};
pub use layout::Layout;
#[cfg(all(feature = "std", unix))]
pub use memory::GuardedMemory;
#[cfg(feature = "std")]
pub use memory::MappedMemory;
pub use memory::{
    AnyMemory, Areas, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, RawMemory, SharedMemory,
    ThreadShared,
};
pub use policy::{AfterFault, Config, DeviceStopped, OverLong, Policies, WritableBuffers};
pub use queue::{Completion, Notification, SplitQueue};
pub use region::{DeviceAddress, Region, RegionId, Regions, Segment};
pub use rings::{AvailableRing, UsedElement, UsedRing};
pub use table::{Buffer, ChainWriter, DescriptorTable, Tampering};
