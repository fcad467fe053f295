//! Runs scenarios over ringstorm's own queue.

use super::{input_counts, run};
use crate::scenario::Scenario;
use crate::subject::SubjectKind;

/// Runs a scenario over ringstorm's own queue. Returns whether a call of the driver or an act of the device changed
/// anything.
///
/// # Panics
/// If the outcome is a finding. The message contains the scenario as text.
pub fn storm(scenario: &Scenario) -> bool {
    let outcome = run(SubjectKind::Core, scenario);
    assert!(
        !outcome.is_finding(),
        "{}: {}\n{scenario}",
        outcome.signature(&SubjectKind::Core.name()),
        outcome.verdict
    );
    let reached = outcome.effective_steps > 0;
    input_counts::count(scenario.steps.len(), reached);
    reached
}
