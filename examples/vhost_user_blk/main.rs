//! The queue against a real device in another process: QEMU's storage daemon, over vhost-user.
//!
//! `cargo run --release --example vhost_user_blk`
//!
//! ```text
//!   Workload ── Disk ── SplitQueue ── rings and buffers in two memfds ── qemu-storage-daemon ── image
//!      │          └──── Link: socket (set-up), two eventfds (kick, call) ────────┘
//!      └─────── Peer: the same through `virtio-driver` of libblkio
//! ```
//!
//! The daemon is started on a scratch image, and killed four times. What is read is verified at every step, and the image is
//! looked at as well. Exit status: 0 all went well, 1 something went wrong, 2 the arguments were refused or there is no daemon,
//! 130 after Ctrl-C.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
#[path = "demonstration.rs"]
mod demonstration;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match arguments::parse(std::env::args_os()) {
        Ok(options) => demonstration::told(&options),
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
    eprintln!("error: vhost-user needs eventfds, which Linux has");
    ExitCode::from(2)
}
