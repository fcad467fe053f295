//! Scripts and workflows: the scripts that they call exist and are executable, and the scripts of `.ci` work with stub tools.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder with their texts.
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
fn every_named_script_exists_and_is_executable() {
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
            assert!(mode & 0o111 != 0, "{}: .ci/{name} does not exist or is not executable", path.display());
        }
    }
}

#[test]
fn every_script_has_a_comment_and_stops_at_the_first_failure() {
    let scripts = files(".ci").into_iter().chain(
        files(".clusterfuzzlite")
            .into_iter()
            .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "sh")),
    );
    for (path, text) in scripts {
        let head = text.starts_with("#!/usr/bin/env bash\n# ");
        assert!(head, "{}: does not begin with a comment that describes it", path.display());
        assert!(text.contains("\nset -euo pipefail\n"), "{}: continues after a failure", path.display());
    }
}

/// Without a time limit a job could run for hours. No job needs a token with write access.
#[test]
fn every_workflow_has_time_limits_and_read_only_permissions() {
    for (path, text) in files(".github/workflows") {
        let jobs = text.matches("runs-on:").count();
        assert!(
            jobs > 0 && text.matches("timeout-minutes:").count() == jobs,
            "{}: a job has no time limit",
            path.display()
        );
        assert!(
            text.contains("\npermissions:\n  contents: read\n"),
            "{}: the permissions are not `contents: read`",
            path.display()
        );
        assert!(
            !text.contains(": write") && !text.contains("secrets."),
            "{}: has write access or uses secrets",
            path.display()
        );
    }
}

/// Runs `.ci/installed` with this script as `apt-get` and this user id, with the tool installed or not. Returns its output and
/// the calls of `apt-get` and `sudo`.
fn installed(packager: &str, there: bool, user: u32) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a stub can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a stub can be made executable");
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
    (output.expect("the script runs"), fs::read_to_string(calls).unwrap_or_default())
}

#[test]
fn a_package_is_installed_only_if_its_tool_is_missing() {
    let printed = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let (left, calls) = installed("exit 100", true, 0);
    assert!(left.status.success() && calls.is_empty(), "the tool is installed already: {left:?}, {calls}");
    let install =
        "apt-get update --quiet=2\napt-get install --quiet=2 --yes --no-install-recommends package\n";
    let (left, calls) = installed("[ $1 = update ] || install-tool", false, 0);
    assert!(left.status.success() && printed(&left).ends_with("tool 1.0\n"), "{left:?}, {calls}");
    assert_eq!(calls, install);
    // The package lists cannot be updated, but the package can be installed.
    let (left, calls) = installed("[ $1 = install ] && install-tool", false, 1000);
    assert!(left.status.success(), "{left:?}, {calls}");
    assert_eq!(
        calls.lines().filter(|call| call.starts_with("sudo --non-interactive ")).count(),
        2,
        "{calls}"
    );
    let (left, _) = installed("exit 100", false, 0);
    let why = "none of these commands can be run: no-such-tool tool; package package could not be installed";
    assert!(left.status.code() == Some(1) && String::from_utf8_lossy(&left.stderr).contains(why), "{left:?}");
}

/// A folder with copies of some scripts, in which stubs replace the tools that they call.
struct Project(tempfile::TempDir);

impl Project {
    fn new(scripts: &[&str], stubs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [".ci", "stubs"] {
            fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        for script in scripts {
            let to = folder.path().join(".ci").join(script);
            fs::copy(top().join(".ci").join(script), to).expect("a script can be copied");
        }
        let project = Self(folder);
        stubs.iter().for_each(|(path, text)| project.script(path, text));
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, path: &str, text: &str) {
        fs::write(self.path(path), format!("#!/usr/bin/env bash\n{text}\n")).expect("a stub can be written");
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755))
            .expect("a stub can be made executable");
    }

    /// Runs a script. Returns its exit status, standard output and standard error.
    fn call(&self, script: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let path = format!("{}:{}", self.path("stubs").display(), std::env::var("PATH").expect("a path"));
        let mut command = Command::new(self.path(script));
        let output = command.args(arguments).env("PATH", path).env_remove("CARGO_TARGET_DIR").output();
        let output = output.expect("the script runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

#[test]
fn merge_reports_the_other_parts_if_one_cannot_be_read() {
    let command = env!("CARGO_BIN_EXE_ringstorm");
    let cargo = format!("while [[ $1 != -- ]]; do shift; done; shift; exec {command} \"$@\"");
    let project = Project::new(&["storm"], &[("stubs/cargo", &cargo), (".ci/seed", "echo 7")]);
    for part in ["1/3", "2/3", "3/3"] {
        let (status, _, errors) = project.call(".ci/storm", &[part, "60"]);
        assert_eq!(status, Some(0), "{errors}");
    }
    let (status, merged, _) = project.call(".ci/storm", &["merge"]);
    assert!(status == Some(0) && merged.contains(": 60 seeds from 7, "), "{merged}");
    for harm in ["", "{\"half\": "] {
        fs::write(project.path("target/storm/shard-2.json"), harm).expect("a part can be overwritten");
        let (status, merged, why) = project.call(".ci/storm", &["merge"]);
        assert!(status == Some(2) && merged.contains(": 40 seeds from 7, "), "{merged}, {why}");
        assert!(merged.contains("  missing    shard 2/3\n"), "{merged}");
        let bad = "a part cannot be read: error: target/storm/shard-2.json: ";
        assert!(why.lines().any(|line| line.starts_with(bad)), "{why}");
        let report = fs::read_to_string(project.path("target/storm/report.json")).expect("a report");
        assert!(report.contains("\"seeds\": 40,"), "{report}");
    }
    // A run that writes nothing must not replace the report of an earlier one.
    project.script("stubs/cargo", "exit 1");
    let (status, _, why) = project.call(".ci/storm", &["3/3", "60"]);
    assert!(status == Some(2) && why.ends_with("part 3/3 wrote no report\n"), "{why}");
    let kept = fs::metadata(project.path("target/storm/shard-3.json")).expect("the earlier report");
    assert!(kept.len() > 0);
}

/// A stub of a fuzz target. It records its arguments. It finds two inputs, and a merge keeps one of them. If the file `cancel`
/// exists, a merge kills the script.
const FUZZER: &str = r#"echo "$*" >> calls
case "$*" in
    *-merge=1*)
        [[ ! -e cancel ]] || { kill -9 $PPID; exit 1; }
        cp "$4/one" "$3/" ;;
    *caught*) ;;
    *) echo 1 > "$1/one"; echo 2 > "$1/two" ;;
