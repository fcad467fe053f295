//! Searches for the known defect of a specimen and ends when the defect is found.

use super::run;
use crate::scenario::Scenario;
use crate::subject::SubjectKind;
use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static HUNT: Cell<Option<Hunt>> = const { Cell::new(None) };
}

/// The search for the defect of one specimen.
#[derive(Clone, Copy)]
struct Hunt {
    kind: SubjectKind,
    /// When the first input ran.
    begin: Option<Instant>,
    executions: u64,
}

/// Begins the search. The specimen is the last argument that names a subject. With `-ignore_remaining_args=1` in
/// front of it, libFuzzer ignores the name. (The name need not be the last argument of all: `cargo fuzz run` appends
/// the corpus.)
///
/// # Panics
/// If no argument names a subject.
pub fn begin_hunt(arguments: impl Iterator<Item = String>) {
    let named = arguments.skip(1).filter_map(|argument| SubjectKind::by_name(&argument)).last();
    let kind = named.expect("the name of a subject at the end of the command: -ignore_remaining_args=1 NAME");
    HUNT.set(Some(Hunt { kind, begin: None, executions: 0 }));
}

/// Runs a scenario over the specimen.
///
/// # Panics
/// If the defect shows. The message begins with the signature, the number of executions and the seconds since the
/// first one. So the time does not include the start of the process or writing the crash file.
pub fn specimen(scenario: &Scenario) {
    let mut hunt = HUNT.get().expect("`begin_hunt` was called");
    hunt.executions += 1;
    let begin = *hunt.begin.get_or_insert_with(Instant::now);
    HUNT.set(Some(hunt));
    let outcome = run(hunt.kind, scenario);
    if outcome.is_finding() {
        panic!(
            "{CAUGHT}{} after {} executions and {:.6} seconds: {}\n{scenario}",
            outcome.signature(&hunt.kind.name()),
            hunt.executions,
            begin.elapsed().as_secs_f64(),
            outcome.verdict
        );
    }
}

/// The beginning of the message when the defect is found.
pub const CAUGHT: &str = "caught ";
