//! Chains whose payload is written in place, and chains over registered regions.

use crate::support::{BUFFERS_AT, Memory, RINGS_AT, bytes, descriptors, drain, heap, pattern, region};
use ringstorm_core::{
    DescriptorTable, DeviceAddress, Error, Head, Misuse, Region, RegionId, Segment, SharedMemory,
};

/// The device address of the registered region.
const OWN_AT: u64 = 0x10_0000_0000;

#[test]
fn payload_written_in_place_continues_across_buffers() {
    let payload = pattern(3, 10 + 16 + 7);
    for piece in [1, 2, 9, 10, 11, 26, 33] {
        let memory = Memory::new(8, 16);
        let mut table = memory.table();
        let head = table
            .create_with(&[10, 16, 7], &[5], |writer| {
                let mut left = 33;
                for bytes in payload.chunks(piece) {
                    assert_eq!(writer.left(), left);
                    writer.write(bytes)?;
                    left -= bytes.len() as u64;
                }
                assert_eq!(writer.left(), 0);
                writer.write(&[])
            })
            .unwrap();
        let device = memory.device();
        assert_eq!(device.read(head.index()), payload, "in pieces of {piece}");
        let lengths: Vec<_> =
            device.chain(head.index()).iter().map(|part| (part.length, part.writable)).collect();
        assert_eq!(lengths, [(10, false), (16, false), (7, false), (5, true)]);
        assert_eq!(table.free_count(), 4);
    }
}

#[test]
fn only_unwritten_readable_bytes_are_zeroed() {
    for written in [0, 3, 8, 9, 16] {
        let memory = Memory::new(4, 16);
        memory.buffers.copy_in(0, &[0xaa; 64]);
        let mut table = memory.table();
        table.create_with(&[8, 8], &[16], |writer| writer.write(&vec![7; written])).unwrap();
        let mut expected = [0xaa; 64];
        let mut payload = [0; 16];
        payload[..written].fill(7);
        expected[..8].copy_from_slice(&payload[..8]);
        expected[16..24].copy_from_slice(&payload[8..]);
        assert_eq!(bytes(&memory.buffers), expected, "{written} bytes written");
    }
}

#[test]
fn a_payload_that_is_too_long_is_not_written_at_all() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let head = table
        .create_with(&[4, 4], &[], |writer| {
            writer.write(b"abc")?;
            assert_eq!(writer.write(b"123456"), Err(Misuse::PayloadTooLong { length: 6, left: 5 }));
            assert_eq!(writer.left(), 5);
            writer.write(b"defgh")
        })
        .unwrap();
    assert_eq!(memory.device().read(head.index()), b"abcdefgh");
}

#[test]
fn in_place_writing_follows_a_scattered_free_list() {
    let memory = Memory::new(8, 4);
    let mut table = memory.table();
    let heads: Vec<Head> = (0..8).map(|_| table.create(&[], &[1]).unwrap()).collect();
    for index in [1, 6, 3, 4] {
        table.free(heads[index]).unwrap();
    }
    let head = table.create_with(&[4, 4, 4], &[4], |writer| writer.write(b"four by four")).unwrap();
    assert_eq!(descriptors(&table, head), Ok(vec![4, 3, 6, 1]));
    assert_eq!(memory.device().read(head.index()), b"four by four");
}

#[test]
fn a_chain_of_writable_buffers_has_nothing_to_fill() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let head = table
        .create_with(&[], &[16], |writer| {
            assert_eq!(writer.left(), 0);
            assert_eq!(writer.write(b"x"), Err(Misuse::PayloadTooLong { length: 1, left: 0 }));
            Ok(())
        })
        .unwrap();
    assert_eq!(descriptors(&table, head), Ok(vec![0]));
}

#[test]
fn a_fill_that_fails_creates_no_chain_and_writes_only_free_buffers() {
    let memory = Memory::new(4, 16);
    let mut table = memory.table();
    let live = table.create(&[b"live"], &[16]).unwrap();
    let before = bytes(&memory.buffers);
    let rings = bytes(&memory.rings);
    let refused = table.create_with(&[16], &[], |writer| {
        writer.write(&[9; 10])?;
        Err(Misuse::EmptyChain)
    });
    assert_eq!(refused, Err(Misuse::EmptyChain));
    assert_eq!(bytes(&memory.rings), rings);
    assert_eq!(bytes(&memory.buffers)[..32], before[..32]);
    assert_eq!(descriptors(&table, live), Ok(vec![0, 1]));
    assert_eq!(drain(&mut table), [2, 3]);
}

