//! Code shapes that a compiler may treat differently: the destination, the length and the call of a copy.

use crate::peer::Peer;
use crate::support::Device;
use ringstorm_core::{Config, Layout, MappedMemory, QueueSize, Region, SharedMemory, SplitQueue};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The duration of the test of each shape.
const EACH: Duration = Duration::from_millis(20);
const LONGEST: usize = 4096;

/// Calls `$call::<N>($argument, ...)` for lengths that compilers copy in different ways.
macro_rules! for_each_length {
    ($call:ident($($argument:expr),*)) => {
        for_each_length!($call($($argument),*): 1 2 3 7 8 16 17 31 64 65 100 128 256 513 1024 2048 4095 4096)
    };
    ($call:ident $arguments:tt: $($length:literal)*) => {
        $($call::<$length> $arguments;)*
    };
}

/// The results of all shapes.
pub struct Results<'t> {
    memory: &'t MappedMemory,
    peer: &'t Peer,
    /// The destination of the second copy, which the caller uses.
    used: Vec<u8>,
    /// A line for each shape in which the two sums differed.
    differing: Vec<String>,
    rounds: u64,
    shapes: u64,
    /// The number of rounds whose bytes differed from the round before.
    changes: u64,
    /// The shapes in which no round found other bytes.
    unchanged: u64,
}

impl<'t> Results<'t> {
    pub fn new(memory: &'t MappedMemory, peer: &'t Peer) -> Self {
        let used = vec![0; LONGEST];
        Self { memory, peer, used, differing: Vec::new(), rounds: 0, shapes: 0, changes: 0, unchanged: 0 }
    }

    /// Tests one shape. A round returns the sums of the checked bytes and of the used bytes.
    #[inline(always)]
    fn shape(&mut self, name: impl Fn() -> String, mut round: impl FnMut(&mut [u8]) -> (u64, u64)) {
        let (mut rounds, mut differing, mut changes, mut last, start) = (0, 0, 0, 0, Instant::now());
        while start.elapsed() < EACH {
            for _ in 0..64 {
                let (checked, used) = round(&mut self.used);
                rounds += 1;
                differing += u64::from(checked != used);
                changes += u64::from(checked != last);
                last = checked;
            }
        }
        if differing > 0 {
            let percent = 100.0 * differing as f64 / rounds as f64;
            self.differing.push(format!(
                "{}: the sums differ in {differing} of {rounds} rounds ({percent:.1} %)",
                name()
            ));
        }
        self.rounds += rounds;
        self.shapes += 1;
        self.changes += changes;
        self.unchanged += u64::from(changes < 2);
    }

