//! How long a state-machine test looks for a failure, and what is left of one.

use proptest::test_runner::Config;
use ringstorm::scenario::{Document, Scenario};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

/// 96 cases, or as many as `PROPTEST_CASES` says. No seeds are kept: what failed is kept as a scenario.
pub fn config() -> Config {
    let found = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { found.cases } else { 96 };
    Config { cases, max_shrink_iters: 8192, failure_persistence: None, ..found }
}

/// Where the scenario of a test that failed is kept.
pub fn kept_file(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.storm"))
}

/// Ends a run: writes the scenario to a file, and panics with it and the command that runs it again, in which
/// PATH stands for the file. While shrinking the last failure is also the smallest, so that one stays. `what` is the matter,
/// in its first line; `regression` says what makes the file one.
pub fn fail(test: &str, scenario: &Scenario, what: &str, regression: &str, replay: &str) -> ! {
    let path = kept_file(test);
    let first = what.lines().next().unwrap_or_default();
    let document = Document {
        comments: vec![format!(" {first}"), format!(" {regression}")],
        scenario: scenario.clone(),
        expectations: Vec::new(),
    };
    let kept = match std::fs::write(&path, document.to_string()) {
        Ok(()) => format!("to run it again:\n    {}", replay.replace("PATH", &path.to_string_lossy())),
        Err(error) => format!("not kept in {}: {error}", path.display()),
    };
    resume_unwind(Box::new(format!("{what}\n\n{scenario}\n{kept}\n")))
}
