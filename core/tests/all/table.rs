//! The descriptor table: creating, reading and freeing chains by copy.

use crate::support::vast::Vast;
use crate::support::{BUFFERS_AT, Memory, RINGS_AT, bytes, descriptors, drain, heap, pattern, region};
use ringstorm_core::{
    Buffer, DescriptorTable, DeviceAddress, DeviceStopped, Error, Head, Misuse, Refused, Region, RegionId,
    SharedMemory, WritableBuffers,
};

#[test]
fn a_new_table_is_free_and_returns_its_addresses() {
    let memory = Memory::new(8, 64);
    let table = memory.table();
    assert_eq!((table.size().get(), table.buffer_size()), (8, 64));
    assert_eq!((table.free_count(), table.live_count()), (8, 0));
    assert_eq!(table.address(), DeviceAddress::new(RINGS_AT));
    assert_eq!(table.table_region().address(), DeviceAddress::new(RINGS_AT));
    assert_eq!(table.table_region().len(), memory.rings.len());
    assert_eq!(table.buffer_regions().len(), 1);
    assert_eq!(table.buffer_regions()[0].address(), DeviceAddress::new(BUFFERS_AT));
    assert_eq!(table.verify(), []);
}

#[test]
fn earlier_bytes_of_the_table_are_overwritten() {
    let memory = Memory::new(4, 64);
    memory.rings.copy_in(0, &[0xee; 64]);
    let table = memory.table();
    for word in 0..8 {
        assert_eq!(memory.rings.load_u64(8 * word), 0);
    }
    assert_eq!(table.verify(), []);
}

#[test]
fn a_chain_lists_its_buffers_in_order() {
    let memory = Memory::new(8, 64);
    let mut table = memory.table();
    let head = table.create(&[b"one", b"three"], &[64, 1]).unwrap();
    let buffer = |descriptor: u16, length, writable| Buffer {
        descriptor,
        region: RegionId::BUFFERS,
        offset: 64 * usize::from(descriptor),
        address: DeviceAddress::new(BUFFERS_AT + 64 * u64::from(descriptor)),
        length,
        writable,
    };
    let listed = table.buffers(head).unwrap();
    assert_eq!(listed.len(), 4);
    let expected = [buffer(0, 3, false), buffer(1, 5, false), buffer(2, 64, true), buffer(3, 1, true)];
    assert_eq!(listed.collect::<Vec<_>>(), expected);
    assert_eq!((table.free_count(), table.live_count()), (4, 4));
}

#[test]
fn readable_payload_is_copied_to_the_buffers_and_nowhere_else() {
    let memory = Memory::new(4, 16);
    memory.buffers.copy_in(0, &[0xaa; 64]);
    let mut table = memory.table();
    table.create(&[&[1; 16], &[2; 5]], &[16]).unwrap();
    let mut expected = [0xaa; 64];
    expected[..16].fill(1);
    expected[16..21].fill(2);
    assert_eq!(bytes(&memory.buffers), expected);
}

#[test]
fn the_device_sees_the_created_chain() {
    let memory = Memory::new(8, 64);
    let mut table = memory.table();
    table.create(&[], &[9]).unwrap();
    let head = table.create(&[&pattern(1, 64), &pattern(2, 30)], &[10, 20]).unwrap();
    let device = memory.device();
    let parts: Vec<_> = device.chain(head.index()).iter().map(|part| (part.length, part.writable)).collect();
    assert_eq!(parts, [(64, false), (30, false), (10, true), (20, true)]);
    assert_eq!(device.read(head.index()), [pattern(1, 64), pattern(2, 30)].concat());
}

#[test]
fn contents_are_what_the_device_wrote_from_the_beginning() {
    let memory = Memory::new(8, 16);
    let mut table = memory.table();
    let head = table.create(&[], &[16, 3, 16]).unwrap();
    let answer = pattern(5, 35);
    memory.device().write(head.index(), &answer);
    for length in [0, 1, 15, 16, 17, 19, 20, 34, 35] {
        let mut out = vec![0xcc; length];
        assert_eq!(table.contents(head, &mut out), Ok(length));
        assert_eq!(out, answer[..length]);
    }
    let mut longer = [0xcc; 50];
    assert_eq!(table.contents(head, &mut longer), Ok(35));
    assert_eq!((&longer[..35], &longer[35..]), (&answer[..], &[0xcc; 15][..]));
}

#[test]
fn contents_of_a_chain_with_a_readable_buffer_are_refused() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let head = table.create(&[b"r"], &[16]).unwrap();
    assert_eq!(table.contents(head, &mut [0; 4]), Err(Misuse::ReadableInChain(head)));
}

