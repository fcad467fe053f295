//! A device in another process rewrites shared memory while the driver copies it. The bytes that a caller checks in
//! its copy must be the bytes that it uses later. A compiler that reads shared memory again, or drops or merges
//! copies, breaks this. So these tests are most effective in a release build with link-time optimization.
#![cfg(target_os = "linux")]

mod peer;
mod shapes;
#[path = "../support/mod.rs"]
mod support;

use peer::{Peer, Role};
use ringstorm_core::{MappedMemory, SharedMemory};
use shapes::Results;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Length in bytes of the memory that the device rewrites.
const LENGTH: usize = 4 * 4096;

#[test]
fn the_checked_bytes_are_the_used_bytes() {
    const NAME: &str = "the_checked_bytes_are_the_used_bytes";
    if peer::is_the_peer() {
        return;
    }
    let memory = MappedMemory::shareable(LENGTH).unwrap();
    let peer = Peer::start(NAME, Role::Rewrite, &memory);
    let mut results = Results::new(&memory, &peer);
    shapes::copied_out(&mut results);
    shapes::read_from_a_queue(&mut results);
    shapes::copied_in(&mut results);
    results.assert_nothing_differs();
    peer.stop();
}

/// Two copies of the same bytes must read them twice.
#[test]
fn every_copy_out_reads_again() {
    const NAME: &str = "every_copy_out_reads_again";
    if peer::is_the_peer() {
        return;
    }
    let memory = MappedMemory::shareable(LENGTH).unwrap();
    let peer = Peer::start(NAME, Role::Rewrite, &memory);
    peer.work_at(0, 128);
    assert!(until(|| {
        let (mut first, mut second) = ([0; 128], [0; 128]);
        memory.copy_out(0, &mut first);
        memory.copy_out(0, &mut second);
        black_box(first) != black_box(second)
    }));
    peer.stop();
}

/// A copy that is overwritten at once must take place nevertheless, because the device may read the bytes in between.
#[test]
fn every_copy_in_takes_place() {
    const NAME: &str = "every_copy_in_takes_place";
    if peer::is_the_peer() {
        return;
    }
    let memory = MappedMemory::shareable(LENGTH).unwrap();
    let peer = Peer::start(NAME, Role::Watch, &memory);
    peer.work_at(0, 128);
    let was_seen = |overwrite: fn(&MappedMemory), value: u8| {
        until(|| {
            memory.copy_in(0, &[value; 128]);
            overwrite(&memory);
            peer.has_seen(value)
        })
    };
    assert!(
        was_seen(|memory| memory.copy_in(0, &[2; 128]), 1),
        "the first copy was dropped, although only a copy overwrites it"
    );
    assert!(
        was_seen(|memory| memory.zero(0, 128), 3),
        "the first copy was dropped, although only zeros overwrite it"
    );
    let zeros_were_seen = until(|| {
        memory.zero(0, 128);
        memory.copy_in(0, &[4; 128]);
        peer.has_seen(0)
    });
    assert!(zeros_were_seen);
    peer.stop();
}

/// Whether the condition becomes true within a time that is sufficient even on a busy machine.
#[inline(always)]
fn until(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if (0..1000).any(|_| holds()) {
            return true;
        }
    }
    false
}
