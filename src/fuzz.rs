//! What the fuzz targets do, so that each of them is a doorbell and `cargo test` can ring it too.

use crate::execution::Rig;
use crate::scenario::Scenario;
use crate::subject::Kind;
use std::cell::RefCell;

thread_local! {
    static RIG: RefCell<Rig> = RefCell::new(Rig::new().expect("memory for small queues"));
}

/// Runs a scenario over ringstorm's own queue. Says whether the queue was reached: whether a driver's call or a
/// device's act changed anything.
///
/// # Panics
/// If something wrong is found; the message holds the scenario as text.
pub fn storm(scenario: &Scenario) -> bool {
    let outcome = RIG.with_borrow_mut(|rig| rig.run(Kind::Core, scenario, &mut ()));
    let outcome = outcome.expect("memory for the scenario");
    assert!(
        !outcome.is_finding(),
        "{}: {}\n{scenario}",
        outcome.signature(&Kind::Core.name()),
        outcome.verdict
    );
    outcome.effective_steps > 0
}
