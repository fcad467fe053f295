//! The folder of a run: its findings as they come, its progress, and in the end its report.

use super::error::CliError;
use super::{output, program};
use crate::campaign::Summary;
use crate::report::{Asked, RunReport};
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

/// Progress is written so often, and more seldom where writing is slow: it takes a twentieth of the time at most.
const INTERVAL: Duration = Duration::from_millis(200);
const SHARE: u32 = 20;

/// What a run leaves while it is not over.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// Tells this program from the same one built from other code, which may come to something else.
    build: String,
    #[serde(flatten)]
    report: RunReport,
}

/// The folder of a run, which no other run uses meanwhile.
pub(super) struct RunFolder {
    path: PathBuf,
    /// Held for as long as the process lives.
    lock: File,
    build: String,
    written: Instant,
    /// How long it took to write the progress.
    cost: Duration,
}

impl RunFolder {
    /// Makes the folder if it is not there, and makes sure that it can be written to before work begins.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        output::prepare_folder(path)?;
        let refuse = |error: io::Error| CliError::Input(format!("{}: {error}", path.display()));
        let lock = File::create(path.join(LOCK)).map_err(refuse)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                return Err(CliError::Input(format!("--out {path}: another run is writing there")));
            }
            Err(TryLockError::Error(error)) => return Err(refuse(error)),
        }
        output::sweep(path);
        let program = program::executable().and_then(std::fs::read).map_err(refuse)?;
        let build = format!("{:#018x}", xxh3_64(&program));
        Ok(Self { path: path.to_owned(), lock, build, written: Instant::now(), cost: Duration::ZERO })
    }

    /// What the same run came to before it was ended, if it was.
    pub(super) fn progress(&self, asked: &Asked, shard: Option<&str>) -> Result<Option<Summary>, CliError> {
        let path = self.path.join(PROGRESS);
        let refuse = |what: String| CliError::Input(format!("{}: {what}", path.display()));
        let other = |what: String| {
            refuse(format!(
                "the progress of another run: {what}; remove it, or name another folder with --out"
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
                "shard is {} there, and {} here",
                name(report.shard.as_deref()),
                name(shard)
            )));
        }
        if build != self.build {
            return Err(refuse(
                "the progress of a program that was built otherwise: that build goes on from it, or remove it, or name \
                 another folder with --out"
                    .to_owned(),
            ));
        }
        report.summary().map(Some).map_err(refuse)
    }

    /// Refuses to write where the folder was: it was made once, and what was written before is not in another one.
    pub(super) fn is_there(&self) -> Result<(), CliError> {
        let refuse = |what: &str| Err(CliError::Input(format!("{}: {what}", self.path.display())));
        match (std::fs::metadata(self.path.join(LOCK)), self.lock.metadata()) {
            (Ok(there), Ok(ours)) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            (Ok(_), Ok(_)) => refuse("another folder stands where that of this run was"),
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                refuse("the folder of this run is gone, or its lock")
            }
            (Err(error), _) | (_, Err(error)) => refuse(&error.to_string()),
        }
    }

    /// Whether it is time to write the progress.
    pub(super) fn is_due(&self) -> bool {
        self.written.elapsed() >= INTERVAL.max(self.cost * SHARE)
    }

    /// Writes the progress.
    pub(super) fn keep_progress(&mut self, report: RunReport) -> Result<(), CliError> {
        let start = Instant::now();
        let progress = Progress { build: self.build.clone(), report };
        let result = self
            .is_there()
            .and_then(|()| output::write_file(&self.path.join(PROGRESS), output::json(&progress).as_bytes()));
        (self.written, self.cost) = (Instant::now(), start.elapsed());
        result
    }

    /// Writes the report of a run that is over, and its page.
    pub(super) fn keep_report(&self, report: &RunReport) -> Result<(), CliError> {
        self.is_there()?;
        output::write_file(&self.path.join(REPORT), report.json().as_bytes())?;
        let page = crate::report::page(report, None).map_err(CliError::Input)?;
        output::write_file(&self.path.join(PAGE), page.as_bytes())
    }

    /// The run is over and was told of: its progress is of no more use.
    pub(super) fn forget_progress(&self) -> Result<(), CliError> {
        let progress = self.path.join(PROGRESS);
        match std::fs::remove_file(&progress) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CliError::Input(format!("{}: {error}", progress.display())))
            }
            _ => Ok(()),
        }
    }
}
