//! Four driver threads on one queue in a mutex, and a fifth thread as the device.

use crate::support::{BUFFERS_AT, Device, RINGS_AT, heap, pattern};
use ringstorm_core::{
    Config, DeviceAddress, DeviceStopped, Head, HeapMemory, Layout, Misuse, QueueSize, Region, SplitQueue,
    ThreadShared,
};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const THREADS: u32 = 4;
/// Fewer under Miri, which is about a thousand times slower.
const CHAINS_EACH: u32 = if cfg!(miri) { 8 } else { 4_000 };

/// The number of polls without any progress after which a thread fails. It corresponds to seconds on any machine.
const MAX_IDLE_POLLS: u32 = 1_000_000;

/// The progress of all threads, so that no thread waits for one that has panicked, or for an event that never comes.
#[derive(Default)]
struct Progress {
    steps: AtomicU32,
    panicked: AtomicBool,
}

/// One thread's view of the progress.
struct Watch<'a> {
    progress: &'a Progress,
    seen: u32,
    looks: u32,
}

impl<'a> Watch<'a> {
    fn new(progress: &'a Progress) -> Self {
        Self { progress, seen: 0, looks: 0 }
    }

    fn step(&self) {
        self.progress.steps.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&mut self) {
        assert!(!self.progress.panicked.load(Ordering::Relaxed), "another thread panicked");
        let steps = self.progress.steps.load(Ordering::Relaxed);
        self.looks = if steps == self.seen { self.looks + 1 } else { 0 };
        self.seen = steps;
        assert!(self.looks < MAX_IDLE_POLLS, "no thread makes progress");
        thread::yield_now();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.progress.panicked.fetch_or(thread::panicking(), Ordering::Relaxed);
    }
}

/// Memory that the device's thread and a driver's thread access at the same time.
type Memory = ThreadShared<HeapMemory>;

fn at(memory: &Memory, address: u64) -> Region<&Memory> {
    Region::at(memory, DeviceAddress::new(address))
}

fn memory(length: usize) -> Memory {
    // SAFETY: queue and device follow the specification of the rings, so ring indexes order all copies.
    unsafe { ThreadShared::new(heap(length)) }
}

/// The queue, and chains that one thread took for another one.
struct Shared<'m> {
    queue: SplitQueue<&'m Memory>,
    done: HashMap<Head, u32>,
}

fn request(thread: u32, number: u32) -> Vec<u8> {
    pattern(thread << 16 | number, 1 + (number % 60) as usize)
}

fn response(mut request: Vec<u8>) -> Vec<u8> {
    request.reverse();
    request.iter_mut().for_each(|byte| *byte ^= 0x5a);
    request.truncate(40);
    request
}

/// Submits a chain of one or two device-readable buffers. Returns `None` if the queue is full.
fn submit(queue: &mut SplitQueue<&Memory>, payload: &[u8]) -> Option<Head> {
    let (front, back) = payload.split_at(payload.len() / 2);
    let result = match front.is_empty() {
        true => queue.submit(&[back], &[32, 32]),
        false => queue.submit(&[front, back], &[32, 32]),
    };
    match result {
        Ok(head) => {
            let _ = queue.publish();
            Some(head)
        }
        Err(ringstorm_core::Error::Misuse(Misuse::NotEnoughFree { .. })) => None,
        Err(other) => panic!("{other}"),
    }
}

/// Reads and frees the chain if it is completed, whichever thread took it.
fn collect(shared: &mut Shared<'_>, head: Head) -> Option<Vec<u8>> {
    while let Some(done) = shared.queue.take().unwrap() {
        assert_eq!(shared.done.insert(done.head, done.written), None, "the device returned a chain twice");
    }
    let written = shared.done.remove(&head)?;
    let mut out = [0; 64];
    let length = shared.queue.read(head, &mut out).unwrap();
    assert_eq!(length, written as usize);
    shared.queue.free(head).unwrap();
    Some(out[..length].to_vec())
}

/// Polls with the lock held, and lets other threads run between two polls.
fn until<T>(
    shared: &Mutex<Shared<'_>>,
    watch: &mut Watch<'_>,
    mut attempt: impl FnMut(&mut Shared<'_>) -> Option<T>,
) -> T {
    loop {
        if let Some(value) = attempt(&mut shared.lock().unwrap()) {
            watch.step();
            return value;
        }
        watch.wait();
    }
}

fn client(shared: &Mutex<Shared<'_>>, watch: &mut Watch<'_>, thread: u32) {
    for number in 0..CHAINS_EACH {
        let payload = request(thread, number);
        let head = until(shared, watch, |shared| submit(&mut shared.queue, &payload));
        let answer = until(shared, watch, |shared| collect(shared, head));
        assert_eq!(answer, response(payload), "thread {thread}, chain {number}");
    }
}

#[test]
fn four_threads_and_a_device() {
    // Chains have three or four descriptors of eight, so the four threads must wait for one another.
    let config = Config { buffer_size: 32, ..Config::new(QueueSize::new(8).unwrap()) };
    let (rings, buffers) = (memory(Layout::new(config.size).len()), memory(8 * 32));
    let (ring_region, buffer_region) = (at(&rings, RINGS_AT), at(&buffers, BUFFERS_AT));
    let queue = SplitQueue::new(config, ring_region, buffer_region).unwrap();
    let device = || Device::new(8, &rings, vec![(BUFFERS_AT, &buffers)], 0);
    let shared = Mutex::new(Shared { queue, done: HashMap::new() });
    let progress = Progress::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (shared, progress) = (&shared, &progress);
            scope.spawn(move || client(shared, &mut Watch::new(progress), thread));
        }
        scope.spawn(|| {
            let (mut device, mut served) = (device(), 0);
            let mut watch = Watch::new(&progress);
            while served < THREADS * CHAINS_EACH {
                match device.serve(response) {
                    0 => watch.wait(),
                    some => {
                        served += some as u32;
                        watch.step();
                    }
                }
            }
        });
    });
    let Shared { mut queue, done } = shared.into_inner().unwrap();
    assert!(done.is_empty());
    assert_eq!((queue.free_count(), queue.in_flight()), (8, 0));
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(queue.verify(), []);
    let total = (THREADS * CHAINS_EACH) as u16;
    assert_eq!((device().available_index(), device().used_index()), (total, total));
    queue.release(DeviceStopped::confirmed());
}
