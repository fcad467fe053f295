//! Copies in, copies out and zeroing affect exactly the given bytes, at every alignment of both sides.

use crate::support::pattern;
use ringstorm_core::{HeapMemory, SharedMemory};
use std::ops::Range;

/// Bytes around the copied ones: more than the widest access, and more than every alignment that is tested.
const MARGIN: usize = 128;

/// Shared memory around the copied bytes. The test reads and writes it by integer accesses, not by copies.
struct TestMemory {
    memory: HeapMemory,
    before: Vec<u8>,
}

impl TestMemory {
    fn new(longest: usize) -> Self {
        let length = (longest + 2 * MARGIN).next_multiple_of(8);
        Self { memory: HeapMemory::new(length).unwrap(), before: pattern(5, length) }
    }

    fn set(&self) {
        for (word, at) in self.before.chunks_exact(8).zip((0..).step_by(8)) {
            self.memory.store_u64(at, u64::from_le_bytes(word.try_into().unwrap()));
        }
    }

    fn bytes_now(&self) -> Vec<u8> {
        (0..self.memory.len()).step_by(8).flat_map(|at| self.memory.load_u64(at).to_le_bytes()).collect()
    }
}

/// Copies `length` bytes in both directions and zeroes them. The shared bytes begin at `offset` and the private ones
/// at `private`, each relative to the beginning of a cache line.
fn assert_exact(shared: &TestMemory, length: usize, offset: usize, private: usize) {
    let what = format!("{length} bytes at {offset}, private {private}");
    let (memory, at) = (&shared.memory, MARGIN + offset);
    let mut bytes = pattern(9, length + 2 * MARGIN);
    let skipped = bytes.as_ptr().addr().wrapping_neg() % 64 + private;
    let before = bytes.clone();

    shared.set();
    memory.copy_in(at, &bytes[skipped..skipped + length]);
    let mut expected = shared.before.clone();
    expected[at..at + length].copy_from_slice(&before[skipped..skipped + length]);
    assert!(shared.bytes_now() == expected && bytes == before, "copy_in: {what}");

    shared.set();
    memory.copy_out(at, &mut bytes[skipped..skipped + length]);
    let mut expected = before;
    expected[skipped..skipped + length].copy_from_slice(&shared.before[at..at + length]);
    assert!(shared.bytes_now() == shared.before && bytes == expected, "copy_out: {what}");

    memory.zero(at, length);
    let mut expected = shared.before.clone();
    expected[at..at + length].fill(0);
    assert!(shared.bytes_now() == expected, "zero: {what}");
}

/// The tested values of an interval: all of them. Under Miri, where a copy takes up to a second, one of
/// `interpreted`.
fn every_nth(interpreted: usize, interval: Range<usize>) -> impl Iterator<Item = usize> {
    interval.step_by(if cfg!(miri) { interpreted } else { 1 })
}

#[test]
fn short_copies_at_every_two_alignments() {
    let shared = TestMemory::new(80);
    for length in every_nth(19, 0..80) {
        for offset in every_nth(13, 0..16) {
            for private in every_nth(13, 0..16) {
                assert_exact(&shared, length, offset, private);
            }
        }
    }
}

#[test]
fn every_length_at_every_alignment_of_a_line() {
    let shared = TestMemory::new(320);
    for length in every_nth(150, 80..320) {
        for offset in every_nth(33, 0..64) {
            assert_exact(&shared, length, offset, (offset * 7 + length) % 64);
        }
    }
}

/// Lengths near the thresholds at which a copy may use another method, up to some pages.
#[test]
fn long_copies() {
    const CASES: [(usize, usize); 7] = [(3, 5), (1, 0), (0, 1), (0, 0), (8, 0), (63, 62), (16, 17)];
    let longest = if cfg!(miri) { 512 } else { 65_536 };
    let shared = TestMemory::new(longest + 2);
    for around in [512, 768, 1024, 1536, 2048, 4096, 8192, 65_536].into_iter().filter(|at| *at <= longest) {
        for length in every_nth(3, around - 2..around + 3) {
            for case in every_nth(3, 0..CASES.len()) {
                let (offset, private) = CASES[case];
                assert_exact(&shared, length, offset, private);
            }
        }
    }
}
