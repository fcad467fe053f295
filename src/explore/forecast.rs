//! Estimates the number of states of a scope from its first levels.

/// The number of states before the first estimate. They are explored in a moment; a smaller limit uses a tenth of the
/// limit.
const ENOUGH: u64 = 20_000;
/// The number of levels that an estimate needs: for the growth from one to the next, and for its change.
const LEVELS: usize = 4;

/// The estimated total of states for every depth up to `depth`, from the numbers of new states of the first levels.
/// `None` if these are too few.
///
/// Each level grows by some factor, which decreases from level to level, because more of the reached states are
/// already known. The estimate assumes that the logarithm of the factor keeps shrinking as it did last.
pub(super) fn forecast(levels: &[u64], depth: usize, limit: u64) -> Option<Vec<u64>> {
    if levels.len() < LEVELS || levels.iter().sum::<u64>() < ENOUGH.min(limit / 10) {
        return None;
    }
    let [.., before, last, now] = *levels else { return None };
    let (mut growth, earlier) = ((now as f64 / last as f64).ln(), (last as f64 / before as f64).ln());
    // If a level is smaller than the previous one, assume only that the next one is not larger.
    let shrinking = if growth > 0.0 && earlier > growth { growth / earlier } else { 1.0 };
    let mut totals: Vec<u64> = levels
        .iter()
        .scan(0, |total, new| {
            *total += new;
            Some(*total)
        })
        .collect();
    let (mut new, mut total) = (now as f64, totals[levels.len() - 1] as f64);
    for _ in levels.len()..=depth {
        growth *= shrinking;
        new *= growth.exp();
        total += new;
        totals.push(total as u64);
    }
    totals.truncate(depth + 1);
    Some(totals)
}
