//! A simulated virtio device for split virtqueues. It follows the specification or misbehaves, as its caller chooses.
//!
//! The device reaches the driver only through shared memory. The offsets come from section 2.7 of the Virtual I/O Device
//! specification 1.4, not from the driver's code, so that both cannot share an error. The device decides nothing by itself:
//! its caller determines what it takes, returns and forges, when, and in which order. So an execution can be repeated exactly.
//!
//! ```text
//!    take ──▶ chains in flight ──▶ return_chain ──▶ used elements ──▶ publish ──▶ used index
//!               │                                     ▲                             ▲
//!               └───────────── misbehave ─────────────┴─────────────────────────────┘
//! ```
//!
//! - [`Device`] is the device. [`Fault`] lists the ways in which it misbehaves.
//! - [`walk`] reads a chain as a device does. [`ChainError`] lists what can be wrong with it.
//! - [`Effect`] reports what the device did to shared memory.
//! - [`WatchedMemory`] is shared memory that watches each call of the driver: it counts accesses, reports stores to the
//!   device's part and double fetches, and ends a call that makes too many accesses.
//!
//! ```
//! use ringstorm_core::{HeapMemory, SharedMemory};
//! use ringstorm_sim_device::{AddressSpace, Device, Fault, Geometry, Reply};
//!
//! // A queue of one descriptor. A driver writes this to make a buffer of 64 bytes available (2.7.5, 2.7.6).
//! let (rings, buffers) = (HeapMemory::new(4096)?, HeapMemory::new(64)?);
//! let geometry = Geometry { size: 1, table: 0, available: 16, used: 24 };
//! rings.store_u64(0, 0x1000);
//! rings.store_u64(8, 64 | 2 << 32);
//! rings.store_u16(16 + 2, 1);
//!
//! let mut device = Device::new(&rings, geometry, AddressSpace::new([(0x1000, &buffers)]), 0);
//! assert_eq!(device.take().map(|chain| chain.head), Some(0));
//! assert!(device.return_chain(0, |room| Reply { written: room as u32, beyond: false }));
//! device.publish();
//! // The used ring: index 1, and an element with id 0 and length 64 (2.7.8).
//! assert_eq!((rings.load_u16(24 + 2), rings.load_u32(24 + 4), rings.load_u32(24 + 8)), (1, 0, 64));
//!
//! // The device returns the same chain again, which it must not do.
//! assert!(device.misbehave(Fault::DuplicateId, 0, 0));
//! assert_eq!(rings.load_u16(24 + 2), 2);
//! # Ok::<(), ringstorm_core::Error>(())
//! ```

#![forbid(unsafe_code)]

mod chain;
mod device;
mod effect;
mod fault;
mod forge;
mod geometry;
mod in_flight;
mod inspect;
mod responsiveness;
mod silence;
mod snapshot;
mod watch;

pub use chain::{AddressSpace, BufferPlace, ChainError, Descriptor, walk};
pub use device::{Device, fill_pattern};
pub use effect::{Change, Effect, Reply, Taken};
pub use fault::{Fault, Target};
pub use geometry::{Geometry, Part};
pub use in_flight::{picked_position, remove_at};
pub use snapshot::DeviceState;
pub use watch::{
    CallReport, DeviceSide, EndlessCall, FailingAccess, LateStore, MemoryFailed, OrderState, StoreThenLoad,
    Trap, WatchedMemory, WeakAccess,
};
