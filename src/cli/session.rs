//! What a command line is run with, besides its arguments.

use super::error::CliError;
use super::program;
use crate::isolation::Isolation;
use crate::report::{PROGRAM, command_line, quoted};
use crate::subject::{SubjectKind, Subjects};
use ringstorm_core::QueueSize;
use std::path::PathBuf;

/// What a command line is run with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) subjects: Subjects,
    /// Whether this process is there for the command alone, so that it can be started once more for children.
    pub(super) whole_process: bool,
}

impl Session {
    /// The subject that is asked for.
    pub(super) fn subject(self, asked: Option<&str>) -> Result<SubjectKind, CliError> {
        asked.map_or(Ok(self.subjects.usual()), |name| self.named(name))
    }

    /// Refuses queues that cannot be made of a subject.
    pub(super) fn fits(self, kind: SubjectKind, size: Option<QueueSize>) -> Result<(), CliError> {
        match size.filter(|size| *size > kind.largest()) {
            Some(size) => {
                let (name, largest) = (kind.name(), kind.largest());
                Err(CliError::Input(format!("--queue-size {size}: {name} has no queues above {largest}")))
            }
            None => Ok(()),
        }
    }

    fn named(self, name: &str) -> Result<SubjectKind, CliError> {
        self.subjects.by_name(name).ok_or_else(|| {
            let names = self.subjects.named().map(SubjectKind::name);
            let expected = crate::names::expected("the name of a subject", names, name);
            CliError::Input(format!("invalid value '{name}' for '--subject <NAME>': expected {expected}"))
        })
    }

    /// How this program is started as a child.
    pub(super) fn isolation(self) -> Result<Isolation, CliError> {
        if !self.whole_process {
            let why = "--isolate starts this program once more, which must be ringstorm::cli::main_with";
            return Err(CliError::Input(why.to_owned()));
        }
        let program =
            program::executable().map_err(|error| CliError::Input(format!("--isolate: {error}")))?;
        Ok(Isolation { program, arguments: vec!["isolated".to_owned()] })
    }

    /// A command line of this program, as it was called. Without a program of its own, the arguments alone.
    pub(super) fn command_line(self, arguments: &str) -> String {
        let called = if self.whole_process { program::called() } else { PathBuf::new() };
        command_line(&called.to_string_lossy(), arguments)
    }

    /// The name of the program that knows this subject, wherever it is; none within another program.
    pub(super) fn program(self, kind: SubjectKind) -> String {
        match kind {
            SubjectKind::External(_) if !self.whole_process => String::new(),
            SubjectKind::External(_) => {
                program::called().file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            SubjectKind::Core | SubjectKind::Specimen(_) | SubjectKind::Deadly(_) => PROGRAM.to_owned(),
        }
    }

    /// The command line that replays a file.
    pub(super) fn replay_command(self, file: &str, kind: SubjectKind) -> String {
        let subject = match kind == self.subjects.usual() {
            true => String::new(),
            false => format!(" --subject {}", kind.name()),
        };
        self.command_line(&format!("replay {}{subject}", quoted(file)))
    }
}
