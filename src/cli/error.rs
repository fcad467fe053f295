//! What a command returns: whether it found something, or why it refused to run.

/// Why the command was refused or its result is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments or a file are invalid.
    #[error("{0}")]
    Input(String),
}

impl From<crate::executor::Failure> for CliError {
    fn from(failure: crate::executor::Failure) -> Self {
        Self::Input(failure.to_string())
    }
}

impl From<crate::execution::CannotRun> for CliError {
    fn from(error: crate::execution::CannotRun) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<ringstorm_core::Error> for CliError {
    fn from(error: ringstorm_core::Error) -> Self {
        Self::Input(error.to_string())
    }
}

/// Whether a command found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It found nothing.
    Nothing,
    /// It found something.
    Something,
}
