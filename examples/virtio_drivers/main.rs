//! The queues of `virtio-drivers` 0.13.0 under the storm, as they were published.
//!
//! `cargo run --release --example virtio_drivers` replays what was found, which `reports/peers/virtio-drivers.md` explains, and
//! says whether it came out as it is told there. With arguments it is the whole command line over these subjects: `-- help`.

mod adapter;
#[path = "../support/findings.rs"]
mod findings;

fn main() -> std::process::ExitCode {
    findings::or_command(&adapter::ALL, adapter::FINDINGS)
}
