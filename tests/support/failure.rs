//! The number of cases of a state-machine test, and the report of a failure.

use proptest::test_runner::Config;
use ringstorm::scenario::{Document, Scenario};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

/// 96 cases, or the number in `PROPTEST_CASES`. No seed files are written: a failing case is written as a scenario.
pub fn config() -> Config {
    let found = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { found.cases } else { 96 };
    Config { cases, max_shrink_iters: 8192, failure_persistence: None, ..found }
}

/// The file for the scenario of a failing test.
pub fn failure_file(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.storm"))
}

/// Reports a failing case: writes the scenario to a file, and panics with the scenario and the command `replay`, in which PATH
/// is replaced by the path of the file. While proptest shrinks, each failure overwrites the file, so the smallest one remains.
/// The first line of `what` and the line `regression` become comments of the file.
pub fn fail(test: &str, scenario: &Scenario, what: &str, regression: &str, replay: &str) -> ! {
    let path = failure_file(test);
    let first = what.lines().next().unwrap_or_default();
    let document = Document {
        comments: vec![format!(" {first}"), format!(" {regression}")],
        scenario: scenario.clone(),
        expectations: Vec::new(),
    };
    let note = match std::fs::write(&path, document.to_string()) {
        Ok(()) => format!("replay it with:\n    {}", replay.replace("PATH", &path.to_string_lossy())),
        Err(error) => format!("the scenario was not written to {}: {error}", path.display()),
    };
    resume_unwind(Box::new(format!("{what}\n\n{scenario}\n{note}\n")))
}
