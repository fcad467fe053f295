//! Records the speed of a run over time.

use crate::tally::Tally;
use std::time::Duration;

/// The maximal number of points.
const MAX_POINTS: usize = 240;
/// The minimal time between points.
const MIN_DISTANCE: Duration = Duration::from_millis(50);

/// The state of a run at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// Time since the run started.
    pub elapsed: Duration,
    /// Effective steps so far.
    pub effective_steps: u64,
    /// Thread time spent on these steps.
    pub stepping: Duration,
}

/// The speed of a run over time, as at most 240 points in order. No outcome depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace(Vec<Point>);

impl Pace {
    /// The points, in order.
    pub(crate) fn points(&self) -> &[Point] {
        &self.0
    }

    /// Adds a point if the last one is long enough ago.
    pub(crate) fn note(&mut self, elapsed: Duration, tally: &Tally) {
        let since = elapsed.saturating_sub(self.0.last().map_or(Duration::ZERO, |point| point.elapsed));
        if since >= MIN_DISTANCE.max(elapsed / MAX_POINTS as u32) {
            self.push(Point::new(elapsed, tally));
        }
    }

    /// Returns a copy with a point for the current time at the end.
    pub(crate) fn until(&self, elapsed: Duration, tally: &Tally) -> Self {
        let mut pace = self.clone();
        let last = Point::new(elapsed, tally);
        if pace.0.last() != Some(&last) {
            pace.push(last);
        }
        pace
    }

    /// Appends the points of another part, which started when this one ended.
    pub(crate) fn append(&mut self, end: Point, next: &Self) {
        for Point { elapsed, effective_steps, stepping } in &next.0 {
            self.push(Point {
                elapsed: end.elapsed.saturating_add(*elapsed),
                effective_steps: end.effective_steps.saturating_add(*effective_steps),
                stepping: end.stepping.saturating_add(*stepping),
            });
        }
    }

    fn push(&mut self, point: Point) {
        if self.0.len() >= MAX_POINTS {
            let mut place = 0;
            self.0.retain(|_| {
                place += 1;
                place % 2 == 0
            });
        }
        self.0.push(point);
    }
}

impl FromIterator<Point> for Pace {
    fn from_iter<T: IntoIterator<Item = Point>>(points: T) -> Self {
        let mut pace = Self::default();
        points.into_iter().for_each(|point| pace.push(point));
        pace
    }
}

impl Point {
    const fn new(elapsed: Duration, tally: &Tally) -> Self {
        Self { elapsed, effective_steps: tally.effective_steps, stepping: tally.stepping }
    }
}
