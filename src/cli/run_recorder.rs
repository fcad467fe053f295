//! Writes the results of a run to files: each finding when it appears, the progress from time to time, the report at the end.

use super::error::CliError;
use super::progress::RunProgress;
use super::run_folder::RunFolder;
use super::{finding_file, output};
use crate::campaign::{Canary, Ending, Finding, Observer, Plan, Summary, is_masked};
use crate::outcome::Signature;
use crate::report::{RunOptions, RunReport, counted};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Observes a campaign, shows its progress and writes its results.
pub(super) struct RunRecorder<'a> {
    pub(super) bar: RunProgress,
    pub(super) plan: &'a Plan,
    pub(super) asked: RunOptions,
    /// The program in the printed commands.
    pub(super) program: String,
    pub(super) shard: Option<String>,
    pub(super) canary: Canary,
    /// The folder of findings.
    pub(super) out: PathBuf,
    /// The same folder, with `--out`. It then also has the progress and the report.
    pub(super) folder: Option<RunFolder>,
    /// Findings that could not be written to a file.
    pub(super) unsaved: BTreeSet<Signature>,
    /// The first error of a write.
    pub(super) write_error: Option<CliError>,
}

impl RunRecorder<'_> {
    /// The results so far.
    pub(super) fn report(&self, summary: &Summary) -> RunReport {
        let file = |finding: &Finding| self.file(finding).unwrap_or_default();
        let canary = Some(self.canary.clone());
        let (asked, program, shard) = (self.asked.clone(), self.program.clone(), self.shard.clone());
        RunReport::new(asked, program, shard, self.plan, summary, canary, file)
    }

    /// The file of a finding, unless it could not be written.
    pub(super) fn file(&self, finding: &Finding) -> Option<String> {
        let written = !self.unsaved.contains(&finding.signature);
        written.then(|| finding_file::path(&self.out, finding).display().to_string())
    }

    /// Writes a finding to its file. Without `--out`, the first finding creates the folder.
    pub(super) fn write(&mut self, finding: &Finding) {
        let document = finding_file::document(&self.program, self.plan, finding);
        let ready = match &self.folder {
            Some(folder) => folder.check_unmoved(),
            None => finding_file::make_folder(&self.out),
        };
        let path = finding_file::path(&self.out, finding);
        let written = ready.and_then(|()| output::write_file(&path, document.to_string().as_bytes()));
        match written {
            Ok(()) => self.unsaved.remove(&finding.signature),
            Err(_) => self.unsaved.insert(finding.signature.clone()),
        };
        self.check(written);
    }

    /// Removes the file of a group that is now named otherwise.
    fn remove(&mut self, signature: &Signature) {
        let path = finding_file::path_of(&self.out, signature);
        if !self.unsaved.remove(signature)
            && self.folder.as_ref().is_none_or(|folder| folder.check_unmoved().is_ok())
        {
            // Without this removal, the folder only has one file more than groups.
            let _ = std::fs::remove_file(path);
        }
    }

    fn write_progress(&mut self, summary: &Summary) {
        let report = self.report(summary);
        let written = self.folder.as_mut().map_or(Ok(()), |folder| folder.write_progress(report));
        self.check(written);
    }

    /// Keeps the first error of a write and prints it. The command returns it at the end.
    fn check(&mut self, written: Result<(), CliError>) {
        if let (Err(error), None) = (written, &self.write_error) {
            self.bar.suspend(|| output::note(&format!("cannot write results, the run continues: {error}")));
            self.write_error = Some(error);
        }
    }

    /// Prints why the run ended, and writes its results.
    pub(super) fn end(&mut self, summary: &Summary, failed: bool) {
        let (groups, seeds) = (summary.reported().count() as u64, summary.tally.seeds);
        match summary.ending {
            Ending::Complete => {}
            Ending::EnoughFindings => {
                output::note(&format!(
                    "stopped after {}: {} of findings (--max-findings)",
                    counted(seeds, "seed"),
                    counted(groups, "group")
                ));
            }
            Ending::Unfinished => {
                let on = if self.folder.is_some() { "; the same command continues from here" } else { "" };
                let why = if failed { "stopped by an error" } else { "interrupted" };
                output::note(&format!(
                    "{why} after {}; these are the results so far{on}",
                    counted(seeds, "seed")
                ));
            }
        }
        let groups = summary.findings.iter().filter(|finding| finding.masked).flat_map(Finding::signatures);
        let known: BTreeSet<String> =
            summary.masked.keys().cloned().chain(groups.map(Signature::to_string)).collect();
        let idle = |mask: &&String| !known.iter().any(|signature| is_masked(mask, signature));
        for mask in self.plan.masks.iter().filter(idle) {
            output::note(&format!("--mask {mask}: no finding has this signature"));
        }
        self.write_missing(summary);
        if summary.ending == Ending::Unfinished {
            return self.write_progress(summary);
        }
        self.write_report(&self.report(summary));
    }

    /// Writes the report to the folder of `--out`.
    pub(super) fn write_report(&mut self, report: &RunReport) {
        let kept = self.folder.as_ref().map_or(Ok(()), |folder| folder.write_report(report));
        self.check(kept);
    }

    /// Writes again the findings that have no file: the disk was full, or the files were removed. Prints the scenarios that still
    /// cannot be written to standard error, so that they are not lost.
    pub(super) fn write_missing(&mut self, summary: &Summary) {
        self.write_error = None;
        let gone = self.folder.as_ref().is_some_and(|folder| folder.check_unmoved().is_err());
        for finding in summary.reported() {
            let written = !self.unsaved.contains(&finding.signature);
            if gone || !written || !finding_file::path(&self.out, finding).exists() {
                self.write(finding);
            }
        }
        for finding in summary.reported() {
            if self.unsaved.contains(&finding.signature) {
                let document = finding_file::document(&self.program, self.plan, finding);
                output::note(&format!(
                    "a finding could not be written to a file; this is its scenario:\n{document}"
                ));
            }
        }
    }

    /// Removes the progress after the results were printed. A run that is killed before repeats its end and prints them.
    pub(super) fn printed(&mut self, summary: &Summary) {
        if summary.ending == Ending::Unfinished || self.write_error.is_some() {
            return;
        }
        let removed = self.folder.as_ref().map_or(Ok(()), RunFolder::remove_progress);
        self.check(removed);
    }
}

