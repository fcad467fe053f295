//! The queue that both parts of `walk` use: its parameters, its memory layout, and limits on accesses.

use arbitrary::Arbitrary;
use ringstorm_core::{QueueSize, SharedMemory};
use ringstorm_sim_device::{Geometry, WatchedMemory};

/// The device address of the rings.
pub(super) const RINGS_AT: u64 = 0x10_0000;
/// The device address of the buffers.
pub(super) const BUFFERS_AT: u64 = 0x1_0000_0000;

/// The parameters of a queue.
#[derive(Debug, Arbitrary)]
pub(super) struct WalkQueue {
    /// The queue size is 2 to the power of `exponent % 8`.
    exponent: u8,
    pub(super) first_index: u16,
    pub(super) event_index: bool,
}

impl WalkQueue {
    pub(super) fn size(&self) -> QueueSize {
        QueueSize::new(1 << (self.exponent % 8)).expect("a power of two")
    }
}

/// The offsets of table and rings for a queue of this size, computed from the specification alone (2.7).
pub(super) fn geometry(size: QueueSize) -> Geometry {
    let count = size.as_usize();
    let (table, available) = (0, 16 * count);
    let used = (available + 6 + 2 * count).next_multiple_of(4);
    Geometry { size: size.get(), table, available, used }
}

/// Runs a call of the driver or an act of the device. Memory panics if `call` accesses it more than `limit` times.
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

/// Writes `bytes` from offset `start` on, but nothing from `end` on.
pub(super) fn overwrite(memory: &WatchedMemory, start: usize, end: usize, bytes: &[u8]) {
    let end = (start + bytes.len()).min(end);
    memory.copy_in(start, &bytes[..end - start]);
}
