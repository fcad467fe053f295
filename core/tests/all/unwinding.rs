//! The caller's own memory panics during a call, for example a wrapper that checks bounds or has lost its mapping.
//! Whichever access panics, the call has changed nothing, or the queue is broken until a reset. The reset recovers
//! the queue. The queue never reports a fault of a device that follows the specification.

use crate::support::{BUFFERS_AT, Device, RINGS_AT, drain, heap};
use ringstorm_core::{
    Blame, Config, DescriptorTable, DeviceAddress, DeviceFault, DeviceStopped, Error, FullBarrier, Head,
    HeapMemory, Layout, Misuse, OrderedLoad, OrderedStore, QueueSize, Region, RingIndex, Segment,
    SharedMemory, SplitQueue, WritableBuffers,
};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

/// The number of accesses until memory panics, over all memories of one queue.
struct AccessLimit(Cell<usize>);

impl AccessLimit {
    const NEVER: usize = usize::MAX;
}

/// The payload of the panic, which distinguishes it from a failed assertion.
struct MemoryPanicked;

struct FailingMemory<'m> {
    memory: &'m HeapMemory,
    limit: &'m AccessLimit,
    /// Whether the access that panics takes place before the panic.
    after: bool,
}

impl FailingMemory<'_> {
    fn access<T>(&self, access: impl Fn(&HeapMemory) -> T) -> T {
        let left = self.limit.0.get();
        if left == 0 {
            if self.after {
                access(self.memory);
            }
            panic_any(MemoryPanicked);
        }
        if left != AccessLimit::NEVER {
            self.limit.0.set(left - 1);
        }
        access(self.memory)
    }
}

impl SharedMemory for FailingMemory<'_> {
    fn len(&self) -> usize {
        self.memory.len()
    }
    fn host_address(&self) -> u64 {
        self.memory.host_address()
    }
    fn load_u16(&self, offset: usize) -> u16 {
        self.access(|memory| memory.load_u16(offset))
    }
    fn load_u32(&self, offset: usize) -> u32 {
        self.access(|memory| memory.load_u32(offset))
    }
    fn load_u64(&self, offset: usize) -> u64 {
        self.access(|memory| memory.load_u64(offset))
    }
    fn store_u16(&self, offset: usize, value: u16) {
        self.access(|memory| memory.store_u16(offset, value))
    }
    fn store_u32(&self, offset: usize, value: u32) {
        self.access(|memory| memory.store_u32(offset, value))
    }
    fn store_u64(&self, offset: usize, value: u64) {
        self.access(|memory| memory.store_u64(offset, value))
    }
    fn load_ordered(&self, access: OrderedLoad, offset: usize) -> u16 {
        self.access(|memory| memory.load_ordered(access, offset))
    }
    fn store_ordered(&self, access: OrderedStore, offset: usize, value: u16) {
        self.access(|memory| memory.store_ordered(access, offset, value))
    }
    fn barrier(&self, barrier: FullBarrier) {
        self.access(|memory| memory.barrier(barrier))
    }
    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.access(|memory| memory.copy_in(offset, bytes))
    }
    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let read = self.access(|memory| {
            let mut read = vec![0; out.len()];
            memory.copy_out(offset, &mut read);
            read
        });
        out.copy_from_slice(&read);
    }
    fn zero(&self, offset: usize, length: usize) {
        self.access(|memory| memory.zero(offset, length))
    }
    fn abandon(&self) {
        self.memory.abandon();
    }
    fn reclaim(&self) {
        self.memory.reclaim();
    }
}

const SIZE: u16 = 8;
const ROOM: u32 = 32;
const OWN_AT: u64 = 0x10_0000_0000;

struct Memory {
    limit: AccessLimit,
    rings: HeapMemory,
    buffers: HeapMemory,
    own: HeapMemory,
}

