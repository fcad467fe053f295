//! The command as a process: exit status, streams and files.

mod explore;
mod findings;
mod formats;
mod isolated;
mod killed;
mod refused;
mod reports;
mod runs;
mod scenarios;
mod streams;

use assert_cmd::Command;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A subject with a defect.
const SPECIMEN: &str = "specimen-mid-chain-freed";

/// The fields of a report that differ in every run.
const TIMES: [&str; 6] = [
    "seconds",
    "construction_seconds",
    "stepping_seconds",
    "steps_per_second",
    "steps_per_second_per_core",
    "pace",
];

/// The JSON object that a command printed, checked against its schema.
#[track_caller]
fn json(left: &Left) -> serde_json::Value {
    let object: serde_json::Value =
        serde_json::from_str(&left.out).unwrap_or_else(|error| panic!("{error}: {left:?}"));
    let kinds =
        [("trace_hash", "run"), ("specimens", "calibrate"), ("scopes", "explore"), ("pairs", "compare")];
    let (_, kind) =
        kinds.iter().find(|(key, _)| object.get(key).is_some()).expect("an object of a known kind");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reports/schemas/{kind}.json"));
    let schema = std::fs::read_to_string(schema).expect("a schema for each kind");
    let schema = serde_json::from_str(&schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let errors: Vec<String> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{kind}: {errors:?}");
    object
}

/// The results of a command.
#[derive(Debug, Default)]
struct Left {
    status: Option<i32>,
    out: String,
    err: String,
}

/// A folder to run commands in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringstorm"));
        command.current_dir(self.path()).timeout(std::time::Duration::from_secs(60));
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Left {
        Self::left(self.command().args(args))
    }

    /// Runs a line of the shell, in which `$R` is the command.
    #[track_caller]
    fn shell(&self, line: &str) -> Left {
        Self::left(&mut self.shell_command(line))
    }

    fn shell_command(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.current_dir(self.path()).env("R", env!("CARGO_BIN_EXE_ringstorm")).args(["-c", line]);
        shell.timeout(std::time::Duration::from_secs(60));
        shell
    }

    #[track_caller]
    fn left(command: &mut Command) -> Left {
        let output = command.output().expect("the command can be run");
        let text = |bytes| String::from_utf8(bytes).expect("output is text");
        Left { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The lowest seed at which the specimen fails.
    #[track_caller]
    fn failing_seed(&self) -> String {
        let elsewhere = Self::new();
        let left =
            elsewhere.run(&["run", "--json", "--subject", SPECIMEN, "--seeds", "200", "--max-findings", "1"]);
        let report: serde_json::Value = serde_json::from_str(&left.out).expect("one object");
        report["findings"][0]["seed"]
            .as_u64()
            .unwrap_or_else(|| panic!("nothing found: {left:?}"))
            .to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect(name)
    }

    /// Every file and folder, with its content.
    fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, found);
                }
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap_or_default());
            }
        }
        let mut found = BTreeMap::new();
        walk(self.path(), &mut found);
        found
    }
}
