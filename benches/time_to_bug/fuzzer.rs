//! Runs libFuzzer until the first crash.

use crate::starts::Catch;
use ringstorm::fuzz::CAUGHT;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The fuzz target `specimen` and its initial corpus.
pub struct Fuzzer {
    program: PathBuf,
    corpus: PathBuf,
    patience: Duration,
}

impl Fuzzer {
    pub fn new(program: &Path, corpus: &Path, patience: Duration) -> Self {
        assert!(program.is_file(), "there is no program {}", program.display());
        Self { program: program.to_owned(), corpus: corpus.to_owned(), patience }
    }

    /// The executions and seconds until the catch, as the fuzz target reports them; `None` if the time limit ends
    /// first.
    /// || # Panics
    /// If the fuzzer ends in any other way.
    pub fn first_catch(&self, specimen: &str, start: u32) -> Option<Catch> {
        // libFuzzer adds new inputs to the corpus, so each start gets a copy of its own.
        let folder = tempfile::tempdir().expect("making a folder for the corpus");
        let corpus = folder.path().join("corpus");
        copy(&self.corpus, &corpus);
        let output = Command::new(&self.program)
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", folder.path().display()))
            .arg(format!("-seed={start}"))
            .arg(format!("-max_total_time={}", self.patience.as_secs()))
            .args(["-ignore_remaining_args=1", specimen])
            // The stack of a catch is always the same, and symbolizing it takes a while.
            .env("ASAN_OPTIONS", "symbolize=0")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .output()
            .expect("running the fuzzer");
        let log = String::from_utf8_lossy(&output.stderr);
        let catch = log.lines().find_map(catch);
        assert!(
            catch.is_some() || output.status.success(),
            "{specimen}, -seed={start}: no catch, but a crash\n{log}"
        );
        catch
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("making the folder");
    for entry in fs::read_dir(from).expect("listing the corpus") {
        let entry = entry.expect("reading an entry of the corpus");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copying a seed");
    }
}

/// Parses a line of the log with a catch: `caught SIGNATURE after N executions and S seconds: VERDICT`.
fn catch(line: &str) -> Option<Catch> {
    let (_, rest) = line.strip_prefix(CAUGHT)?.split_once(" after ")?;
    let (runs, rest) = rest.split_once(" executions and ")?;
    let (seconds, _) = rest.split_once(" seconds: ")?;
    Some(Catch { runs: runs.parse().ok()?, seconds: seconds.parse().ok()? })
}
