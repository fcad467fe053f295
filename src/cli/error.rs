//! What a command returns: whether it found something, or why it refused to run.

/// Why the command ends without doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments or a file are not what they should be.
    #[error("{0}")]
    Input(String),
}

impl From<crate::executor::Failure> for CliError {
    fn from(failure: crate::executor::Failure) -> Self {
        Self::Input(failure.to_string())
    }
}

impl From<crate::execution::CannotRun> for CliError {
    fn from(unfit: crate::execution::CannotRun) -> Self {
        Self::Input(unfit.to_string())
    }
}

impl From<ringstorm_core::Error> for CliError {
    fn from(error: ringstorm_core::Error) -> Self {
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
