//! The queue with an external device: rust-vmm's `virtio-queue` as a block device, in a thread.
//!
//! `cargo run --release --example rust_vmm_block`
//!
//! ```text
//!   Driver ── SplitQueue ── rings and buffers in two files ── virtio_queue::Queue ── Device ── a disk in memory
//!      └────────────────────── two channels (kick, call) ──────────────────────────────┘
//! ```
//!
//! Each side has its own mapping of the files; the two share nothing but these bytes and the channels.

#[path = "../vhost_user_blk/arguments.rs"]
mod arguments;
mod demonstration;
mod device;
mod driver;
#[path = "../vhost_user_blk/request.rs"]
mod request;

use clap::Parser;
use std::process::ExitCode;

/// Runs the queue with a block device of rust-vmm's virtio-queue: well-formed and malformed requests, with all data verified.
#[derive(Parser)]
#[command(name = "rust_vmm_block")]
struct Options {
    /// Number of random requests.
    #[arg(default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
}

fn main() -> ExitCode {
    let Options { requests } = match arguments::parse(std::env::args_os()) {
        Ok(options) => options,
        Err((text, 0)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err((text, status)) => {
            eprintln!("{text}");
            return ExitCode::from(status);
        }
    };
    match demonstration::run(requests, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(1)
        }
    }
}
