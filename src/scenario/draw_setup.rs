//! Draws the setup of a scenario.

use super::draw::Drawer;
use super::{BUFFER_BYTES_MAX, Ending, Setup};
use ringstorm_core::{AfterFault, OverLong, Policies, QueueSize, RingIndex, WritableBuffers};

impl Drawer {
    /// Draws how the queue ends. This is drawn last, so that it does not affect the other draws.
    pub(super) fn ending(&mut self) -> Ending {
        if self.one_in(4) { Ending::Dropped } else { Ending::Released }
    }

    /// Draws a setup without its [ending](Self::ending).
    pub(super) fn setup(&mut self, queue_size: Option<QueueSize>) -> Setup {
        // Small queues reach most states quickly. Large ones are for defects that only they can show.
        let exponent = self.choose(&[
            (0, 60),
            (1, 80),
            (2, 120),
            (3, 160),
            (4, 120),
            (5, 80),
            (6, 60),
            (7, 40),
            (8, 30),
            (9, 4),
            (10, 4),
            (11, 2),
            (12, 2),
            (13, 1),
            (14, 1),
            (15, 1),
        ]);
        let drawn = QueueSize::new(1 << exponent).expect("a power of two");
        let queue_size = queue_size.unwrap_or(drawn);
        let most = BUFFER_BYTES_MAX / u64::from(queue_size.get());
        let buffer_size = self.choose(&[(1, 3), (7, 6), (16, 12), (64, 24), (100, 6), (512, 3), (4096, 1)]);
        let first_index = match self.below(3) {
            0 => 0,
            1 => 0xffff - self.below(32) as u16,
            _ => self.any(),
        };
        Setup {
            queue_size,
            buffer_size: u64::from(buffer_size as u16).min(most) as u16,
            first_index: RingIndex::new(first_index),
            event_index: self.one_in(2),
            policies: Policies {
                after_fault: if self.one_in(3) { AfterFault::Broken } else { AfterFault::Continue },
                over_long: if self.one_in(2) { OverLong::Clamp } else { OverLong::Refuse },
                writable: if self.one_in(4) { WritableBuffers::Zeroed } else { WritableBuffers::Unchanged },
            },
            ending: Ending::Released,
        }
    }
}
