//! States of a device, and the expected effects of a fault in them.

use crate::support::{BUFFERS, Memory, NEXT, RINGS, WRITE, effects};
use ringstorm_core::HeapMemory;
use ringstorm_sim_device::{BufferPlace, Device, Effect, Reply, fill_pattern};

pub type Scene = for<'m> fn(&'m Memory) -> Device<&'m HeapMemory>;

/// What a fault should do: the bytes that it changes, and the effects that it reports.
pub type Expected = (Vec<(usize, Vec<u8>)>, Vec<Effect>);

/// The state, pick and value, and what the fault should do; `None` if it is not possible.
pub type Case = (Scene, u8, u32, Option<Expected>);

pub const NOTHING_WRITTEN: fn(u64) -> Reply = |_| Reply { written: 0, beyond: false };
pub const ALL_WRITTEN: fn(u64) -> Reply = |_| Reply { written: u32::MAX, beyond: false };

/// Two chains are in flight: 2, of descriptors 2, 0 and 3, with twelve device-writable bytes, and then 1, of one
/// device-readable buffer. No descriptor is free.
pub fn full(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(2, BUFFERS, 3, NEXT, 0);
    memory.describe(0, BUFFERS + 16, 8, NEXT | WRITE, 3);
    memory.describe(3, BUFFERS + 32, 4, WRITE, 0);
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.make_available(2);
    memory.make_available(1);
    let mut device = memory.device_now();
    while device.take().is_some() {}
    assert_eq!((device.in_flight_count(), device.returnable()), (2, 2));
    device
}

/// Both chains of [`full`] were returned, 2 last and with its twelve bytes. Element 1 is the last one.
pub fn answered(memory: &Memory) -> Device<&HeapMemory> {
    let mut device = full(memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN) && device.return_chain(0, ALL_WRITTEN));
    device.publish();
    let _ = effects(&mut device);
    device
}

/// Only chain 1, of one device-readable buffer, is in flight.
pub fn single(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.make_available(1);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 1 && taken.error.is_none()));
    device
}

/// Only chain 3, of one device-writable buffer, is in flight. Its field `next` is 2, without the flag.
pub fn last(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(3, BUFFERS + 8, 6, WRITE, 2);
    memory.make_available(3);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 3 && taken.error.is_none()));
    device
}

/// A chain with an error is in flight: a device-readable buffer after a device-writable one.
pub fn malformed(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(0, BUFFERS, 8, NEXT | WRITE, 1);
    memory.describe(1, BUFFERS + 8, 8, 0, 0);
    memory.make_available(0);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.error.is_some()));
    device
}

/// A chain without descriptors is in flight: its head is not an index of the table.
pub fn headless(memory: &Memory) -> Device<&HeapMemory> {
    memory.make_available(700);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 700 && taken.descriptors.is_empty()));
    device
}

/// Entries 3 and 1 wait in the available ring.
pub fn waiting(memory: &Memory) -> Device<&HeapMemory> {
    memory.make_available(3);
    memory.make_available(1);
    memory.device_now()
}

/// No chain is in flight or waits, and all descriptors are zero.
pub fn idle(memory: &Memory) -> Device<&HeapMemory> {
    memory.device_now()
}

/// A used element, and the used index moved over it.
pub fn element_at(index: u16, id: u32, length: u32) -> Expected {
    let pair = [id.to_le_bytes(), length.to_le_bytes()].concat();
    let after = index.wrapping_add(1);
    let reported = vec![Effect::UsedElement { index, id, length }, Effect::UsedIndex(after)];
    (vec![(84 + 8 * usize::from(index % 4), pair), (82, after.to_le_bytes().to_vec())], reported)
}

/// The first used element.
pub fn element(id: u32, length: u32) -> Expected {
    element_at(0, id, length)
}

/// Two bytes of the rings, and the effect that reports them.
pub fn word(offset: usize, value: u16, reported: Effect) -> Expected {
    (vec![(offset, value.to_le_bytes().to_vec())], vec![reported])
}

/// A move of the used index.
pub fn jump(index: u16) -> Expected {
    word(82, index, Effect::UsedIndex(index))
}

/// The pattern of a seed at an offset in the buffers.
pub fn wrote(offset: usize, length: u32, seed: u32) -> Expected {
    let mut pattern = vec![0; length as usize];
    fill_pattern(&mut pattern, seed);
    let place = BufferPlace { region: 0, offset: offset as u64 };
    (vec![(RINGS + offset, pattern)], vec![Effect::BufferWritten { place, length }])
}

pub fn both(first: Expected, second: Expected) -> Expected {
    ([first.0, second.0].concat(), [first.1, second.1].concat())
}

/// An effect without a change in memory.
pub fn effect_only(effect: Effect) -> Expected {
    (Vec::new(), vec![effect])
}
