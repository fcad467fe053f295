//! What a run leaves behind: its findings as they come, its progress now and then, and at the end what it came to.

use super::error::CliError;
use super::progress::RunProgress;
use super::run_folder::RunFolder;
use super::{finding_file, output};
use crate::campaign::{Canary, Ending, Finding, Observer, Plan, Summary, is_masked};
use crate::outcome::Signature;
use crate::report::{Asked, RunReport};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Hears of a campaign, and keeps what it comes to.
pub(super) struct RunRecorder<'a> {
    pub(super) bar: RunProgress,
    pub(super) plan: &'a Plan,
    pub(super) asked: Asked,
    /// What replays it.
    pub(super) program: String,
    pub(super) shard: Option<String>,
    pub(super) canary: Canary,
    /// Where findings go.
    pub(super) out: PathBuf,
    /// The same folder, if more is to be kept there.
    pub(super) folder: Option<RunFolder>,
    /// Findings that are in no file.
    pub(super) homeless: BTreeSet<Signature>,
    /// Why something that should have been written was not.
    pub(super) unwritten: Option<CliError>,
}

impl RunRecorder<'_> {
    /// What the run came to so far.
    pub(super) fn report(&self, summary: &Summary) -> RunReport {
        let file = |finding: &Finding| self.file(finding).unwrap_or_default();
        let canary = Some(self.canary.clone());
        let (asked, program, shard) = (self.asked.clone(), self.program.clone(), self.shard.clone());
        RunReport::new(asked, program, shard, self.plan, summary, canary, file)
    }

    /// Where a finding is kept, unless it could not be written.
    pub(super) fn file(&self, finding: &Finding) -> Option<String> {
        let written = !self.homeless.contains(&finding.signature);
        written.then(|| finding_file::path(&self.out, finding).display().to_string())
    }

    /// Writes a finding down. Where the run has no folder of its own, the first one makes it.
    pub(super) fn write(&mut self, finding: &Finding) {
        let document = finding_file::document(&self.program, self.plan, finding);
        let ready = match &self.folder {
            Some(folder) => folder.is_there(),
            None => finding_file::make_folder(&self.out),
        };
        let path = finding_file::path(&self.out, finding);
        let written = ready.and_then(|()| output::write_file(&path, document.to_string().as_bytes()));
        match written {
            Ok(()) => self.homeless.remove(&finding.signature),
            Err(_) => self.homeless.insert(finding.signature.clone()),
        };
        self.failed(written);
    }

    fn keep_progress(&mut self, summary: &Summary) {
        let report = self.report(summary);
        let written = self.folder.as_mut().map_or(Ok(()), |folder| folder.keep_progress(report));
        self.failed(written);
    }

    /// The first failure is told at once, and again at the end.
    fn failed(&mut self, written: Result<(), CliError>) {
        if let (Err(error), None) = (written, &self.unwritten) {
            self.bar.suspend(|| output::note(&format!("the run goes on, but: {error}")));
            self.unwritten = Some(error);
        }
    }

    /// Says why the run ended, and keeps what it came to.
    pub(super) fn end(&mut self, summary: &Summary, failed: bool) {
        let (groups, seeds) = (summary.findings.len(), summary.tally.seeds);
        match summary.ending {
            Ending::Complete => {}
            Ending::EnoughFindings => {
                output::note(&format!("stopped at {groups} groups of findings, after {seeds} seeds"));
            }
            Ending::Unfinished => {
                let on = if self.folder.is_some() { "; the same command goes on from here" } else { "" };
                let why = if failed { "ended by an error" } else { "interrupted" };
                output::note(&format!("{why} after {seeds} seeds; this is the summary so far{on}"));
            }
        }
        let idle = |mask: &&String| !summary.masked.keys().any(|signature| is_masked(mask, signature));
        for mask in self.plan.masks.iter().filter(idle) {
            output::note(&format!("--mask {mask}: no finding has this signature"));
        }
        self.settle(summary);
        if summary.ending == Ending::Unfinished {
            return self.keep_progress(summary);
        }
        self.keep_report(&self.report(summary));
    }

    /// Keeps what the run came to, in the folder.
    pub(super) fn keep_report(&mut self, report: &RunReport) {
        let kept = self.folder.as_ref().map_or(Ok(()), |folder| folder.keep_report(report));
        self.failed(kept);
    }

    /// Writes what is in no file: what had no room may have some now, and what was written may be gone. The scenario of
    /// what cannot be written goes to standard error, so that it is not lost.
    pub(super) fn settle(&mut self, summary: &Summary) {
        self.unwritten = None;
        let gone = self.folder.as_ref().is_some_and(|folder| folder.is_there().is_err());
        for finding in &summary.findings {
            let written = !self.homeless.contains(&finding.signature);
            if gone || !written || !finding_file::path(&self.out, finding).exists() {
                self.write(finding);
            }
        }
        for finding in &summary.findings {
            if self.homeless.contains(&finding.signature) {
                let document = finding_file::document(&self.program, self.plan, finding);
                output::note(&format!("a finding could not be written; this is its scenario:\n{document}"));
            }
        }
    }

    /// What the run came to was printed. One that was over and is killed before that ends once more, to print it.
    pub(super) fn told(&mut self, summary: &Summary) {
        if summary.ending == Ending::Unfinished || self.unwritten.is_some() {
            return;
        }
        let forgotten = self.folder.as_ref().map_or(Ok(()), RunFolder::forget_progress);
        self.failed(forgotten);
    }
}

/// For as long as something is kept.
pub(super) fn lock<'a, 'b>(recorder: &'a Mutex<RunRecorder<'b>>) -> MutexGuard<'a, RunRecorder<'b>> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watchdog, in a thread of its own, has to keep what a run came to that it ends.
impl Observer for &Mutex<RunRecorder<'_>> {
    fn progress(&mut self, summary: &Summary) {
        let mut recorder = lock(self);
        recorder.bar.show(summary);
        if recorder.folder.as_ref().is_some_and(RunFolder::is_due) {
            recorder.keep_progress(summary);
        }
    }

    fn found(&mut self, finding: &Finding) {
        let mut recorder = lock(self);
        recorder
            .bar
            .suspend(|| output::note(&format!("found {} at seed {}", finding.signature, finding.seed)));
        // Shrinking may take a while, and may be the end of the process.
        recorder.write(finding);
    }

    fn slow(&mut self, seed: u64) {
        let note = format!("seed {seed}: a call took longer than --patience, but not when it was run again");
        lock(self).bar.suspend(|| output::note(&note));
    }

    fn shrunk(&mut self, finding: &Finding) {
        lock(self).write(finding);
    }
}
