//! The literal bytes of a queue of four, as 2.7.5, 2.7.6 and 2.7.8 define them.

use crate::support::{self, Queue, bytes, heap};
use ringstorm_core::{
    Config, DeviceAddress, DeviceStopped, QueueSize, Region, RingIndex, SharedMemory, SplitQueue,
};

/// The buffers have the device address 0x1122334400 and 0x100 bytes each.
fn queue<'m>(
    rings: &'m ringstorm_core::HeapMemory,
    buffers: &'m ringstorm_core::HeapMemory,
    first: u16,
) -> Queue<'m> {
    let config = Config {
        buffer_size: 0x100,
        first_index: RingIndex::new(first),
        ..Config::new(QueueSize::new(4).unwrap())
    };
    let rings = Region::at(rings, DeviceAddress::new(0x1000));
    SplitQueue::new(config, rings, Region::at(buffers, DeviceAddress::new(0x11_2233_4400))).unwrap()
}

/// A descriptor that was never used is zero.
#[rustfmt::skip]
const FRESH: [u8; 120] = [
    // Descriptor table at 0: address in 64 bits, length in 32, flags in 16, next in 16; little-endian (1.4).
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    // Available ring at 64: flags, index, four entries, used_event; then two bytes of padding.
    0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,  0, 0,
    // Used ring at 80: flags, index, four elements of id and length, avail_event; then padding to 8.
    0, 0,  0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0,  0, 0,
];

/// NEXT is 1 and WRITE is 2 (2.7.5); the first chain has descriptors 0 and 1, the second 2 alone.
#[rustfmt::skip]
const SUBMITTED: [u8; 120] = [
    0x00, 0x44, 0x33, 0x22, 0x11, 0, 0, 0,  5, 0, 0, 0,  1, 0,  1, 0,
    0x00, 0x45, 0x33, 0x22, 0x11, 0, 0, 0,  0, 1, 0, 0,  2, 0,  0, 0,
    0x00, 0x46, 0x33, 0x22, 0x11, 0, 0, 0,  0x40, 0, 0, 0,  2, 0,  0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0,  0, 0,  0, 0,  2, 0,  0, 0,  0, 0,  0, 0,  0, 0,
    0, 0,  0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0,  0, 0,
];

/// The device has returned both chains, the second one first, and both are freed. Lengths, flags and next are zero.
#[rustfmt::skip]
const RETURNED: [u8; 120] = [
    0x00, 0x44, 0x33, 0x22, 0x11, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0x00, 0x45, 0x33, 0x22, 0x11, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0x00, 0x46, 0x33, 0x22, 0x11, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0,  0, 0,
    0, 0,  2, 0,  0, 0,  2, 0,  0, 0,  0, 0,  0, 0,  0, 0,
    0, 0,  2, 0,
    2, 0, 0, 0,  0x40, 0, 0, 0,
    0, 0, 0, 0,  0, 1, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0, 0, 0,  0, 0, 0, 0,
    0, 0,  0, 0,
];

const AVAILABLE_FLAGS: usize = 64;
const AVAILABLE_INDEX: usize = 66;
const USED: usize = 80;

#[test]
fn two_submissions_byte_for_byte() {
    let (rings, buffers) = (heap(120), heap(0x400));
    let mut queue = queue(&rings, &buffers, 0);
    assert_eq!(bytes(&rings), FRESH);
    let first = queue.submit(&[b"hello"], &[0x100]).unwrap();
    let second = queue.submit(&[], &[0x40]).unwrap();
    assert_eq!(bytes(&rings), SUBMITTED);

    let mut published = SUBMITTED;
    published[AVAILABLE_INDEX] = 2;
    let _ = queue.publish();
    assert_eq!(bytes(&rings), published);
    assert_eq!(&bytes(&buffers)[..6], b"hello\0");

    let mut device = support::Device::new(4, &rings, vec![(0x11_2233_4400, &buffers)], 0);
    device.return_chain(2, 0x40);
    device.return_chain(0, 0x100);
    assert_eq!(queue.take().unwrap().unwrap().head, second);
    assert_eq!(queue.take().unwrap().unwrap().head, first);
    queue.free(second).unwrap();
    queue.free(first).unwrap();
    assert_eq!(bytes(&rings), RETURNED);
}

#[test]
fn used_buffer_notifications_are_suppressed_in_the_available_flags() {
    let (rings, buffers) = (heap(120), heap(0x400));
    let mut queue = queue(&rings, &buffers, 0);
    queue.set_used_notifications(false);
    let mut expected = FRESH;
    expected[AVAILABLE_FLAGS] = 1;
    assert_eq!(bytes(&rings), expected);
    queue.set_used_notifications(true);
    assert_eq!(bytes(&rings), FRESH);
}

#[test]
fn the_rings_begin_at_the_first_index_and_wrap() {
    let (rings, buffers) = (heap(120), heap(0x400));
    let mut queue = queue(&rings, &buffers, 0xffff);
    let mut expected = FRESH;
    for at in [AVAILABLE_INDEX, USED + 2] {
        expected[at..at + 2].fill(0xff);
    }
    assert_eq!(bytes(&rings), expected);
    queue.submit(&[], &[0x40]).unwrap();
    queue.submit(&[], &[0x40]).unwrap();
    let _ = queue.publish();
    let after = bytes(&rings);
    assert_eq!(after[AVAILABLE_INDEX..76], [1, 0, 1, 0, 0, 0, 0, 0, 0, 0], "slots 3, then 0");
    assert_eq!(after[USED..], expected[USED..]);
}

#[test]
fn a_reset_writes_the_fresh_bytes_again() {
    let (rings, buffers) = (heap(120), heap(0x400));
    let mut queue = queue(&rings, &buffers, 0);
    queue.submit(&[b"hello"], &[0x100]).unwrap();
    let _ = queue.publish();
    let mut device = support::Device::new(4, &rings, vec![(0x11_2233_4400, &buffers)], 0);
    device.return_chain(0, 0x100);
    device.set_used_flags(1);
    // The same if no descriptor was used.
    rings.copy_in(0, &[0xee; 64]);
    queue.reset(DeviceStopped::confirmed(), RingIndex::new(0x0102));
    let mut expected = FRESH;
    expected[AVAILABLE_INDEX..AVAILABLE_INDEX + 2].copy_from_slice(&[2, 1]);
    expected[USED + 2..USED + 4].copy_from_slice(&[2, 1]);
    assert_eq!(bytes(&rings), expected);
}

#[test]
fn earlier_bytes_of_the_rings_are_overwritten() {
    let (rings, buffers) = (heap(120), heap(0x400));
    rings.copy_in(0, &[0xff; 120]);
    let queue = queue(&rings, &buffers, 0);
    let mut expected = FRESH;
    // Nobody writes the padding after the available ring and after the used ring.
    expected[78..80].fill(0xff);
    expected[118..].fill(0xff);
    assert_eq!(bytes(&rings), expected);
    drop(queue);
}
