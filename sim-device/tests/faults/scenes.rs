//! Devices in the middle of their work, and what a fault is to do there.

use crate::support::{BUFFERS, Memory, NEXT, RINGS, WRITE, effects};
use ringstorm_core::HeapMemory;
use ringstorm_sim_device::{BufferPlace, Device, Effect, Reply, fill_pattern};

pub type Scene = for<'m> fn(&'m Memory) -> Device<&'m HeapMemory>;

/// What a fault is to do: bytes that it changes, and what it tells.
pub type Deed = (Vec<(usize, Vec<u8>)>, Vec<Effect>);

/// In which scene, with which pick and value, and what that is to do.
pub type Case = (Scene, u8, u32, Option<Deed>);

pub const NOTHING_WRITTEN: fn(u64) -> Reply = |_| Reply { written: 0, beyond: false };
pub const ALL_WRITTEN: fn(u64) -> Reply = |_| Reply { written: u32::MAX, beyond: false };

/// Chain 2 of descriptors 2, 0 and 3, with twelve writable bytes, and chain 1 of one readable buffer, both
/// held, 1 as the newest. No descriptor is free.
pub fn full(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(2, BUFFERS, 3, NEXT, 0);
    memory.describe(0, BUFFERS + 16, 8, NEXT | WRITE, 3);
    memory.describe(3, BUFFERS + 32, 4, WRITE, 0);
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.offer(2);
    memory.offer(1);
    let mut device = memory.device_now();
    while device.take().is_some() {}
    assert_eq!((device.in_flight_count(), device.returnable()), (2, 2));
    device
}

/// Both chains of [`full`] were returned, 2 as the newest, with its twelve bytes. Element 1 is the last one.
pub fn answered(memory: &Memory) -> Device<&HeapMemory> {
    let mut device = full(memory);
    assert!(device.return_chain(0, NOTHING_WRITTEN) && device.return_chain(0, ALL_WRITTEN));
    device.publish();
    let _ = effects(&mut device);
    device
}

/// Only chain 1 of one readable buffer is held.
pub fn single(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(1, BUFFERS + 48, 5, 0, 0);
    memory.offer(1);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 1 && taken.error.is_none()));
    device
}

/// Only chain 3 of one writable buffer is held; its next, which does not count, is 2.
pub fn last(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(3, BUFFERS + 8, 6, WRITE, 2);
    memory.offer(3);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 3 && taken.error.is_none()));
    device
}

/// A chain of one readable buffer behind a writable one is held: the device makes nothing of it.
pub fn senseless(memory: &Memory) -> Device<&HeapMemory> {
    memory.describe(0, BUFFERS, 8, NEXT | WRITE, 1);
    memory.describe(1, BUFFERS + 8, 8, 0, 0);
    memory.offer(0);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.error.is_some()));
    device
}

/// A chain without descriptors is held: its head is no index of the table.
pub fn headless(memory: &Memory) -> Device<&HeapMemory> {
    memory.offer(700);
    let mut device = memory.device_now();
    assert!(device.take().is_some_and(|taken| taken.head == 700 && taken.descriptors.is_empty()));
    device
}

/// Entries 3 and 1 wait in the available ring.
pub fn waiting(memory: &Memory) -> Device<&HeapMemory> {
    memory.offer(3);
    memory.offer(1);
    memory.device_now()
}

/// Nothing is held or waits, and descriptors are zero.
pub fn idle(memory: &Memory) -> Device<&HeapMemory> {
    memory.device_now()
}

/// The element of an index, and the used index behind it.
pub fn element_at(index: u16, id: u32, length: u32) -> Deed {
    let pair = [id.to_le_bytes(), length.to_le_bytes()].concat();
    let behind = index.wrapping_add(1);
    let told = vec![Effect::UsedElement { index, id, length }, Effect::UsedIndex(behind)];
    (vec![(84 + 8 * usize::from(index % 4), pair), (82, behind.to_le_bytes().to_vec())], told)
}

/// The first element.
pub fn element(id: u32, length: u32) -> Deed {
    element_at(0, id, length)
}

/// Two bytes of the rings, and what is told of them.
pub fn word(offset: usize, value: u16, told: Effect) -> Deed {
    (vec![(offset, value.to_le_bytes().to_vec())], vec![told])
}

/// The used index.
pub fn jump(index: u16) -> Deed {
    word(82, index, Effect::UsedIndex(index))
}

/// The pattern of a seed, from an offset in the buffers on.
pub fn wrote(offset: usize, length: u32, seed: u32) -> Deed {
    let mut pattern = vec![0; length as usize];
    fill_pattern(&mut pattern, seed);
    let place = BufferPlace { region: 0, offset: offset as u64 };
    (vec![(RINGS + offset, pattern)], vec![Effect::BufferWritten { place, length }])
}

pub fn both(first: Deed, second: Deed) -> Deed {
    ([first.0, second.0].concat(), [first.1, second.1].concat())
}

/// Nothing in memory.
pub fn told(effect: Effect) -> Deed {
    (Vec::new(), vec![effect])
}
