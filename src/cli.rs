//! The command line.
//!
//! Results go to standard output, progress and notes to standard error. The exit status is 0 if nothing was found, 1 if
//! something was found, and 2 if the input or the arguments were refused, or the result is incomplete.

mod args;
mod commands;
mod error;
mod explore;
mod finding_file;
mod help;
mod input;
mod interrupt;
mod names;
mod output;
mod program;
mod progress;
mod report;
mod run;
mod run_folder;
mod run_recorder;
mod session;
mod unfinished;

pub use error::{CliError, Found};

use crate::subject::{External, Subjects};
use args::{Cli, Command};
use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use help::Program;
use session::Session;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command with the arguments of this process, over the subjects that come with ringstorm.
pub fn main() -> ExitCode {
    main_with(&[])
}

/// Runs the command with the arguments of this process. Adds the subjects `own`; the first of them is the default subject.
/// Call it first in `main`: `--isolate` starts the same program again.
pub fn main_with(own: &'static [External]) -> ExitCode {
    let subjects = match Subjects::with(own) {
        Ok(subjects) => subjects,
        Err(flaw) => return refuse(&flaw),
    };
    let cli = match parsed(subjects, std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return refuse_arguments(&error),
    };
    match execute(Session { subjects, whole_process: true }, cli) {
        Ok(Found::Nothing) => ExitCode::SUCCESS,
        Ok(Found::Something) => ExitCode::from(1),
        Err(refusal) => refuse(&refusal.to_string()),
    }
}

/// Prints an error in one line.
fn refuse(why: &str) -> ExitCode {
    output::note(&format!("error: {why}").replace(['\n', '\r'], " "));
    ExitCode::from(2)
}

/// Parses a command line, which begins with the name of the program.
fn parsed(subjects: Subjects, line: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let line: Vec<OsString> = line.into_iter().collect();
    let matches = names::command(subjects).try_get_matches_from(&line);
    Cli::from_arg_matches(&matches.map_err(|error| suggest_run(error, subjects, &line))?)
}

/// Suggests the command `run` for a line that begins with one of its options.
fn suggest_run(mut error: clap::Error, subjects: Subjects, line: &[OsString]) -> clap::Error {
    if let [program, options @ ..] = line
        && error.kind() == ErrorKind::UnknownArgument
        && options.first().is_some_and(|option| option.to_string_lossy().starts_with('-'))
    {
        let run: Vec<OsString> =
            [program.clone(), "run".into()].into_iter().chain(options.iter().cloned()).collect();
        if names::command(subjects).try_get_matches_from(&run).is_ok() {
            let run: Vec<_> = run[1..].iter().map(|word| word.to_string_lossy()).collect();
            let tip = format!("write `{} {}`", Program::new(subjects).name(), run.join(" "));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
    }
    error
}

/// Runs a command line within another program, such as a test: `["run", "--seeds", "1000"]`. It writes to standard output
/// and standard error. `run`, `explore` and `shrink` install a Ctrl-C handler, which stays. In `run`, a call that exceeds the
/// call timeout ends the process after the run has printed the seed.
///
/// # Errors
/// [`CliError`] if the arguments, the input or a faulty adapter were refused. Help and version are returned in the same way.
pub fn command<A: Into<OsString> + Clone>(
    own: &'static [External],
    arguments: impl IntoIterator<Item = A>,
) -> Result<Found, CliError> {
    let subjects = Subjects::with(own).map_err(CliError::Input)?;
    let line = std::iter::once(OsString::from(Program::new(subjects).name()))
        .chain(arguments.into_iter().map(Into::into));
    let cli = parsed(subjects, line).map_err(|error| CliError::Input(error.to_string()))?;
    execute(Session { subjects, whole_process: false }, cli)
}

fn execute(session: Session, cli: Cli) -> Result<Found, CliError> {
    let command = cli.command.unwrap_or_else(Command::default_run);
    // The exit of a child process is a finding of its parent.
    let _in_progress = match command {
        Command::Isolated { .. } => None,
        _ => Some(unfinished::InProgress::begin()?),
    };
    match command {
        Command::Run(args) => run::run(session, &args),
        Command::Replay(args) => commands::replay(session, &args),
        Command::Show(args) => commands::show(session, &args),
        Command::Shrink(args) => commands::shrink(session, &args),
        Command::Explore(args) => explore::explore(session, &args),
        Command::Calibrate(args) => commands::calibrate(session, &args),
        Command::Report(args) => report::report(&args),
        Command::Scenario => commands::example(),
        Command::Completions { shell } => commands::completions(session, shell),
        Command::Isolated { pulse } => run::isolated(session, &pulse),
    }
}

/// Prints help and version to standard output, and an argument error in one line to standard error.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match output::emit(&error.render().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(refusal) => refuse(&refusal.to_string()),
        };
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more information")
    });
    let mut line = String::new();
    for part in lines {
        // A list follows a colon.
        let between = if line.is_empty() || line.ends_with(':') { " " } else { "; " };
        line.push_str(&format!("{between}{part}"));
    }
    output::note(&format!("{} (see --help)", line.trim()));
    ExitCode::from(2)
}
