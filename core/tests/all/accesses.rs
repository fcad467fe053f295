//! The accesses that the queue makes, and their order: the ordering rules of 2.7.13 and 2.7.14, and the guarantee
//! that the queue reads no value twice and reads no descriptor.

use crate::support::recorder::Access::{self, *};
use crate::support::{self, recorder::Recorder};
use ringstorm_core::FullBarrier::{self, EnabledThenUsed, PublishedThenSuppression};
use ringstorm_core::OrderedLoad::{self, UsedFlags, UsedIndex};
use ringstorm_core::OrderedStore::{self, AvailableFlags, AvailableIndex};
use ringstorm_core::{
    Config, DescriptorTable, DeviceAddress, Policies, QueueSize, Region, SharedMemory, SplitQueue,
    WritableBuffers,
};
use std::rc::Rc;
use std::sync::Arc;

/// Offsets of the available ring and the used ring in a queue of four (2.7).
const AVAILABLE: usize = 64;
const USED: usize = 80;

/// Rings and buffers of a queue of four, with buffers of 16 bytes.
struct Recorded {
    rings: Recorder,
    buffers: Recorder,
}

impl Recorded {
    fn new() -> Self {
        Self { rings: Recorder::new(120), buffers: Recorder::new(64) }
    }

    fn queue(&self, writable: WritableBuffers) -> SplitQueue<&Recorder> {
        let policies = Policies { writable, ..Policies::default() };
        let config = Config { buffer_size: 16, policies, ..Config::new(QueueSize::new(4).unwrap()) };
        let rings = Region::at(&self.rings, DeviceAddress::new(0x1000));
        let queue = SplitQueue::new(config, rings, Region::at(&self.buffers, DeviceAddress::new(0x2000)));
        self.clear();
        queue.unwrap()
    }

    fn clear(&self) {
        self.rings.take_log();
        self.buffers.take_log();
    }
}

const fn stored(offset: usize, width: usize) -> Access {
    Store { offset, width }
}

#[test]
fn submit_writes_payload_descriptors_and_entry() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Unchanged);
    queue.submit(&[b"abc"], &[16]).unwrap();
    let descriptors = [stored(0, 8), stored(8, 8), stored(16, 8), stored(24, 8)];
    assert_eq!(recorded.rings.take_log(), [descriptors.as_slice(), &[stored(AVAILABLE + 4, 2)]].concat());
    assert_eq!(recorded.buffers.take_log(), [CopyIn { offset: 0, length: 3 }]);
}

/// 2.7.13.3.1 and 2.7.13.4.1: the index is stored last; then a full barrier precedes the load of the used flags.
#[test]
fn publish_stores_the_index_then_loads_the_used_flags() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Unchanged);
    let _ = queue.publish();
    assert_eq!(recorded.rings.take_log(), [], "nothing to publish, nothing to touch");
    queue.submit(&[], &[16]).unwrap();
    queue.submit(&[], &[16]).unwrap();
    recorded.clear();
    let _ = queue.publish();
    let expected = [
        StoreOrdered(AvailableIndex, AVAILABLE + 2),
        Barrier(PublishedThenSuppression),
        LoadOrdered(UsedFlags, USED),
    ];
    assert_eq!(recorded.rings.take_log(), expected);
    assert_eq!(recorded.buffers.take_log(), []);
}

/// 2.7.14: the index is loaded before the element. Each value is read once, so it cannot change between its check and
/// its use.
#[test]
fn take_reads_index_id_and_length_once_each() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Unchanged);
    let head = queue.submit(&[], &[16, 16]).unwrap();
    let _ = queue.publish();
    recorded.clear();
    let look = LoadOrdered(UsedIndex, USED + 2);
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(recorded.rings.take_log(), [look]);

    support::Device::new(4, &recorded.rings, vec![], 0).return_chain(head.index().into(), 20);
    recorded.clear();
    queue.take().unwrap().unwrap();
    let element = [USED + 4, USED + 8].map(|offset| Load { offset, width: 4 });
    let log = recorded.rings.take_log();
    assert_eq!(log[0], look);
    assert!(log.len() == 3 && element.iter().all(|load| log.contains(load)), "{log:?}");
}

