//! The private state of a queue, for whoever searches through its states.

use super::SplitQueue;
use crate::SharedMemory;
use core::hash::{Hash, Hasher};

impl<M: SharedMemory> SplitQueue<M> {
    /// Folds the queue's private state into a hash: all that decides what it will do, and nothing else, but for
    /// whole turns of the rings. Together with the bytes of its regions it says when two states are the same, for model
    /// checking and state coverage.
    ///
    /// Two queues over the same bytes that give the same answer every call alike, but for the serial numbers in
    /// [`Head`](crate::Head)s: those count only as far as they tell a published chain from one that is not. Ring
    /// indexes count by their slot and by their distance from one another: a queue that is a whole number of turns further
    /// on has the same fingerprint, and so do queues at other addresses. Where a device may have overwritten the indexes in
    /// memory, the caller tells such queues apart by where the rings began, or compares indexes relative to that.
    ///
    /// Takes time in proportion to the queue size.
    pub fn fingerprint(&self, state: &mut impl Hasher) {
        let Self { table, available, used, published, in_flight, health, event_index: _, policies } = self;
        table.fingerprint(*published, available.next(), state);
        available.fingerprint(used.next(), state);
        used.fingerprint(table.size(), state);
        (*in_flight, *health, *policies).hash(state);
    }
}
