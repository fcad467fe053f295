//! Replays the findings in an external queue: a folder of .storm files with the expected outcomes.

mod documents;

use documents::documents;
use ringstorm::cli;
use ringstorm::executor::{Executor, Failure};
use ringstorm::isolation::{Child, Isolation};
use ringstorm::outcome::{Expected, Limit, Verdict};
use ringstorm::scenario::Scenario;
use ringstorm::subject::{External, SubjectKind, Subjects};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The call timeout: a call that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(3);
/// The argument with which this program starts itself as a child process.
const ISOLATED: &str = "isolated";

/// The `main` of an example: without arguments it replays the findings, with arguments it is the whole command over these
/// subjects.
#[allow(dead_code, reason = "a test uses `or_child`")]
pub fn or_command(own: &'static [External], folder: &str) -> ExitCode {
    if std::env::args_os().len() > 1 { cli::main_with(own) } else { replayed(own, folder) }
}

/// The `main` of a test: it replays the findings, and is the whole command in its own child processes.
#[allow(dead_code, reason = "an example uses `or_command`")]
pub fn or_child(own: &'static [External], folder: &str) -> ExitCode {
    let child = std::env::args_os().nth(1).is_some_and(|first| first == ISOLATED);
    if child { cli::main_with(own) } else { replayed(own, folder) }
}

fn replayed(own: &'static [External], folder: &str) -> ExitCode {
    match replay(own, Path::new(folder)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Replays each file and prints its outcomes. Returns whether all were as expected.
fn replay(own: &'static [External], folder: &Path) -> Result<bool, Box<dyn Error>> {
    let subjects = Subjects::with(own)?;
    let isolation = Isolation { program: std::env::current_exe()?, arguments: vec![ISOLATED.to_owned()] };
    let mut child = Child::new(isolation, PATIENCE)?;
    let (mut as_expected, mut count) = (0, 0);
    for (name, _, document) in documents(folder)? {
        if document.expectations.is_empty() {
            return Err(format!("{name}: the file has no expect line").into());
        }
        for (subject, expected) in document.expectations {
            let kind =
                subjects.by_name(&subject).ok_or_else(|| format!("{name}: there is no subject {subject}"))?;
            count += 1;
            as_expected += usize::from(has_outcome(&mut child, &name, kind, &document.scenario, expected)?);
        }
    }
    println!("{as_expected} of {count} outcomes are as expected");
    Ok(as_expected == count && count > 0)
}

/// Runs a scenario, prints its outcome, and returns whether it is the expected one. An unexpected timeout is tried once more.
fn has_outcome(
    child: &mut Child,
    name: &str,
    kind: SubjectKind,
    scenario: &Scenario,
    expected: Expected,
) -> Result<bool, Failure> {
    let mut outcome = child.run(kind, scenario)?;
    if expected != Expected::Stuck && outcome.verdict == Verdict::Stuck(Limit::Time) {
        // The machine may have been busy.
        outcome = child.run(kind, scenario)?;
    }
    let as_expected = Expected::of(&outcome.verdict) == expected;
    let note = if as_expected { String::new() } else { format!(", NOT {expected} as expected") };
    println!("{name}: {}: {}{note}", kind.name(), outcome.verdict);
    Ok(as_expected)
}