/// Locks the recorder.
pub(super) fn lock<'a, 'b>(recorder: &'a Mutex<RunRecorder<'b>>) -> MutexGuard<'a, RunRecorder<'b>> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Behind a lock, since the watchdog writes the results in its own thread when it ends the run.
impl Observer for &Mutex<RunRecorder<'_>> {
    fn progress(&mut self, summary: &Summary) {
        let mut recorder = lock(self);
        recorder.bar.show(summary);
        if recorder.folder.as_ref().is_some_and(RunFolder::is_due) {
            recorder.write_progress(summary);
        }
    }

    fn found(&mut self, finding: &Finding) {
        let mut recorder = lock(self);
        recorder
            .bar
            .suspend(|| output::note(&format!("found {} at seed {}", finding.signature, finding.seed)));
        // Write it before shrinking, which takes time and can end the process.
        recorder.write(finding);
    }

    fn slow(&mut self, seed: u64) {
        let note = format!(
            "seed {seed}: a call exceeded the call timeout (--patience), but not when it was repeated"
        );
        lock(self).bar.suspend(|| output::note(&note));
    }

    fn renamed(&mut self, before: &Signature, after: &Signature) {
        let mut recorder = lock(self);
        recorder
            .bar
            .suspend(|| output::note(&format!("{before} belongs to the group {after} after shrinking")));
        recorder.remove(before);
    }

    fn masked(&mut self, finding: &Finding) {
        lock(self).remove(&finding.signature);
    }

    fn shrunk(&mut self, finding: &Finding) {
        lock(self).write(finding);
    }
}