esac"#;

#[test]
fn fuzzing_begins_with_the_canary_and_a_cancelled_merge_loses_no_input() {
    let lean = "echo \"built $1\" >> calls; echo ./fuzzer";
    let stubs = [(".ci/lean", lean), (".ci/canary", "echo canary >> calls"), ("fuzzer", FUZZER)];
    let project = Project::new(
        &["fuzz", "seed"],
        &[("stubs/git", "echo 0000abcd0123456789"), stubs[0], stubs[1], stubs[2]],
    );
    fs::create_dir_all(project.path("corpus/storm")).expect("a folder can be made");
    fs::write(project.path("corpus/storm/seed"), "seed").expect("a seed can be written");
    let kept = || {
        let entries = fs::read_dir(project.path("fuzz/kept")).expect("a folder");
        let folders: BTreeSet<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        let inputs = fs::read_dir(project.path("fuzz/kept/storm")).map_or(0, Iterator::count);
        (folders.len(), inputs)
    };
    fs::write(project.path("cancel"), "").expect("a file can be written");
    let (status, ..) = project.call(".ci/fuzz", &["60", "storm"]);
    assert!(status.is_none() && kept() == (2, 2), "killed during the merge: {status:?}, {:?}", kept());
    let calls = fs::read_to_string(project.path("calls")).expect("calls");
    let mut lines = calls.lines();
    assert_eq!((lines.next(), lines.next()), (Some("canary"), Some("built storm")), "{calls}");
    // 0xabcd0123 % 0xffffffff + 1
    let seeded = |line: &str| line.contains(" -seed=2882339108 ") && line.contains(" -max_total_time=60 ");
    assert!(lines.next().is_some_and(seeded), "{calls}");
    // The next run removes the unfinished merge and completes.
    fs::remove_file(project.path("cancel")).expect("the file exists");
    let (status, printed, _) = project.call(".ci/fuzz", &["60", "storm"]);
    assert!(
        status == Some(0) && printed.contains("begins with inputs: 2, ") && kept() == (1, 1),
        "{printed}"
    );
    // As if a run had been cancelled between the two moves.
    fs::rename(project.path("fuzz/kept/storm"), project.path("fuzz/kept/storm.old")).expect("a folder");
    let (status, printed, _) = project.call(".ci/fuzz", &["60", "storm"]);
    assert!(
        status == Some(0) && printed.contains("begins with inputs: 1, ") && kept() == (1, 1),
        "{printed}"
    );
    // If the canary is not caught, the script fuzzes nothing.
    project.script(".ci/canary", "exit 1");
    fs::remove_file(project.path("calls")).expect("the file exists");
    let (status, ..) = project.call(".ci/fuzz", &["60", "storm"]);
    assert!(status == Some(1) && !project.path("calls").exists(), "{status:?}");
}

#[test]
fn the_canary_is_built_as_campaigns_are() {
    let lean = "[[ $1 = specimen ]] && echo ./specimen";
    let specimen = r#"echo "$*" >> calls
for argument; do [[ $argument != -artifact_prefix=* ]] || echo 1 > "${argument#*=}crash-1"; done
echo "caught specimen-id-folded/violation"; exit 1"#;
    let stubs = [(".ci/lean", lean), ("specimen", specimen), ("stubs/git", "exit 1")];
    let project = Project::new(&["canary", "seed"], &stubs);
    let (status, printed, why) = project.call(".ci/canary", &[]);
    assert!(status == Some(0) && printed.contains("the canary, with -seed=1\n"), "{printed}, {why}");
    let calls = fs::read_to_string(project.path("calls")).expect("calls");
    assert!(calls.lines().next().is_some_and(|line| line.contains(" -seed=1 ")), "{calls}");
    // A target that does not catch the defect fails the script.
    project.script("specimen", "exit 0");
    let (status, printed, _) = project.call(".ci/canary", &[]);
    assert!(status == Some(1) && printed.ends_with("specimen-id-folded was not caught\n"), "{printed}");
}
