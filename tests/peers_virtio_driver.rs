//! Replays the findings in `virtio-driver`: every scenario beside its adapter, each in a child process. The child is this
//! program again, so it has no test harness.

#[cfg(target_os = "linux")]
#[path = "../examples/virtio_driver/adapter.rs"]
mod adapter;
#[cfg(target_os = "linux")]
#[path = "../examples/support/findings.rs"]
mod findings;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    findings::or_child(&adapter::OWN, adapter::FINDINGS)
}

#[cfg(not(target_os = "linux"))]
fn main() {}