#[test]
fn chains_over_registered_regions_need_no_copy() {
    let memory = Memory::new(4, 16);
    let (one, two) = (heap(100), heap(3000));
    let mut table = memory.table();
    let first = table.register(region(&one, OWN_AT)).unwrap();
    let second = table.register(region(&two, OWN_AT + 100)).unwrap();
    assert_eq!((first.get(), second.get()), (1, 2));
    let places: Vec<_> = table.buffer_regions().iter().map(|region| region.address().get()).collect();
    assert_eq!(places, [BUFFERS_AT, OWN_AT, OWN_AT + 100]);

    let readable = Segment { region: second, offset: 10, length: 2000 };
    let writable = Segment { region: first, offset: 99, length: 1 };
    let head = table.create_over(&[readable], &[writable, readable]).unwrap();
    let found: Vec<_> =
        table.buffers(head).unwrap().map(|b| (b.region, b.offset, b.address.get(), b.length)).collect();
    let expected =
        [(second, 10, OWN_AT + 110, 2000), (first, 99, OWN_AT + 99, 1), (second, 10, OWN_AT + 110, 2000)];
    assert_eq!(found, expected);
    let parts: Vec<_> = memory.device().chain(0).iter().map(|part| (part.address, part.writable)).collect();
    assert_eq!(parts, [(OWN_AT + 110, false), (OWN_AT + 99, true), (OWN_AT + 110, true)]);
    assert_eq!(table.verify(), []);
}

#[test]
fn contents_come_from_the_registered_region() {
    let memory = Memory::new(4, 16);
    let own = heap(64);
    let mut table = memory.table();
    let id = table.register(region(&own, OWN_AT)).unwrap();
    let segment = |offset, length| Segment { region: id, offset, length };
    let head = table.create_over(&[], &[segment(40, 24), segment(0, 3)]).unwrap();
    own.copy_in(40, &pattern(1, 24));
    own.copy_in(0, b"end");
    let mut out = [0; 30];
    assert_eq!(table.contents(head, &mut out), Ok(27));
    assert_eq!(out[..27], [pattern(1, 24), b"end".to_vec()].concat());
}

/// A descriptor that pointed into a registered region points to its own buffer in its next chain by copy.
#[test]
fn descriptors_use_their_own_buffers_again() {
    let memory = Memory::new(2, 16);
    let own = heap(64);
    let mut table = memory.table();
    let id = table.register(region(&own, OWN_AT)).unwrap();
    let head = table.create_over(&[Segment { region: id, offset: 0, length: 64 }], &[]).unwrap();
    table.free(head).unwrap();
    assert_eq!(table.verify(), []);
    let head = table.create(&[b"mine"], &[]).unwrap();
    let buffer = table.buffers(head).unwrap().next().unwrap();
    assert_eq!((buffer.region, buffer.address.get()), (RegionId::BUFFERS, BUFFERS_AT));
    assert_eq!(memory.device().chain(0)[0].address, BUFFERS_AT);
    assert_eq!(table.verify(), []);
}

#[test]
fn segments_must_be_in_a_registered_region() {
    let memory = Memory::new(4, 16);
    let own = heap(64);
    let mut table = memory.table();
    let foreign = {
        let other = Memory::new(4, 16);
        let mut other = other.table();
        // A region with the same number and the same memory as a region that is registered here.
        other.register(region(&own, OWN_AT)).unwrap()
    };
    let id = table.register(region(&own, OWN_AT)).unwrap();
    let good = Segment { region: id, offset: 0, length: 64 };
    let mut refuse = |bad: Segment, expected| {
        assert_eq!(table.create_over(&[good], &[bad]), Err(expected));
        assert_eq!(table.free_count(), 4);
    };
    refuse(Segment { region: foreign, ..good }, Misuse::RegionOfAnotherQueue(foreign));
    let buffers = RegionId::BUFFERS;
    refuse(Segment { region: buffers, ..good }, Misuse::UnknownRegion(buffers));
    for (offset, length) in [(1, 64), (0, 65), (64, 1), (65, 1), (usize::MAX, 1), (usize::MAX, u32::MAX)] {
        refuse(Segment { region: id, offset, length }, Misuse::OutsideRegion { position: 1 });
    }
    refuse(Segment { region: id, offset: 3, length: 0 }, Misuse::EmptyBuffer { position: 1 });
    assert!(table.create_over(&[good], &[Segment { region: id, offset: 63, length: 1 }]).is_ok());
}

