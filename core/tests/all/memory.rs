//! The kinds of memory: their length and content, the accesses that they refuse, and the byte order of integers.

use crate::support::{self, Memory, bytes, pattern};
use ringstorm_core::OrderedLoad::UsedIndex;
use ringstorm_core::OrderedStore::AvailableIndex;
use ringstorm_core::{
    AnyMemory, Config, DescriptorTable, DeviceAddress, DeviceStopped, Error, HeapMemory, MappedMemory,
    Misuse, QueueSize, RawMemory, Refused, Region, SharedMemory, SplitQueue, SystemError, ThreadShared,
    WritableBuffers,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

/// `RawMemory` over words that the test owns.
fn raw(words: &mut [u64]) -> RawMemory {
    let start = NonNull::from(&mut *words).cast();
    // SAFETY: every caller keeps the words alive, and does not access them while the memory is in use.
    unsafe { RawMemory::new(start, words.len() * 8) }
}

/// Calls `test` with 32 bytes of each kind. Miri has no mappings, since it makes no system calls.
fn with_each_kind(test: impl Fn(&dyn SharedMemory)) {
    /// Aligned explicitly, because some targets align a `u64` to 4 bytes only.
    #[repr(align(8))]
    struct Aligned([u64; 4]);
    let mut words = Aligned([0; 4]);
    test(&raw(&mut words.0));
    test(&HeapMemory::new(32).unwrap());
    test(&AnyMemory::from(HeapMemory::new(32).unwrap()));
    #[cfg(not(miri))]
    {
        test(&MappedMemory::anonymous(32).unwrap());
        test(&MappedMemory::shareable(32).unwrap());
        test(&AnyMemory::from(MappedMemory::anonymous(32).unwrap()));
    }
    #[cfg(all(unix, not(miri)))]
    {
        use ringstorm_core::GuardedMemory;
        test(&GuardedMemory::before_guard(32, 16).unwrap());
        test(&GuardedMemory::behind_guard(32).unwrap());
        test(&AnyMemory::from(GuardedMemory::before_guard(32, 16).unwrap()));
    }
    test(&Rc::new(HeapMemory::new(32).unwrap()));
    // SAFETY: there is no other thread.
    test(&Arc::new(unsafe { ThreadShared::new(HeapMemory::new(32).unwrap()) }));
}

/// Compiles only if none of the types is `Sync`. Otherwise safe code could race accesses of different widths in two
/// threads.
#[test]
fn safe_memory_is_not_sync() {
    trait Ambiguous<T> {
        fn is_not_sync() {}
    }
    impl<T: ?Sized> Ambiguous<()> for T {}
    impl<T: ?Sized + Sync> Ambiguous<u8> for T {}
    <HeapMemory as Ambiguous<_>>::is_not_sync();
    <MappedMemory as Ambiguous<_>>::is_not_sync();
    <AnyMemory as Ambiguous<_>>::is_not_sync();
    #[cfg(unix)]
    <ringstorm_core::GuardedMemory as Ambiguous<_>>::is_not_sync();
    fn sync_and_send<T: Sync + Send>() {}
    fn send<T: Send>() {}
    sync_and_send::<ThreadShared<HeapMemory>>();
    sync_and_send::<ThreadShared<MappedMemory>>();
    send::<SplitQueue<HeapMemory>>();
    send::<SplitQueue<MappedMemory>>();
    send::<SplitQueue<AnyMemory>>();
}

#[test]
fn new_memory_is_zero_and_has_the_requested_length() {
    with_each_kind(|memory| {
        assert_eq!((memory.len(), memory.is_empty()), (32, false));
        assert_eq!(bytes(&memory), [0; 32]);
    });
}

/// 1.4: integers are little-endian in memory on every host.
#[test]
fn numbers_are_little_endian() {
    with_each_kind(|memory| {
        memory.store_u16(2, 0x0102);
        memory.store_u32(4, 0x0304_0506);
        memory.store_u64(8, 0x0708_090a_0b0c_0d0e);
        memory.store_ordered(AvailableIndex, 16, 0x0f10);
        let expected = [0, 0, 2, 1, 6, 5, 4, 3, 14, 13, 12, 11, 10, 9, 8, 7, 0x10, 0x0f, 0];
        assert_eq!(bytes(&memory)[..19], expected);
        memory.copy_in(24, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(memory.load_u16(26), 0x0403);
        assert_eq!(memory.load_ordered(UsedIndex, 26), 0x0403);
        assert_eq!(memory.load_u32(28), 0x0807_0605);
        assert_eq!(memory.load_u64(24), 0x0807_0605_0403_0201);
        assert_eq!(memory.load_u32_pair(24), [0x0403_0201, 0x0807_0605]);
        memory.store_u64_pair(8, [0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10]);
        assert_eq!(memory.load_u32_pair(8), [0x0506_0708, 0x0102_0304]);
        assert_eq!(memory.load_u64(16), 0x090a_0b0c_0d0e_0f10);
    });
}

#[test]
fn copies_change_exactly_the_given_bytes() {
    with_each_kind(|memory| {
        let payload = pattern(1, 32);
        memory.copy_in(0, &payload);
        memory.zero(5, 3);
        memory.copy_in(30, b"xy");
        memory.copy_in(32, b"");
        memory.zero(32, 0);
        let mut expected = payload;
        expected[5..8].fill(0);
        expected[30..].copy_from_slice(b"xy");
        assert_eq!(bytes(&memory), expected);
        let mut out = [0xcc; 4];
        memory.copy_out(28, &mut out);
        assert_eq!(out, expected[28..]);
    });
}

/// The panic message of an access, or `None` if it does not panic.
fn panics(memory: &dyn SharedMemory, access: impl Fn(&dyn SharedMemory)) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(|| access(memory))).err()?;
    Some(payload.downcast_ref::<&str>().map_or_else(String::new, ToString::to_string))
}

