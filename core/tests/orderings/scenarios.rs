//! The actions of driver and device. Each side is a thread of the model. No side waits for the other one: a side ends
//! if it has polled often enough or goes to sleep. Some of all executions are those in which the other side was fast
//! enough. So every execution ends, and a lost notification is detected at the end and is no deadlock.

use crate::device::{Notified, SleepingDevice};
use crate::memory::LoomMemory;
use crate::support::{BUFFERS_AT, RINGS_AT};
use crate::weakened::{Weakened, Weakening};
use loom::model::Builder;
use loom::thread;
use ringstorm_core::{
    Config, DeviceAddress, DeviceStopped, Notification, Policies, QueueSize, Region, RingIndex, SplitQueue,
    WritableBuffers,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

type Queue = SplitQueue<Weakened>;

/// Size of a buffer in bytes.
const BUFFER: u32 = 2;
/// The number of polls of each side of [`exchange`] that may find nothing.
const EXTRA_POLLS: u16 = 1;

/// The setup of a queue, and the actions of the two sides.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    size: u16,
    first: u16,
    event_index: bool,
    /// The total number of chains.
    chains: u16,
    /// Runs one execution. Returns the number of chains that were completed while both sides ran.
    act: fn(&Shared) -> u16,
}

/// The state that the two sides share.
#[derive(Clone)]
pub struct Shared {
    scenario: Scenario,
    rings: Weakened,
    buffers: Weakened,
}

impl Scenario {
    /// Checks every execution. Panics at the first failure, or if no execution completes all chains while both sides
    /// run.
    pub fn check(self, weakening: Weakening) {
        let furthest = Arc::new(AtomicUsize::new(0));
        let far = Arc::clone(&furthest);
        let mut builder = Builder::new();
        // Runs all executions, without the limits that environment variables may set.
        (builder.preemption_bound, builder.max_permutations, builder.max_duration) = (None, None, None);
        builder.max_branches = 1_000;
        builder.check(move || {
            let shared = Shared {
                scenario: self,
                rings: Weakened::new(LoomMemory::rings(self.size), weakening),
                buffers: Weakened::new(
                    LoomMemory::buffers(BUFFER as usize * usize::from(self.size)),
                    weakening,
                ),
            };
            far.fetch_max((self.act)(&shared).into(), Relaxed);
        });
        assert_eq!(
            furthest.load(Relaxed),
            self.chains.into(),
            "{}: the largest number of chains that an execution completed",
            self.name
        );
    }
}

impl Shared {
    fn queue(&self) -> Queue {
        let Scenario { size, first, event_index, .. } = self.scenario;
        let policies = Policies { writable: WritableBuffers::Zeroed, ..Policies::default() };
        let config = Config {
            buffer_size: BUFFER,
            first_index: RingIndex::new(first),
            event_index,
            policies,
            ..Config::new(QueueSize::new(size.into()).unwrap())
        };
        let rings = Region::at(self.rings.clone(), DeviceAddress::new(RINGS_AT));
        let buffers = Region::at(self.buffers.clone(), DeviceAddress::new(BUFFERS_AT));
        SplitQueue::new(config, rings, buffers).unwrap()
    }

    fn device(&self) -> SleepingDevice<'_> {
        let Scenario { size, first, event_index, .. } = self.scenario;
        SleepingDevice::new(&self.rings, &self.buffers, size, first, event_index)
    }
}

/// The request of the chain with this number, from 0.
fn request(number: u16) -> [u8; 1] {
    [0x10 + number as u8]
}

/// The device's response to a request.
fn response(request: &[u8]) -> [u8; 2] {
    [request[0] ^ 0xff, request[0]]
}

/// Submits a chain with a request and a buffer for the response.
fn submit(queue: &mut Queue, number: u16) -> bool {
    queue.submit(&[&request(number)], &[2]).unwrap();
    queue.publish() == Notification::Needed
}

/// Takes a chain if there is one. Checks that it is the chain with this number, and its response.
fn take(queue: &mut Queue, number: u16) -> bool {
    let Some(done) = queue.take().unwrap() else { return false };
    let mut out = [0; 4];
    let length = queue.read(done.head, &mut out).unwrap();
    assert_eq!(out[..length], response(&request(number)), "the response to request {number}");
    queue.free(done.head).unwrap();
    true
}

/// Checks that a side which sleeps before entry `asleep_at`, from 0, was notified of it if the entry exists.
fn assert_notified(notified: &Notified, asleep_at: u16) {
    let all = notified.len() as u16;
    assert!(
        asleep_at == all || notified[usize::from(asleep_at)],
        "{LOST} {asleep_at} of {all}: {notified:?}"
    );
}

/// The beginning of the message about a lost notification.
pub const LOST: &str = "asleep, and not notified of entry";

/// Request and response, one chain after the other. All use the same descriptors and buffers, and on a small ring
/// also the same entries.
fn exchange(shared: &Shared) -> u16 {
    let chains = shared.scenario.chains;
    let mut queue = shared.queue();
    let others = shared.clone();
    let device = thread::spawn(move || {
        let mut device = others.device();
        for _ in 0..chains + EXTRA_POLLS {
            if let Some(head) = device.poll() {
                let answer = response(&device.device.read(head));
                device.device.answer(head, &answer);
            }
        }
    });
    let mut back = 0;
    submit(&mut queue, 0);
    for _ in 0..chains + EXTRA_POLLS {
        if back < chains && take(&mut queue, back) {
            back += 1;
            if back < chains {
                submit(&mut queue, back);
            }
        }
    }
    device.join().unwrap();
    assert_eq!(queue.verify(), []);
    queue.release(DeviceStopped::confirmed());
    back
}

