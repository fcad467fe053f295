//! The reference model of a split virtqueue's driver side.
//!
//! It sees [`Event`]s and nothing else: plain integers and byte strings, no memory, no driver, no device. So
//! a trace can be judged again, and every [`Invariant`] can be tested by a bad trace written by hand.
//!
//! ```text
//!   driver's calls and answers ─┐
//!   what stands in the memory ──┼──▶ Model::observe ──▶ ok, or a Violation
//!   what the device did ────────┘
//! ```
//!
//! ```
//! use ringstorm_model::{Event, Invariant, Model, ModelSetup};
//!
//! let mut model = Model::new();
//! model.begin(&ModelSetup { queue_size: 8, buffer_size: 64, ..ModelSetup::default() });
//! model.observe(&Event::FreeCount { count: 8 }).unwrap();
//! let violation = model.observe(&Event::FreeCount { count: 7 }).unwrap_err();
//! assert_eq!(violation.invariant, Invariant::FreeCount);
//! ```

#![forbid(unsafe_code)]

mod calls;
mod chains;
mod event;
mod extents;
mod fingerprint;
mod invariant;
mod memory;
mod model;
mod notifications;
mod policies;
mod setup;
mod state;
mod trace;
mod unwound;
mod used;
mod withdraw;

pub use event::{
    Answer, ChainFlaw, Completion, DeviceRefusal, Event, MisuseKind, Name, ObservedDescriptor, Place, Refusal,
};
pub use invariant::{Invariant, Violation};
pub use model::Model;
pub use setup::{ModelSetup, Policies};
pub use state::{DriverState, Occupancy};
pub use trace::TraceHash;