#[test]
fn an_access_out_of_bounds_panics() {
    type Access = fn(&dyn SharedMemory, usize);
    let accesses: [(usize, Access); 13] = [
        (2, |memory, at| _ = memory.load_u16(at)),
        (4, |memory, at| _ = memory.load_u32(at)),
        (8, |memory, at| _ = memory.load_u64(at)),
        (2, |memory, at| memory.store_u16(at, 1)),
        (4, |memory, at| memory.store_u32(at, 1)),
        (8, |memory, at| memory.store_u64(at, 1)),
        (8, |memory, at| _ = memory.load_u32_pair(at)),
        (16, |memory, at| memory.store_u64_pair(at, [1, 1])),
        (2, |memory, at| _ = memory.load_ordered(UsedIndex, at)),
        (2, |memory, at| memory.store_ordered(AvailableIndex, at, 1)),
        (5, |memory, at| memory.copy_in(at, b"bytes")),
        (5, |memory, at| memory.copy_out(at, &mut [0; 5])),
        (5, |memory, at| memory.zero(at, 5)),
    ];
    with_each_kind(|memory| {
        for (width, access) in accesses {
            assert_eq!(
                panics(memory, |memory| access(memory, 32 - width)),
                None,
                "the last bytes are inside"
            );
            let before = bytes(&memory);
            for at in [32 - width + 1, 32, 33, usize::MAX - width + 1, usize::MAX] {
                let text = panics(memory, |memory| access(memory, at));
                assert_eq!(text.as_deref(), Some("shared memory: the access is out of bounds"), "at {at}");
            }
            assert_eq!(bytes(&memory), before);
        }
    });
}

