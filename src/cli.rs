//! The command line.
//!
//! Results go to standard output, progress and notes to standard error. The exit status is 0 if nothing was
//! found, 1 if something was, 2 if the input or the arguments were refused.

mod args;
mod commands;
mod explore;
mod folder;
mod input;
mod output;
mod run;

use args::{Cli, Command};
use clap::Parser;
use commands::replay_command;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Why the command ends without doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The arguments or a file are not what they should be.
    #[error("{0}")]
    Input(String),
    /// Standard output was closed by whoever read it: nothing is left to be told.
    #[error("standard output was closed")]
    Closed,
}

impl From<crate::executor::Failure> for Refusal {
    fn from(failure: crate::executor::Failure) -> Self {
        Self::Input(failure.to_string())
    }
}

impl From<ringstorm_core::SystemError> for Refusal {
    fn from(error: ringstorm_core::SystemError) -> Self {
        Self::Input(error.to_string())
    }
}

/// Whether something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing was.
    Nothing,
    /// Something was.
    Something,
}

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_arguments(&error),
    };
    let result = match cli.command.unwrap_or_else(Command::default_run) {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => commands::replay(&args),
        Command::Show(args) => commands::show(&args),
        Command::Shrink(args) => commands::shrink(&args),
        Command::Explore(args) => explore::explore(&args),
        Command::Calibrate(args) => commands::calibrate(&args),
        Command::Report(args) => commands::report(&args),
        Command::Isolated { pulse } => run::isolated(&pulse),
    };
    match result {
        Ok(Found::Nothing) => ExitCode::SUCCESS,
        Ok(Found::Something) => ExitCode::from(1),
        Err(Refusal::Closed) => ExitCode::SUCCESS,
        Err(refusal) => {
            output::note(&format!("error: {refusal}").replace(['\n', '\r'], " "));
            ExitCode::from(2)
        }
    }
}

/// Help and version go where they are asked for; a wrong argument is refused in one line.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match output::emit(&error.render().to_string()) {
            Ok(()) | Err(Refusal::Closed) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(2),
        };
    }
    let text = error.render().to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more information")
        })
        .collect();
    output::note(&lines.join("; "));
    ExitCode::from(2)
}

/// What becomes true with Ctrl-C. A second one ends the process at once, but not one that comes with the first: whoever ends
/// a process and its group, as `timeout` does, sends two.
fn interrupt() -> Result<Arc<AtomicBool>, Refusal> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let (flag, first) = (Arc::clone(&interrupted), OnceLock::new());
    ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        if first.get_or_init(Instant::now).elapsed() > Duration::from_millis(500) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Refusal::Input(format!("Ctrl-C: {error}")))?;
    Ok(interrupted)
}
