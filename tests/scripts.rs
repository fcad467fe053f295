//! Scripts and workflows: what they call is there, and can be called.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder, each with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(top().join(folder)).expect("a folder");
    let files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(!files.is_empty(), "{folder} is empty");
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// The scripts of `.ci` that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |character: char| character.is_ascii_lowercase() || character == '-';
    let behind = text.split(".ci/").skip(1);
    behind.map(|rest| rest.chars().take_while(|one| is_name(*one)).collect()).collect()
}

#[test]
fn every_script_that_is_named_can_be_called() {
    assert_eq!(
        named("run: .ci/fuzz 60 && .ci/cargo-fuzz\n"),
        ["cargo-fuzz", "fuzz"].map(str::to_owned).into()
    );
    let mut texts = [files(".ci"), files(".github/workflows"), files(".clusterfuzzlite")].concat();
    for name in ["README.md", "ARCHITECTURE.md"] {
        texts.push((top().join(name), fs::read_to_string(top().join(name)).expect("text")));
    }
    for (path, text) in &texts {
        for name in named(text) {
            let script = fs::metadata(top().join(".ci").join(&name));
            let mode = script.map_or(0, |script| script.permissions().mode());
            assert!(mode & 0o111 != 0, "{}: .ci/{name} cannot be called", path.display());
        }
    }
}

#[test]
fn every_script_says_what_it_does_and_stops_at_the_first_failure() {
    let scripts = files(".ci").into_iter().chain(
        files(".clusterfuzzlite")
            .into_iter()
            .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "sh")),
    );
    for (path, text) in scripts {
        let head = text.starts_with("#!/usr/bin/env bash\n# ");
        assert!(head, "{}: says not at its head what it does", path.display());
        assert!(text.contains("\nset -euo pipefail\n"), "{}: goes on after a failure", path.display());
    }
}

/// A step without a limit of its own could go on for hours, and a token that may write is more than any step needs.
#[test]
fn every_workflow_is_bounded() {
    for (path, text) in files(".github/workflows") {
        let jobs = text.matches("runs-on:").count();
        assert!(
            jobs > 0 && text.matches("timeout-minutes:").count() == jobs,
            "{}: a job has no limit",
            path.display()
        );
        assert!(
            text.contains("\npermissions:\n  contents: read\n"),
            "{}: may do more than read",
            path.display()
        );
        assert!(!text.contains(": write") && !text.contains("secrets."), "{}: may write", path.display());
    }
}
