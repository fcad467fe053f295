//! The tests of the queue, in one binary, since linking one takes no longer than linking each of many. Beside it stand
//! those that take long, and those that need a process or an allocator of their own.

mod accesses;
mod copies;
mod defects;
mod device_faults;
mod errors;
mod event_index;
mod fingerprint;
mod golden;
mod memory;
mod numbers;
mod queue;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod table_in_place;
mod teardown;
mod unchanged;
mod unchanged_table;
mod unwinding;
mod verify;
mod wide;
mod withdraw;
