//! Tests of the storm over queues from other crates, and of wrong adapters.

#[path = "../../examples/own_queue.rs"]
mod example;

mod buffer_pool;
mod command;
mod in_flight_stores;
mod layout;
mod manners;
mod memory;
mod scenarios;
mod tokens;
mod trespass;
mod wrong;