#[test]
fn read_and_free_do_not_read_the_table() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Unchanged);
    let head = queue.submit(&[b"abc"], &[16, 16]).unwrap();
    let _ = queue.publish();
    support::Device::new(4, &recorded.rings, vec![], 0).return_chain(head.index().into(), 20);
    queue.take().unwrap().unwrap();
    recorded.clear();
    assert_eq!(queue.buffers(head).unwrap().count(), 3);
    assert_eq!(queue.read(head, &mut [0; 64]), Ok(20));
    assert_eq!(recorded.rings.take_log(), []);
    let copies = [CopyOut { offset: 16, length: 16 }, CopyOut { offset: 32, length: 4 }];
    assert_eq!(recorded.buffers.take_log(), copies);
    queue.free(head).unwrap();
    assert_eq!(recorded.rings.take_log(), [stored(8, 8), stored(24, 8), stored(40, 8)]);
    assert_eq!(recorded.buffers.take_log(), []);
}

/// 2.7.7: a full barrier is between enabling used-buffer notifications and checking for elements that arrived
/// meanwhile.
#[test]
fn enabling_notifications_checks_for_elements_after_a_barrier() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Unchanged);
    let (ask, look) = (StoreOrdered(AvailableFlags, AVAILABLE), LoadOrdered(UsedIndex, USED + 2));
    queue.set_used_notifications(true);
    assert_eq!(recorded.rings.take_log(), [ask, Barrier(EnabledThenUsed), look]);
    queue.set_used_notifications(false);
    assert_eq!(recorded.rings.take_log(), [ask, look]);
}

#[test]
fn zeroing_comes_before_the_descriptor() {
    let recorded = Recorded::new();
    let mut queue = recorded.queue(WritableBuffers::Zeroed);
    queue.submit(&[b"abc"], &[16, 9]).unwrap();
    let zeroed = [(16, 16), (32, 9)].map(|(offset, length)| Zero { offset, length });
    let expected = [&zeroed, [CopyIn { offset: 0, length: 3 }].as_slice()].concat();
    assert_eq!(recorded.buffers.take_log(), expected);
}

/// Refusing an invalid handle accesses no shared memory, at every queue size.
#[test]
fn refusing_a_handle_accesses_no_memory() {
    for number in support::SIZES {
        let size = QueueSize::new(number).unwrap();
        let (rings, buffers) = (Recorder::new(16 * size.as_usize()), Recorder::new(size.as_usize()));
        let table = Region::at(&rings, DeviceAddress::new(0));
        let buffers = Region::at(&buffers, DeviceAddress::new(1 << 40));
        let mut table = DescriptorTable::new(size, 1, WritableBuffers::Unchanged, table, buffers).unwrap();
        let head = table.create(&[], &vec![1; size.as_usize()]).unwrap();
        table.free(head).unwrap();
        rings.take_log();
        assert!(table.free(head).is_err());
        assert!(table.contents(head, &mut [0; 1]).is_err());
        assert_eq!(rings.take_full_log(), []);
    }
}

/// Makes one access of each kind.
fn touch(memory: &impl SharedMemory) {
    assert!(!memory.is_empty());
    memory.host_address();
    memory.store_u16(2, 0x1122);
    memory.store_u32(4, 0x3344_5566);
    memory.store_u64_pair(8, [1, 2]);
    assert_eq!(memory.load_u32_pair(8), [1, 0]);
    memory.store_u64(8, 0x7788_99aa_bbcc_ddee);
    memory.store_ordered(OrderedStore::UsedIndex, 16, 0x1357);
    memory.barrier(FullBarrier::ReturnedThenSuppression);
    memory.copy_in(18, b"abc");
    memory.zero(19, 1);
    assert_eq!(memory.load_u16(2), 0x1122);
    assert_eq!(memory.load_u32(4), 0x3344_5566);
    assert_eq!(memory.load_u64(8), 0x7788_99aa_bbcc_ddee);
    assert_eq!(memory.load_ordered(OrderedLoad::AvailableIndex, 16), 0x1357);
    let mut out = [0; 3];
    memory.copy_out(18, &mut out);
    assert_eq!(&out, b"a\0c");
}

#[test]
fn borrowed_and_counted_memory_forwards_every_access() {
    let direct = Recorder::new(32);
    touch(&direct);
    let expected = direct.take_full_log();
    assert_eq!(expected.len(), 18);
    touch(&&direct);
    assert_eq!(direct.take_full_log(), expected);
    let rc = Rc::new(Recorder::new(32));
    touch(&rc);
    assert_eq!(rc.take_full_log(), expected);
    #[expect(clippy::arc_with_non_send_sync, reason = "the test uses it in one thread")]
    let arc = Arc::new(Recorder::new(32));
    touch(&arc);
    assert_eq!(arc.take_full_log(), expected);
    assert_eq!(rc.host_address(), SharedMemory::host_address(&&rc));
}
