//! The queues of `virtio-drivers` 0.13.0, as published, under the storm.
//!
//! `cargo run --release --example virtio_drivers` replays the findings of `reports/peers/virtio-drivers.md` and checks their
//! outcomes. With arguments it is the whole command over these subjects: `-- help`.

mod adapter;
#[path = "../support/findings.rs"]
mod findings;

fn main() -> std::process::ExitCode {
    findings::or_command(&adapter::ALL, adapter::FINDINGS)
}
