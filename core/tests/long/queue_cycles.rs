//! Long runs: every queue size, the wrap of the 16-bit indexes, and resets.

use crate::support::{self, Memory, Queue, SIZES, descriptors_of_queue};
use ringstorm_core::{DeviceStopped, Head, Misuse, Notification, RingIndex};

/// Fills the queue with chains of one descriptor, has the device return them in another order, and frees them.
fn cycle(memory: &Memory, queue: &mut Queue<'_>, first: u16, turn: u16) {
    let size = memory.config.size.get();
    let mut device = support::Device::new(size, &memory.rings, vec![], first);
    let heads: Vec<Head> = (0..size).map(|_| queue.submit(&[], &[1]).unwrap()).collect();
    assert_eq!((queue.free_count(), queue.in_flight()), (0, 0));
    assert_eq!(queue.publish(), Notification::Needed);
    assert_eq!(queue.in_flight(), size);
    for head in &heads {
        assert_eq!(device.poll(), Some(head.index()));
    }
    assert_eq!(device.poll(), None);
    let turned = |at: u16| heads[usize::from(at.wrapping_add(turn) % size)];
    for at in 0..size {
        device.write_used(turned(at).index().into(), 1);
    }
    device.publish_used();
    for at in 0..size {
        let done = queue.take().unwrap().unwrap();
        assert_eq!((done.head, done.written), (turned(at), 1));
        queue.free(done.head).unwrap();
    }
    assert_eq!(queue.take(), Ok(None));
    assert_eq!((queue.free_count(), queue.in_flight()), (size, 0));
}

#[test]
fn every_size_completes_full_cycles() {
    for size in SIZES {
        let memory = Memory::new(size, 1);
        let mut queue = memory.queue();
        let mut first = 0;
        for turn in 0..5 {
            cycle(&memory, &mut queue, first, turn);
            first = memory.config.size.get().wrapping_add(first);
        }
        assert_eq!(queue.verify(), []);
    }
}

#[test]
fn every_size_starts_anywhere_and_wraps() {
    for size in SIZES {
        for first in [65_535, 65_534, 65_536 - (size / 2).max(1), 32_767, 12_345].map(|first| first as u16) {
            let memory = Memory::new(size, 1).starting_at(first);
            let mut queue = memory.queue();
            assert_eq!(queue.take(), Ok(None));
            cycle(&memory, &mut queue, first, 1);
            cycle(&memory, &mut queue, first.wrapping_add(size as u16), 0);
        }
    }
}

#[test]
fn the_index_wraps_by_use() {
    for size in [1, 4, 256] {
        let memory = Memory::new(size, 1);
        let mut queue = memory.queue();
        let mut first = 0_u16;
        for turn in 0..65_536 / size + 2 {
            cycle(&memory, &mut queue, first, turn as u16);
            first = first.wrapping_add(size as u16);
        }
        assert_eq!(u32::from(first), 2 * size);
        assert_eq!(memory.device().available_index(), first);
    }
}

/// Chains in every state, and rings at an index in the middle.
#[test]
fn a_reset_recovers_everything_from_any_state() {
    let memory = Memory::new(8, 16).starting_at(65_530);
    for steps in 0..=4 {
        let (mut queue, mut device) = (memory.queue(), memory.device());
        let mut old = Vec::new();
        if steps > 0 {
            old.extend((0..2).map(|_| queue.submit(&[b"a"], &[1]).unwrap()));
        }
        if steps > 1 {
            let _ = queue.publish();
        }
        if steps > 2 {
            device.return_chain(0, 1);
        }
        if steps > 3 {
            queue.take().unwrap().unwrap();
        }
        old.push(queue.submit(&[b"never published"], &[]).unwrap());
        queue.reset(DeviceStopped::confirmed(), RingIndex::new(7));
        assert_eq!((queue.free_count(), queue.in_flight(), queue.is_broken()), (8, 0, false));
        assert_eq!(queue.publish(), Notification::NotNeeded);
        assert_eq!((device.available_index(), device.used_index()), (7, 7));
        assert_eq!(queue.take(), Ok(None), "what was given back before is gone");
        assert_eq!(queue.verify(), []);
        for head in old {
            assert_eq!(queue.free(head), Err(Misuse::HeadFree(head)));
        }
        cycle(&memory, &mut queue, 7, 3);
        let all = queue.submit(&[], &[1; 8]).unwrap();
        assert_eq!(descriptors_of_queue(&queue, all).len(), 8);
    }
}

/// A device that was not really stopped returns a chain from before the reset. The index now belongs to a chain that
/// this device cannot have.
#[test]
fn a_used_element_from_before_a_reset_is_a_device_fault() {
    let memory = Memory::new(8, 16);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let old = queue.submit(&[], &[1]).unwrap();
    let _ = queue.publish();
    queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
    let new = queue.submit(&[], &[1]).unwrap();
    assert_eq!(old.index(), new.index());
    device.return_chain(old.index().into(), 1);
    assert!(queue.take().is_err());
    assert_eq!(queue.read(new, &mut [0; 1]), Err(Misuse::NotReturned(new)));
}
