//! Arbitrary bytes in the memory that one side reads and the other side writes.
//!
//! A driver reads the used ring and nothing else. A device reads the table and the available ring, and the buffers
//! that they name. Neither side may panic, loop forever, access memory outside of its regions, or accept impossible
//! values.

use super::input_counts;
use super::walk_device::DeviceWalk;
use super::walk_driver::DriverWalk;
use super::walk_queue::WalkQueue;
use arbitrary::Arbitrary;

/// A queue, and what one side does with it while the other side writes arbitrary bytes.
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

/// Returns whether one side read anything that the other side wrote.
///
/// # Panics
/// If a result is impossible.
pub fn walk(input: &Walk<'_>) -> bool {
    let (acts, reached) = match &input.side {
        Side::Driver(side) => (side.acts(), side.run(&input.queue)),
        Side::Device(side) => (side.acts(), side.run(&input.queue)),
    };
    input_counts::count(acts, reached);
    reached
}
