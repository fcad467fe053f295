//! A queue that is dropped while the device is running: what it must keep.

use crate::support::{
    self, FOUR, OUT, accepts, and, available, chain, element, fetched, index, rejects, submit, used, writable,
};
use ringstorm_model::{Event, Invariant, ObservedDescriptor, Place};

const fn dropped(rings: bool, buffers: bool) -> Event<'static> {
    Event::Dropped { rings, buffers }
}

/// What a running device does with a queue of which it has a chain.
const ACTS: [Event<'static>; 4] = [
    Event::AvailableNotifications { wanted: true },
    Event::AvailableEvent { index: 0 },
    element(0, 0, 8),
    used(1),
];

#[test]
fn the_rings_are_kept_whatever_the_device_has() {
    for before in [&[][..], &OUT] {
        for buffers in [false, true] {
            for act in ACTS {
                rejects(&FOUR, &and(before, &[dropped(false, buffers)]), act, Invariant::MemoryKept);
                accepts(&FOUR, &and(before, &[dropped(true, buffers)]), act);
            }
        }
    }
}

#[test]
fn buffers_are_kept_if_the_device_accesses_them() {
    let reply = Event::DeviceWrote { place: Place { region: 0, offset: 0 }, length: 8 };
    rejects(&FOUR, &and(&OUT, &[dropped(true, false)]), reply, Invariant::MemoryKept);
    accepts(&FOUR, &and(&OUT, &[dropped(true, true)]), reply);
    const QUERY: [ObservedDescriptor; 1] = [support::readable(0, 3)];
    let asked = [submit(&[b"abc"], &[], 0), chain(0, &QUERY), index(1), available(0)];
    let query = fetched(0, &QUERY, b"abc");
    rejects(&FOUR, &and(&asked, &[dropped(true, false)]), query, Invariant::MemoryKept);
    accepts(&FOUR, &and(&asked, &[dropped(true, true)]), query);
    // Taking a chain that has nothing to read touches no buffer.
    accepts(&FOUR, &and(&OUT, &[dropped(true, false)]), fetched(0, const { &[writable(0, 8)] }, b""));
    rejects(
        &FOUR,
        &and(&OUT, &[dropped(false, true)]),
        fetched(0, const { &[writable(0, 8)] }, b""),
        Invariant::MemoryKept,
    );
}

#[test]
fn the_next_queue_has_its_memory() {
    let mut model = support::accepting(&FOUR, &[dropped(false, false)]);
    model.begin(&FOUR);
    model.observe(&Event::AvailableNotifications { wanted: true }).expect("another queue");
}
