//! How many states a scope has, guessed from its first levels.

/// States that are seen before anything is guessed: as many as take a moment, or a tenth of what there may be.
const ENOUGH: u64 = 20_000;
/// Levels that a guess needs: the growth from one to the next, and how that changes.
const LEVELS: usize = 4;

/// How many states there will be with every depth up to `depth`, from the new ones of each of the first levels; `None` if
/// these are too few.
///
/// Each level is some times as large as the one before, and less so from level to level, since more and more of what is
/// reached was seen before. The logarithm of that factor is taken to go on shrinking as it did last.
pub(super) fn forecast(levels: &[u64], depth: usize, limit: u64) -> Option<Vec<u64>> {
    if levels.len() < LEVELS || levels.iter().sum::<u64>() < ENOUGH.min(limit / 10) {
        return None;
    }
    let [.., before, last, now] = *levels else { return None };
    let (mut growth, earlier) = ((now as f64 / last as f64).ln(), (last as f64 / before as f64).ln());
    // A level that is smaller than the one before tells nothing of the next but that it is not larger.
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
