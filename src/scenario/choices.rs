//! Choosing among things that are not equally likely.

/// Things with their weights, to be chosen among many times over.
pub(super) struct Choices<T> {
    /// Each thing with the sum of its weight and those of all before it.
    ends: Vec<(u32, T)>,
}

impl<T: Copy> Choices<T> {
    /// Those of a weight above zero.
    pub(super) fn new(weighted: impl Iterator<Item = (T, u32)>) -> Self {
        let mut total = 0;
        let ends = weighted.filter(|(_, weight)| *weight > 0).map(|(item, weight)| {
            total += weight;
            (total, item)
        });
        Self { ends: ends.collect() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sum of all weights.
    pub(super) fn total(&self) -> u32 {
        self.ends.last().map_or(0, |(end, _)| *end)
    }

    /// The thing at a place below the total: each has as many as it weighs.
    pub(super) fn at(&self, place: u32) -> T {
        self.ends[self.ends.partition_point(|(end, _)| *end <= place)].1
    }

    /// Without those that do not pass.
    pub(super) fn only(&self, passes: impl Fn(T) -> bool) -> Self {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        let weighted = self.ends.iter().zip(starts).map(|((end, item), start)| (*item, end - start));
        Self::new(weighted.filter(|(item, _)| passes(*item)))
    }
}
