//! The errors of the demonstration.

use std::process::ExitCode;

/// Why the demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments contradict each other.
    #[error("{0}")]
    Arguments(String),
    /// The daemon's program is missing or cannot be run.
    #[error("{0}")]
    NoDaemon(String),
    /// The daemon did not start, or lacks something that is needed.
    #[error("the daemon {0}")]
    Daemon(String),
    /// The vhost-user protocol failed.
    #[error("the vhost-user protocol failed: {0}")]
    Protocol(#[from] vhost::Error),
    /// The queue returned an error.
    #[error("the queue returned an error: {0}")]
    Queue(#[from] ringstorm_core::Error),
    /// The operating system returned an error.
    #[error("the operating system returned an error: {0}")]
    System(#[from] std::io::Error),
    /// The device closed its socket.
    #[error("the device closed the connection; requests in flight: {in_flight}")]
    Gone {
        /// Requests in flight.
        in_flight: u16,
    },
    /// The device did not answer in time.
    #[error("the device did not answer in time; requests in flight: {in_flight}")]
    Silent {
        /// Requests in flight.
        in_flight: u16,
    },
    /// A request was answered with an unexpected status (5.2.6).
    #[error(
        "a request was answered with status {status} instead of 0; 1 is an I/O error of the device, 2 an unsupported request"
    )]
    Status {
        /// The status.
        status: u8,
    },
    /// The device wrote fewer bytes than the answer has.
    #[error("the device reported a used length of {written}; expected {expected}")]
    Short {
        /// The length in the used element.
        written: u32,
        /// Bytes of data and status.
        expected: u32,
    },
    /// Data that was read differs from the data that was written.
    #[error("block {block} differs from what was written to it (seen in: {place})")]
    Data {
        /// The block.
        block: u64,
        /// Where the difference was seen: in a read, or in the image file.
        place: &'static str,
    },
    /// A check of the demonstration failed.
    #[error("{0}")]
    Unexpected(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl From<ringstorm_core::Misuse> for Failure {
    fn from(misuse: ringstorm_core::Misuse) -> Self {
        Self::Queue(misuse.into())
    }
}

impl From<ringstorm_core::DeviceFault> for Failure {
    fn from(fault: ringstorm_core::DeviceFault) -> Self {
        Self::Queue(fault.into())
    }
}

impl Failure {
    /// The exit status of the process.
    pub fn exit_status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Arguments(_) | Self::NoDaemon(_) => 2,
            Self::Interrupted => 130,
            _ => 1,
        })
    }
}
