//! Memory between guard pages. A queue runs its whole life in it. A pointer that leaves it ends the process, which is
//! tested in a process of its own: this test binary, run again.
#![cfg(target_os = "linux")]

mod support;

use ringstorm_core::{
    Completion, Config, DeviceStopped, Error, GuardedMemory, Layout, QueueSize, Region, RingIndex,
    SharedMemory, SplitQueue, SystemError,
};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use support::{Device, bytes, maps, pattern};

/// The page size in bytes on the platforms of this test.
const PAGE: usize = 4096;
const SIGSEGV: i32 = 11;

/// The test that this binary runs again in another process, which accesses memory out of bounds.
const NAME: &str = "a_pointer_that_leaves_the_memory_ends_the_process";

/// The prefix of an argument with the number of a case. The test runner takes the argument for the name of a test
/// that it does not find.
const ARGUMENT_PREFIX: &str = "access_out_of_bounds:";

type Make = fn() -> Result<GuardedMemory, Error>;

/// The memory, the distance of the access from its first byte, and whether the access is allowed.
const CASES: [(Make, isize, bool); 20] = [
    (|| GuardedMemory::before_guard(100, 1), 0, true),
    (|| GuardedMemory::before_guard(100, 1), 99, true),
    (|| GuardedMemory::before_guard(100, 1), 100, false),
    (|| GuardedMemory::before_guard(1, 1), 0, true),
    (|| GuardedMemory::before_guard(1, 1), 1, false),
    (|| GuardedMemory::before_guard(96, 16), 95, true),
    (|| GuardedMemory::before_guard(96, 16), 96, false),
    // The guard follows the gap that the alignment leaves.
    (|| GuardedMemory::before_guard(118, 16), 127, true),
    (|| GuardedMemory::before_guard(118, 16), 128, false),
    (|| GuardedMemory::before_guard(2 * PAGE, 1), -1, false),
    (|| GuardedMemory::before_guard(2 * PAGE, PAGE), 2 * PAGE as isize, false),
    (|| GuardedMemory::before_guard(PAGE + 1, 1), PAGE as isize, true),
    (|| GuardedMemory::before_guard(PAGE + 1, 1), PAGE as isize + 1, false),
    (|| GuardedMemory::before_guard(100, 1), 100 + PAGE as isize - 1, false),
    (|| GuardedMemory::behind_guard(100), 0, true),
    (|| GuardedMemory::behind_guard(100), -1, false),
    (|| GuardedMemory::behind_guard(100), -(PAGE as isize), false),
    (|| GuardedMemory::behind_guard(100), PAGE as isize, false),
    (|| GuardedMemory::behind_guard(PAGE), -1, false),
    (|| GuardedMemory::behind_guard(PAGE), PAGE as isize, false),
];

/// Reads or writes one byte by a raw pointer, as the case requires.
fn access_out_of_bounds(case: &str) {
    let (number, writes) = case.split_once(',').unwrap();
    let (make, distance, _) = CASES[number.parse::<usize>().unwrap()];
    let memory = make().unwrap();
    let place = (memory.host_address() as *mut u8).wrapping_offset(distance);
    // SAFETY: where the access is allowed, the byte is mapped and no one else uses it. Elsewhere the operating system
    // ends the process before the access takes place, which is the purpose of the test.
    unsafe {
        if writes == "true" {
            place.write_volatile(0xcc);
        } else {
            place.read_volatile();
        }
    }
}

/// The exit status of the process that ran a case.
fn status_of(number: usize, writes: bool) -> ExitStatus {
    let case = format!("{ARGUMENT_PREFIX}{number},{writes}");
    Command::new(std::env::current_exe().unwrap()).args(["--exact", NAME, &case]).output().unwrap().status
}

#[test]
fn a_pointer_that_leaves_the_memory_ends_the_process() {
    if let Some(case) = std::env::args().find_map(|arg| arg.strip_prefix(ARGUMENT_PREFIX).map(String::from)) {
        return access_out_of_bounds(&case);
    }
    for (number, (_, distance, allowed)) in CASES.into_iter().enumerate() {
        for writes in [false, true] {
            let status = status_of(number, writes);
            let expected = if allowed { None } else { Some(SIGSEGV) };
            let what = format!("case {number}, {distance} bytes on, writes: {writes}: {status}");
            assert_eq!((status.success(), status.signal()), (allowed, expected), "{what}");
        }
    }
}