pub const EXCHANGE: Scenario =
    Scenario { name: "exchange", size: 2, first: 0xffff, event_index: false, chains: 3, act: exchange };

/// The driver submits and publishes one chain after the other. The device sleeps between them.
fn wake_device(shared: &Shared) -> u16 {
    let mut queue = shared.queue();
    shared.device().set_notifications(false);
    let others = shared.clone();
    let device = thread::spawn(move || {
        let (mut device, mut seen) = (others.device(), 0);
        device.take_until_asleep(true, |device, head| {
            assert_eq!(device.device.read(head), request(seen));
            seen += 1;
        });
        seen
    });
    let notified: Notified = (0..shared.scenario.chains).map(|number| submit(&mut queue, number)).collect();
    let seen = device.join().unwrap();
    assert_notified(&notified, seen);
    queue.release(DeviceStopped::confirmed());
    seen
}

pub const WAKE_DEVICE_BY_FLAGS: Scenario = Scenario {
    name: "wake device by flags",
    size: 4,
    first: 0,
    event_index: false,
    chains: 2,
    act: wake_device,
};

pub const WAKE_DEVICE_BY_EVENT: Scenario =
    Scenario { name: "wake device by event", first: 0xffff, event_index: true, ..WAKE_DEVICE_BY_FLAGS };

/// The device returns one chain after the other. `driver` takes them until it sleeps, and returns their number.
fn wake_driver(shared: &Shared, suppressed: bool, driver: impl FnOnce(&mut Queue) -> u16) -> u16 {
    let chains = shared.scenario.chains;
    let mut queue = shared.queue();
    if suppressed {
        queue.set_used_notifications(false);
    }
    for number in 0..chains {
        submit(&mut queue, number);
    }
    let others = shared.clone();
    let device = thread::spawn(move || {
        let (mut device, mut notified) = (others.device(), Notified::new());
        while let Some(head) = device.poll() {
            let answer = response(&device.device.read(head));
            notified.push(device.return_chain(head, &answer));
        }
        notified
    });
    let taken = driver(&mut queue);
    let notified = device.join().unwrap();
    assert_eq!(notified.len(), chains.into());
    assert_notified(&notified, taken);
    queue.release(DeviceStopped::confirmed());
    taken
}

/// A driver that suppresses notifications while it is awake. The caller has already suppressed them.
fn driver_that_suppresses(queue: &mut Queue) -> u16 {
    let mut taken = 0;
    loop {
        while take(queue, taken) {
            taken += 1;
        }
        if !queue.set_used_notifications(true) {
            return taken;
        }
        queue.set_used_notifications(false);
    }
}

/// A driver that takes chains until there is none. The queue itself moves `used_event`.
fn driver_that_only_takes(queue: &mut Queue) -> u16 {
    (0..).find(|taken| !take(queue, *taken)).unwrap()
}

pub const WAKE_DRIVER_BY_FLAGS: Scenario = Scenario {
    name: "wake driver by flags",
    size: 4,
    first: 0,
    event_index: false,
    chains: 2,
    act: |shared| wake_driver(shared, true, driver_that_suppresses),
};

pub const WAKE_DRIVER_BY_EVENT: Scenario =
    Scenario { name: "wake driver by event", first: 0xffff, event_index: true, ..WAKE_DRIVER_BY_FLAGS };

pub const WAKE_DRIVER_BY_RENEWED_EVENT: Scenario = Scenario {
    name: "wake driver by renewed event",
    chains: 3,
    size: 8,
    act: |shared| wake_driver(shared, false, driver_that_only_takes),
    ..WAKE_DRIVER_BY_EVENT
};

/// Both sides work at once. The driver submits the next chain when it has taken the one before. Both sides sleep if
/// there is no work. The queue itself moves `used_event`.
fn converse(shared: &Shared) -> u16 {
    let chains = shared.scenario.chains;
    let mut queue = shared.queue();
    let others = shared.clone();
    let device = thread::spawn(move || {
        let (mut device, mut notified) = (others.device(), Notified::new());
        device.take_until_asleep(false, |device, head| {
            let answer = response(&device.device.read(head));
            notified.push(device.return_chain(head, &answer));
        });
        notified
    });
    let (mut back, mut notified) = (0, Notified::new());
    notified.push(submit(&mut queue, back));
    while take(&mut queue, back) {
        back += 1;
        if back < chains {
            notified.push(submit(&mut queue, back));
        }
    }
    let notified_driver = device.join().unwrap();
    assert_notified(&notified, notified_driver.len() as u16);
    assert_notified(&notified_driver, back);
    queue.release(DeviceStopped::confirmed());
    back
}

pub const CONVERSE: Scenario =
    Scenario { name: "converse", size: 2, first: 0xffff, event_index: true, chains: 2, act: converse };
