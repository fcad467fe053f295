//! Choosing among things that are not equally likely.

use arrayvec::ArrayVec;

/// As many places has a table.
const PLACES: usize = 256;

/// Among as many things can be chosen.
pub(super) const MOST: usize = 64;

/// Things with their weights: in place, so that drawing a scenario allocates nothing.
pub(super) type Weighted<T> = ArrayVec<(T, u32), MOST>;

/// Things with their weights, to be chosen among many times over.
///
/// Each stands in a table as often as its weight says, to the nearest of [`PLACES`], and at least once if it has any.
pub(super) struct Choices<T> {
    table: [T; PLACES],
    weighted: Weighted<T>,
}

impl<T: Copy> Choices<T> {
    /// Those of a weight above zero, or `nothing` everywhere.
    pub(super) fn new(weighted: impl Iterator<Item = (T, u32)>, nothing: T) -> Self {
        let weighted: Weighted<T> = weighted.filter(|(_, weight)| *weight > 0).collect();
        let (total, count) = (weighted.iter().map(|(_, weight)| weight).sum::<u32>(), weighted.len() as u32);
        let mut table = [nothing; PLACES];
        let (mut start, mut sum) = (0, 0);
        for ((item, weight), number) in weighted.iter().zip(1..) {
            sum += weight;
            // One place for each that came so far, and of the others the share of their weights.
            let end = (number + (PLACES as u32 - count) * sum / total) as usize;
            table[start..end].fill(*item);
            start = end;
        }
        Self { table, weighted }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.weighted.is_empty()
    }

    /// What stands at a place.
    #[inline(always)]
    pub(super) const fn at(&self, place: u8) -> T {
        self.table[place as usize]
    }

    /// Those that pass, with their weights.
    pub(super) fn only(&self, passes: impl Fn(T) -> bool) -> impl Iterator<Item = (T, u32)> {
        self.weighted.iter().copied().filter(move |(item, _)| passes(*item))
    }
}
