//! How a device reads chains and finds addresses.

mod support;

use ringstorm_core::{HeapMemory, SharedMemory};
use ringstorm_sim_device::{AddressSpace, BufferPlace, ChainError, Descriptor, Geometry, walk};
use support::vast::Vast;
use support::{BUFFERS, GEOMETRY, INDIRECT, Memory, NEXT, OTHERS, RINGS, WRITE};

/// Descriptors with their flags and next; addresses and lengths are valid.
fn walked(head: u16, table: &[(usize, u64, u32, u16, u16)]) -> (Result<(), ChainError>, Vec<u16>) {
    let memory = Memory::new();
    for (index, address, length, flags, next) in table {
        memory.describe(*index, *address, *length, *flags, *next);
    }
    let mut out = Vec::new();
    let answer = walk(&&memory.rings, &GEOMETRY, &memory.space(), head, &mut out);
    (answer, out.iter().map(|descriptor| descriptor.index).collect())
}

#[test]
fn a_chain_is_walked_to_its_end() {
    let at = BUFFERS;
    assert_eq!(
        walked(3, &[(3, at, 1, 0, 3)]),
        (Ok(()), vec![3]),
        "without VIRTQ_DESC_F_NEXT, next is ignored"
    );
    let whole = [(2, at, 1, NEXT, 0), (0, at, 2, NEXT, 3), (3, at, 3, NEXT | WRITE, 1), (1, at, 4, WRITE, 2)];
    assert_eq!(walked(2, &whole), (Ok(()), vec![2, 0, 3, 1]));
    assert_eq!(walked(0, &[(0, at, 0, 0, 0)]), (Ok(()), vec![0]), "an empty buffer is inside the region");
}

#[test]
fn the_first_error_of_a_chain_is_reported() {
    let at = BUFFERS;
    for head in [4, 5, u16::MAX] {
        assert_eq!(walked(head, &[]), (Err(ChainError::HeadOutOfRange(head)), vec![]));
    }
    for next in [4, u16::MAX] {
        let table = [(0, at, 1, NEXT, 1), (1, at, 1, NEXT, next)];
        assert_eq!(walked(0, &table), (Err(ChainError::NextOutOfRange(1)), vec![0, 1]));
    }
    assert_eq!(walked(1, &[(1, at, 1, NEXT, 1)]), (Err(ChainError::Loop), vec![1]));
    let ring = [(0, at, 1, NEXT, 1), (1, at, 1, NEXT, 2), (2, at, 1, NEXT, 3), (3, at, 1, NEXT, 0)];
    assert_eq!(walked(0, &ring), (Err(ChainError::Loop), vec![0, 1, 2, 3]));
    let mixed =
        [(0, at, 1, NEXT | WRITE, 1), (1, at, 1, NEXT, 2), (2, at, 1, NEXT | WRITE, 3), (3, at, 1, 0, 0)];
    assert_eq!(walked(0, &mixed), (Err(ChainError::ReadableAfterWritable(1)), vec![0, 1, 2, 3]));
    let indirect = [(0, at, 16, NEXT, 2), (2, at, 16, INDIRECT, 0)];
    assert_eq!(walked(0, &indirect), (Err(ChainError::Indirect(2)), vec![0, 2]));
    let lost = [(0, at, 1, NEXT, 2), (2, at + 250, 7, NEXT, 1), (1, at, 1, INDIRECT, 1)];
    assert_eq!(walked(0, &lost), (Err(ChainError::Unregistered(2)), vec![0, 2, 1]));
    let lost = [(0, at + 256, 1, NEXT, 9)];
    assert_eq!(
        walked(0, &lost),
        (Err(ChainError::Unregistered(0)), vec![0]),
        "the address is checked before next"
    );
}

/// For any length of the path into a loop and of the loop itself, at most three times their sum is read.
#[test]
fn a_loop_is_found_soon() {
    const SIZE: u16 = 1024;
    let geometry = Geometry { size: SIZE, table: 0, available: 0x4000, used: 0x5000 };
    let rings = HeapMemory::new(0x8000).unwrap();
    let space = AddressSpace::new([(0, Vast(&rings))]);
    for way in 0..20 {
        for around in 1..20 {
            for index in 0..way + around {
                let next = if index + 1 == way + around { way } else { index + 1 };
                rings.store_u64(16 * index as usize + 8, 1 | u64::from(NEXT) << 32 | next << 48);
            }
            let mut seen = Vec::new();
            assert_eq!(walk(&Vast(&rings), &geometry, &space, 0, &mut seen), Err(ChainError::Loop));
            assert!(seen.len() as u64 <= 3 * (way + around), "{way} in, {around} around: {}", seen.len());
            assert!(seen.iter().zip(0..way + around).all(|(found, index)| u64::from(found.index) == index));
        }
    }
}

