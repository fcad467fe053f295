//! The hunt for a known defect, which ends when it is caught.

use super::run;
use crate::scenario::Scenario;
use crate::subject::SubjectKind;
use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static HUNT: Cell<Option<Hunt>> = const { Cell::new(None) };
}

/// The hunt for one specimen's defect.
#[derive(Clone, Copy)]
struct Hunt {
    kind: SubjectKind,
    /// When the first input came.
    begin: Option<Instant>,
    executions: u64,
}

/// Begins the hunt for a specimen's defect: the specimen that an argument of the fuzzer names, which libFuzzer leaves alone
/// behind `-ignore_remaining_args=1`. (It need not be the last: `cargo fuzz run` puts the corpus behind it.)
///
/// # Panics
/// If none is the name of a subject.
pub fn begin_hunt(arguments: impl Iterator<Item = String>) {
    let named = arguments.skip(1).filter_map(|argument| SubjectKind::by_name(&argument)).last();
    let kind = named.expect("the name of a subject: -ignore_remaining_args=1 NAME at the end of the command");
    HUNT.set(Some(Hunt { kind, begin: None, executions: 0 }));
}

/// Runs a scenario over the subject that is hunted.
///
/// # Panics
/// If something wrong is found: that is the catch. The message begins with the signature, the number of executions and
/// the seconds since the first one, so that neither the start of the process nor the writing of a crash counts.
pub fn specimen(scenario: &Scenario) {
    let mut hunt = HUNT.get().expect("a hunt was begun");
    hunt.executions += 1;
    let begin = *hunt.begin.get_or_insert_with(Instant::now);
    HUNT.set(Some(hunt));
    let outcome = run(hunt.kind, scenario);
    if outcome.is_finding() {
        panic!(
            "{CATCH}{} after {} executions and {:.6} seconds: {}\n{scenario}",
            outcome.signature(&hunt.kind.name()),
            hunt.executions,
            begin.elapsed().as_secs_f64(),
            outcome.verdict
        );
    }
}

/// What a catch's message begins with.
pub const CATCH: &str = "caught ";
