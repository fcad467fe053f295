//! Any bytes where the other side writes.
//!
//! A driver reads the used ring and nothing else; a device reads the table and the available ring, and follows what
//! stands there. Neither may panic, go on for ever, reach outside its memory, or believe what cannot be.

use super::input_counts;
use super::walk_device::DeviceWalk;
use super::walk_driver::DriverWalk;
use arbitrary::Arbitrary;
use ringstorm_core::{QueueSize, SharedMemory};
use ringstorm_sim_device::{Geometry, WatchedMemory};

/// Where the device sees the rings, and the buffers.
pub(super) const RINGS_AT: u64 = 0x10_0000;
pub(super) const BUFFERS_AT: u64 = 0x1_0000_0000;

/// A queue, and what is done with it on one side while the other writes anything.
#[derive(Debug, Arbitrary)]
pub struct Walk<'a> {
    /// The queue size is two to this power, around at 2^7.
    exponent: u8,
    pub(super) first_index: u16,
    pub(super) event_index: bool,
    side: Side<'a>,
}

#[derive(Debug, Arbitrary)]
enum Side<'a> {
    Driver(DriverWalk<'a>),
    Device(DeviceWalk<'a>),
}

impl Walk<'_> {
    pub(super) fn size(&self) -> QueueSize {
        QueueSize::new(1 << (self.exponent % 8)).expect("a power of two")
    }
}

/// Says whether anything was read that the other side wrote.
///
/// # Panics
/// If something comes out that cannot be.
pub fn walk(input: &Walk<'_>) -> bool {
    let (acts, reached) = match &input.side {
        Side::Driver(side) => (side.acts(), side.run(input)),
        Side::Device(side) => (side.acts(), side.run(input)),
    };
    input_counts::count(acts, reached);
    reached
}

/// Where a queue of this size stands, by the specification's numbers alone (2.7).
pub(super) fn geometry(size: QueueSize) -> Geometry {
    let count = size.as_usize();
    let (table, available) = (0, 16 * count);
    let used = (available + 6 + 2 * count).next_multiple_of(4);
    Geometry { size: size.get(), table, available, used }
}

/// Makes a call of the driver's, or an act of the device's, that may not access memory more often than `limit`.
pub(super) fn within<T>(limit: u64, memories: [&WatchedMemory; 2], call: impl FnOnce() -> T) -> T {
    for memory in memories {
        memory.begin_call(limit);
    }
    let answer = call();
    for memory in memories {
        memory.end_call();
    }
    answer
}

/// Bytes over a part of the memory.
pub(super) fn overwrite(memory: &WatchedMemory, start: usize, end: usize, bytes: &[u8]) {
    let end = (start + bytes.len()).min(end);
    memory.copy_in(start, &bytes[..end - start]);
}
