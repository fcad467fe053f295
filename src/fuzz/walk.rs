//! Any bytes where the other side writes.
//!
//! A driver reads the used ring and nothing else; a device reads the table and the available ring, and follows what
//! stands there. Neither may panic, go on for ever, reach outside its memory, or believe what cannot be.

use super::input_counts;
use super::walk_device::DeviceWalk;
use super::walk_driver::DriverWalk;
use super::walk_queue::WalkQueue;
use arbitrary::Arbitrary;

/// A queue, and what is done with it on one side while the other writes anything.
#[derive(Debug, Arbitrary)]
pub struct Walk<'a> {
    queue: WalkQueue,
    side: Side<'a>,
}

#[derive(Debug, Arbitrary)]
enum Side<'a> {
    Driver(DriverWalk<'a>),
    Device(DeviceWalk<'a>),
}

/// Says whether anything was read that the other side wrote.
///
/// # Panics
/// If something comes out that cannot be.
pub fn walk(input: &Walk<'_>) -> bool {
    let (acts, reached) = match &input.side {
        Side::Driver(side) => (side.acts(), side.run(&input.queue)),
        Side::Device(side) => (side.acts(), side.run(&input.queue)),
    };
    input_counts::count(acts, reached);
    reached
}
