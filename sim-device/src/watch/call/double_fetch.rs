//! Finds a field that a call of the driver has loaded twice.

use super::{CallLog, FEW, Load};
use std::cell::Cell;

impl CallLog {
    /// The lowest offset at which a load begins inside another load. A field that the driver must load again, after it has stored
    /// another one, counts once for each of these stores. The used index and the elements count again when the driver looks for
    /// more elements.
    pub(super) fn double_fetch(&self) -> Option<usize> {
        let loads = self.loads.get();
        // Most drivers load in ascending order. Then there is nothing to sort.
        let in_order = |(offset, size): Load, next: Load| offset + size <= next.0;
        if let Some(few) = self.first_loads.get(..loads)
            && few.is_sorted_by(|one, next| in_order(one.get(), next.get()))
        {
            return None;
        }
        self.overlapping_load()
    }

    /// [`double_fetch`](Self::double_fetch), if the loads are not in ascending order.
    fn overlapping_load(&self) -> Option<usize> {
        let loads = self.loads.get();
        let first = self.first_loads.each_ref().map(Cell::get);
        let first = &first[..loads.min(FEW)];
        let mut more = self.more_loads.borrow_mut();
        more.truncate(loads.saturating_sub(FEW));
        let loads = || first.iter().chain(more.iter()).copied();
        let mut sorted = self.sorted_loads.borrow_mut();
        sorted.clear();
        sorted.extend(
            loads().zip(0..).filter(|(load, number)| !self.order.is_of_earlier_round(*number, *load)),
        );
        sorted.sort_unstable();
        let again = sorted.windows(2).find(|pair| {
            let [((offset, size), one), (next, other)] = [pair[0], pair[1]];
            let (before, after) = (one.min(other), one.max(other));
            let mut between = loads().take(after).skip(before + 1);
            next.0 < offset + size && !self.order.looks_for_more(next, &mut between)
        });
        again.map(|pair| pair[1].0.0)
    }
}
