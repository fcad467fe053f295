//! The fingerprint of a queue's private state is equal for queues that behave equally, and different for others.

use crate::support::{Memory, Queue, heap, region};
use ringstorm_core::{
    AfterFault, Config, DeviceStopped, OverLong, Policies, QueueSize, Region, RingIndex, Segment,
    SharedMemory, SplitQueue, WritableBuffers,
};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

fn fingerprint_of<M: SharedMemory>(queue: &SplitQueue<M>) -> u64 {
    let mut hasher = DefaultHasher::new();
    queue.fingerprint(&mut hasher);
    hasher.finish()
}

fn made(config: Config) -> u64 {
    let memory = Memory::new(config.size.get().into(), 64);
    let (rings, buffers) = (memory.ring_region(), memory.buffer_region());
    fingerprint_of(&SplitQueue::new(config, rings, buffers).unwrap())
}

/// The fingerprint of a new queue of 4 after `act`.
fn after(act: impl FnOnce(&mut Queue<'_>, &Memory)) -> u64 {
    let memory = Memory::new(4, 64);
    let mut queue = memory.queue();
    act(&mut queue, &memory);
    fingerprint_of(&queue)
}

/// Submits a chain, has the device return it, and takes it.
fn round_trip(queue: &mut Queue<'_>, memory: &Memory, written: u32) -> ringstorm_core::Head {
    let head = queue.submit(&[], &[8]).unwrap();
    let _ = queue.publish();
    put_used(memory, head.index().into(), written);
    queue.take().unwrap().unwrap().head
}

/// Writes an element to the used ring of a queue of 4 by literal offsets (2.7.8).
fn put_used(memory: &Memory, id: u32, length: u32) {
    // The used ring follows a table of 64 bytes and an available ring of 14 bytes, at the next multiple of 4.
    let used = 80;
    let index = memory.rings.load_u16(used + 2);
    let element = used + 4 + 8 * usize::from(index % 4);
    memory.rings.store_u32(element, id);
    memory.rings.store_u32(element + 4, length);
    memory.rings.store_u16(used + 2, index.wrapping_add(1));
}

#[test]
fn all_relevant_private_state_changes_the_fingerprint() {
    let mut seen = BTreeMap::new();
    let mut differs = |what: &'static str, fingerprint_of: u64| {
        if let Some(before) = seen.insert(fingerprint_of, what) {
            panic!("{what} has the fingerprint of {before}");
        }
    };
    let size = QueueSize::new(4).unwrap();
    let config = Config { buffer_size: 64, ..Config::new(size) };
    differs("a new queue", made(config));
    differs("another size", made(Config { size: QueueSize::new(2).unwrap(), ..config }));
    differs("another buffer size", made(Config { buffer_size: 32, ..config }));
    differs("another slot", made(Config { first_index: RingIndex::new(1), ..config }));
    let policies = Policies::default();
    let with = |policies| made(Config { policies, ..config });
    differs("continue after faults", with(Policies { after_fault: AfterFault::Continue, ..policies }));
    differs("refuse long lengths", with(Policies { over_long: OverLong::Refuse, ..policies }));
    differs("zeroed buffers", with(Policies { writable: WritableBuffers::Zeroed, ..policies }));
    // A reset writes this setting to memory again, so the fingerprint contains it.
    differs("no notifications", after(|queue, _| _ = queue.set_used_notifications(false)));
    // With event indexes, the field in memory does not show the setting.
    let by_index = |act: fn(&mut Queue<'_>)| {
        let memory = Memory::new(4, 64);
        let config = Config { event_index: true, ..config };
        let mut queue = SplitQueue::new(config, memory.ring_region(), memory.buffer_region()).unwrap();
        act(&mut queue);
        fingerprint_of(&queue)
    };
    differs("event indexes", by_index(|_| ()));
    differs("event indexes and no notifications", by_index(|queue| _ = queue.set_used_notifications(false)));

    differs("a readable chain", after(|queue, _| _ = queue.submit(&[b"x"], &[]).unwrap()));
    differs("a longer one", after(|queue, _| _ = queue.submit(&[b"xy"], &[]).unwrap()));
    differs("a writable chain", after(|queue, _| _ = queue.submit(&[], &[1]).unwrap()));
    differs("a longer writable one", after(|queue, _| _ = queue.submit(&[], &[2]).unwrap()));
    differs("one of both", after(|queue, _| _ = queue.submit(&[b"x"], &[1]).unwrap()));
    differs("a chain of two", after(|queue, _| _ = queue.submit(&[], &[1, 1]).unwrap()));
    differs(
        "two chains",
        after(|queue, _| {
            queue.submit(&[], &[1]).unwrap();
            queue.submit(&[], &[1]).unwrap();
        }),
    );
    differs(
        "published",
        after(|queue, _| {
            queue.submit(&[], &[1]).unwrap();
            let _ = queue.publish();
        }),
    );
    differs(
        "one of two published",
        after(|queue, _| {
            queue.submit(&[], &[1]).unwrap();
            let _ = queue.publish();
            queue.submit(&[], &[1]).unwrap();
        }),
    );
    differs(
        "both published",
        after(|queue, _| {
            queue.submit(&[], &[1]).unwrap();
            queue.submit(&[], &[1]).unwrap();
            let _ = queue.publish();
        }),
    );
    differs("returned", after(|queue, memory| _ = round_trip(queue, memory, 0)));
    differs("returned with bytes", after(|queue, memory| _ = round_trip(queue, memory, 1)));
    differs(
        "freed in another order",
        after(|queue, memory| {
            let heads = [round_trip(queue, memory, 0), round_trip(queue, memory, 0)];
            heads.iter().for_each(|head| queue.free(*head).unwrap());
        }),
    );
    differs(
        "freed in the same order",
        after(|queue, memory| {
            let [first, second] = [round_trip(queue, memory, 0), round_trip(queue, memory, 0)];
            [second, first].iter().for_each(|head| queue.free(*head).unwrap());
        }),
    );
    differs(
        "broken by a jump",
        after(|queue, memory| {
            put_used(memory, 0, 0);
            assert!(queue.take().is_err());
        }),
    );
    differs(
        "an invalid used id",
        after(|queue, memory| {
            queue.submit(&[], &[8]).unwrap();
            let _ = queue.publish();
            put_used(memory, 4, 0);
            assert!(queue.take().is_err());
        }),
    );
    let other = heap(64);
    let over = |segment: Option<(usize, u32)>| {
        let memory = Memory::new(4, 64);
        let mut queue = memory.queue();
        let region = queue.register(region(&other, 0x9000_0000)).unwrap();
        if let Some((offset, length)) = segment {
            queue.submit_over(&[Segment { region, offset, length }], &[]).unwrap();
        }
        fingerprint_of(&queue)
    };
    differs("a foreign buffer", over(Some((0, 1))));
    differs("a foreign buffer elsewhere", over(Some((1, 1))));
    differs("a region and no buffer", over(None));
}

