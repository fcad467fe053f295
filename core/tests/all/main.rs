//! The tests of the queue, in one binary, since linking one takes no longer than linking each of many. What needs a
//! process or an allocator of its own stands beside it.

mod accesses;
mod defects;
mod device_faults;
mod errors;
mod golden;
mod memory;
mod numbers;
mod queue;
mod queue_cycles;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod table_in_place;
mod teardown;
mod threads;
mod unchanged;
mod unchanged_table;
mod verify;
