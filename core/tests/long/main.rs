//! The tests of the queue that take a second and not a millisecond. They run after the others, so that a mutant which
//! those catch does not wait for these.

mod queue_cycles;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod threads;
