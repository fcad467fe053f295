//! Runs scenarios over subjects that a test makes.

use ringstorm::execution::{CannotRun, Rig};
use ringstorm::outcome::Outcome;
use ringstorm::scenario::{Document, Scenario, Setup};
use ringstorm::subject::{Capabilities, External, Provided, Subject, SubjectKind};

/// A subject that exists until the process ends.
pub fn subject(
    name: &str,
    can: Capabilities,
    build: impl Fn(&Setup, &Provided) -> Box<dyn Subject> + Send + Sync + 'static,
) -> SubjectKind {
    SubjectKind::External(Box::leak(Box::new(External::variant(name, can, build))))
}

pub fn run(kind: SubjectKind, scenario: &Scenario) -> Result<Outcome, CannotRun> {
    Rig::new().expect("memory").run(kind, scenario, &mut ())
}

/// A scenario of these steps, with four descriptors and buffers of 8 bytes.
pub fn scenario(steps: &str) -> Scenario {
    let text = format!("ringstorm scenario 1\nqueue size=4 buffer=8\n{steps}\n");
    text.parse::<Document>().expect("a scenario").scenario
}
