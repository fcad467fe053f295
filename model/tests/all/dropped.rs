//! Which memory a queue must keep when it is dropped while the device is running.

use crate::support::{
    self, FOUR, IN_FLIGHT, accepts, and, available, chain, device_took, element, index, rejects, submit,
    used, writable,
};
use ringstorm_model::{Event, Invariant, ObservedDescriptor, Place};

const fn dropped(rings: bool, buffers: bool) -> Event<'static> {
    Event::Dropped { rings, buffers }
}

/// Acts of a running device with a chain in flight.
const ACTS: [Event<'static>; 4] = [
    Event::AvailableNotifications { wanted: true },
    Event::AvailableEvent { index: 0 },
    element(0, 0, 8),
    used(1),
];

#[test]
fn the_rings_are_kept_whatever_the_device_has() {
    for before in [&[][..], &IN_FLIGHT] {
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
    rejects(&FOUR, &and(&IN_FLIGHT, &[dropped(true, false)]), reply, Invariant::MemoryKept);
    accepts(&FOUR, &and(&IN_FLIGHT, &[dropped(true, true)]), reply);
    const QUERY: [ObservedDescriptor; 1] = [support::readable(0, 3)];
    let asked = [submit(&[b"abc"], &[], 0), chain(0, &QUERY), index(1), available(0)];
    let query = device_took(0, &QUERY, b"abc");
    rejects(&FOUR, &and(&asked, &[dropped(true, false)]), query, Invariant::MemoryKept);
    accepts(&FOUR, &and(&asked, &[dropped(true, true)]), query);
    // Taking a chain without device-readable bytes accesses no buffer.
    accepts(
        &FOUR,
        &and(&IN_FLIGHT, &[dropped(true, false)]),
        device_took(0, const { &[writable(0, 8)] }, b""),
    );
    rejects(
        &FOUR,
        &and(&IN_FLIGHT, &[dropped(false, true)]),
        device_took(0, const { &[writable(0, 8)] }, b""),
        Invariant::MemoryKept,
    );
}

#[test]
fn the_next_queue_has_memory_of_its_own() {
    let mut model = support::accepting(&FOUR, &[dropped(false, false)]);
    model.begin(&FOUR);
    model.observe(&Event::AvailableNotifications { wanted: true }).expect("another queue");
}