#[test]
fn writable_buffers_are_unchanged_by_default() {
    for (choice, expected) in [(WritableBuffers::Unchanged, 0xaa), (WritableBuffers::Zeroed, 0)] {
        let memory = Memory::new(4, 16);
        memory.buffers.copy_in(0, &[0xaa; 64]);
        let mut table = memory.table_with(choice);
        let head = table.create(&[b"x"], &[10, 16]).unwrap();
        let after = bytes(&memory.buffers);
        assert_eq!(after[0], b'x');
        assert_eq!(after[1..16], [0xaa; 15]);
        assert_eq!(after[16..26], [expected; 10]);
        assert_eq!(after[26..32], [0xaa; 6], "beyond the length asked for");
        assert_eq!(after[32..48], [expected; 16]);
        assert_eq!(after[48..], [0xaa; 16]);
        table.free(head).unwrap();
    }
}

#[test]
fn freeing_clears_lengths_and_flags() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let first = table.create(&[b"a"], &[16]).unwrap();
    let second = table.create(&[b"b"], &[16]).unwrap();
    table.free(first).unwrap();
    assert_eq!((memory.rings.load_u64(8), memory.rings.load_u64(24)), (0, 0));
    assert_ne!(memory.rings.load_u64(40), 0, "the other chain is untouched");
    assert_eq!((table.free_count(), table.live_count()), (2, 2));
    assert_eq!(descriptors(&table, second), Ok(vec![2, 3]));
    assert_eq!(table.verify(), []);
}

#[test]
fn freed_descriptors_are_the_next_to_be_used() {
    let memory = Memory::new(8, 16);
    let mut table = memory.table();
    let a = table.create(&[], &[1, 1]).unwrap();
    let b = table.create(&[], &[1, 1, 1]).unwrap();
    let c = table.create(&[], &[1]).unwrap();
    table.free(b).unwrap();
    table.free(a).unwrap();
    assert_eq!(drain(&mut table), [0, 1, 2, 3, 4, 6, 7]);
    assert_eq!(descriptors(&table, c), Ok(vec![5]));
}

#[test]
fn a_stale_handle_is_refused_with_the_state_of_its_descriptor() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let old = table.create(&[], &[1, 1]).unwrap();
    let inside = Head::from_parts(table.id(), 1, old.serial());
    assert_eq!(table.free(inside), Err(Misuse::HeadInsideChain(inside)));
    table.free(old).unwrap();
    assert_eq!(table.free(old), Err(Misuse::HeadFree(old)));
    let new = table.create(&[], &[1]).unwrap();
    assert_eq!(new.index(), old.index());
    assert!(new.serial() > old.serial());
    assert_eq!(table.free(old), Err(Misuse::HeadStale(old)));
    assert_eq!(table.buffers(old).err(), Some(Misuse::HeadStale(old)));
    let outside = Head::from_parts(table.id(), 4, new.serial());
    assert_eq!(table.contents(outside, &mut []), Err(Misuse::HeadOutOfRange(outside)));
    let never = Head::from_parts(table.id(), 3, 0);
    assert_eq!(table.free(never), Err(Misuse::HeadFree(never)), "a fresh entry also has serial 0");
    assert_eq!(table.free(new), Ok(()));
}

#[test]
fn serial_numbers_count_from_one_and_survive_a_reset() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let first = table.create(&[], &[1]).unwrap();
    assert_eq!(first, Head::from_parts(table.id(), 0, 1));
    table.create(&[], &[1, 1]).unwrap();
    table.reset(DeviceStopped::confirmed());
    assert_eq!((table.free_count(), table.live_count()), (4, 0));
    assert_eq!(table.free(first), Err(Misuse::HeadFree(first)));
    let third = Head::from_parts(table.id(), 0, 3);
    assert_eq!(table.create(&[], &[1]), Ok(third));
}

#[test]
fn a_reset_writes_the_whole_table() {
    let memory = Memory::new(4, 16);
    let fresh = { bytes(memory.table().table_region().memory()) };
    let mut table = memory.table();
    let a = table.create(&[b"a"], &[1]).unwrap();
    table.create(&[b"b"], &[]).unwrap();
    table.free(a).unwrap();
    memory.rings.copy_in(0, &[0xee; 64]);
    table.reset(DeviceStopped::confirmed());
    assert_eq!(bytes(&memory.rings), fresh);
    assert_eq!(drain(&mut table), [0, 1, 2, 3]);
}

