//! Replaying what was found in somebody's queue: a folder of .storm files that say what comes of them.

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

/// How long a call may take; those that never return are waited for so long.
const PATIENCE: Duration = Duration::from_secs(3);
/// How this program is started for a child.
const ISOLATED: &str = "isolated";

/// The whole of a program: without an argument it replays what was found, and with some it is the command line over
/// these subjects.
#[allow(dead_code, reason = "a test replays, whatever its arguments are")]
pub fn or_command(own: &'static [External], folder: &str) -> ExitCode {
    if std::env::args_os().len() > 1 { cli::main_with(own) } else { replayed(own, folder) }
}

/// The whole of a test: it replays what was found, and is the command line where it is its own child.
#[allow(dead_code, reason = "an example is the command line, too")]
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

/// Replays each file, tells what came of it, and says whether that was what is expected of all of them.
fn replay(own: &'static [External], folder: &Path) -> Result<bool, Box<dyn Error>> {
    let subjects = Subjects::with(own)?;
    let isolation = Isolation { program: std::env::current_exe()?, arguments: vec![ISOLATED.to_owned()] };
    let mut child = Child::new(isolation, PATIENCE)?;
    let (mut came_true, mut count) = (0, 0);
    for (name, _, document) in documents(folder)? {
        if document.expectations.is_empty() {
            return Err(format!("{name}: no line says what is expected").into());
        }
        for (subject, expected) in document.expectations {
            let kind = subjects.by_name(&subject).ok_or_else(|| format!("{name}: no subject {subject}"))?;
            count += 1;
            came_true += usize::from(came(&mut child, &name, kind, &document.scenario, expected)?);
        }
    }
    println!("{came_true} of {count} came out as expected");
    Ok(came_true == count && count > 0)
}

/// Whether this came of a scenario, once more if it took too long; tells what did.
fn came(
    child: &mut Child,
    name: &str,
    kind: SubjectKind,
    scenario: &Scenario,
    expected: Expected,
) -> Result<bool, Failure> {
    let mut outcome = child.run(kind, scenario)?;
    if expected != Expected::Stuck && outcome.verdict == Verdict::Stuck(Limit::Time) {
        // The machine may have been busy with something else.
        outcome = child.run(kind, scenario)?;
    }
    let as_expected = Expected::of(&outcome.verdict) == expected;
    let note = if as_expected { String::new() } else { format!(", NOT {expected} as expected") };
    println!("{name}: {}: {}{note}", kind.name(), outcome.verdict);
    Ok(as_expected)
}