/// 2.7.5.2: a chain has at most 2^32 bytes.
#[test]
fn a_chain_has_at_most_two_to_the_32_bytes() {
    for (lengths, right) in [
        ([1 << 31, 1 << 31, 0], Ok(())),
        ([u32::MAX, 1, 0], Ok(())),
        ([1 << 31, 1 << 31, 1], Err(ChainError::TooLong)),
        ([u32::MAX, 1, u32::MAX], Err(ChainError::TooLong)),
    ] {
        let rings = HeapMemory::new(RINGS).unwrap();
        for (index, (length, flags)) in lengths.into_iter().zip([NEXT, NEXT, 0]).enumerate() {
            let next = index as u64 + 1;
            let rest = u64::from(length) | u64::from(flags) << 32 | next << 48;
            rings.store_u64(16 * index + 8, rest);
        }
        let space = AddressSpace::new([(0, Vast(&rings))]);
        let answer = walk(&Vast(&rings), &GEOMETRY, &space, 0, &mut Vec::new());
        assert_eq!(answer, right, "{lengths:?}");
    }
}

#[test]
fn a_buffer_must_be_inside_one_region() {
    let memory = Memory::new();
    let space = memory.space();
    let place = |region, offset| Some(BufferPlace { region, offset });
    for (address, length, expected) in [
        (BUFFERS, 256, place(0, 0)),
        (BUFFERS, 257, None),
        (BUFFERS + 255, 1, place(0, 255)),
        (BUFFERS + 255, 2, None),
        (BUFFERS + 256, 0, place(0, 256)),
        (BUFFERS + 256, 1, None),
        (BUFFERS + 257, 0, None),
        (BUFFERS - 1, 0, None),
        (BUFFERS - 1, 2, None),
        (BUFFERS, u32::MAX, None),
        (OTHERS, 64, place(1, 0)),
        (OTHERS + 63, 1, place(1, 63)),
        (OTHERS + 64, 1, None),
        (0, 0, None),
        (u64::MAX, 1, None),
        (u64::MAX, u32::MAX, None),
    ] {
        assert_eq!(space.locate(address, length), expected, "{length} at {address:#x}");
    }
    // A region may end at the highest address.
    let top = AddressSpace::new([(u64::MAX - 255, &memory.buffers), (0, &memory.others)]);
    assert_eq!(top.locate(u64::MAX, 1), place(0, 255));
    assert_eq!(top.locate(u64::MAX, 2), None);
    assert_eq!(top.locate(u64::MAX - 255, 256), place(0, 0));
    assert_eq!(top.locate(0, 64), place(1, 0));
    assert_eq!(top.memory(1).len(), 64);
}

#[test]
fn bytes_are_gathered_from_all_buffers_of_one_direction() {
    let memory = Memory::new();
    let mut device = memory.device(0);
    memory.buffers.copy_in(0, b"abcdefgh");
    memory.others.copy_in(0, b"123");
    memory.describe(0, BUFFERS, 3, NEXT, 1);
    memory.describe(1, OTHERS, 2, NEXT, 2);
    memory.describe(2, BUFFERS + 3, 4, NEXT | WRITE, 3);
    memory.describe(3, OTHERS + 2, 1, WRITE, 0);
    memory.make_available(0);
    let mut chain = device.take().unwrap().descriptors.to_vec();
    let mut out = b"left over".to_vec();
    let mut gathered = |chain: &[Descriptor], writable, limit| {
        device.space().gather(chain, writable, limit, &mut out);
        String::from_utf8(out.clone()).unwrap()
    };
    assert_eq!(gathered(&chain, false, u64::MAX), "abc12");
    assert_eq!(gathered(&chain, true, 5), "defg3");
    assert_eq!([4, 3, 2, 0].map(|limit| gathered(&chain, false, limit)), ["abc1", "abc", "ab", ""]);
    chain[0].place = None;
    assert_eq!(gathered(&chain, false, 9), "12", "a buffer outside all regions is left out");
}
