//! A refused call of the table changes no byte of memory, and does not affect later calls.

use crate::support::vast::Vast;
use crate::support::{BUFFERS_AT, Memory, Table, bytes, descriptors, drain, heap, region};
use ringstorm_core::{
    DescriptorTable, DeviceAddress, Error, Head, HeapMemory, Misuse, Refused, Region, RegionId, Segment,
};
use ringstorm_core::{SharedMemory, WritableBuffers};

const OWN_AT: u64 = 0x10_0000_0000;

/// A table of 8 that zeroes device-writable buffers, so that a refused chain would also change these.
struct Scene<'m> {
    table: Table<'m>,
    own: RegionId,
    /// Descriptors 1, 2 and 3: all device-writable.
    writable: Head,
    /// Descriptors 0 and 4: device-readable and device-writable.
    mixed: Head,
    /// The handle of a freed chain whose descriptor is now the head of `mixed`.
    stale: Head,
}

fn scene<'m>(memory: &'m Memory, own: &'m HeapMemory) -> Scene<'m> {
    memory.buffers.copy_in(0, &[0xee; 128]);
    let mut table = memory.table_with(WritableBuffers::Zeroed);
    let own = table.register(region(own, OWN_AT)).unwrap();
    let stale = table.create(&[b"s"], &[]).unwrap();
    let writable = table.create(&[], &[16, 16, 16]).unwrap();
    table.free(stale).unwrap();
    let mixed = table.create(&[b"m"], &[16]).unwrap();
    assert_eq!((mixed.index(), table.free_count()), (0, 3));
    Scene { table, own, writable, mixed, stale }
}

