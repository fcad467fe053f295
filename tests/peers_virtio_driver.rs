//! What was found in `virtio-driver` comes of it still: every scenario beside its adapter, each in a child process, which is
//! this program once more. That is why it has no test harness.

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
