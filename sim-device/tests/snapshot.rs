//! Saves, restores and hashes the device's state.

mod support;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{Device, Fault, Reply};
use std::hash::{DefaultHasher, Hasher};
use support::{BUFFERS, Memory, NEXT, WRITE, effects};

const ALL: fn(u64) -> Reply = |room| Reply { written: room as u32, beyond: false };

fn print(device: &Device<&HeapMemory>, base: u16) -> u64 {
    let mut hasher = DefaultHasher::new();
    device.fingerprint(base, false, &mut hasher);
    hasher.finish()
}

/// Two chains are available: one of descriptors 0 and 1, and one of descriptor 2.
fn offered(memory: &Memory, first: u16) -> Device<&HeapMemory> {
    let device = memory.device(first);
    memory.describe(0, BUFFERS, 8, NEXT, 1);
    memory.describe(1, BUFFERS + 64, 8, WRITE, 0);
    memory.describe(2, BUFFERS + 128, 8, WRITE, 0);
    memory.make_available(0);
    memory.make_available(2);
    device
}

#[test]
fn a_restored_device_acts_as_before() {
    let memory = Memory::new();
    let mut device = offered(&memory, 0xffff);
    assert!(device.take().is_some());
    let (state, before) = (device.state(), memory.all());
    let act = |device: &mut Device<&HeapMemory>| {
        assert!(device.take().is_some());
        assert!(device.misbehave(Fault::NeverReturned, 0, 0));
        assert!(device.return_chain(1, ALL));
        device.publish();
        assert!(device.misbehave(Fault::DuplicateId, 0, 1));
        (effects(device), memory.all(), print(device, 0))
    };
    let first = act(&mut device);
    memory.rings.copy_in(0, &before[..memory.rings.len()]);
    memory.buffers.copy_in(0, &before[memory.rings.len()..][..memory.buffers.len()]);
    device.restore(&state);
    assert_eq!(memory.all(), before);
    assert_eq!(act(&mut device), first);
    // Effects that were not taken are dropped when the state is restored.
    device.set_notifications(false);
    device.restore(&state);
    assert!(effects(&mut device).is_empty());
    assert_eq!(device.in_flight_count(), 1);
}

#[test]
fn states_that_act_differently_have_different_fingerprints() {
    let memory = Memory::new();
    let mut device = offered(&memory, 0);
    let mut seen = vec![print(&device, 0)];
    let mut changes = |device: &Device<&HeapMemory>| {
        let print = print(device, 0);
        assert!(!seen.contains(&print), "after {} changes", seen.len());
        seen.push(print);
    };
    assert!(device.take().is_some());
    changes(&device);
    assert!(device.take().is_some());
    changes(&device);
    assert!(device.misbehave(Fault::NeverReturned, 0, 0));
    changes(&device);
    assert!(device.return_chain(1, ALL));
    changes(&device);
    device.stop_faults();
    changes(&device);
    assert!(device.return_chain(0, ALL));
    changes(&device);
    device.reset(1);
    changes(&device);
}

#[test]
fn laps_around_the_ring_and_buffer_contents_do_not_change_the_fingerprint() {
    let here = |first: u16| {
        let memory = Memory::new();
        let mut device = offered(&memory, first);
        assert!(device.take().is_some() && device.take().is_some());
        assert!(device.return_chain(0, ALL));
        print(&device, first)
    };
    assert_eq!(here(0), here(8));
    assert_eq!(here(0), here(0xfffc));
    let memory = Memory::new();
    let mut device = offered(&memory, 0);
    assert!(device.take().is_some() && device.take().is_some());
    assert!(device.return_chain(0, |_| Reply { written: 0, beyond: false }));
    assert_eq!(print(&device, 0), here(0), "buffer contents are not part of it");
}
