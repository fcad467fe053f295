//! Tests of the storm over queues from other crates, and of wrong adapters.

#[path = "../../examples/own_queue.rs"]
mod example;

mod command;
mod in_flight_stores;
mod layout;
mod lendings;
mod manners;
mod memory;
mod tokens;
mod trespass;
mod wrong;
