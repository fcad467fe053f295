//! The driver side of a virtio split virtqueue that is safe against any device.
//!
//! A virtqueue is the ring through which a driver passes buffers to a virtio device. This crate implements the split ring of
//! *Virtual I/O Device (VIRTIO) 1.4*, section 2.7. Numbers in parentheses in this documentation are sections of that
//! specification.
//!
//! Many drivers trust their device: they follow links in shared memory, and they believe ids, lengths and indexes. This crate
//! does not. It reads each value that the device can write once, checks it, and makes all decisions from a private copy of the
//! chains, which the device cannot access. So it suits drivers of untrusted devices, for example in confidential virtual
//! machines, in hypervisors, and behind vhost-user.
//!
//! Supported: direct descriptors, event indexes (`VIRTIO_F_EVENT_IDX`), resuming at any ring index. Not yet supported:
//! indirect descriptors, in-order use (`VIRTIO_F_IN_ORDER`), the packed ring.
//!
//! # Example
//! ```
//! use ringstorm_core::{
//!     Config, DeviceStopped, HeapMemory, Layout, Notification, QueueSize, Refused, Region, SplitQueue,
//! };
//! # // A device: by the byte offsets of 2.7.8, it writes a used element and moves the used index.
//! # fn device_answers(queue: &SplitQueue<HeapMemory>, answer: &[u8]) -> Result<(), ringstorm_core::Misuse> {
//! #     use ringstorm_core::{OrderedStore, SharedMemory};
//! #     let size = QueueSize::new(256)?;
//! #     let (rings, used) = (queue.rings().memory(), Layout::new(size).used());
//! #     queue.buffer_regions()[0].memory().copy_in(512, answer);
//! #     rings.store_u32(used + 4, 0);
//! #     rings.store_u32(used + 8, answer.len() as u32);
//! #     rings.store_ordered(OrderedStore::UsedIndex, used + 2, 1);
//! #     Ok(())
//! # }
//!
//! // Memory: one region for descriptor table and rings, one for buffers.
//! let config = Config { buffer_size: 512, ..Config::new(QueueSize::new(256)?) };
//! let rings = Region::new(HeapMemory::new(Layout::new(config.size).len())?);
//! let buffers = Region::new(HeapMemory::new(512 * 256)?);
//! let mut queue = SplitQueue::new(config, rings, buffers).map_err(Refused::into_error)?;
//!
//! // Pass these to the device by the transport, before it starts.
//! let [table, available, used] = queue.addresses();
//!
//! // One device-readable buffer with a request, and one device-writable buffer of 512 bytes for the answer.
//! queue.submit(&[b"a request"], &[512])?;
//! if queue.publish() == Notification::Needed {
//!     // Notify the device, by the method of the transport.
//! }
//! # device_answers(&queue, b"an answer")?;
//!
//! // After a used-buffer notification, or by polling:
//! while let Some(done) = queue.take()? {
//!     let mut answer = [0; 512];
//!     let length = queue.read(done.head, &mut answer)?;
//!     assert_eq!(&answer[..length], b"an answer");
//!     queue.free(done.head)?;
//! }
//!
//! // When the device has confirmed its reset. A queue that is dropped leaks its memory instead.
//! queue.release(DeviceStopped::confirmed());
//! # Ok::<(), ringstorm_core::Error>(())
//! ```
//!
//! With the feature `std`, `SplitQueue::anonymous(config)` makes a queue with memory of its own in one call.
//!
//! # How it works
//! ```text
//!        caller                                                   device
//!          │ submit, publish          SplitQueue                    │
//!          ├──────────────▶ DescriptorTable ── AvailableRing ──────▶│ shared
//!          │                 private copy                           │ memory
//!          │◀────────────── checked against it ── UsedRing ◀────────┤
//!            take, read, free
//! ```
//!
//! - [`SplitQueue`] is the queue. [`DescriptorTable`] is its table, which can also be used alone. [`Layout`] has the offsets of
//!   table and rings in memory.
//! - [`Head`] is the handle of a chain. A handle becomes stale when its chain is freed, and the queue then refuses it.
//! - [`Region`] is memory with its device address. [`SplitQueue::register`] adds regions of the caller, for chains without a
//!   copy ([`SplitQueue::submit_over`]).
//! - [`SharedMemory`] is the access to memory: see [Memory](#memory).
//! - [`Policies`] select what happens after a device fault. [`Error`] tells misuse by the caller, device faults and system
//!   errors apart.
//!
//! # A device that breaks the specification
//! The device returns a chain that it never got. The queue reports this, and the request stays in flight:
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
//! // The device writes a used element with the id 70,000 and moves the used index (2.7.8).
//! let used = Layout::new(config.size).used();
//! rings.store_u32(used + 4, 70_000);
//! rings.store_ordered(OrderedStore::UsedIndex, used + 2, 1);
//!
//! assert!(matches!(queue.take(), Err(DeviceFault::IdOutOfRange { id: 70_000 })));
//! assert_eq!(queue.free_count(), 2, "the request keeps its descriptors");
//! assert!(queue.is_broken(), "the default policy: a device fault breaks the queue until a reset");
//! # queue.release(ringstorm_core::DeviceStopped::confirmed());
//! # Ok::<(), ringstorm_core::Error>(())
//! ```
//!
//! # Guarantees
//! Whatever a device writes, at any time, and whatever a caller passes:
//! - Queue and table do not panic, do not hang, and access no byte outside their memory.
//! - A call that fails by misuse or by a system error changes nothing. ([`SplitQueue::submit_with`] may have written to free
//!   buffers.) A call that reports a device fault changes only what the policy selects. It never changes the free list or
//!   another chain.
//! - The time of a call on the data path is proportional to the chain that it handles, at most. Refusing an invalid handle or
//!   used id takes constant time. ([`SplitQueue::withdraw`] and [`SplitQueue::verify`] are not on the data path.)
//! - No reference to payload, table or rings exists outside the crate: bytes are copied in and out.
//! - A call reads each byte of payload once from the memory kinds of this crate, also after compiler optimization. So the
//!   device cannot change a byte between two reads.
//! - A queue refuses the handles of chains and regions of every other queue, except of its own clones.
//! - A queue never frees or reuses memory that the device may still access. Only [`DeviceStopped`] permits this. (A table
//!   alone keeps its memory while chains are live. [`RawMemory`] does not own its memory.)
//! - [`SplitQueue::reset`] recovers every descriptor, from any state.
//!
//! The content of payload is not checked: the caller must treat the bytes of [`SplitQueue::read`] as untrusted.
//!
//! # Memory
//! | kind | memory | feature |
//! |---|---|---|
//! | [`HeapMemory`] | from the global allocator | |
//! | [`RawMemory`] | given by pointer and length, owned by someone else | |
//! | `MappedMemory` | an anonymous mapping, or a file that another process can map | `std` |
//! | `GuardedMemory` | a mapping between guard pages, for tests: an access outside it ends the process | `std`, on Unix |
//! | [`AnyMemory`] | one of the owning kinds, chosen at run time | |
//! | [`ThreadShared`] | another kind, accessed by several threads | |
//!
//! Other crates can implement [`SharedMemory`] for memory of their own.
//!
//! # Features and `no_std`
//! The default feature `std` adds `MappedMemory`, `GuardedMemory`, `SplitQueue::anonymous` and `SplitQueue::shareable`. Without
//! it the crate is `no_std`:
//!
//! ```toml
//! ringstorm-core = { path = "../ringstorm/core", default-features = false }
//! ```
//!
//! It then needs `alloc` and a global allocator. It allocates the private copy when a queue is made, and a record when a region
//! is registered. [`SplitQueue::verify`] allocates its result. No call on the data path allocates. The target needs 32-bit
//! atomics with compare-and-swap. 64-bit atomics are not necessary.
//!
//! The memory must be coherent between the processor and the device: the crate does no cache maintenance. Its fences order
//! accesses between processors. A physical device that offers `VIRTIO_F_ORDER_PLATFORM` (6.1) can need stronger barriers;
//! implement [`SharedMemory`] for memory that issues them. Negotiate `VIRTIO_F_VERSION_1`, and `VIRTIO_F_EVENT_IDX` exactly if
//! [`Config::event_index`] is set. [`SplitQueue::set_used_notifications`] turns used-buffer notifications off and on. [`HeapMemory`] is
//! for tests, and for devices in the same process.
//!
//! A kernel or firmware passes its memory by pointer, with the addresses that the device uses
//! ([`DeviceAddress::new`] makes one from a physical address):
//!
//! ```
//! use core::ptr::NonNull;
//! use ringstorm_core::{Config, DeviceAddress, Error, Layout, QueueSize, RawMemory, Refused, Region, SplitQueue};
//!
//! /// # Safety
//! /// Both pointers meet the contract of `RawMemory::new`. The rings are aligned to 16 bytes. The buffers have 64 times 2048
//! /// bytes.
//! unsafe fn make_queue(
//!     rings: NonNull<u8>,
//!     buffers: NonNull<u8>,
//!     [rings_at, buffers_at]: [DeviceAddress; 2],
//! ) -> Result<SplitQueue<RawMemory>, Error> {
//!     let config = Config { buffer_size: 2048, event_index: true, ..Config::new(QueueSize::new(64)?) };
//!     // SAFETY: the caller guarantees it.
//!     let rings = unsafe { RawMemory::new(rings, Layout::new(config.size).len()) };
//!     // SAFETY: the caller guarantees it.
//!     let buffers = unsafe { RawMemory::new(buffers, 64 * 2048) };
//!     SplitQueue::new(config, Region::at(rings, rings_at), Region::at(buffers, buffers_at)).map_err(Refused::into_error)
//! }
//! # let _ = make_queue;
//! ```
//!
//! # Minimum Rust version
//! Rust 1.89.

#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod index;
mod layout;
mod memory;
mod policy;
mod queue;
mod region;
mod rings;
mod table;

pub use error::{Blame, DeviceFault, Error, Misuse, NotInFlight, Refused, SystemError};
pub use index::{Head, QueueId, QueueSize, RingIndex};
pub use layout::Layout;
pub(crate) use memory::Areas;
#[cfg(all(feature = "std", unix))]
pub use memory::GuardedMemory;
#[cfg(feature = "std")]
pub use memory::MappedMemory;
pub use memory::{
    AnyMemory, FullBarrier, HeapMemory, OrderedLoad, OrderedStore, RawMemory, SharedMemory, ThreadShared,
};
pub use policy::{AfterFault, Config, DeviceStopped, OverLong, Policies, WritableBuffers};
pub use queue::{Completion, Notification, SplitQueue};
pub use region::{DeviceAddress, Region, RegionId, Regions, Segment};
pub(crate) use rings::{AvailableRing, UsedElement, UsedRing};
pub use table::{Buffer, ChainWriter, DescriptorTable, Tampering};
