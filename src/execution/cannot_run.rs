//! The error of a scenario that cannot be run.

use crate::subject::WrongAdapter;
use ringstorm_core::Error as MemoryError;

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    /// There is no memory for it.
    #[error(transparent)]
    System(#[from] MemoryError),
    /// The subject's adapter is wrong.
    #[error(transparent)]
    Adapter(#[from] WrongAdapter),
}

impl CannotRun {
    /// Adds the seed of the scenario to the message.
    pub(crate) fn at_seed(self, seed: u64) -> Self {
        match self {
            Self::Adapter(wrong) => Self::Adapter(wrong.at(&format!("seed {seed}"))),
            Self::System(error) => Self::System(error),
        }
    }
}
