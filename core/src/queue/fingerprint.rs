//! The private state of a queue, for whoever searches through its states.

use super::SplitQueue;
use crate::SharedMemory;
use core::hash::{Hash, Hasher};

impl<M: SharedMemory> SplitQueue<M> {
    /// Folds the queue's private state into a hash: all that decides what it will do, and nothing else. Together with
    /// the bytes of its regions it says when two states are the same, for model checking and state coverage.
    ///
    /// Two queues over the same bytes that give the same answer every call alike, but for the serial numbers in
    /// [`Head`](crate::Head)s: those count only as far as they tell a published chain from one that is not. Ring
    /// indexes count by their slot and by their distance from one another, since where the device is to find them
    /// stands in memory: a queue that is a whole number of turns further on has the same fingerprint. So do queues at
    /// other addresses.
    ///
    /// Takes time in proportion to the queue size.
    pub fn fingerprint(&self, state: &mut impl Hasher) {
        let Self { table, available, used, published, in_flight, broken, event_index: _, policies } = self;
        table.fingerprint(*published, state);
        available.fingerprint(used.next(), state);
        used.fingerprint(state);
        (*in_flight, *broken, *policies).hash(state);
    }
}
