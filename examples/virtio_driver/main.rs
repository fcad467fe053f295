//! The queue of `virtio-driver` 0.4.1 under the storm.
//!
//! `cargo run --release --example virtio_driver` replays the findings of `reports/peers/virtio-driver.md` and checks their
//! outcomes. With arguments it is the whole command over these subjects: `-- help`.

#[cfg(target_os = "linux")]
mod adapter;
#[cfg(target_os = "linux")]
#[path = "../support/findings.rs"]
mod findings;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    findings::or_command(&adapter::OWN, adapter::FINDINGS)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("error: virtio-driver 0.4.1 needs Linux");
}
