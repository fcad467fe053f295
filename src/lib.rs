//! A storm for virtqueues.

#![forbid(unsafe_code)]

pub mod calibrate;
pub mod campaign;
pub mod cli;
pub mod coverage;
pub mod execution;
pub mod fuzz;
pub mod outcome;
pub mod report;
pub mod scenario;
pub mod shrink;
pub mod story;
pub mod subject;
