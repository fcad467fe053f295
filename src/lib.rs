//! A storm for virtqueues.

#![forbid(unsafe_code)]

pub mod coverage;
pub mod execution;
pub mod outcome;
pub mod scenario;
pub mod subject;
