//! The folder of `run --out`: its lock, the progress of the run, and in the end the report and its page.

use super::error::CliError;
use super::{output, program};
use crate::campaign::Summary;
use crate::report::{RunOptions, RunReport};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

const LOCK: &str = ".ringstorm-lock";
const PROGRESS: &str = "progress.json";
const REPORT: &str = "report.json";
const PAGE: &str = "report.html";

/// The shortest time between two writes of the progress. Writing takes at most 1/`SHARE` of the time.
const INTERVAL: Duration = Duration::from_millis(200);
const SHARE: u32 = 20;

/// The results so far of an unfinished run.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// Identifies the code that this program was built from. Other code can give other results.
    build: String,
    #[serde(flatten)]
    report: RunReport,
}

/// The folder of a run. A lock keeps other runs out.
pub(super) struct RunFolder {
    path: PathBuf,
    /// The process holds this lock until it ends.
    lock: File,
    build: String,
    written: Instant,
    /// The duration of the last write of the progress.
    cost: Duration,
}

impl RunFolder {
    /// Creates the folder, locks it and checks that it is writable.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        output::prepare_folder(path)?;
        let refuse = |error: io::Error| CliError::Input(format!("{}: {error}", path.display()));
        let lock = File::create(path.join(LOCK)).map_err(refuse)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                return Err(CliError::Input(format!(
                    "--out {path}: another run is using this folder; wait for it, or name another folder"
                )));
            }
            Err(TryLockError::Error(error)) => return Err(refuse(error)),
        }
        output::sweep(path);
        let program = program::executable().and_then(std::fs::read).map_err(refuse)?;
        let build = format!("{:#018x}", xxh3_64(&program));
        Ok(Self { path: path.to_owned(), lock, build, written: Instant::now(), cost: Duration::ZERO })
    }

    /// The results of the same run before it was interrupted, if it was.
    pub(super) fn progress(
        &self,
        asked: &RunOptions,
        shard: Option<&str>,
    ) -> Result<Option<Summary>, CliError> {
        let path = self.path.join(PROGRESS);
        let refuse = |what: String| CliError::Input(format!("{}: {what}", path.display()));
        let other = |what: String| {
            refuse(format!(
                "this is the progress of a run with other options: {what}; repeat those options, remove the file, or name \
                 another folder with --out"
            ))
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refuse(error.to_string())),
        };
        let report = crate::report::read(&text).map_err(refuse)?;
        let Progress { build, .. } =
            serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        if let Some(what) = asked.difference(&report.asked) {
            return Err(other(what));
        }
        if report.shard.as_deref() != shard {
            let name = |shard: Option<&str>| shard.unwrap_or("none").to_owned();
            return Err(other(format!(
                "shard is {} there and {} here",
                name(report.shard.as_deref()),
                name(shard)
            )));
        }
        if build != self.build {
            return Err(refuse(
                "this is the progress of another build of this program; continue with that build, remove the file, or \
                 name another folder with --out"
                    .to_owned(),
            ));
        }
        report.summary().map(Some).map_err(refuse)
    }

    /// Returns an error if the folder was removed or replaced: its earlier files would be missing in a new one.
    pub(super) fn check_unmoved(&self) -> Result<(), CliError> {
        let refuse = |what: &str| Err(CliError::Input(format!("{}: {what}", self.path.display())));
        match (std::fs::metadata(self.path.join(LOCK)), self.lock.metadata()) {
            (Ok(there), Ok(ours)) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            (Ok(_), Ok(_)) => refuse("the folder of this run was replaced by another one"),
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                refuse("the folder of this run, or its lock, was removed")
            }
            (Err(error), _) | (_, Err(error)) => refuse(&error.to_string()),
        }
    }

    /// Whether the progress is due to be written.
    pub(super) fn is_due(&self) -> bool {
        self.written.elapsed() >= INTERVAL.max(self.cost * SHARE)
    }

    /// Writes the progress.
    pub(super) fn write_progress(&mut self, report: RunReport) -> Result<(), CliError> {
        let start = Instant::now();
        let progress = Progress { build: self.build.clone(), report };
        let result = self
            .check_unmoved()
            .and_then(|()| output::write_file(&self.path.join(PROGRESS), output::json(&progress).as_bytes()));
        (self.written, self.cost) = (Instant::now(), start.elapsed());
        result
    }

    /// Writes the report of a finished run, and its page.
    pub(super) fn write_report(&self, report: &RunReport) -> Result<(), CliError> {
        self.check_unmoved()?;
        output::write_file(&self.path.join(REPORT), report.json().as_bytes())?;
        let page = crate::report::page(report, None).map_err(CliError::Input)?;
        output::write_file(&self.path.join(PAGE), page.as_bytes())
    }

    /// Removes the progress, when the run has finished and printed its results.
    pub(super) fn remove_progress(&self) -> Result<(), CliError> {
        let progress = self.path.join(PROGRESS);
        match std::fs::remove_file(&progress) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CliError::Input(format!("{}: {error}", progress.display())))
            }
            _ => Ok(()),
        }
    }
}
