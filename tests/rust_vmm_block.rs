//! Runs the example with rust-vmm's block device, across the wrap of the ring indexes.

#[path = "../examples/rust_vmm_block/demonstration.rs"]
mod demonstration;
#[path = "../examples/rust_vmm_block/device.rs"]
mod device;
#[path = "../examples/rust_vmm_block/driver.rs"]
mod driver;
#[path = "../examples/vhost_user_blk/request.rs"]
mod request;

#[test]
fn rust_vmms_device_serves_the_queue() {
    let mut out = Vec::new();
    demonstration::run(30_000, &mut out).expect("all goes well");
    let text = String::from_utf8(out).expect("text");
    assert!(text.contains("verified  30000 reads, writes and flushes from index 0xfff0"), "{text}");
}
