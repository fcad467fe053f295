//! Checks where the driver placed the parts of the queue.

use crate::Violation;
use crate::invariant::require;
use crate::model::Model;
use crate::wording::bytes;

impl Model {
    /// Checks the offsets of table, available ring and used ring. The table of 2.7 states their alignment and their size, which
    /// do not depend on the features.
    pub(crate) fn layout(&self, [table, available, used]: [u64; 3]) -> Result<(), Violation> {
        let size = u64::from(self.setup.queue_size);
        let parts = [
            ("descriptor table", table, 16, 16 * size),
            ("available ring", available, 2, 6 + 2 * size),
            ("used ring", used, 4, 6 + 8 * size),
        ];
        for (name, start, alignment, _) in parts {
            require!(
                start.is_multiple_of(alignment),
                Layout,
                "the {name} begins at offset {start}; expected a multiple of {alignment}"
            );
        }
        for (at, (name, start, _, length)) in parts.into_iter().enumerate() {
            for (other, from, _, other_length) in &parts[..at] {
                require!(
                    start >= from.saturating_add(*other_length) || *from >= start.saturating_add(length),
                    Layout,
                    "the {name}, {} from offset {start}, overlaps the {other}, {} from offset {from}",
                    bytes(length),
                    bytes(*other_length)
                );
            }
        }
        Ok(())
    }
}
