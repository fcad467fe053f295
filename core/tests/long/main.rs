//! The tests of the queue that take about a second each. They are a binary of their own and run after the other
//! tests, so that most mutants fail before these tests start.

mod queue_cycles;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod threads;