#[test]
fn irrelevant_state_does_not_change_the_fingerprint() {
    let fresh = after(|_, _| ());
    // After four chains the rings have made one turn, and all serial numbers differ.
    let turned = |turns| {
        after(|queue, memory| {
            for _ in 0..4 * turns {
                let head = round_trip(queue, memory, 8);
                queue.free(head).unwrap();
            }
        })
    };
    assert_eq!(turned(2), turned(1));
    // A used descriptor has an address in shared memory, which `verify` compares.
    assert_ne!(turned(1), fresh);
    // The same with a second chain of that length.
    let live = after(|queue, _| _ = queue.submit(&[b"abc"], &[4]).unwrap());
    let later = after(|queue, memory| {
        for _ in 0..8 {
            let head = round_trip(queue, memory, 8);
            queue.free(head).unwrap();
        }
        queue.submit(&[b"xyz"], &[4]).unwrap();
    });
    assert_eq!(later, live, "the payload is in shared memory, not in the private copy");
    // Whether a published chain is the newest one makes no difference. Both queues have used two descriptors at once
    // before.
    let used_two = |queue: &mut Queue<'_>, memory: &Memory| {
        for _ in 0..2 {
            let [first, second] = [0; 2].map(|_| round_trip(queue, memory, 8));
            queue.free(second).unwrap();
            queue.free(first).unwrap();
        }
    };
    let published = after(|queue, memory| {
        used_two(queue, memory);
        queue.submit(&[], &[8]).unwrap();
        let _ = queue.publish();
    });
    let overtaken = after(|queue, memory| {
        used_two(queue, memory);
        queue.submit(&[], &[8]).unwrap();
        let _ = queue.publish();
        for _ in 0..4 {
            let head = round_trip(queue, memory, 8);
            queue.free(head).unwrap();
        }
    });
    assert_eq!(overtaken, published);
    let size = QueueSize::new(4).unwrap();
    let at =
        |first| made(Config { buffer_size: 64, first_index: RingIndex::new(first), ..Config::new(size) });
    assert_eq!(at(0xfffc), fresh);
    assert_eq!(after(|queue, _| queue.reset(DeviceStopped::confirmed(), RingIndex::new(4))), fresh);
    // Calls that only read, and refused calls, change nothing.
    let looked = after(|queue, _| {
        assert!(queue.submit(&[], &[]).is_err());
        assert!(queue.submit(&[b"x"], &[65]).is_err());
        assert_eq!(queue.take(), Ok(None));
        assert!(!queue.set_used_notifications(true));
        let _ = (queue.verify(), queue.publish());
    });
    assert_eq!(looked, fresh);
}

#[test]
fn addresses_do_not_change_the_fingerprint_and_a_clone_has_the_same() {
    let config = Config { buffer_size: 64, ..Config::new(QueueSize::new(4).unwrap()) };
    let (rings, buffers) = (heap(4096), heap(64 * 4));
    let mut elsewhere = SplitQueue::new(config, Region::new(&rings), Region::new(&buffers)).unwrap();
    elsewhere.submit(&[b"abc"], &[4]).unwrap();
    let here = after(|queue, _| _ = queue.submit(&[b"abc"], &[4]).unwrap());
    assert_eq!(fingerprint_of(&elsewhere), here);
    assert_eq!(fingerprint_of(&elsewhere.clone()), here);
}
