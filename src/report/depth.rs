//! How deep a run went, as JSON and as text.

use super::{counted, grouped};
use crate::campaign::Plan;
use crate::depth::{Depth, LAP, queue_sizes};
use ringstorm_core::QueueSize;
use serde::{Deserialize, Serialize};

/// How deep a run went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DepthReport {
    /// The most chains in flight at once, for each queue size that the run can draw.
    pub in_flight: Vec<InFlight>,
    /// The most chains that one queue made available since it was made or reset. 65,536 are one lap of the ring indexes.
    pub most_in_one_queue: u32,
    /// The most chains that one queue made available from one notification of the device to the next.
    pub most_between_notifications: u32,
}

/// The most chains in flight at once in queues of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InFlight {
    /// The number of descriptors, and so of chains that can be in flight at once.
    pub queue_size: u16,
    /// The most chains in flight at once; 0 also if no seed drew this size.
    pub most: u32,
}

impl DepthReport {
    /// The depth of a run of this plan.
    pub(super) fn new(plan: &Plan, depth: &Depth) -> Self {
        let largest = plan.kind.largest();
        let is_drawn = |size: &QueueSize| match plan.draw.queue_size {
            Some(only) => *size == only.min(largest),
            None => *size <= largest,
        };
        Self::of(queue_sizes().filter(is_drawn), depth)
    }

    /// The same sizes with this depth.
    pub(super) fn with(&self, depth: &Depth) -> Self {
        Self::of(self.in_flight.iter().filter_map(InFlight::size), depth)
    }

    fn of(sizes: impl Iterator<Item = QueueSize>, depth: &Depth) -> Self {
        let in_flight =
            sizes.map(|size| InFlight { queue_size: size.get(), most: depth.in_flight(size) }).collect();
        let Depth { most_in_one_queue, most_between_notifications, .. } = *depth;
        Self { in_flight, most_in_one_queue, most_between_notifications }
    }

    /// The depth.
    ///
    /// # Errors
    /// A message if there are more chains in flight than the queue has descriptors, or no queue has this size.
    pub(super) fn read(&self) -> Result<Depth, String> {
        let Self { in_flight, most_in_one_queue, most_between_notifications } = self;
        let mut depth = Depth::default();
        depth.most_in_one_queue = *most_in_one_queue;
        depth.most_between_notifications = *most_between_notifications;
        for entry in in_flight {
            let InFlight { queue_size, most } = *entry;
            let size =
                entry.size().ok_or_else(|| format!("depth: expected a queue size, found {queue_size}"))?;
            if most > queue_size.into() {
                return Err(format!("depth: expected at most {queue_size} chains in flight, found {most}"));
            }
            depth.reach_in_flight(size, most);
        }
        Ok(depth)
    }

    /// What the run did not reach, in words, each with the most that it reached.
    pub(super) fn missed(&self) -> Vec<String> {
        let unfilled = self.in_flight.iter().filter(|entry| !entry.is_full());
        let unfilled = unfilled.enumerate().map(|(number, InFlight { queue_size, most })| {
            let size = grouped((*queue_size).into());
            // Only the first one says what the number in brackets counts.
            match number {
                0 => format!("{size} (at most {} in flight)", counted((*most).into(), "chain")),
                _ => format!("{size} ({})", grouped((*most).into())),
            }
        });
        let unfilled: Vec<String> = unfilled.collect();
        let full = (!unfilled.is_empty()).then(|| format!("full queues of {}", unfilled.join(", ")));
        let far = [
            ("a lap of the 16-bit indexes", self.most_in_one_queue),
            ("65,536 chains between notifications", self.most_between_notifications),
        ];
        let short = far.iter().filter(|(_, chains)| *chains < LAP);
        let short =
            short.map(|(what, most)| format!("{what} (at most {})", counted((*most).into(), "chain")));
        full.into_iter().chain(short).collect()
    }

    /// The number of queue sizes with as many chains in flight as descriptors.
    pub(super) fn filled(&self) -> usize {
        self.in_flight.iter().filter(|entry| entry.is_full()).count()
    }

    /// One line, without its name.
    pub(super) fn line(&self) -> String {
        let laps = self.most_in_one_queue / LAP;
        format!(
            "{} of {} queue sizes filled with chains in flight; {laps} {} of the 16-bit indexes; {} between notifications",
            self.filled(),
            self.in_flight.len(),
            if laps == 1 { "lap" } else { "laps" },
            counted(self.most_between_notifications.into(), "chain")
        )
    }
}

impl InFlight {
    fn size(&self) -> Option<QueueSize> {
        QueueSize::new(self.queue_size.into()).ok()
    }

    fn is_full(&self) -> bool {
        self.most >= self.queue_size.into()
    }
}
