//! libFuzzer, until the first crash.

use crate::starts::Catch;
use ringstorm::fuzz::CAUGHT;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The fuzz target `specimen`, and what it starts from.
pub struct Fuzzer {
    program: PathBuf,
    corpus: PathBuf,
    patience: Duration,
}

impl Fuzzer {
    pub fn new(program: &Path, corpus: &Path, patience: Duration) -> Self {
        assert!(program.is_file(), "{}: no such program", program.display());
        Self { program: program.to_owned(), corpus: corpus.to_owned(), patience }
    }

    /// Executions and seconds until the catch, as the fuzz target tells them; `None` if patience ends first.
    ///
    /// # Panics
    /// If the fuzzer ends in any other way.
    pub fn first_catch(&self, specimen: &str, start: u32) -> Option<Catch> {
        // What libFuzzer finds new it adds to the corpus, so that each start has a copy of its own.
        let folder = tempfile::tempdir().expect("a folder for the corpus");
        let corpus = folder.path().join("corpus");
        copy(&self.corpus, &corpus);
        let output = Command::new(&self.program)
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", folder.path().display()))
            .arg(format!("-seed={start}"))
            .arg(format!("-max_total_time={}", self.patience.as_secs()))
            .args(["-ignore_remaining_args=1", specimen])
            // The stack of a catch is always the same, and naming its functions takes a while.
            .env("ASAN_OPTIONS", "symbolize=0")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .output()
            .expect("the fuzzer can be run");
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
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the corpus can be listed") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a seed can be copied");
    }
}

/// What a line of the log says of a catch: `caught SIGNATURE after N executions and S seconds: VERDICT`.
fn catch(line: &str) -> Option<Catch> {
    let (_, rest) = line.strip_prefix(CAUGHT)?.split_once(" after ")?;
    let (runs, rest) = rest.split_once(" executions and ")?;
    let (seconds, _) = rest.split_once(" seconds: ")?;
    Some(Catch { runs: runs.parse().ok()?, seconds: seconds.parse().ok()? })
}
