//! How far a run has come, on a terminal.

use crate::campaign::{Budget, Plan, Summary};
use crate::coverage::Coverage;
use crate::report::grouped;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// A bar with what was found so far. Where standard error is no terminal, nothing.
pub(super) struct RunProgress {
    bar: ProgressBar,
    budget: Budget,
    start: Instant,
    /// Effective steps, and time, of what was run before.
    before: (u64, Duration),
}

impl RunProgress {
    /// Of a run that goes on from `before`.
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

    /// Shows what a run has come to.
    pub(super) fn show(&self, summary: &Summary) {
        let (steps, took) = self.before;
        let tally = &summary.tally;
        self.bar.set_position(match self.budget {
            Budget::Seeds(_) => tally.seeds,
            Budget::Time(_) => millis(took + self.start.elapsed()),
        });
        let rate = (tally.effective_steps - steps) as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
            "{} seeds, {} effective steps/s, {} of {} pairs, {} findings",
            grouped(tally.seeds),
            grouped(rate as u64),
            tally.reach_counts.coverage().pairs_hit(),
            Coverage::pairs_total(),
            summary.findings.len()
        ));
    }

    /// Tells something meanwhile.
    pub(super) fn suspend(&self, tell: impl FnOnce()) {
        self.bar.suspend(tell);
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
