//! The context of a command line: its subjects and its process.

use super::error::CliError;
use super::program;
use crate::isolation::Isolation;
use crate::report::{PROGRAM, command_line, quoted};
use crate::scenario::Document;
use crate::subject::{SubjectKind, Subjects};
use ringstorm_core::QueueSize;
use std::path::PathBuf;

/// The context of a command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) subjects: Subjects,
    /// Whether the process runs only this command, so that it can start its own program as a child.
    pub(super) whole_process: bool,
}

impl Session {
    /// The subject of this name; without a name, the default.
    pub(super) fn subject(self, asked: Option<&str>) -> Result<SubjectKind, CliError> {
        asked.map_or(Ok(self.subjects.default_kind()), |name| self.named(name))
    }

    /// The subject that a file names in its comments. A file that names none is for the default subject.
    pub(super) fn subject_of(self, file: &str, document: &Document) -> Result<SubjectKind, CliError> {
        let Some(name) = document.subject() else { return Ok(self.subjects.default_kind()) };
        self.subjects.by_name(name).ok_or_else(|| {
            CliError::Input(format!(
                "{file}: it is for the subject {name}, which this program does not have; run the program that has it, or \
                 select another subject with --subject"
            ))
        })
    }

    /// Returns an error if the subject does not support queues of this size.
    pub(super) fn fits(self, kind: SubjectKind, size: Option<QueueSize>) -> Result<(), CliError> {
        match size.filter(|size| *size > kind.largest()) {
            Some(size) => {
                let (name, largest) = (kind.name(), kind.largest());
                Err(CliError::Input(format!(
                    "--queue-size {size}: {name} supports at most {largest} descriptors"
                )))
            }
            None => Ok(()),
        }
    }

    /// Returns an error if the subject ends or hangs its process by design, and would run in this one.
    pub(super) fn survives(kind: SubjectKind, isolated: bool) -> Result<(), CliError> {
        match kind {
            SubjectKind::Deadly(_) if !isolated => Err(CliError::Input(format!(
                "{} ends its process or never returns: add --isolate, so that it runs in a child process",
                kind.name()
            ))),
            _ => Ok(()),
        }
    }

    /// Returns an error if the subject needs child processes, for a command that uses none.
    pub(super) fn needs_no_child(kind: SubjectKind, command: &str) -> Result<(), CliError> {
        match kind {
            SubjectKind::Deadly(_) => Err(CliError::Input(format!(
                "{} needs child processes, which `{command}` does not use",
                kind.name()
            ))),
            _ => Ok(()),
        }
    }

    fn named(self, name: &str) -> Result<SubjectKind, CliError> {
        self.subjects.by_name(name).ok_or_else(|| {
            let names = self.subjects.named().map(SubjectKind::name);
            let expected = crate::names::expected("the name of a subject", names, name);
            let own: String = self.subjects.external().map(|kind| kind.name() + ", ").collect();
            CliError::Input(format!(
                "invalid value '{name}' for '--subject <NAME>': expected {expected}; the names are {own}core, specimen, \
                 specimen-DEFECT and deadly-DEED"
            ))
        })
    }

    /// How to start this program as a child.
    pub(super) fn isolation(self) -> Result<Isolation, CliError> {
        if !self.whole_process {
            let why = "--isolate starts this program again, so its main must call ringstorm::cli::main_with";
            return Err(CliError::Input(why.to_owned()));
        }
        let program =
            program::executable().map_err(|error| CliError::Input(format!("--isolate: {error}")))?;
        Ok(Isolation { program, arguments: vec!["isolated".to_owned()] })
    }

    /// A command line of this program, under the name by which it was called. Within another program, only the arguments.
    pub(super) fn command_line(self, arguments: &str) -> String {
        let called = if self.whole_process { program::called() } else { PathBuf::new() };
        command_line(&called.to_string_lossy(), arguments)
    }

    /// The file name of the program that has this subject; empty within another program.
    pub(super) fn program(self, kind: SubjectKind) -> String {
        match kind {
            SubjectKind::External(_) if !self.whole_process => String::new(),
            SubjectKind::External(_) => {
                program::called().file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            SubjectKind::Core | SubjectKind::Specimen(_) | SubjectKind::Deadly(_) => PROGRAM.to_owned(),
        }
    }

    /// The command line that replays a file over this subject.
    pub(super) fn replay_command(self, file: &str, kind: SubjectKind) -> String {
        let subject = match kind == self.subjects.default_kind() {
            true => String::new(),
            false => format!(" --subject {}", quoted(&kind.name())),
        };
        self.command_line(&format!("replay {}{subject}", quoted(file)))
    }
}
