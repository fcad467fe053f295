//! The combined results of several starts of one method.

/// The effort until a defect was found.
#[derive(Debug, Clone, Copy)]
pub struct Catch {
    /// The number of seeds, cases or executions, including the one that found it.
    pub runs: u64,
    /// Seconds.
    pub seconds: f64,
}

/// The median and the worst of several starts, of the runs and of the seconds separately. A start that finds nothing
/// is worse than any other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Starts {
    /// The upper median, or `None` if that start found nothing.
    pub median: Option<Catch>,
    /// The worst, or `None` if a start found nothing.
    pub worst: Option<Catch>,
}

impl Starts {
    /// Runs `count` starts, numbered from 1.
    pub fn of(count: u32, first_catch: impl FnMut(u32) -> Option<Catch>) -> Self {
        let catches: Vec<Option<Catch>> = (1..=count).map(first_catch).collect();
        let found = catches.iter().flatten();
        let mut runs: Vec<u64> = found.clone().map(|catch| catch.runs).collect();
        let mut seconds: Vec<f64> = found.map(|catch| catch.seconds).collect();
        runs.sort_unstable();
        seconds.sort_unstable_by(f64::total_cmp);
        let at = |rank: usize| Some(Catch { runs: *runs.get(rank)?, seconds: *seconds.get(rank)? });
        Self { median: at(catches.len() / 2), worst: at(catches.len().saturating_sub(1)) }
    }

    /// The four cells of a row.
    pub fn cells(&self) -> String {
        let runs = |catch: Option<Catch>| catch.map_or("-".to_owned(), |catch| catch.runs.to_string());
        let seconds =
            |catch: Option<Catch>| catch.map_or("-".to_owned(), |catch| format!("{:.5}", catch.seconds));
        let Self { median, worst } = *self;
        format!(" {} | {} | {} | {} |", runs(median), runs(worst), seconds(median), seconds(worst))
    }
}
