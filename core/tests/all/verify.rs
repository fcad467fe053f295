//! The differences that `verify` reports if the device has written to the table.

use crate::support::recorder::Recorder;
use crate::support::{self, BUFFERS_AT, Memory, RINGS_AT, Table, shape};
use ringstorm_core::{
    Config, DescriptorTable, DeviceAddress, DeviceFault, DeviceStopped, Head, Layout, NotInFlight,
    OrderedStore, QueueSize, Region, RingIndex, SharedMemory, SplitQueue, Tampering,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A table of 8 with a chain of 4 (0 to 3: two readable, two writable) and one of 2 (4 and 5).
fn scene(memory: &Memory) -> (Table<'_>, Head, Head) {
    let mut table = memory.table();
    let long = table.create(&[b"ab", b"cde"], &[16, 8]).unwrap();
    let short = table.create(&[b"f"], &[4]).unwrap();
    assert_eq!(table.verify(), []);
    (table, long, short)
}

#[test]
fn a_changed_address_is_reported_with_both_values() {
    for descriptor in [0, 3, 5, 6, 7] {
        let memory = Memory::new(8, 16);
        let (table, ..) = scene(&memory);
        // The last two descriptors were never used.
        let expected = if descriptor < 6 { BUFFERS_AT + 16 * u64::from(descriptor) } else { 0 };
        memory.rings.store_u64(16 * usize::from(descriptor), expected ^ 1 << 40);
        let found = expected ^ 1 << 40;
        assert_eq!(table.verify(), [Tampering::Address { descriptor, expected, found }]);
    }
}

/// 2.7.5: length, flags (NEXT is 1, WRITE is 2) and next share the second word.
#[test]
fn a_changed_shape_is_reported_with_both_values() {
    let expectations =
        [(0, shape(2, 1, 1)), (1, shape(3, 1, 2)), (2, shape(16, 3, 3)), (3, shape(8, 2, 0)), (6, 0)];
    for (descriptor, expected) in expectations {
        for bit in [0, 31, 33, 47] {
            let memory = Memory::new(8, 16);
            let (table, ..) = scene(&memory);
            let found = expected ^ 1 << bit;
            memory.rings.store_u64(16 * usize::from(descriptor) + 8, found);
            assert_eq!(table.verify(), [Tampering::Shape { descriptor, expected, found }]);
        }
    }
}

#[test]
fn a_loop_to_the_head_is_reported() {
    let memory = Memory::new(8, 16);
    let (table, long, _) = scene(&memory);
    memory.redirect(3, 0);
    let shape = Tampering::Shape { descriptor: 3, expected: shape(8, 2, 0), found: shape(8, 3, 0) };
    assert_eq!(table.verify(), [shape, Tampering::Loop { head: long }]);
}

#[test]
fn a_loop_without_the_head_is_reported() {
    let memory = Memory::new(8, 16);
    let (table, long, _) = scene(&memory);
    memory.redirect(2, 1);
    let shape = Tampering::Shape { descriptor: 2, expected: shape(16, 3, 3), found: shape(16, 3, 1) };
    assert_eq!(table.verify(), [shape, Tampering::Loop { head: long }]);
}

#[test]
fn a_descriptor_linked_to_itself_is_a_loop() {
    let memory = Memory::new(1, 16);
    let mut table = memory.table();
    let head = table.create(&[], &[16]).unwrap();
    memory.redirect(0, 0);
    assert_eq!(table.verify().last(), Some(&Tampering::Loop { head }));
}

#[test]
fn a_loop_through_free_descriptors_is_reported() {
    let memory = Memory::new(8, 16);
    let (table, _, short) = scene(&memory);
    memory.redirect(5, 7);
    memory.tamper(7, 0, 1, 5);
    let found = table.verify();
    let tampered = |wanted| {
        found
            .iter()
            .any(|entry| matches!(entry, Tampering::Shape { descriptor, .. } if *descriptor == wanted))
    };
    assert!(tampered(5) && tampered(7));
    assert_eq!(found.len(), 3);
    assert_eq!(found.last(), Some(&Tampering::Loop { head: short }));
}

#[test]
fn a_longer_path_that_ends_is_not_a_loop() {
    for next in [4, 7, 8, 0xffff] {
        let memory = Memory::new(8, 16);
        let (table, ..) = scene(&memory);
        memory.redirect(1, next);
        let shape = Tampering::Shape { descriptor: 1, expected: shape(3, 1, 2), found: shape(3, 1, next) };
        assert_eq!(table.verify(), [shape], "next {next}");
    }
}

/// `verify` reads no byte after a table that fills its region.
#[test]
fn a_next_of_the_queue_size_is_not_followed() {
    let memory = Memory::new(8, 16);
    let exact = support::heap(128);
    let (table, buffers) = (support::region(&exact, 0), memory.buffer_region());
    let choice = ringstorm_core::WritableBuffers::Unchanged;
    let mut table = DescriptorTable::new(memory.config.size, 16, choice, table, buffers).unwrap();
    table.create(&[], &[1, 1]).unwrap();
    let (expected, found) = (shape(1, 2, 0), shape(1, 3, 8));
    exact.store_u64(24, found);
    assert_eq!(table.verify(), [Tampering::Shape { descriptor: 1, expected, found }]);
}

/// A path without a loop may be as long as the table.
#[test]
fn a_path_through_every_descriptor_is_not_a_loop() {
    let memory = Memory::new(8, 16);
    let (table, ..) = scene(&memory);
    memory.redirect(3, 4);
    memory.redirect(5, 6);
    memory.redirect(6, 7);
    assert!(table.verify().iter().all(|entry| matches!(entry, Tampering::Shape { .. })));
    assert_eq!(table.verify().len(), 3);
}

#[test]
fn tampering_has_no_effect_and_ends_when_the_descriptor_is_written() {
    let memory = Memory::new(8, 16);
    let (mut table, long, short) = scene(&memory);
    memory.redirect(3, 1);
    memory.tamper(4, u32::MAX, 1, 4);
    let lengths: Vec<_> = table.buffers(long).unwrap().map(|buffer| buffer.length).collect();
    assert_eq!(lengths, [2, 3, 16, 8]);
    table.free(long).unwrap();
    table.free(short).unwrap();
    assert_eq!(table.verify(), []);
    assert_eq!(table.free_count(), 8);
}

/// The private copy is written before shared memory. So some of it belongs to no chain if the caller's own memory
/// panics.
#[test]
fn a_reset_repairs_the_table_after_memory_panicked_within_a_chain() {
    for accesses in 0..4 {
        let config = Config { buffer_size: 8, ..Config::new(QueueSize::new(4).unwrap()) };
        let (rings, buffers) = (Recorder::new(Layout::new(config.size).len()), Recorder::new(32));
        let at = |memory, base| Region::at(memory, DeviceAddress::new(base));
        let mut queue = SplitQueue::new(config, at(&rings, RINGS_AT), at(&buffers, BUFFERS_AT)).unwrap();
        // Two words for each descriptor.
        rings.fail_after(accesses);
        let failed = catch_unwind(AssertUnwindSafe(|| queue.submit(&[], &[8, 8])));
        assert!(failed.is_err(), "after {accesses}");
        queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
        assert_eq!((queue.free_count(), queue.verify()), (4, vec![]), "after {accesses}");

        queue.submit(&[], &[8]).unwrap();
        let _ = queue.publish();
        let used = Layout::new(config.size).used();
        rings.store_u32(used + 4, 1);
        rings.store_ordered(OrderedStore::UsedIndex, used + 2, 1);
        let fault = DeviceFault::IdNotInFlight { id: 1, actually: NotInFlight::Free };
        assert_eq!(queue.take(), Err(fault), "after {accesses}");
        queue.release(DeviceStopped::confirmed());
    }
}