#[test]
fn regions_must_not_share_device_addresses() {
    let memory = Memory::new(4, 16);
    let (own, other) = (heap(64), heap(64));
    let others = [heap(64), heap(64), heap(64)];
    let mut table = memory.table();
    table.register(region(&own, OWN_AT)).unwrap();
    for at in [OWN_AT - 63, OWN_AT, OWN_AT + 63, RINGS_AT, BUFFERS_AT + 63] {
        let refused = table.register(region(&other, at)).unwrap_err().into_error();
        assert!(
            matches!(refused, Error::Misuse(Misuse::RegionsOverlap(found)) if found.get() == at),
            "{at:#x}: {refused}"
        );
    }
    for (at, other) in [OWN_AT - 64, OWN_AT + 64, BUFFERS_AT + 64].into_iter().zip(&others) {
        assert!(table.register(region(other, at)).is_ok(), "{at:#x}");
    }
    assert_eq!(table.buffer_regions().len(), 5);
}

/// Otherwise two chains could share bytes at two addresses, and the effects would look like device faults.
#[test]
fn regions_must_not_share_memory_of_this_process() {
    let memory = Memory::new(4, 16);
    let own = heap(64);
    let mut table = memory.table();
    table.register(region(&own, OWN_AT)).unwrap();
    for twice in [&own, &memory.rings, &memory.buffers] {
        let at = OWN_AT + 4096;
        let refused = table.register(region(twice, at)).unwrap_err().into_error();
        assert!(
            matches!(refused, Error::Misuse(Misuse::RegionsShareMemory(found)) if found.get() == at),
            "{refused}"
        );
    }
    let twice = memory.config;
    let refused = ringstorm_core::SplitQueue::new(twice, region(&own, 0), region(&own, OWN_AT)).unwrap_err();
    assert!(matches!(refused.error, Error::Misuse(_)), "{refused}");
    let (one, size) = (heap(4096), twice.size);
    let (rings, buffers) = (region(&one, 0), region(&one, OWN_AT));
    let made = DescriptorTable::new(size, 16, ringstorm_core::WritableBuffers::Unchanged, rings, buffers);
    let refused = made.unwrap_err().into_error();
    assert!(matches!(refused, Error::Misuse(Misuse::RegionsShareMemory(_))), "{refused}");
}

#[test]
fn a_region_that_wraps_cannot_be_registered() {
    let memory = Memory::new(4, 16);
    let own = heap(64);
    let mut table = memory.table();
    let at = DeviceAddress::new(u64::MAX - 10);
    let refused = table.register(Region::at(&own, at)).unwrap_err().into_error();
    assert!(matches!(refused, Error::Misuse(Misuse::RegionWraps { address, length: 64 }) if address == at));
    assert_eq!(table.buffer_regions().len(), 1);
}

#[test]
fn zeroing_affects_only_the_device_writable_segments() {
    let memory = Memory::new(4, 16);
    let own = heap(12);
    own.copy_in(0, &[0xaa; 12]);
    let mut table = memory.table_with(ringstorm_core::WritableBuffers::Zeroed);
    let id = table.register(region(&own, OWN_AT)).unwrap();
    let segment = |offset| Segment { region: id, offset, length: 4 };
    table.create_over(&[segment(0)], &[segment(5)]).unwrap();
    assert_eq!(bytes(&own), [[0xaa; 5].as_slice(), &[0; 4], &[0xaa; 3]].concat());
}
