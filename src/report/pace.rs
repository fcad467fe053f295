//! The pace of a run as JSON: effective steps over time.

use crate::campaign::{Pace, Point};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One sample of the pace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaceReport {
    /// Seconds since the run began.
    pub seconds: f64,
    /// Effective steps so far.
    pub effective_steps: u64,
    /// Their thread time so far, in seconds.
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

/// Reads the pace of a report, to continue from it.
///
/// # Errors
/// A message if a time is invalid.
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
