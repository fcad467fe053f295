//! The fast tests of the queue, in one binary, because linking one binary takes less time than linking many. Slow
//! tests, and tests that need a process or an allocator of their own, are separate binaries.

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
