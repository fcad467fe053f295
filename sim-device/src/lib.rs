//! A simulated virtio device for split virtqueues: honest by the specification, or not.
//!
//! It reaches the driver through shared memory alone, at offsets taken from section 2.7 of the Virtual I/O
//! Device specification 1.3 and not from the driver's code: driver and device meet only in bytes. It never
//! decides anything by itself. What it takes, returns and forges, when, and in which order, is said call by
//! call, so that an execution repeats exactly.
//!
//! ```text
//!    take ──▶ chains held ──▶ give_back ──▶ used elements ──▶ publish ──▶ used index
//!               │                              ▲                              ▲
//!               └───────── misbehave ──────────┴──────────────────────────────┘
//! ```
//!
//! - [`Device`] is the device, [`Fault`] the ways in which it misbehaves.
//! - [`walk`] reads a chain as a device does; [`ChainError`] is what it can find wrong.
//! - [`Effect`] tells what the device did to shared memory.
//! - [`WatchedMemory`] is shared memory that counts the driver's accesses, knows what is the device's, and
//!   stops a call that never ends.

#![forbid(unsafe_code)]

mod attention;
mod chain;
mod device;
mod effect;
mod fault;
mod forge;
mod geometry;
mod held;
mod look;
mod snapshot;
mod watch;

pub use chain::{AddressSpace, ChainError, Descriptor, Place, walk};
pub use device::{Device, fill_pattern};
pub use effect::{Change, Effect, Reply, Taken};
pub use fault::{Fault, Target};
pub use geometry::{Geometry, Part};
pub use held::{let_go, picked};
pub use snapshot::DeviceState;
pub use watch::{CallReport, EndlessCall, Trap, WatchedMemory};
