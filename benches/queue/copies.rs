//! Copies to and from shared memory, which access each shared byte exactly once, against ordinary copies.

use crate::measure::{Subject, Times};
use crate::rings::buffers;
use ringstorm_core::{RawMemory, SharedMemory};
use std::hint::black_box;

/// One method of copying, with `length` shared bytes and as many private bytes.
struct Method {
    shared: RawMemory,
    ordinary: Vec<u8>,
    private: Vec<u8>,
    work: fn(&mut Method),
}

impl Method {
    fn new(length: usize, work: fn(&mut Self)) -> Self {
        Self { shared: buffers(length), ordinary: vec![1; length], private: vec![2; length], work }
    }
}

impl Subject for Method {
    #[inline(never)]
    fn run(&mut self, batch: usize, rounds: usize) -> u64 {
        for _ in 0..batch * rounds {
            (self.work)(black_box(self));
        }
        0
    }

    fn is_idle(&self) -> bool {
        true
    }
}

type Work = fn(&mut Method);

/// The operations, by the call of shared memory and by an ordinary one.
const WORK: [(&str, Work, Work); 3] = [
    (
        "in",
        |method| method.shared.copy_in(0, &method.private),
        |method| method.ordinary.copy_from_slice(black_box(&method.private)),
    ),
    (
        "out",
        |method| method.shared.copy_out(0, &mut method.private),
        |method| method.private.copy_from_slice(black_box(&method.ordinary)),
    ),
    (
        "zero",
        |method| method.shared.zero(0, method.private.len()),
        |method| method.ordinary.fill(black_box(0)),
    ),
];

pub fn all() {
    println!("\ncopies of shared memory against memcpy and memset, ns\n");
    println!("what | bytes | ordinary | shared | shared/ordinary");
    println!("-----|------:|---------:|-------:|---------------:");
    for (what, shared, ordinary) in WORK {
        for length in [64, 4096, 65_536] {
            let (mut shared, mut ordinary) = (Method::new(length, shared), Method::new(length, ordinary));
            let times = Times::take(&mut [(&mut ordinary, 1), (&mut shared, 1)]);
            let (ordinary, shared, ratio) = (times.of(0), times.of(1), times.ratio(1, 0));
            println!("{what:<4} | {length:>5} | {ordinary:>8.1} | {shared:>6.1} | {ratio:>15.2}");
        }
    }
}
