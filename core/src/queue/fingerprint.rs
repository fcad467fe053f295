//! A hash of the private state of a queue, for state-space exploration.

use super::SplitQueue;
use crate::SharedMemory;
use core::hash::{Hash, Hasher};

impl<M: SharedMemory> SplitQueue<M> {
    /// Hashes the queue's private state, for model checking and state coverage. Together with the bytes of the regions, the
    /// hash identifies a state: two queues with equal bytes and equal fingerprints answer every call equally, except for the
    /// serial numbers in [`Head`](crate::Head)s.
    ///
    /// The fingerprint contains all private state that affects later calls, with these exceptions:
    /// - Of a serial number it contains only whether the chain is published.
    /// - Of ring indexes it contains the positions in the ring and the distances, not whole turns of the ring.
    /// - It does not contain addresses.
    ///
    /// So a queue that is a whole number of turns ahead has the same fingerprint. If a device may have overwritten the
    /// indexes in memory, the caller must distinguish such queues by their first index, or compare indexes relative to it.
    ///
    /// The time is proportional to the queue size.
    pub fn fingerprint(&self, state: &mut impl Hasher) {
        let Self { table, available, used, published, in_flight, health, event_index: _, policies } = self;
        table.fingerprint(*published, *available.next(), state);
        available.fingerprint(used.next(), state);
        used.fingerprint(table.size(), state);
        (*in_flight, *health, *policies).hash(state);
    }
}
