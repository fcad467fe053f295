//! Copies in, copies out and zeroing affect exactly the given bytes, at every alignment of both sides.

use crate::support::pattern;
use ringstorm_core::{HeapMemory, SharedMemory};
use std::ops::Range;

/// Bytes around the copied ones: more than the widest access, and more than every alignment that is tested.
const MARGIN: usize = 128;

/// Shared memory around the copied bytes. The test reads and writes it by integer accesses, not by copies.
struct Ground {
    memory: HeapMemory,
    before: Vec<u8>,
}

impl Ground {
    fn new(longest: usize) -> Self {
        let length = (longest + 2 * MARGIN).next_multiple_of(8);
        Self { memory: HeapMemory::new(length).unwrap(), before: pattern(5, length) }
    }

    fn set(&self) {
        for (word, at) in self.before.chunks_exact(8).zip((0..).step_by(8)) {
            self.memory.store_u64(at, u64::from_le_bytes(word.try_into().unwrap()));
        }
    }

    fn now(&self) -> Vec<u8> {
        (0..self.memory.len()).step_by(8).flat_map(|at| self.memory.load_u64(at).to_le_bytes()).collect()
    }
}

/// Copies `length` bytes in both directions and zeroes them. The shared bytes begin at `place` and the private ones
/// at `private`, each relative to the beginning of a cache line.
fn exact(ground: &Ground, length: usize, place: usize, private: usize) {
    let what = format!("{length} bytes at {place}, private {private}");
    let (memory, at) = (&ground.memory, MARGIN + place);
    let mut bytes = pattern(9, length + 2 * MARGIN);
    let skipped = bytes.as_ptr().addr().wrapping_neg() % 64 + private;
    let before = bytes.clone();

    ground.set();
    memory.copy_in(at, &bytes[skipped..skipped + length]);
    let mut expected = ground.before.clone();
    expected[at..at + length].copy_from_slice(&before[skipped..skipped + length]);
    assert!(ground.now() == expected && bytes == before, "copy_in: {what}");

    ground.set();
    memory.copy_out(at, &mut bytes[skipped..skipped + length]);
    let mut expected = before;
    expected[skipped..skipped + length].copy_from_slice(&ground.before[at..at + length]);
    assert!(ground.now() == ground.before && bytes == expected, "copy_out: {what}");

    memory.zero(at, length);
    let mut expected = ground.before.clone();
    expected[at..at + length].fill(0);
    assert!(ground.now() == expected, "zero: {what}");
}

/// The tested values of an interval: all of them. Under Miri, where a copy takes up to a second, one of
/// `interpreted`.
fn one_in(interpreted: usize, interval: Range<usize>) -> impl Iterator<Item = usize> {
    interval.step_by(if cfg!(miri) { interpreted } else { 1 })
}

#[test]
fn short_copies_at_every_two_alignments() {
    let ground = Ground::new(80);
    for length in one_in(19, 0..80) {
        for place in one_in(13, 0..16) {
            for private in one_in(13, 0..16) {
                exact(&ground, length, place, private);
            }
        }
    }
}

#[test]
fn every_length_at_every_alignment_of_a_line() {
    let ground = Ground::new(320);
    for length in one_in(150, 80..320) {
        for place in one_in(33, 0..64) {
            exact(&ground, length, place, (place * 7 + length) % 64);
        }
    }
}

/// Lengths near the thresholds at which a copy may use another method, up to some pages.
#[test]
fn long_copies() {
    const CASES: [(usize, usize); 7] = [(3, 5), (1, 0), (0, 1), (0, 0), (8, 0), (63, 62), (16, 17)];
    let longest = if cfg!(miri) { 512 } else { 65_536 };
    let ground = Ground::new(longest + 2);
    for around in [512, 768, 1024, 1536, 2048, 4096, 8192, 65_536].into_iter().filter(|at| *at <= longest) {
        for length in one_in(3, around - 2..around + 3) {
            for case in one_in(3, 0..CASES.len()) {
                let (place, private) = CASES[case];
                exact(&ground, length, place, private);
            }
        }
    }
}
