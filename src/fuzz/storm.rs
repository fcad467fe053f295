//! Scenarios over ringstorm's own queue.

use super::{run, tally};
use crate::scenario::Scenario;
use crate::subject::Kind;

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
    tally::count(scenario.steps.len(), reached);
    reached
}
