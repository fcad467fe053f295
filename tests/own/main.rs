//! Queues of somebody else under the storm, and adapters that are wrong.

#[path = "../../examples/own_queue.rs"]
mod example;

mod command;
mod manners;
mod memory;
mod trespass;
mod wrong;
