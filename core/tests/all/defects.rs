//! Defects that real descriptor tables had. Each test describes what a naive table does.

use crate::support::{self, Memory, Table, bytes, descriptors, drain, pattern};
use ringstorm_core::{Head, Misuse, SharedMemory};

/// A table of 8 with a chain of two device-writable buffers (0, 1), a chain of three (2 to 4), and 5 to 7 free.
fn scene(memory: &Memory) -> (Table<'_>, Head, Head) {
    let mut table = memory.table();
    let two = table.create(&[], &[16, 16]).unwrap();
    let three = table.create(&[], &[16, 16, 16]).unwrap();
    (table, two, three)
}

/// A naive range check accepts the index after the last one, and then panics.
#[test]
fn the_queue_size_is_not_a_head() {
    let memory = Memory::new(8, 16);
    let (mut table, two, _) = scene(&memory);
    for index in [8, 9, 0x7fff, 0x8000, 0xffff] {
        let head = Head::from_parts(table.id(), index, two.serial());
        let refused = Misuse::HeadOutOfRange(head);
        assert_eq!(table.buffers(head).err(), Some(refused));
        assert_eq!(table.contents(head, &mut [0; 4]), Err(refused));
        assert_eq!(table.free(head), Err(refused));
    }
    assert_eq!(table.free_count(), 3);
}

/// A naive table follows links in shared memory. It collects as many buffers as the table has, and panics when it
/// frees them.
#[test]
fn a_loop_beside_the_head_is_not_followed() {
    let memory = Memory::new(8, 16);
    let (mut table, _, three) = scene(&memory);
    memory.redirect(4, 3);
    assert_eq!(descriptors(&table, three), Ok(vec![2, 3, 4]));
    assert_eq!(table.contents(three, &mut [0; 100]), Ok(48));
    assert_eq!(table.free(three), Ok(()));
    assert_eq!(drain(&mut table), [2, 3, 4, 5, 6, 7]);
}

/// A naive free clears lengths while it follows the links, then detects the loop and fails. The descriptors are lost.
#[test]
fn a_loop_through_the_head_loses_no_descriptor() {
    let memory = Memory::new(8, 16);
    let (mut table, two, three) = scene(&memory);
    memory.redirect(4, 2);
    assert_eq!(descriptors(&table, three), Ok(vec![2, 3, 4]));
    assert_eq!(table.free(three), Ok(()));
    assert_eq!(table.free_count(), 6);
    table.free(two).unwrap();
    assert_eq!(drain(&mut table), [0, 1, 2, 3, 4, 5, 6, 7]);
}

/// A naive free accepts an index inside a chain. The tail is then both free and in the chain, and the next chain
/// shares descriptors with it.
#[test]
fn the_middle_of_a_chain_cannot_be_freed() {
    let memory = Memory::new(8, 16);
    let (mut table, _, three) = scene(&memory);
    for index in [3, 4] {
        let head = Head::from_parts(table.id(), index, three.serial());
        assert_eq!(table.free(head), Err(Misuse::HeadInsideChain(head)));
    }
    let next = table.create(&[], &[1, 1, 1]).unwrap();
    assert_eq!(descriptors(&table, next), Ok(vec![5, 6, 7]));
    assert_eq!(descriptors(&table, three), Ok(vec![2, 3, 4]));
}