#[test]
fn a_chain_of_two_to_the_32_bytes_is_the_longest() {
    let mut table = Vast::table();
    let head = table.create(&[], &[u32::MAX, 1]).unwrap();
    assert_eq!(table.buffers(head).unwrap().map(|buffer| u64::from(buffer.length)).sum::<u64>(), 1 << 32);
    table.free(head).unwrap();
    assert_eq!(table.create(&[], &[u32::MAX, 2]), Err(Misuse::ChainTooLong));
    assert_eq!(table.create(&[b"xy"], &[u32::MAX]), Err(Misuse::ChainTooLong));
    assert_eq!(table.create_with(&[2], &[u32::MAX], |_| Ok(())), Err(Misuse::ChainTooLong));
    assert_eq!(table.create_with(&[], &[u32::MAX, 2], |_| Ok(())), Err(Misuse::ChainTooLong));
    let head = table.create_with(&[1], &[u32::MAX], |_| Ok(())).unwrap();
    table.free(head).unwrap();
    assert!(table.create(&[b"x"], &[u32::MAX]).is_ok());
}

#[test]
fn release_requires_that_every_chain_is_free() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let head = table.create(&[], &[1, 1, 1]).unwrap();
    let refused = table.release().unwrap_err();
    assert!(matches!(refused.error, Error::Misuse(Misuse::ChainsLive { descriptors: 3 })));
    let mut table = refused.value;
    table.free(head).unwrap();
    assert!(table.release().is_ok());
}

#[test]
fn unsuitable_regions_are_refused() {
    let memory = Memory::new(4, 16);
    let size = memory.config.size;
    let make = |buffer_size, table: Region<_>, buffers: Region<_>| match DescriptorTable::new(
        size,
        buffer_size,
        WritableBuffers::Unchanged,
        table,
        buffers,
    ) {
        Err(Refused { error: Error::Misuse(misuse), .. }) => Some(misuse),
        other => other.map(|_| None).unwrap(),
    };
    let (rings, buffers) = (|| memory.ring_region(), || memory.buffer_region());
    let (short, exact) = (heap(63), heap(64));
    let too_small = Some(Misuse::RegionTooSmall { needed: 64, length: 63 });
    let misaligned = |address| Some(Misuse::RegionMisaligned { address, alignment: 16 });
    assert_eq!(make(0, rings(), buffers()), Some(Misuse::BufferSize(0)));
    assert_eq!(make(16, region(&short, 0), buffers()), too_small);
    assert_eq!(make(16, region(&exact, 0), buffers()), None);
    assert_eq!(make(16, rings(), region(&short, 0)), too_small);
    assert_eq!(make(16, rings(), region(&exact, 1)), None, "buffers need no alignment");
    assert_eq!(make(16, region(&exact, 8), buffers()), misaligned(8));
    let wraps = Misuse::RegionWraps { address: DeviceAddress::new(u64::MAX - 62), length: 64 };
    assert_eq!(make(16, rings(), region(&exact, u64::MAX - 62)), Some(wraps));
    assert_eq!(make(16, rings(), region(&exact, u64::MAX - 64)), None);
    let overlap = |at| Some(Misuse::RegionsOverlap(DeviceAddress::new(at)));
    let end = RINGS_AT + memory.rings.len() as u64;
    assert_eq!(make(16, rings(), region(&exact, end - 1)), overlap(end - 1));
    assert_eq!(make(16, rings(), region(&exact, RINGS_AT - 63)), overlap(RINGS_AT - 63));
    assert_eq!(make(16, rings(), region(&exact, end)), None);
    assert_eq!(make(16, rings(), region(&exact, RINGS_AT - 64)), None);
}

/// A reset frees every descriptor, for any number of descriptors in use, freed in any order.
#[test]
fn every_descriptor_can_be_used_after_a_reset() {
    for most in 1..=8_usize {
        let memory = Memory::new(8, 64);
        let mut table = memory.table();
        let chains: Vec<Head> = (0..most).map(|_| table.create(&[], &[1]).unwrap()).collect();
        for head in chains.iter().rev() {
            table.free(*head).unwrap();
        }
        // At the reset, fewer descriptors are in use than before.
        table.create(&[b"x"], &[]).unwrap();
        assert_eq!(table.verify(), [], "{most}");
        table.reset(DeviceStopped::confirmed());
        assert_eq!(table.verify(), [], "{most}");
        let used: Vec<u16> = (0..8).map(|_| table.create(&[], &[1]).unwrap().index()).collect();
        assert_eq!(used, [0, 1, 2, 3, 4, 5, 6, 7], "{most}");
        assert_eq!((table.free_count(), table.verify().len()), (0, 0), "{most}");
    }
}
