//! Scenarios over ringstorm's own queue.

use super::run;
use crate::scenario::Scenario;
use crate::subject::Kind;
use std::cell::RefCell;

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// What the scenarios of a run came to. Dropped with the thread, it tells.
#[derive(Default)]
struct Tally {
    executions: u64,
    steps: u64,
    reached: u64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Self { executions, steps, reached } = *self;
        let each = |count: u64| count as f64 / executions.max(1) as f64;
        eprintln!(
            "storm: {executions} executions of {:.1} steps each; {reached} of them reached the queue ({:.3} %)",
            each(steps),
            100.0 * each(reached)
        );
    }
}

/// From now on scenarios are counted, and the end of the thread tells how many there were.
pub fn begin_tally() {
    TALLY.set(Some(Tally::default()));
}

/// Runs a scenario over ringstorm's own queue. Says whether the queue was reached: whether a driver's call or a
/// device's act changed anything.
///
/// # Panics
/// If something wrong is found; the message holds the scenario as text.
pub fn storm(scenario: &Scenario) -> bool {
    let outcome = run(Kind::Core, scenario);
    assert!(
        !outcome.is_finding(),
        "{}: {}\n{scenario}",
        outcome.signature(&Kind::Core.name()),
        outcome.verdict
    );
    let reached = outcome.effective_steps > 0;
    TALLY.with_borrow_mut(|tally| {
        if let Some(tally) = tally {
            tally.executions += 1;
            tally.steps += scenario.steps.len() as u64;
            tally.reached += u64::from(reached);
        }
    });
    reached
}
