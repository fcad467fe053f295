//! The findings in the queue of `virtio-driver` also affect the crate's own block queue, whose only check is that it has a
//! request with the completed index.
#![cfg(target_os = "linux")]

#[path = "../examples/virtio_driver/block.rs"]
mod block;

use block::{Block, Identity};
use std::panic::{AssertUnwindSafe, catch_unwind};
use virtio_driver::iovec;
use virtio_driver::virtqueue::Virtqueue;

/// Descriptors of a read: its header, its buffer, its status.
const OF_A_READ: u16 = 3;
/// Offset on the disk in bytes, not zero, so that a request's header is not all zero.
const OFFSET: u64 = 512 * 0x5a5a;

fn read(block: &mut Block, name: &'static str) {
    block.queue.read(OFFSET, &mut [0; 512], name).unwrap();
}

/// All that the iterator of completions returns: names and return values of requests.
fn completed(block: &mut Block) -> Vec<(&'static str, i32)> {
    block.queue.completions().map(|completion| (completion.context, completion.ret)).collect()
}

#[test]
fn an_id_outside_the_table_completes_a_request_in_flight() {
    let mut block = Block::new(4);
    read(&mut block, "first");
    block.add_used(4);
    assert_eq!(completed(&mut block), [("first", 0)]);
}

#[test]
fn descriptors_of_a_request_in_flight_are_used_for_another_one() {
    let mut block = Block::new(4);
    read(&mut block, "first");
    let before = block.address(1);
    block.add_used(1);
    assert_eq!(completed(&mut block), []);
    read(&mut block, "second");
    assert_ne!(block.address(1), before, "the buffer of the first request");
}

#[test]
fn a_completion_of_no_request_ends_the_iteration() {
    let mut block = Block::new(8);
    read(&mut block, "first");
    block.add_used(OF_A_READ.into());
    block.add_used(0);
    assert_eq!(completed(&mut block), []);
    assert_eq!(completed(&mut block), [("first", 0)]);
}

#[test]
fn a_repeated_id_causes_a_panic() {
    let mut block = Block::new(8);
    read(&mut block, "first");
    block.add_used(0);
    assert_eq!(completed(&mut block), [("first", 0)]);
    block.add_used(0);
    assert_eq!(completed(&mut block), []);
    read(&mut block, "second");
    let panic = catch_unwind(AssertUnwindSafe(|| read(&mut block, "third"))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"assertion failed: old.is_none()"));
}

#[test]
fn a_request_is_written_outside_the_memory_of_the_queue() {
    let mut block = Block::new(4);
    // The queue reads the next free descriptor from the last descriptor of the first request.
    block.link(OF_A_READ - 1, 0x100);
    read(&mut block, "first");
    assert!(!block.is_written_behind());
    assert!(catch_unwind(AssertUnwindSafe(|| read(&mut block, "second"))).is_err());
    assert!(block.is_written_behind());
}

/// With an honest device. A scenario would be too short.
#[test]
fn the_ring_indexes_wrap() {
    let mut block = Block::new(4);
    for round in 0..70_000 {
        read(&mut block, "one");
        block.add_used(0);
        assert_eq!(completed(&mut block), [("one", 0)], "round {round}");
    }
}

/// With an honest device. The buffer is too large for a scenario, and nothing accesses it.
#[test]
fn the_device_sees_one_byte_of_a_buffer_of_four_gigabytes_and_one_byte() {
    let mut memory = vec![0; 4096];
    let mut queue = Virtqueue::<()>::new(Box::new(Identity), &mut memory, 1).unwrap();
    let buffer = iovec { iov_base: std::ptr::null_mut(), iov_len: (1 << 32) + 1 };
    assert_eq!(queue.add_request(|_, add| add(buffer, true)).unwrap(), 0);
    drop(queue);
    assert_eq!(memory[8..12], 1_u32.to_le_bytes());
}
