//! What can go wrong.

use std::process::ExitCode;

/// Why the demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments do not go together.
    #[error("{0}")]
    Arguments(String),
    /// There is no daemon to be had.
    #[error("{0}")]
    NoDaemon(String),
    /// The daemon did not start, or not as it should.
    #[error("the daemon: {0}")]
    Daemon(String),
    /// The socket's protocol.
    #[error("vhost-user: {0}")]
    Protocol(#[from] vhost::Error),
    /// The queue.
    #[error("the queue: {0}")]
    Queue(#[from] ringstorm_core::Error),
    /// The operating system.
    #[error("the system: {0}")]
    System(#[from] std::io::Error),
    /// The device hung up.
    #[error("the device is gone with {in_flight} requests in flight")]
    Gone {
        /// Requests that it had.
        in_flight: u16,
    },
    /// The device did not answer in time.
    #[error("the device has {in_flight} requests and is silent")]
    Silent {
        /// Requests that it has.
        in_flight: u16,
    },
    /// A request was answered by a status that was not expected (5.2.6).
    #[error(
        "a request was answered with status {status}: 1 is an I/O error of the device, 2 an unsupported request"
    )]
    Status {
        /// The status.
        status: u8,
    },
    /// A request came back with fewer bytes than its answer needs.
    #[error("the device says that it wrote {written} bytes of {expected}")]
    Short {
        /// What the device said.
        written: u32,
        /// Bytes of data and status.
        expected: u32,
    },
    /// What was read is not what was written.
    #[error("block {block} holds something else than what was written ({place})")]
    Data {
        /// The block.
        block: u64,
        /// Where that was seen.
        place: &'static str,
    },
    /// Something is not as it must be.
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
    /// How the process ends.
    pub fn exit_status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Arguments(_) | Self::NoDaemon(_) => 2,
            Self::Interrupted => 130,
            _ => 1,
        })
    }
}
