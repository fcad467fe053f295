//! Weighted random choices.

use arrayvec::ArrayVec;

/// The number of slots in a table.
const SLOTS: usize = 256;

/// The most items in one choice.
pub(super) const MAX_ITEMS: usize = 64;

/// Items with their weights. Stored without an allocation, so that drawing a scenario allocates nothing.
pub(super) type Weighted<T> = ArrayVec<(T, u32), MAX_ITEMS>;

/// Items with their weights, for many choices in a row.
///
/// An item fills slots of the table in proportion to its weight, rounded, and at least one if its weight is not zero.
pub(super) struct Choices<T> {
    table: [T; SLOTS],
    weighted: Weighted<T>,
}

impl<T: Copy> Choices<T> {
    /// A table of the items with a weight above zero. If there are none, every slot has `nothing`.
    pub(super) fn new(weighted: impl Iterator<Item = (T, u32)>, nothing: T) -> Self {
        let weighted: Weighted<T> = weighted.filter(|(_, weight)| *weight > 0).collect();
        let (total, count) = (weighted.iter().map(|(_, weight)| weight).sum::<u32>(), weighted.len() as u32);
        let mut table = [nothing; SLOTS];
        let (mut start, mut sum) = (0, 0);
        for ((item, weight), number) in weighted.iter().zip(1..) {
            sum += weight;
            // One slot for each item so far, and a share of the other slots by weight.
            let end = (number + (SLOTS as u32 - count) * sum / total) as usize;
            table[start..end].fill(*item);
            start = end;
        }
        Self { table, weighted }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.weighted.is_empty()
    }

    /// The item in a slot.
    #[inline(always)]
    pub(super) const fn at(&self, slot: u8) -> T {
        self.table[slot as usize]
    }

    /// The items for which `passes` is true, with their weights.
    pub(super) fn only(&self, passes: impl Fn(T) -> bool) -> impl Iterator<Item = (T, u32)> {
        self.weighted.iter().copied().filter(move |(item, _)| passes(*item))
    }
}
