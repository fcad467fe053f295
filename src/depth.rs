//! How deep scenarios lead: into queues of each size, around the 16-bit indexes, and away from the last notification.

use ringstorm_core::QueueSize;
use serde::{Deserialize, Serialize};

/// The number of queue sizes: the powers of two up to 32,768.
const SIZES: usize = QueueSize::MAX.get().trailing_zeros() as usize + 1;
/// The chains of one lap: after so many, a 16-bit ring index is back where it began.
pub const LAP: u32 = 1 << 16;

/// The depth that executions reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Depth {
    /// By binary logarithm of the queue size: the most chains in flight at once.
    most_in_flight: [u32; SIZES],
    /// The most chains that one queue made available since it was made or reset.
    pub most_in_one_queue: u32,
    /// The most chains that one queue made available from one notification of the device to the next.
    pub most_between_notifications: u32,
}

impl Depth {
    /// The most chains in flight at once in a queue of this size.
    pub const fn in_flight(&self, size: QueueSize) -> u32 {
        self.most_in_flight[place(size)]
    }

    /// Notes chains in flight in a queue of this size.
    pub(crate) const fn reach_in_flight(&mut self, size: QueueSize, in_flight: u32) {
        let most = &mut self.most_in_flight[place(size)];
        if in_flight > *most {
            *most = in_flight;
        }
    }

    /// Adds the depth of other executions.
    pub fn merge(&mut self, other: &Self) {
        let Self { most_in_flight, most_in_one_queue, most_between_notifications } = other;
        for (mine, theirs) in self.most_in_flight.iter_mut().zip(most_in_flight) {
            *mine = (*mine).max(*theirs);
        }
        self.most_in_one_queue = self.most_in_one_queue.max(*most_in_one_queue);
        self.most_between_notifications = self.most_between_notifications.max(*most_between_notifications);
    }
}

const fn place(size: QueueSize) -> usize {
    size.get().trailing_zeros() as usize
}

/// Every queue size.
pub fn queue_sizes() -> impl Iterator<Item = QueueSize> {
    (0..SIZES).map(|exponent| QueueSize::new(1 << exponent).expect("a power of two"))
}

/// Measures the depth of executions, one after the other.
#[derive(Debug, Default)]
pub(crate) struct DepthMeter {
    depth: Depth,
    /// Chains that the current queue made available since it was made or reset.
    in_queue: u32,
    /// Chains that it made available since the last notification of the device.
    since_notification: u32,
}

impl DepthMeter {
    /// A queue was made or reset.
    pub(crate) const fn restart(&mut self) {
        (self.in_queue, self.since_notification) = (0, 0);
    }

    /// A queue of this size made `count` chains available and now has `in_flight` chains in flight.
    pub(crate) fn made_available(&mut self, size: QueueSize, count: u16, in_flight: u32) {
        // A broken driver can move its index anywhere.
        if count > size.get() {
            return;
        }
        let Self { depth, in_queue, since_notification } = self;
        *in_queue = in_queue.saturating_add(count.into());
        *since_notification = since_notification.saturating_add(count.into());
        depth.reach_in_flight(size, in_flight);
        depth.most_in_one_queue = depth.most_in_one_queue.max(*in_queue);
        depth.most_between_notifications = depth.most_between_notifications.max(*since_notification);
    }

    /// The driver notified the device.
    pub(crate) const fn notified(&mut self) {
        self.since_notification = 0;
    }

    /// The depth since the last call of this function.
    pub(crate) fn take(&mut self) -> Depth {
        std::mem::take(&mut self.depth)
    }
}
