//! The reference model of a split virtqueue's driver side.
//!
//! The model sees only [`Event`]s, which are plain integers and byte strings. It knows no memory, driver or device. So a
//! recorded trace can be checked again, and a hand-written trace can test each [`Invariant`].
//!
//! ```text
//!   calls of the driver, with answers ─┐
//!   contents of shared memory ─────────┼──▶ Model::observe ──▶ Ok, or a Violation
//!   acts of the device ────────────────┘
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

mod access_order;
mod answer;
mod calls;
mod chain_flaw;
mod chains;
mod delayed;
mod drained;
mod event;
mod extents;
mod fingerprint;
mod interrupted;
mod invariant;
mod layout;
mod memory;
mod model;
mod notifications;
mod policies;
mod publish;
mod publish_answer;
mod setup;
mod state;
mod take;
mod take_back;
mod trace;
mod unwound;
mod used;
mod wish;
mod withdraw;
mod wording;

pub use access_order::OrderFlaw;
pub use answer::{Answer, Completion, DeviceRefusal, HandleAge, MisuseKind, Refusal};
pub use chain_flaw::ChainFlaw;
pub use event::{Event, ObservedDescriptor, Place};
pub use invariant::{Invariant, Violation};
pub use model::Model;
pub use setup::{ModelSetup, Policies};
pub use state::{DriverState, Occupancy};
pub use trace::TraceHash;
