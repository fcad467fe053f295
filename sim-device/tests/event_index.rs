//! Event indexes (2.7.10): the device writes to `avail_event` of which entry it wants to be notified.

mod support;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{Device, Effect, Fault};
use support::{Memory, effects};

fn event(memory: &Memory) -> u16 {
    memory.rings.load_u16(116)
}

fn device(memory: &Memory, first_index: u16) -> Device<&HeapMemory> {
    memory.device(first_index).with_event_index(true)
}

/// Asserts that only `avail_event` changed, to this value, and that an effect reports it.
#[track_caller]
fn asks_for(
    memory: &Memory,
    device: &mut Device<&HeapMemory>,
    index: u16,
    act: impl FnOnce(&mut Device<&HeapMemory>),
) {
    let _ = effects(device);
    let mut expected = memory.all();
    expected[116..118].copy_from_slice(&index.to_le_bytes());
    act(device);
    assert_eq!(memory.all(), expected);
    assert_eq!(effects(device), [Effect::AvailableEvent(index)]);
}

#[test]
fn a_new_device_asks_for_the_first_entry() {
    for first in [0, 9, 65_535] {
        let memory = Memory::new();
        memory.rings.store_u16(116, 77);
        let mut device = device(&memory, first);
        assert_eq!(event(&memory), first);
        assert_eq!(effects(&mut device), [Effect::AvailableEvent(first)]);
    }
}

#[test]
fn a_device_that_takes_an_entry_asks_for_the_next() {
    let memory = Memory::new();
    let mut device = device(&memory, 65_534);
    for index in [65_535, 0, 1] {
        memory.make_available(0);
        asks_for(&memory, &mut device, index, |device| assert!(device.take().is_some()));
    }
    let before = memory.all();
    assert!(device.take().is_none());
    assert_eq!((memory.all(), effects(&mut device)), (before, vec![]), "nothing was taken");
}

#[test]
fn a_device_keeps_the_distance_of_the_entry_that_it_asks_for() {
    let memory = Memory::new();
    let mut device = device(&memory, 65_530);
    asks_for(&memory, &mut device, 65_532, |device| assert!(device.set_event(2)));
    for index in [65_533, 65_534] {
        memory.make_available(0);
        asks_for(&memory, &mut device, index, |device| assert!(device.take().is_some()));
    }
    asks_for(&memory, &mut device, 4, |device| assert!(device.set_event(8)));
    asks_for(&memory, &mut device, 65_532, |device| device.set_notifications(true));
    memory.make_available(0);
    asks_for(&memory, &mut device, 65_533, |device| assert!(device.take().is_some()));
}

/// No index means "none", so the device asks for the furthest entry, and then leaves the field alone.
#[test]
fn a_device_that_wants_no_notification_asks_for_the_furthest_entry() {
    let memory = Memory::new();
    let mut device = device(&memory, 5);
    asks_for(&memory, &mut device, 4, |device| device.set_notifications(false));
    let _ = effects(&mut device);
    for _ in 0..3 {
        memory.make_available(0);
        assert!(device.take().is_some());
    }
    assert_eq!((event(&memory), effects(&mut device)), (4, vec![]));
    asks_for(&memory, &mut device, 7, |device| device.set_notifications(false));
    asks_for(&memory, &mut device, 8, |device| assert!(device.set_event(0)));
}

#[test]
fn a_reset_asks_for_the_first_entry_again() {
    for silence in 0..3 {
        let memory = Memory::new();
        let mut device = device(&memory, 5);
        match silence {
            0 => assert!(device.set_event(3)),
            1 => device.set_notifications(false),
            _ => assert!(device.misbehave(Fault::EventGarbage, 0, 0x1234)),
        }
        asks_for(&memory, &mut device, 40, |device| device.reset(40));
        memory.rings.store_u16(66, 40);
        memory.make_available(0);
        asks_for(&memory, &mut device, 41, |device| assert!(device.take().is_some()));
    }
}

#[test]
fn the_next_entry_replaces_garbage_in_avail_event() {
    let memory = Memory::new();
    let mut device = device(&memory, 0);
    asks_for(&memory, &mut device, 0x8000, |device| {
        assert!(device.misbehave(Fault::EventGarbage, 0, 0x8000))
    });
    memory.make_available(0);
    asks_for(&memory, &mut device, 1, |device| assert!(device.take().is_some()));
}

/// Without the feature, the device does not touch the field and uses the flags.
#[test]
fn without_the_feature_avail_event_is_not_used() {
    let memory = Memory::new();
    for mut device in [memory.device(7), memory.device(7).with_event_index(false)] {
        memory.rings.store_u16(116, 0x5555);
        let before = memory.all();
        assert!(!device.set_event(3));
        memory.make_available(0);
        assert!(device.take().is_some());
        memory.rings.store_u16(66, 7);
        memory.rings.store_u16(68 + 2 * 3, 0);
        assert_eq!((memory.all(), effects(&mut device)), (before, vec![]));
        device.set_notifications(false);
        assert_eq!(effects(&mut device), [Effect::AvailableNotifications(false)]);
        device.reset(7);
        assert_eq!((event(&memory), effects(&mut device)), (0x5555, vec![]));
        memory.rings.store_u16(80, 0);
    }
}

/// `used_event` follows the entries of the available ring (2.7.6).
#[test]
fn used_event_is_read_from_memory() {
    let memory = Memory::new();
    let device = device(&memory, 0);
    memory.rings.store_u16(76, 0x1234);
    memory.rings.store_u16(64, 1);
    assert_eq!((device.used_event(), device.available_flags(), device.size()), (0x1234, 1, 4));
}
