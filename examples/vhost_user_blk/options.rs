//! Command-line options, and Ctrl-C.

use super::Failure;
use clap::Parser;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Size of the largest disk in bytes. The image may be in memory.
const LARGEST: u64 = 1 << 30;

/// Runs the queue with QEMU's storage daemon over vhost-user: reads, writes, flushes and verifies, kills the daemon, and measures
/// the speed beside libblkio's virtio-driver.
#[derive(Debug, Clone, Parser)]
#[command(name = "vhost_user_blk")]
pub struct Options {
    /// The daemon's program.
    #[arg(long, value_name = "PATH", default_value = "qemu-storage-daemon")]
    pub daemon: PathBuf,
    /// Seconds of measurement at each depth; 0 for no measurement.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub seconds: u64,
    /// Numbers of requests in flight, from 1 to 64, separated by commas.
    #[arg(long, value_name = "N,...", default_value = "1,8,32", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=64))]
    pub depths: Vec<u16>,
    /// Bytes of a request: a multiple of 512, from 512 to 1048576.
    #[arg(long, value_name = "BYTES", default_value = "4096", value_parser = block_size)]
    pub block_size: u32,
    /// Blocks of the disk, from 64 to 65536; 16 MiB in total by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..=65536))]
    blocks: Option<u32>,
    /// Longest wait for the device, for example 10s.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub patience: Duration,
}

impl Options {
    /// Blocks of the disk.
    pub fn blocks(&self) -> u32 {
        self.blocks.unwrap_or((16 << 20) / self.block_size).max(64)
    }

    /// Bytes of the disk, all of which are written.
    pub fn bytes(&self) -> Result<u64, Failure> {
        match u64::from(self.blocks()) * u64::from(self.block_size) {
            bytes if bytes > LARGEST => {
                Err(Failure::Arguments(format!("the disk would have {bytes} bytes; the limit is {LARGEST}")))
            }
            bytes => Ok(bytes),
        }
    }
}

fn block_size(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(bytes) if (512..=1 << 20).contains(&bytes) && bytes % 512 == 0 => Ok(bytes),
        _ => Err("must be a multiple of 512 from 512 to 1048576".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("must be longer than 0".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Handles Ctrl-C: from now on the next wait returns an error, so that the daemon and the scratch files are removed normally.
pub fn listen_for_interrupts() -> Result<(), Failure> {
    let installed = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
    installed.map_err(|error| Failure::Unexpected(format!("Ctrl-C cannot be handled: {error}")))
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
