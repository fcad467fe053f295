//! Four threads on one queue behind a mutex, a fifth as the device.

use crate::support::{Memory, Queue, pattern};
use ringstorm_core::{Head, HeapMemory, Misuse, SplitQueue};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: u32 = 4;
const CHAINS_EACH: u32 = 4_000;

/// A wait takes milliseconds; whoever waits this long waits for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the others when its thread panics, so that nobody waits for one who is gone.
struct Alarm<'a>(&'a AtomicBool);

impl Alarm<'_> {
    fn check(&self, waiting_since: Instant) {
        assert!(!self.0.load(Ordering::Relaxed), "another thread panicked");
        assert!(waiting_since.elapsed() < PATIENCE, "nobody gets on");
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(thread::panicking(), Ordering::Relaxed);
    }
}

/// The queue, and chains that one thread took for another.
struct Shared<'m> {
    queue: Queue<'m>,
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

/// Submits in two buffers if the request is long enough; `None` if the queue is full.
fn submit(queue: &mut SplitQueue<&HeapMemory>, payload: &[u8]) -> Option<Head> {
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

/// Reads and frees the chain if it is back, whoever took it.
fn collect(shared: &mut Shared<'_>, head: Head) -> Option<Vec<u8>> {
    while let Some(done) = shared.queue.take().unwrap() {
        assert_eq!(shared.done.insert(done.head, done.written), None, "no chain comes back twice");
    }
    let written = shared.done.remove(&head)?;
    let mut out = [0; 64];
    let length = shared.queue.read(head, &mut out).unwrap();
    assert_eq!(length, written as usize);
    shared.queue.free(head).unwrap();
    Some(out[..length].to_vec())
}

/// Polls under the lock, and lets the others run in between.
fn until<T>(
    shared: &Mutex<Shared<'_>>,
    alarm: &Alarm<'_>,
    mut attempt: impl FnMut(&mut Shared<'_>) -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        alarm.check(start);
        if let Some(value) = attempt(&mut shared.lock().unwrap()) {
            return value;
        }
        thread::yield_now();
    }
}

fn client(shared: &Mutex<Shared<'_>>, alarm: &Alarm<'_>, thread: u32) {
    for number in 0..CHAINS_EACH {
        let payload = request(thread, number);
        let head = until(shared, alarm, |shared| submit(&mut shared.queue, &payload));
        let answer = until(shared, alarm, |shared| collect(shared, head));
        assert_eq!(answer, response(payload), "thread {thread}, chain {number}");
    }
}

#[test]
fn four_threads_and_a_device() {
    // Chains have three or four descriptors, so four threads must wait for one another.
    let memory = Memory::new(8, 32);
    let shared = Mutex::new(Shared { queue: memory.queue(), done: HashMap::new() });
    let panicked = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (shared, panicked) = (&shared, &panicked);
            scope.spawn(move || client(shared, &Alarm(panicked), thread));
        }
        scope.spawn(|| {
            let (mut device, mut served) = (memory.device(), 0);
            let (alarm, mut start) = (Alarm(&panicked), Instant::now());
            while served < THREADS * CHAINS_EACH {
                match device.serve(response) {
                    0 => thread::yield_now(),
                    some => (served, start) = (served + some as u32, Instant::now()),
                }
                alarm.check(start);
            }
        });
    });
    let Shared { mut queue, done } = shared.into_inner().unwrap();
    assert!(done.is_empty());
    assert_eq!((queue.free_count(), queue.in_flight()), (8, 0));
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(queue.verify(), []);
    let total = (THREADS * CHAINS_EACH) as u16;
    assert_eq!((memory.device().available_index(), memory.device().used_index()), (total, total));
    assert!(queue.release().is_ok());
}
