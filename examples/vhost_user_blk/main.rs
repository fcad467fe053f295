//! The queue with a real device in another process: QEMU's storage daemon, over vhost-user.
//!
//! `cargo run --release --example vhost_user_blk`
//!
//! ```text
//!   Workload ── Disk ── SplitQueue ── rings and buffers in two memfds ── qemu-storage-daemon ── image
//!      │          └──── Link: socket (set-up), two eventfds (kick, call) ────────┘
//!      └─────── Peer: the same through `virtio-driver` of libblkio
//! ```
//!
//! Starts the daemon on a scratch image and kills it four times. Verifies all data that it reads, and the image file. Exit
//! status: 0 success, 1 failure, 2 refused arguments or no daemon, 130 after Ctrl-C.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
#[path = "demonstration.rs"]
mod demonstration;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match arguments::parse(std::env::args_os()) {
        Ok(options) => demonstration::run_and_report(&options),
        Err((text, 0)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err((text, status)) => {
            eprintln!("{text}");
            ExitCode::from(status)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: this example needs Linux, for eventfds");
    ExitCode::from(2)
}
