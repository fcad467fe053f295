//! The progress bar of a run.

use crate::campaign::{Budget, Plan, Summary};
use crate::coverage::Coverage;
use crate::report::{counted, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// A bar with the results so far. Shows nothing if standard error is not a terminal.
pub(super) struct RunProgress {
    bar: ProgressBar,
    budget: Budget,
    start: Instant,
    /// Effective steps and time of the run before it was interrupted.
    before: (u64, Duration),
}

impl RunProgress {
    /// A bar for a run that continues from `before`.
    pub(super) fn new(plan: &Plan, before: Option<&Summary>) -> Self {
        let length = match plan.budget {
            Budget::Seeds(seeds) => seeds,
            Budget::Time(time) => millis(time),
        };
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let template = "{bar:24} {percent}%, {eta} left, {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("a fixed template"));
        let before =
            before.map_or((0, Duration::ZERO), |summary| (summary.tally.effective_steps, summary.elapsed));
        Self { bar, budget: plan.budget, start: Instant::now(), before }
    }

    /// Shows the results so far.
    pub(super) fn show(&self, summary: &Summary) {
        let (steps, took) = self.before;
        let tally = &summary.tally;
        self.bar.set_position(match self.budget {
            Budget::Seeds(_) => tally.seeds,
            Budget::Time(_) => millis(took + self.start.elapsed()),
        });
        let rate = (tally.effective_steps - steps) as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
            "{}, {} effective steps/s, {} of {} coverage cells, {}",
            counted(tally.seeds, "seed"),
            grouped(rate as u64),
            tally.reach_counts.coverage().pairs_hit(),
            Coverage::pairs_total(),
            counted(summary.reported().count() as u64, "finding")
        ));
    }

    /// Hides the bar while `print` runs.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