    pub fn assert_nothing_differs(&self) {
        let Self { shapes, rounds, changes, .. } = self;
        let all = self.differing.join("\n");
        assert!(
            self.differing.is_empty(),
            "the sums differ in {} of {shapes} shapes:\n{all}",
            self.differing.len()
        );
        println!(
            "{shapes} shapes, {rounds} rounds; {changes} rounds found other bytes than the round before"
        );
        // A shape may have got no processor time. Copies into memory change their own bytes, so they always count as
        // changed.
        assert!(
            self.unchanged < shapes / 8,
            "the other process did not rewrite the memory during {} shapes",
            self.unchanged
        );
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().copied().map(u64::from).sum()
}

/// Checks the copy, uses it, and returns the sums of both.
#[inline(always)]
fn check_and_use(copy: &[u8], used: &mut [u8]) -> (u64, u64) {
    let checked = sum(copy);
    let used = &mut used[..copy.len()];
    used.copy_from_slice(copy);
    (checked, sum(black_box(used)))
}

#[inline(always)]
fn by_array<const N: usize>(results: &mut Results, call: &str, copy_out: impl Fn(&mut [u8])) {
    let name = || format!("{N} bytes into an array by {call}");
    results.shape(name, |used| {
        let mut copy = [0; N];
        copy_out(&mut copy);
        check_and_use(&copy, used)
    });
}

#[inline(always)]
fn by_vec<const N: usize>(results: &mut Results, call: &str, copy_out: impl Fn(&mut [u8])) {
    let name = || format!("{N} bytes into a Vec by {call}");
    results.shape(name, |used| {
        // The length is known only at run time.
        let mut copy = vec![0; black_box(N)];
        copy_out(&mut copy);
        check_and_use(&copy, used)
    });
}

#[derive(Clone, Copy)]
struct Message<const N: usize> {
    kind: u32,
    body: [u8; N],
}

#[inline(always)]
fn by_struct<const N: usize>(results: &mut Results, call: &str, copy_out: impl Fn(&mut [u8])) {
    let name = || format!("{N} bytes into a struct by {call}");
    let mut place = Box::new(Message { kind: 0, body: [0; N] });
    results.shape(name, |_| {
        let mut message = Message { kind: 1, body: [0; N] };
        copy_out(&mut message.body);
        let checked = sum(&message.body);
        *place = message;
        let place = black_box(&*place);
        (checked, sum(&place.body) + u64::from(place.kind) - 1)
    });
}

#[inline(always)]
fn all<const N: usize>(results: &mut Results, call: &str, copy_out: impl Fn(&mut [u8]) + Copy) {
    by_array::<N>(results, call, copy_out);
    by_vec::<N>(results, call, copy_out);
    by_struct::<N>(results, call, copy_out);
}

/// By [`SharedMemory::copy_out`], aligned and unaligned.
pub fn copied_out(results: &mut Results) {
    fn at_both_places<const N: usize>(results: &mut Results) {
        let memory = results.memory;
        results.peer.work_at(64, N);
        all::<N>(results, "copy_out", |out| memory.copy_out(64, out));
        results.peer.work_at(67, N);
        all::<N>(results, "copy_out, not aligned", |out| memory.copy_out(67, out));
    }
    for_each_length!(at_both_places(results));
}

/// By [`SplitQueue::read`], from one buffer and from several.
pub fn read_from_a_queue(results: &mut Results) {
    fn from_both_chains<const N: usize>(results: &mut Results) {
        results.peer.work_at(0, N);
        from_chain::<N>(results, "read from one buffer", &[N as u32]);
        let part = N.div_ceil(3) as u32;
        from_chain::<N>(results, "read from several buffers", &vec![part; N.div_ceil(part as usize)]);
    }
    for_each_length!(from_both_chains(results));
}

/// Reads a chain that the device has returned. Its buffers are adjacent, from the beginning of the memory.
fn from_chain<const N: usize>(results: &mut Results, call: &str, writable: &[u32]) {
    const SIZE: u16 = 4;
    let size = QueueSize::new(SIZE.into()).unwrap();
    let config = Config { buffer_size: writable[0], ..Config::new(size) };
    let rings = MappedMemory::anonymous(Layout::new(size).len()).unwrap();
    let mut queue = SplitQueue::new(config, Region::new(&rings), Region::new(results.memory)).unwrap();
    let head = queue.submit(&[], writable).unwrap();
    let _ = queue.publish();
    let mut device = Device::new(SIZE, &rings, Vec::new(), 0);
    assert_eq!(device.poll(), Some(head.index()));
    device.return_chain(head.index().into(), writable.iter().sum());
    assert!(queue.take().unwrap().is_some());
    let offsets = queue.buffers(head).unwrap().map(|buffer| buffer.offset);
    assert!(offsets.eq((0..writable.len()).map(|position| position * writable[0] as usize)));
    all::<N>(results, call, |out| {
        queue.read(head, out).unwrap();
    });
    queue.free(head).unwrap();
}

/// The other direction: the device cannot change what the caller copies in.
pub fn copied_in(results: &mut Results) {
    fn from_array<const N: usize>(results: &mut Results) {
        let memory = results.memory;
        results.peer.work_at(64, N);
        let mut round = 0;
        results.shape(
            || format!("{N} bytes out of an array by copy_in"),
            |used| {
                round = u8::wrapping_add(round, 1);
                let copy = black_box([round; N]);
                memory.copy_in(64, &copy);
                check_and_use(&copy, used)
            },
        );
    }
    for_each_length!(from_array(results));
}