impl Memory {
    fn new() -> Self {
        let length = Layout::new(QueueSize::new(SIZE.into()).unwrap()).len();
        let limit = AccessLimit(Cell::new(AccessLimit::NEVER));
        Self { limit, rings: heap(length), buffers: heap(usize::from(SIZE) * ROOM as usize), own: heap(64) }
    }

    fn region<'m>(&'m self, memory: &'m HeapMemory, at: u64, after: bool) -> Region<FailingMemory<'m>> {
        Region::at(FailingMemory { memory, limit: &self.limit, after }, DeviceAddress::new(at))
    }

    fn device(&self) -> Device<'_, HeapMemory> {
        let regions = vec![(BUFFERS_AT, &self.buffers), (OWN_AT, &self.own)];
        Device::new(SIZE, &self.rings, regions, 0)
    }
}

/// A queue with four chains: completed, returned but not taken, in flight, and unpublished.
struct Scene<'m> {
    queue: SplitQueue<FailingMemory<'m>>,
    device: Device<'m, HeapMemory>,
    segment: Segment,
    returned: Head,
    in_flight: Head,
    unpublished: Head,
}

fn scene(memory: &Memory, event_index: bool, after: bool) -> Scene<'_> {
    let mut config =
        Config { buffer_size: ROOM, event_index, ..Config::new(QueueSize::new(SIZE.into()).unwrap()) };
    config.policies.writable = WritableBuffers::Zeroed;
    let rings = memory.region(&memory.rings, RINGS_AT, after);
    let buffers = memory.region(&memory.buffers, BUFFERS_AT, after);
    let mut queue = SplitQueue::new(config, rings, buffers).unwrap();
    let region = queue.register(memory.region(&memory.own, OWN_AT, after)).unwrap();
    let mut device = memory.device();
    let returned = queue.submit(&[b"returned"], &[8]).unwrap();
    let waiting = queue.submit(&[b"waiting"], &[]).unwrap();
    let in_flight = queue.submit(&[b"in flight"], &[]).unwrap();
    let _ = queue.publish();
    while device.poll().is_some() {}
    device.answer(returned.index(), b"answered");
    device.answer(waiting.index(), b"");
    queue.take().unwrap().unwrap();
    let unpublished = queue.submit(&[b"later"], &[]).unwrap();
    Scene {
        queue,
        device,
        segment: Segment { region, offset: 8, length: 8 },
        returned,
        in_flight,
        unpublished,
    }
}

