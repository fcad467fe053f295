//! The queue of `virtio-driver` 0.4.1 under the storm.
//!
//! `cargo run --release --example virtio_driver` replays what was found, which `reports/peers/virtio-driver.md` explains, and
//! says whether it came out as it is told there; `-- help` says what else there is.

#[cfg(target_os = "linux")]
mod adapter;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    ringstorm::cli::main_with(&[adapter::OWN])
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("virtio-driver 0.4.1 needs Linux");
}