#[track_caller]
fn refused<T>(call: impl FnOnce(&mut Scene<'_>) -> Result<T, Misuse>, expected: Misuse) {
    refused_for(call, |_| expected);
}

/// Makes a call that is refused, and compares the table with a second one that never got the call.
#[track_caller]
fn refused_for<T>(
    call: impl FnOnce(&mut Scene<'_>) -> Result<T, Misuse>,
    expected: impl FnOnce(&Scene<'_>) -> Misuse,
) {
    let (memory, own) = (Memory::new(8, 16), heap(64));
    let (other, others_own) = (Memory::new(8, 16), heap(64));
    let (mut seen, mut twin) = (scene(&memory, &own), scene(&other, &others_own));
    let expected = expected(&seen);
    assert_eq!(call(&mut seen).err(), Some(expected));
    assert_eq!((memory.snapshot(), bytes(&own)), (other.snapshot(), bytes(&others_own)));
    assert_eq!(seen.table.verify(), []);
    assert_eq!((seen.table.free_count(), seen.table.buffer_regions().len()), (3, 2));
    for (head, twins) in [(seen.writable, twin.writable), (seen.mixed, twin.mixed)] {
        assert_eq!(descriptors(&seen.table, head), descriptors(&twin.table, twins));
    }
    let finish = |scene: &mut Scene<'_>| {
        let next = scene.table.create(&[], &[1]).unwrap();
        scene.table.free(scene.writable).unwrap();
        let order = drain(&mut scene.table);
        scene.table.free(scene.mixed).unwrap();
        (next.index(), next.serial(), order, drain(&mut scene.table))
    };
    assert_eq!(finish(&mut seen), finish(&mut twin));
    assert_eq!((memory.snapshot(), bytes(&own)), (other.snapshot(), bytes(&others_own)));
}

const FULL: Misuse = Misuse::NotEnoughFree { needed: 4, free: 3 };
const LONG: [u8; 17] = [1; 17];

fn too_large(position: usize) -> Misuse {
    Misuse::BufferTooLarge { position, length: 17, limit: 16 }
}

#[test]
fn create() {
    refused(|scene| scene.table.create(&[], &[]), Misuse::EmptyChain);
    refused(|scene| scene.table.create(&[b"a", b""], &[]), Misuse::EmptyBuffer { position: 1 });
    refused(|scene| scene.table.create(&[b"a"], &[16, 0]), Misuse::EmptyBuffer { position: 2 });
    refused(|scene| scene.table.create(&[b"a", &LONG], &[]), too_large(1));
    refused(|scene| scene.table.create(&[b"a"], &[16, 17]), too_large(2));
    refused(|scene| scene.table.create(&[b"a", b"b"], &[16, 16]), FULL);
}

#[test]
fn create_with() {
    refused(|scene| scene.table.create_with(&[], &[], |_| Ok(())), Misuse::EmptyChain);
    refused(|scene| scene.table.create_with(&[0], &[], |_| Ok(())), Misuse::EmptyBuffer { position: 0 });
    refused(|scene| scene.table.create_with(&[1], &[16, 0], |_| Ok(())), Misuse::EmptyBuffer { position: 2 });
    refused(|scene| scene.table.create_with(&[17], &[], |_| Ok(())), too_large(0));
    refused(|scene| scene.table.create_with(&[1], &[16, 17], |_| Ok(())), too_large(2));
    refused(|scene| scene.table.create_with(&[1, 1], &[16, 16], |_| Ok(())), FULL);
    let too_long = Misuse::PayloadTooLong { length: 17, left: 16 };
    refused(|scene| scene.table.create_with(&[8, 8], &[16], |writer| writer.write(&LONG)), too_long);
}

#[test]
fn create_over() {
    let segment = |scene: &Scene<'_>, offset, length| Segment { region: scene.own, offset, length };
    refused(|scene| scene.table.create_over(&[], &[]), Misuse::EmptyChain);
    let buffers = Segment { region: RegionId::BUFFERS, offset: 0, length: 1 };
    let unknown = Misuse::UnknownRegion(RegionId::BUFFERS);
    refused(|scene| scene.table.create_over(&[], &[segment(scene, 0, 64), buffers]), unknown);
    let outside = Misuse::OutsideRegion { position: 1 };
    refused(|scene| scene.table.create_over(&[], &[segment(scene, 0, 64), segment(scene, 1, 64)]), outside);
    let empty = Misuse::EmptyBuffer { position: 1 };
    refused(|scene| scene.table.create_over(&[], &[segment(scene, 0, 64), segment(scene, 1, 0)]), empty);
    refused(|scene| scene.table.create_over(&[segment(scene, 0, 1)], &[segment(scene, 0, 1); 3]), FULL);
}

#[test]
fn contents_free_and_buffers() {
    type Wrong = (fn(&Scene<'_>) -> Head, fn(Head) -> Misuse);
    let wrong: [Wrong; 5] = [
        (|scene| Head::from_parts(scene.table.id(), 8, scene.writable.serial()), Misuse::HeadOutOfRange),
        (|scene| Head::from_parts(scene.table.id(), 5, 0), Misuse::HeadFree),
        (|scene| Head::from_parts(scene.table.id(), 2, scene.writable.serial()), Misuse::HeadInsideChain),
        (|scene| scene.stale, Misuse::HeadStale),
        (another_tables, Misuse::HeadOfAnotherQueue),
    ];
    for (head, misuse) in wrong {
        let expected = |scene: &Scene<'_>| misuse(head(scene));
        refused_for(|scene| scene.table.contents(head(scene), &mut [0; 8]), expected);
        refused_for(|scene| scene.table.free(head(scene)), expected);
        refused_for(|scene| scene.table.buffers(head(scene)).map(|_| ()), expected);
    }
    refused_for(
        |scene| scene.table.contents(scene.mixed, &mut [0; 8]),
        |scene| Misuse::ReadableInChain(scene.mixed),
    );
}

/// The index and serial number of a live chain, with the id of another table.
fn another_tables(scene: &Scene<'_>) -> Head {
    thread_local! {
        static OTHER: ringstorm_core::QueueId = Memory::new(8, 16).table().id();
    }
    Head::from_parts(OTHER.with(|id| *id), scene.writable.index(), scene.writable.serial())
}

#[test]
fn register() {
    let own = heap(16);
    let misuse = |result: Result<RegionId, Refused<Region<_>>>| match result {
        Err(Refused { error: Error::Misuse(misuse), .. }) => Err(misuse),
        other => Ok(other.unwrap()),
    };
    let (memory, own_region) = (Memory::new(8, 16), heap(64));
    let Scene { mut table, .. } = scene(&memory, &own_region);
    let before = memory.snapshot();
    for at in [OWN_AT + 63, BUFFERS_AT, u64::MAX] {
        let address = DeviceAddress::new(at);
        let expected = match at {
            u64::MAX => Misuse::RegionWraps { address, length: 16 },
            _ => Misuse::RegionsOverlap(address),
        };
        assert_eq!(misuse(table.register(Region::at(&own, address))), Err(expected));
    }
    assert_eq!((memory.snapshot(), table.buffer_regions().len()), (before, 2));
    assert_eq!(misuse(table.register(region(&own, OWN_AT + 64))).map(RegionId::get), Ok(2));
}

#[test]
fn release() {
    let (memory, own) = (Memory::new(8, 16), heap(64));
    let scene = scene(&memory, &own);
    let before = memory.snapshot();
    let refused = scene.table.release().unwrap_err();
    assert!(matches!(refused.error, Error::Misuse(Misuse::ChainsLive { descriptors: 5 })));
    let mut table = refused.value;
    assert_eq!(memory.snapshot(), before);
    assert_eq!(drain(&mut table), [5, 6, 7]);
    assert_eq!((table.free(scene.writable), table.free(scene.mixed)), (Ok(()), Ok(())));
}

/// The limit of 2^32 bytes (2.7.5.2), for own buffers and for a registered region.
#[test]
fn chains_that_are_too_long() {
    let (rings, buffers) = Vast::rings_and_buffers();
    let own = Vast::new(8, (1_u64 << 34) as usize);
    let size = ringstorm_core::QueueSize::new(4).unwrap();
    let (at, own_at) = (DeviceAddress::new(0), DeviceAddress::new(1 << 48));
    let buffers = Region::at(&buffers, DeviceAddress::new(1 << 40));
    let table = Region::at(&rings, at);
    let mut table = DescriptorTable::new(size, u32::MAX, WritableBuffers::Unchanged, table, buffers).unwrap();
    let region = table.register(Region::at(&own, own_at)).unwrap();
    let segment = |length| Segment { region, offset: (1_u64 << 33) as usize, length };
    let before = bytes(&rings);
    let too_long = Err(Misuse::ChainTooLong);
    assert_eq!(table.create(&[b"x"], &[u32::MAX, 1]), too_long);
    assert_eq!(table.create_with(&[2], &[u32::MAX], |_| panic!("must not be asked to fill")), too_long);
    assert_eq!(table.create_over(&[segment(u32::MAX)], &[segment(2)]), too_long);
    assert_eq!(table.create_over(&[segment(u32::MAX), segment(2)], &[]), too_long);
    assert_eq!(bytes(&rings), before);
    let made = table.create_over(&[segment(u32::MAX)], &[segment(1)]);
    assert_eq!(made, Ok(Head::from_parts(table.id(), 0, 1)));
    assert_eq!(drain(&mut table), [2, 3]);
}

/// A table remembers the region of the last segment. It must not remember that there was none.
#[test]
fn a_region_that_was_refused_is_accepted_once_it_is_registered() {
    let (memory, own, other) = (Memory::new(8, 16), heap(64), heap(64));
    let mut table = memory.table_with(WritableBuffers::Unchanged);
    let foreign = table.clone().register(region(&own, OWN_AT)).unwrap();
    let segment = Segment { region: foreign, offset: 0, length: 8 };
    assert_eq!(table.create_over(&[segment], &[]), Err(Misuse::UnknownRegion(foreign)));
    let registered = table.register(region(&other, OWN_AT)).unwrap();
    assert_eq!(registered, foreign, "a clone numbers its regions as the original does");
    table.create_over(&[segment], &[]).unwrap();
}