#[test]
fn a_misaligned_access_panics() {
    with_each_kind(|memory| {
        let off = Some("shared memory: the access is misaligned".to_owned());
        assert_eq!(panics(memory, |memory| _ = memory.load_u16(1)), off);
        assert_eq!(panics(memory, |memory| memory.store_ordered(AvailableIndex, 3, 1)), off);
        assert_eq!(panics(memory, |memory| memory.store_u32(2, 1)), off);
        assert_eq!(panics(memory, |memory| _ = memory.load_u64(4)), off);
        assert_eq!(panics(memory, |memory| memory.store_u64(12, 1)), off);
        assert_eq!(panics(memory, |memory| _ = memory.load_u32_pair(6)), off);
        assert_eq!(panics(memory, |memory| memory.store_u64_pair(4, [1, 1])), off);
        assert_eq!(panics(memory, |memory| _ = memory.load_u32(12)), None);
    });
}

/// A request for more bytes than the address space or the system has is an error, not a panic.
#[test]
fn absurd_lengths_are_refused() {
    for length in
        [usize::MAX / 16, isize::MAX as usize, isize::MAX as usize + 1, usize::MAX - 4095, usize::MAX]
    {
        let heap = HeapMemory::new(length).unwrap_err();
        let expected = matches!(heap, Error::System(SystemError::OutOfMemory { bytes }) if bytes == length);
        assert!(expected, "{heap}");
        for make in [MappedMemory::anonymous, MappedMemory::shareable] {
            assert!(matches!(make(length), Err(Error::System(SystemError::Map(_)))), "{length}");
        }
    }
}

/// A length of zero is the caller's mistake, not a failure of the system.
#[test]
fn memory_of_zero_bytes_is_misuse() {
    let empty = |error: Error| {
        assert!(matches!(error, Error::Misuse(Misuse::MemoryEmpty)), "{error}");
    };
    empty(HeapMemory::new(0).unwrap_err());
    empty(MappedMemory::anonymous(0).unwrap_err());
    empty(MappedMemory::shareable(0).unwrap_err());
    #[cfg(unix)]
    {
        use ringstorm_core::GuardedMemory;
        empty(GuardedMemory::before_guard(0, 16).unwrap_err());
        empty(GuardedMemory::behind_guard(0).unwrap_err());
        for alignment in [0, 3, 48, 1 << 20] {
            let error = GuardedMemory::before_guard(8, alignment).unwrap_err();
            assert!(
                matches!(error, Error::Misuse(Misuse::Alignment(found)) if found == alignment),
                "{error}"
            );
        }
    }
}

#[test]
fn an_empty_file_cannot_be_attached() {
    let empty = std::fs::File::open("/dev/null").unwrap();
    let refused = MappedMemory::attach(empty).unwrap_err();
    assert!(matches!(refused, Error::Misuse(Misuse::MemoryEmpty)), "{refused}");
}

#[test]
fn an_attached_file_is_the_same_memory() {
    let memory = MappedMemory::shareable(5000).unwrap();
    let other = MappedMemory::attach(memory.file().unwrap().try_clone().unwrap()).unwrap();
    assert_eq!(other.len(), 5000);
    assert_ne!(other.host_address(), memory.host_address());
    memory.copy_in(4990, &pattern(1, 10));
    other.store_u64(8, 77);
    assert_eq!((bytes(&other), memory.load_u64(8)), (bytes(&memory), 77));
    drop(memory);
    assert_eq!(bytes(&other)[4990..], pattern(1, 10), "lives as long as anybody maps it");
    assert!(MappedMemory::anonymous(10).unwrap().file().is_none());
}

/// If another process could shrink the file, the driver's next access could cause a bus error.
#[test]
#[cfg(target_os = "linux")]
fn a_shareable_file_cannot_be_resized() {
    let memory = MappedMemory::shareable(4096).unwrap();
    let file = memory.file().unwrap().try_clone().unwrap();
    for length in [0, 4095, 4097, 1 << 20] {
        assert!(file.set_len(length).is_err(), "{length}");
    }
    assert_eq!(file.metadata().unwrap().len(), 4096);
}