/// A naive table uses `next` from shared memory as an index without a check.
#[test]
fn a_next_outside_the_table_is_not_followed() {
    for next in [8, 9, 0x8000, 0xffff] {
        let memory = Memory::new(8, 16);
        let (mut table, two, three) = scene(&memory);
        for descriptor in [0, 1, 2, 3, 4, 5, 6, 7] {
            memory.redirect(descriptor, next);
        }
        assert_eq!(descriptors(&table, three), Ok(vec![2, 3, 4]));
        assert_eq!(table.contents(three, &mut [0; 48]), Ok(48));
        assert_eq!(table.free(three), Ok(()));
        assert_eq!(table.free(two), Ok(()));
        assert_eq!(drain(&mut table), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

/// A naive copy begins at the tail, and panics if the chain has more than one descriptor.
#[test]
fn contents_begin_at_the_head() {
    for count in 1..=8 {
        let memory = Memory::new(8, 16);
        let mut table = memory.table();
        let head = table.create(&[], &vec![16; count]).unwrap();
        let answer = pattern(9, 16 * count);
        memory.device().write(head.index(), &answer);
        let mut out = vec![0; 16 * count];
        assert_eq!(table.contents(head, &mut out), Ok(16 * count));
        assert_eq!(out, answer);
    }
}

/// A naive table counts buffers in 16 bits, so it takes 65,537 buffers for one, and 131,072 for none.
#[test]
fn buffers_are_counted_at_full_width() {
    for needed in [5, 65_535, 65_536, 65_537, 65_540, 131_072, 131_073] {
        let memory = Memory::new(4, 16);
        let own = support::heap(16);
        let mut table = memory.table();
        let region = table.register(support::region(&own, 0)).unwrap();
        let segment = ringstorm_core::Segment { region, offset: 0, length: 1 };
        let before = memory.snapshot();
        let refused = Err(Misuse::ChainExceedsQueue { needed, size: memory.config.size });
        let half = needed / 2;
        for (readable, writable) in [(needed, 0), (0, needed), (half, needed - half), (1, needed - 1)] {
            let payload = vec![b"x".as_slice(); readable];
            let (ins, outs) = (vec![1; writable], vec![1; readable]);
            assert_eq!(table.create(&payload, &ins), refused);
            assert_eq!(table.create_with(&outs, &ins, |writer| writer.write(b"x")), refused);
            assert_eq!(table.create_over(&vec![segment; readable], &vec![segment; writable]), refused);
        }
        assert_eq!(memory.snapshot(), before);
        assert_eq!(drain(&mut table), [0, 1, 2, 3]);
    }
}

/// A naive create detects a too large buffer only after it has written the buffers before it.
#[test]
fn an_oversized_buffer_leaves_nothing_behind() {
    let memory = Memory::new(8, 16);
    let (mut table, ..) = scene(&memory);
    let before = memory.snapshot();
    let (good, long) = ([1; 16], [1; 17]);
    let refused = |position| Err(Misuse::BufferTooLarge { position, length: 17, limit: 16 });
    assert_eq!(table.create(&[&good, &long, &good], &[]), refused(1));
    assert_eq!(table.create(&[&good], &[16, 17]), refused(2));
    assert_eq!(table.create_with(&[16, 16, 17], &[], |_| Ok(())), refused(2));
    assert_eq!(memory.snapshot(), before);
    assert_eq!(table.verify(), []);
    assert_eq!(drain(&mut table), [5, 6, 7]);
}

/// A naive table reads address and length from shared memory, and returns a slice of any size.
#[test]
fn lengths_and_addresses_in_shared_memory_are_not_used() {
    for length in [0, 1, 17, 0x8000_0000, u32::MAX] {
        let memory = Memory::new(8, 16);
        let (mut table, two, _) = scene(&memory);
        let answer = pattern(2, 32);
        memory.device().write(two.index(), &answer);
        let before: Vec<_> = table.buffers(two).unwrap().collect();
        for descriptor in [0, 1] {
            memory.rings.store_u64(16 * descriptor, 0xdead_beef_0000);
            memory.tamper(descriptor as u16, length, 0, 0);
        }
        assert_eq!(table.buffers(two).unwrap().collect::<Vec<_>>(), before);
        let mut out = [0xcc; 40];
        assert_eq!(table.contents(two, &mut out), Ok(32));
        assert_eq!((&out[..32], &out[32..]), (&answer[..], &[0xcc; 8][..]));
        assert_eq!(table.free(two), Ok(()));
    }
}

/// A naive create takes a free descriptor with a length above zero for a corrupted free list, and panics.
#[test]
fn a_corrupted_free_descriptor_can_be_used() {
    let memory = Memory::new(8, 16);
    let (mut table, ..) = scene(&memory);
    for descriptor in [5, 6, 7] {
        memory.tamper(descriptor, u32::MAX, 3, descriptor);
        memory.rings.store_u64(16 * usize::from(descriptor), u64::MAX);
    }
    let head = table.create(&[b"abc"], &[16, 16]).unwrap();
    assert_eq!(descriptors(&table, head), Ok(vec![5, 6, 7]));
    assert_eq!(table.verify(), [], "`create` wrote every field again");
    assert_eq!(memory.device().read(head.index()), b"abc");
}

/// A naive release loses the address before it unmaps the memory. It reports success and leaks the memory.
#[test]
#[cfg(target_os = "linux")]
fn release_unmaps_the_memory() {
    use crate::support::maps;
    use ringstorm_core::{DeviceStopped, MappedMemory, Region, SplitQueue};

    let memory = Memory::new(8, 4096);
    let rings = MappedMemory::shareable(4096).unwrap();
    let buffers = MappedMemory::shareable(8 * 4096).unwrap();
    let identities = [maps::identity(&rings), maps::identity(&buffers)];
    let queue = SplitQueue::new(memory.config, Region::new(rings), Region::new(buffers)).unwrap();
    assert!(identities.into_iter().all(maps::has_file));
    queue.release(DeviceStopped::confirmed());
    assert!(!identities.into_iter().any(maps::has_file));

    let release_one = || {
        let queue = SplitQueue::anonymous(memory.config).unwrap();
        let address = queue.buffer_regions()[0].memory().host_address();
        assert!(maps::has_address(address));
        queue.release(DeviceStopped::confirmed());
        !maps::has_address(address)
    };
    assert!(maps::any_attempt(release_one));
}

/// A naive table marks free descriptors by a length of zero, so it cannot distinguish an empty buffer from a free
/// one.
#[test]
fn a_length_of_zero_in_shared_memory_is_not_free() {
    let memory = Memory::new(8, 16);
    let (mut table, two, three) = scene(&memory);
    let before = memory.snapshot();
    assert_eq!(table.create(&[b""], &[]), Err(Misuse::EmptyBuffer { position: 0 }));
    assert_eq!(table.create(&[b"a"], &[1, 0]), Err(Misuse::EmptyBuffer { position: 2 }));
    assert_eq!(table.create_with(&[1, 0], &[], |_| Ok(())), Err(Misuse::EmptyBuffer { position: 1 }));
    assert_eq!(memory.snapshot(), before);
    for descriptor in 0..5 {
        memory.tamper(descriptor, 0, 0, 0);
    }
    assert_eq!(drain(&mut table), [5, 6, 7], "live descriptors of length zero are not free");
    assert_eq!(table.buffers(two).unwrap().map(|buffer| buffer.length).collect::<Vec<_>>(), [16, 16]);
    assert_eq!((table.free(two), table.free(three)), (Ok(()), Ok(())));
    assert_eq!(bytes(&memory.rings)[8..16], [0; 8]);
}