type Call = fn(&mut Scene<'_>);

const CALLS: [(&str, Call); 11] = [
    ("submit", |scene| _ = scene.queue.submit(&[b"one", b"two"], &[4]).unwrap()),
    ("submit_with", |scene| {
        let written = scene.queue.submit_with(&[4, 4], &[4], |writer| writer.write(b"in place"));
        written.unwrap();
    }),
    ("submit_over", |scene| _ = scene.queue.submit_over(&[scene.segment; 2], &[scene.segment]).unwrap()),
    ("publish", |scene| _ = scene.queue.publish()),
    ("take", |scene| _ = scene.queue.take().unwrap().unwrap()),
    ("read", |scene| _ = scene.queue.read(scene.returned, &mut [0; 8]).unwrap()),
    ("free", |scene| scene.queue.free(scene.returned).unwrap()),
    ("withdraw", |scene| scene.queue.withdraw(scene.unpublished).unwrap()),
    ("suppress notifications", |scene| _ = scene.queue.set_used_notifications(false)),
    ("enable notifications", |scene| _ = scene.queue.set_used_notifications(true)),
    ("reset", |scene| scene.queue.reset(DeviceStopped::confirmed(), RingIndex::new(0))),
];

/// Whether memory panicked during the call.
fn unwinds(limit: &AccessLimit, accesses: usize, call: impl FnOnce()) -> bool {
    limit.0.set(accesses);
    let end = catch_unwind(AssertUnwindSafe(call));
    limit.0.set(AccessLimit::NEVER);
    match end {
        Ok(()) => false,
        Err(payload) if payload.is::<MemoryPanicked>() => true,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

/// Checks that the queue works as a new one: every descriptor can be used, and no fault is reported.
fn assert_works_as_new(scene: &mut Scene<'_>, what: &str) {
    let Scene { queue, device, .. } = scene;
    assert_eq!((queue.free_count(), queue.in_flight(), queue.is_broken()), (SIZE, 0, false), "{what}");
    assert_eq!(queue.verify(), [], "{what}");
    for round in 0..3 {
        let heads: Vec<Head> = (0..SIZE).map(|_| queue.submit(&[b"again"], &[]).unwrap()).collect();
        let _ = queue.publish();
        assert_eq!(queue.in_flight(), SIZE, "{what}");
        assert_eq!(device.serve(|_| Vec::new()), SIZE.into(), "{what}, round {round}");
        for head in heads {
            let taken = queue.take().unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert_eq!(taken.map(|done| done.head), Some(head), "{what}");
            queue.free(head).unwrap();
        }
        assert!(matches!(queue.take(), Ok(None)), "{what}");
    }
}

/// Checks that a correct device can return every chain in the queue, and that each can be freed.
fn assert_drains(scene: &mut Scene<'_>, returned: bool, what: &str) {
    let _ = scene.queue.publish();
    scene.device.answer(scene.in_flight.index(), b"");
    scene.device.serve(|_| Vec::new());
    while let Some(done) = scene.queue.take().unwrap_or_else(|fault| panic!("{what}: {fault}")) {
        scene.queue.free(done.head).unwrap();
    }
    if returned {
        scene.queue.free(scene.returned).unwrap();
    }
}

#[test]
fn a_call_that_unwinds_changed_nothing_or_left_the_queue_broken() {
    let mut unwound = 0;
    for (name, call) in CALLS {
        for (event_index, after) in [(false, false), (false, true), (true, false), (true, true)] {
            for accesses in 0.. {
                let what =
                    format!("{name}, event index {event_index}, access {accesses}, panic after it: {after}");
                let memory = Memory::new();
                let mut scene = scene(&memory, event_index, after);
                let before = (scene.queue.free_count(), scene.queue.in_flight());
                if !unwinds(&memory.limit, accesses, || call(&mut scene)) {
                    assert!(accesses > 0, "{what}");
                    break;
                }
                unwound += 1;
                if scene.queue.is_broken() {
                    assert!(matches!(scene.queue.take(), Err(DeviceFault::Unwound)), "{what}");
                    let refused = scene.queue.submit(&[], &[1]).unwrap_err();
                    assert!(matches!(refused, Error::Device(DeviceFault::Unwound)), "{what}");
                    assert_eq!(refused.blame(), Blame::Caller, "{what}");
                    if name == "publish" {
                        // The device may have the chain.
                        let published = Err(Misuse::Published(scene.unpublished));
                        assert_eq!(scene.queue.withdraw(scene.unpublished), published, "{what}");
                    }
                } else {
                    // The chain is free, even if the table in shared memory still contains it.
                    let freed = u16::from(name == "free") * 2;
                    let now = (scene.queue.free_count(), scene.queue.in_flight());
                    assert_eq!(now, (before.0 + freed, before.1), "{what}");
                    assert_drains(&mut scene, freed == 0, &what);
                    assert_eq!(scene.queue.free_count(), SIZE, "{what}");
                }
                scene.queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
                scene.device = memory.device();
                assert_works_as_new(&mut scene, &what);
            }
        }
    }
    assert!(unwound > 100, "{unwound}");
}

/// A call that unwound may be repeated. It must not change an entry that was published.
#[test]
fn withdrawing_again_changes_no_published_entry() {
    for accesses in 0..4 {
        for again in 0..3 {
            let memory = Memory::new();
            let mut scene = scene(&memory, false, false);
            let others = [b"second", b"third!"].map(|bytes| scene.queue.submit(&[bytes], &[]).unwrap());
            let unwound = unwinds(&memory.limit, accesses, || {
                scene.queue.withdraw(scene.unpublished).unwrap();
            });
            let entries = |scene: &Scene<'_>| [0, 1, 2].map(|slot| scene.device.available_entry(slot));
            let before = entries(&scene);
            for _ in 0..again {
                let _ = scene.queue.withdraw(scene.unpublished);
                for other in others {
                    let _ = scene.queue.withdraw(other);
                }
            }
            assert_eq!(entries(&scene), before, "access {accesses}, unwound {unwound}, again {again}");
        }
    }
}

/// A regression test: the queue counted the chains before it published them, and panicked at the 65,536th.
#[test]
fn repeated_publishing_counts_each_chain_once() {
    let memory = Memory::new();
    let mut scene = scene(&memory, false, false);
    for _ in 0..70_000 {
        assert!(unwinds(&memory.limit, 0, || _ = scene.queue.publish()) || scene.queue.is_broken());
    }
    scene.queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
    scene.device = memory.device();
    assert_works_as_new(&mut scene, "publish");
}

/// A table has no broken state: a chain is created or not, and freed or not.
#[test]
fn a_table_is_consistent_if_its_memory_panics() {
    for after in [false, true] {
        for accesses in 0..8 {
            let memory = Memory::new();
            let size = QueueSize::new(SIZE.into()).unwrap();
            let regions = (
                memory.region(&memory.rings, RINGS_AT, after),
                memory.region(&memory.buffers, BUFFERS_AT, after),
            );
            let mut table =
                DescriptorTable::new(size, ROOM, WritableBuffers::Zeroed, regions.0, regions.1).unwrap();
            let kept = table.create(&[b"kept", b"kept"], &[]).unwrap();
            if unwinds(&memory.limit, accesses, || _ = table.create(&[b"one"], &[4, 4]).unwrap()) {
                assert_eq!(table.free_count(), SIZE - 2);
                for index in 2..SIZE {
                    let head = Head::from_parts(kept.queue(), index, 2);
                    assert_eq!(table.free(head), Err(Misuse::HeadFree(head)));
                }
            }
            unwinds(&memory.limit, accesses % 2, || table.free(kept).unwrap());
            let free = table.free_count();
            let mut all = drain(&mut table);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), usize::from(free), "a descriptor was allocated twice");
            assert_eq!(free, SIZE - table_live(&table, kept), "a descriptor was lost");
            table.release_stopped(DeviceStopped::confirmed());
        }
    }
}

/// The number of descriptors of `kept`, or zero if it is not live.
fn table_live<M: SharedMemory>(table: &DescriptorTable<M>, kept: Head) -> u16 {
    table.buffers(kept).map_or(0, |buffers| buffers.len() as u16)
}

/// The private copy describes what the table contains, also after a store that did not take place.
#[test]
fn no_tampering_is_reported_if_the_first_store_panics() {
    let (memory, own) = (Memory::new(), heap(64));
    let size = QueueSize::new(SIZE.into()).unwrap();
    let regions =
        (memory.region(&memory.rings, RINGS_AT, false), memory.region(&memory.buffers, BUFFERS_AT, false));
    let mut table =
        DescriptorTable::new(size, ROOM, WritableBuffers::Unchanged, regions.0, regions.1).unwrap();
    let region = table.register(memory.region(&own, 0x10_0000_0000, false)).unwrap();
    let used_before = table.create(&[b"x"], &[]).unwrap();
    table.free(used_before).unwrap();
    assert_eq!(table.verify(), []);
    let segment = Segment { region, offset: 3, length: 8 };
    assert!(unwinds(&memory.limit, 0, || _ = table.create_over(&[segment], &[])));
    assert_eq!(table.verify(), []);
    table.release_stopped(DeviceStopped::confirmed());
}