/// The bounds check is exact: an access outside panics before it takes place. Otherwise the guard page would end this
/// test.
#[test]
fn the_bounds_are_exact() {
    for make in [|| GuardedMemory::before_guard(101, 1), || GuardedMemory::behind_guard(101)] {
        let memory: GuardedMemory = make().unwrap();
        assert_eq!((memory.len(), bytes(&memory)), (101, vec![0; 101]));
        memory.copy_in(0, &pattern(1, 101));
        memory.copy_in(100, b"z");
        let mut last = [0];
        memory.copy_out(100, &mut last);
        assert_eq!((&last, &bytes(&memory)[..100]), (b"z", &pattern(1, 101)[..100]));
        let outside = |access: &dyn Fn()| {
            let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(access)).unwrap_err();
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"shared memory: the access is out of bounds"));
        };
        outside(&|| memory.copy_in(101, b"x"));
        outside(&|| memory.copy_out(101, &mut [0]));
        outside(&|| memory.zero(100, 2));
        outside(&|| memory.copy_in(usize::MAX, b"x"));
    }
}

#[test]
fn memory_begins_or_ends_at_a_page() {
    for (length, alignment) in [(1, 1), (118, 16), (PAGE - 1, 2), (PAGE, PAGE), (3 * PAGE + 5, 64)] {
        let memory = GuardedMemory::before_guard(length, alignment).unwrap();
        let start = memory.host_address() as usize;
        assert_eq!(start % alignment, 0, "{length} bytes");
        assert_eq!((start + length).next_multiple_of(alignment) % PAGE, 0, "{length} bytes");
        assert_eq!(GuardedMemory::behind_guard(length).unwrap().host_address() as usize % PAGE, 0);
    }
}

#[test]
fn memory_that_cannot_be_mapped_is_an_error() {
    for length in [1 << 60, isize::MAX as usize, usize::MAX - 3 * PAGE + 1, usize::MAX - PAGE, usize::MAX] {
        assert!(
            matches!(GuardedMemory::before_guard(length, 16), Err(Error::System(SystemError::Map(_)))),
            "{length}"
        );
        assert!(
            matches!(GuardedMemory::behind_guard(length), Err(Error::System(SystemError::Map(_)))),
            "{length}"
        );
    }
}

/// Runs chains of every length over the whole memory, with a device, a reset and a release.
fn live(size: u32, buffer_size: u32, make: fn(usize, usize) -> GuardedMemory) {
    let size = QueueSize::new(size).unwrap();
    let config = Config { buffer_size, first_index: RingIndex::new(65_535), ..Config::new(size) };
    let rings = make(Layout::new(size).len(), 16);
    let buffers = make(buffer_size as usize * size.as_usize(), 1);
    let mut queue = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers)).unwrap();
    for first in [65_535, 3] {
        let regions = vec![(buffers.host_address(), &buffers)];
        let mut device = Device::new(size.get(), &rings, regions, first);
        for descriptors in 1..=size.as_usize() {
            let (readable, writable) = (descriptors / 2, descriptors.div_ceil(2));
            let payload = pattern(descriptors as u32, buffer_size as usize);
            let head = queue.submit(&vec![&payload[..]; readable], &vec![buffer_size; writable]).unwrap();
            let _ = queue.publish();
            let answer = pattern(7, writable * buffer_size as usize);
            assert_eq!(
                device.serve(|request| [request, answer.clone()]
                    .concat()
                    .split_off(readable * buffer_size as usize)),
                1
            );
            assert_eq!(queue.take(), Ok(Some(Completion { head, written: answer.len() as u32 })));
            let mut out = vec![0; answer.len()];
            assert_eq!((queue.read(head, &mut out), &out), (Ok(answer.len()), &answer));
            queue.free(head).unwrap();
        }
        queue.submit(&[], &[buffer_size]).unwrap();
        queue.reset(DeviceStopped::confirmed(), RingIndex::new(3));
    }
    queue.release(DeviceStopped::confirmed());
}

#[test]
fn a_queue_runs_its_whole_life_between_guards() {
    for size in [1, 2, 4, 8, 32] {
        for buffer_size in [1, 17, 512, PAGE as u32] {
            live(size, buffer_size, |length, alignment| {
                GuardedMemory::before_guard(length, alignment).unwrap()
            });
            live(size, buffer_size, |length, _| GuardedMemory::behind_guard(length).unwrap());
        }
    }
}

#[test]
fn it_is_unmapped_on_drop_with_its_guards_unless_abandoned() {
    let ends = |memory: &GuardedMemory| {
        let start = memory.host_address();
        [start - PAGE as u64, start, start + PAGE as u64]
    };
    assert!(maps::any_attempt(|| {
        let memory = GuardedMemory::behind_guard(PAGE).unwrap();
        let addresses = ends(&memory);
        assert!(addresses.into_iter().all(maps::has_address));
        drop(memory);
        !addresses.into_iter().any(maps::has_address)
    }));
    let memory = GuardedMemory::behind_guard(PAGE).unwrap();
    let addresses = ends(&memory);
    memory.abandon();
    memory.store_u64(0, 7);
    drop(memory);
    assert!(addresses.into_iter().all(maps::has_address));
}