#[test]
fn mappings_begin_at_a_page() {
    for make in [MappedMemory::anonymous, MappedMemory::shareable] {
        assert_eq!(make(1).unwrap().host_address() % 4096, 0);
    }
}

/// The table must be aligned in this process too, not only at its device address.
#[test]
fn memory_must_be_aligned_in_this_process() {
    let mut words = [0_u64; 64];
    let odd = 1 - (raw(&mut words).host_address() / 8 % 2) as usize;
    let (table, buffers) = words[odd..].split_at_mut(32);
    let (table, buffers) = (raw(table), raw(buffers));
    let address = table.host_address();
    let table = Region::at(table, DeviceAddress::new(0x1000));
    let buffers = Region::at(buffers, DeviceAddress::new(0x2000));
    let size = QueueSize::new(4).unwrap();
    let refused = DescriptorTable::new(size, 8, WritableBuffers::Unchanged, table, buffers);
    let Refused { error: refused, value: (table, buffers) } = refused.unwrap_err();
    assert_eq!((table.address().get(), buffers.address().get()), (0x1000, 0x2000));
    let expected = Misuse::RegionMisaligned { address, alignment: 16 };
    assert!(matches!(refused, Error::Misuse(misuse) if misuse == expected), "{refused}");
}

#[test]
fn a_region_without_bytes_cannot_be_registered() {
    let memory = Memory::new(4, 16);
    let nothing = raw(&mut []);
    let rings: Region<&dyn SharedMemory> = Region::new(&memory.rings);
    let mut queue = SplitQueue::new(memory.config, rings, Region::new(&memory.buffers)).unwrap();
    let refused = queue.register(Region::new(&nothing)).unwrap_err().into_error();
    let expected = Misuse::RegionTooSmall { needed: 1, length: 0 };
    assert!(matches!(refused, Error::Misuse(misuse) if misuse == expected), "{refused}");
    assert_eq!(queue.buffer_regions().len(), 1);
}

#[test]
fn a_queue_runs_over_every_kind() {
    fn run<M: SharedMemory>(config: Config, rings: M, buffers: M) {
        let mut queue = SplitQueue::new(config, Region::new(rings), Region::new(buffers)).unwrap();
        let head = queue.submit(&[b"any kind"], &[16]).unwrap();
        let _ = queue.publish();
        let (rings, buffers) = (queue.rings().memory(), queue.buffer_regions()[0].memory());
        let regions = vec![(buffers.host_address(), buffers)];
        assert_eq!(support::Device::new(4, rings, regions, 0).serve(|request| request), 1);
        let done = queue.take().unwrap().unwrap();
        let mut out = [0; 16];
        assert_eq!((queue.read(head, &mut out), done.written), (Ok(8), 8));
        assert_eq!(&out[..8], b"any kind");
        queue.free(head).unwrap();
        queue.release(DeviceStopped::confirmed());
    }
    let config = Memory::new(4, 16).config;
    let heap = || HeapMemory::new(120).unwrap();
    run(config, heap(), heap());
    run(config, &heap(), &heap());
    run(config, Rc::new(heap()), Rc::new(heap()));
    // SAFETY: there is no other thread.
    let shared = || Arc::new(unsafe { ThreadShared::new(heap()) });
    run(config, shared(), shared());
    let mapped = || MappedMemory::shareable(120).unwrap();
    run(config, mapped(), mapped());
    run(config, AnyMemory::from(heap()), AnyMemory::from(mapped()));
    let (aligned, buffers) = (heap(), heap());
    let start = |memory: &HeapMemory| NonNull::new(memory.host_address() as *mut u8).unwrap();
    // SAFETY: both allocations outlive the queue, have 120 bytes, and nothing else accesses them during that time.
    let (one, two) = unsafe { (RawMemory::new(start(&aligned), 120), RawMemory::new(start(&buffers), 120)) };
    run(config, one, two);
}
