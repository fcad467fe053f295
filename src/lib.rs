//! Tests virtqueue drivers with *the storm*: a simulated device that misbehaves, and a model that judges the driver.
//!
//! ```text
//!    seed ----generate----> Scenario <--parse-- text (.storm)
//!    fuzzer's bytes --decode---^
//!                              |
//!          Subject <--> shared memory <--> Device
//!                              | events
//!                              v
//!                        Model::observe  ->  ok, or a Violation
//!                              |
//!                              v
//!          Outcome { pass | violation | panic | stuck | died }  ->  shrink  ->  annotated trace, report, regression
//! ```
//!
//! Scenarios come from seeds ([`campaign`]) or from an exhaustive search ([`explore`](mod@explore)).
//!
//! [`Rig::run`](execution::Rig::run) does all the work: it runs a scenario over a kind of subject and returns an
//! [`Outcome`](outcome::Outcome). The outcome depends only on the scenario and the subject, not on the machine or the
//! process.
//!
//! ```
//! use ringstorm::execution::Rig;
//! use ringstorm::scenario::{Document, Profile, generate};
//! use ringstorm::subject::SubjectKind;
//!
//! let mut rig = Rig::new()?;
//! let outcome = rig.run(SubjectKind::Core, &generate(7, Profile::Swarm, 128), &mut ())?;
//! assert!(!outcome.is_finding());
//!
//! let text = "ringstorm scenario 1\n\
//!             queue size=4 buffer=64\n\
//!             driver submit readable=1x8 writable=2x8\n\
//!             driver misuse free mid-chain newest\n";
//! let scenario = text.parse::<Document>()?.scenario;
//! let naive = SubjectKind::by_name("specimen-mid-chain-freed").unwrap();
//! assert!(rig.run(naive, &scenario, &mut ())?.is_finding());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod annotated_trace;
pub mod calibrate;
pub mod campaign;
pub mod cli;
pub mod counts;
pub mod coverage;
pub mod depth;
pub mod execution;
pub mod executor;
pub mod explore;
pub mod fuzz;
pub mod isolation;
mod names;
pub mod outcome;
pub mod report;
pub mod scenario;
pub mod shrink;
pub mod subject;
mod tally;
pub mod timeline;

/// The examples in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
