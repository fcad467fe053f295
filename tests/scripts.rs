//! Scripts and workflows: what they call is there, and can be called.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// Calls `.ci/installed` as a user of this number, where the packager is this script and the tool is there or not; and what
/// was called of both.
fn installed(packager: &str, there: bool, user: u32) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("it can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    };
    let calls = folder.path().join("calls");
    let note = format!("echo \"$(basename \"$0\") $*\" >> {}", calls.display());
    stub("apt-get", &format!("{note}\n{packager}"));
    stub("sudo", &format!("{note}\nshift\nexec \"$@\""));
    stub("id", &format!("echo {user}"));
    stub(
        "install-tool",
        "printf '#!/bin/sh\\necho tool 1.0\\n' > \"$(dirname \"$0\")/tool\"\nchmod +x \"$(dirname \"$0\")/tool\"",
    );
    if there {
        stub("tool", "echo tool 1.0");
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let script = top().join(".ci/installed");
    let output = Command::new(script).args(["package", "no-such-tool", "tool"]).env("PATH", path).output();
    (output.expect("it can be called"), fs::read_to_string(calls).unwrap_or_default())
}

#[test]
fn what_tests_need_is_installed_once() {
    let told = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let (left, calls) = installed("exit 100", true, 0);
    assert!(left.status.success() && calls.is_empty(), "it is there: {left:?}, {calls}");
    let install =
        "apt-get update --quiet=2\napt-get install --quiet=2 --yes --no-install-recommends package\n";
    let (left, calls) = installed("[ $1 = update ] || install-tool", false, 0);
    assert!(left.status.success() && told(&left).ends_with("tool 1.0\n"), "{left:?}, {calls}");
    assert_eq!(calls, install);
    // The lists of packages cannot be fetched, but the package can.
    let (left, calls) = installed("[ $1 = install ] && install-tool", false, 1000);
    assert!(left.status.success(), "{left:?}, {calls}");
    assert_eq!(
        calls.lines().filter(|call| call.starts_with("sudo --non-interactive ")).count(),
        2,
        "{calls}"
    );
    let (left, _) = installed("exit 100", false, 0);
    let why = "none of no-such-tool tool can be run, and package was not to be installed";
    assert!(left.status.code() == Some(1) && String::from_utf8_lossy(&left.stderr).contains(why), "{left:?}");
}
