//! How fast a run was as it went on, as JSON.

use crate::campaign::{Pace, Point};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far a run was at some time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaceReport {
    /// Since its beginning.
    pub seconds: f64,
    /// Effective steps until then.
    pub effective_steps: u64,
    /// Thread time spent on them until then.
    pub stepping_seconds: f64,
}

pub(super) fn pace_report(pace: &Pace) -> Vec<PaceReport> {
    let report = |point: &Point| PaceReport {
        seconds: point.elapsed.as_secs_f64(),
        effective_steps: point.effective_steps,
        stepping_seconds: point.stepping.as_secs_f64(),
    };
    pace.points().iter().map(report).collect()
}

/// What a report says, to go on from.
///
/// # Errors
/// A word on what makes no sense in it.
pub(super) fn pace(report: &[PaceReport]) -> Result<Pace, String> {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
    let point = |point: &PaceReport| -> Result<Point, String> {
        Ok(Point {
            elapsed: seconds(point.seconds)?,
            effective_steps: point.effective_steps,
            stepping: seconds(point.stepping_seconds)?,
        })
    };
    report.iter().map(point).collect()
}
