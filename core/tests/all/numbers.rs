//! The newtypes: queue size, ring index, head, layout, region, address.

use crate::support::{Memory, SIZES, heap};
use ringstorm_core::{AfterFault, OrderedLoad, OrderedStore};
use ringstorm_core::{
    Config, DeviceAddress, Head, HeapMemory, Layout, Misuse, OverLong, Policies, QueueSize, Region, RegionId,
    RingIndex, SharedMemory, WritableBuffers,
};
use std::sync::atomic::Ordering;

#[test]
fn queue_sizes_are_the_sixteen_powers_of_two() {
    let legal: Vec<u32> = (0..=70_000).filter(|size| QueueSize::new(*size).is_ok()).collect();
    assert_eq!(legal, SIZES);
    for size in [0, 3, 32_767, 32_769, 65_536, 131_072, 1 << 31, u32::MAX] {
        assert_eq!(QueueSize::new(size), Err(Misuse::QueueSize(size)));
    }
    assert_eq!(QueueSize::MAX, QueueSize::new(32_768).unwrap());
}

#[test]
fn a_queue_size_returns_its_number() {
    for number in SIZES {
        let size = QueueSize::new(number).unwrap();
        assert_eq!(u32::from(size.get()), number);
        assert_eq!(size.as_usize(), number as usize);
        assert_eq!(size.to_string(), number.to_string());
    }
    assert!(QueueSize::new(4).unwrap() < QueueSize::new(8).unwrap());
}

#[test]
fn ring_indexes_wrap_at_sixteen_bits() {
    let last = RingIndex::new(65_535);
    assert_eq!(last.get(), 65_535);
    assert_eq!(last.advanced(1), RingIndex::new(0));
    assert_eq!(RingIndex::new(65_000).advanced(1_000).get(), 464);
    assert_eq!(RingIndex::new(464).ahead_of(RingIndex::new(65_000)), 1_000);
    assert_eq!(RingIndex::new(0).ahead_of(RingIndex::new(1)), 65_535);
    assert_eq!(last.ahead_of(last), 0);
    assert_eq!(RingIndex::default(), RingIndex::new(0));
}

#[test]
fn the_slot_of_a_ring_index_is_its_remainder() {
    for number in SIZES {
        let size = QueueSize::new(number).unwrap();
        for index in [0, 1, 2, 3, 255, 256, 32_767, 32_768, 65_534, 65_535] {
            assert_eq!(RingIndex::new(index).slot(size), usize::from(index) % number as usize);
        }
    }
}

#[test]
fn a_head_keeps_its_parts() {
    let memory = Memory::new(1, 1);
    let id = memory.table().id();
    let head = Head::from_parts(id, 7, 1 << 40);
    assert_eq!((head.queue(), head.index(), head.serial()), (id, 7, 1 << 40));
    assert_eq!(head.to_string(), "7#1099511627776");
    assert_ne!(head, Head::from_parts(id, 7, 1));
    assert_ne!(head, Head::from_parts(id, 6, 1 << 40));
    assert_ne!(head, Head::from_parts(memory.table().id(), 7, 1 << 40));
}

/// 2.7: a table of 16 bytes for each descriptor; an available ring of 6 bytes and 2 for each; a used ring of 6 bytes
/// and 8 for each, at a multiple of 4.
#[test]
fn the_layout_is_that_of_the_specification() {
    let known = [(1, 16, 24, 40), (2, 32, 44, 72), (4, 64, 80, 120), (256, 4096, 4616, 6672)];
    for (number, available, used, length) in known {
        let layout = Layout::new(QueueSize::new(number).unwrap());
        let found = (layout.descriptors(), layout.available(), layout.used(), layout.len());
        assert_eq!(found, (0, available, used, length), "size {number}");
    }
}

#[test]
fn the_parts_of_the_layout_are_aligned_and_disjoint() {
    for number in SIZES {
        let layout = Layout::new(QueueSize::new(number).unwrap());
        let number = number as usize;
        assert_eq!(layout.descriptors(), 0);
        assert_eq!(layout.available(), 16 * number);
        assert!(layout.used() >= layout.available() + 6 + 2 * number);
        assert!(layout.used() < layout.available() + 6 + 2 * number + 4);
        assert!(layout.len() >= layout.used() + 6 + 8 * number);
        assert!(layout.len() < layout.used() + 6 + 8 * number + 8);
        assert_eq!((layout.available() % 2, layout.used() % 4, layout.len() % 8), (0, 0, 0));
        assert!(!layout.is_empty());
    }
}

#[test]
fn the_device_address_of_a_region_is_its_host_address_by_default() {
    let memory = heap(100);
    let here = Region::new(&memory);
    assert_eq!(here.address().get(), memory.host_address());
    let there = Region::at(&memory, DeviceAddress::new(0x1234_5000));
    assert_eq!(there.address(), DeviceAddress::new(0x1234_5000));
    assert_eq!((there.len(), there.is_empty()), (100, false));
    assert_eq!(there.memory().host_address(), memory.host_address());
}

#[test]
fn a_region_without_bytes_is_empty() {
    let start = std::ptr::NonNull::<u64>::dangling().cast();
    // SAFETY: no byte is accessible through memory of length zero.
    let nothing = unsafe { ringstorm_core::RawMemory::new(start, 0) };
    assert!(nothing.is_empty());
    assert!(Region::new(&nothing).is_empty());
    assert_eq!(Region::new(nothing).len(), 0);
}

#[test]
fn addresses_and_region_ids_show_their_numbers() {
    assert_eq!(DeviceAddress::new(0xabc0).to_string(), "0xabc0");
    assert!(DeviceAddress::new(1) < DeviceAddress::new(2));
    assert_eq!(RegionId::BUFFERS.get(), 0);
}

#[test]
fn a_config_has_the_documented_defaults() {
    let config = Config::new(QueueSize::new(8).unwrap());
    assert_eq!((config.size.get(), config.buffer_size, config.first_index.get()), (8, 4096, 0));
    let expected = Policies {
        after_fault: AfterFault::Broken,
        over_long: OverLong::Clamp,
        writable: WritableBuffers::Unchanged,
    };
    assert_eq!(config.policies, expected);
}

/// 2.7.13 and 2.7.14: the store that publishes is a release; the load that looks for publications is an acquire.
#[test]
fn each_ordered_access_has_its_ordering() {
    assert_eq!(OrderedLoad::UsedIndex.ordering(), Ordering::Acquire);
    assert_eq!(OrderedLoad::AvailableIndex.ordering(), Ordering::Acquire);
    assert_eq!(OrderedLoad::UsedFlags.ordering(), Ordering::Relaxed);
    assert_eq!(OrderedLoad::AvailableFlags.ordering(), Ordering::Relaxed);
    assert_eq!(OrderedStore::AvailableIndex.ordering(), Ordering::Release);
    assert_eq!(OrderedStore::UsedIndex.ordering(), Ordering::Release);
    assert_eq!(OrderedStore::AvailableFlags.ordering(), Ordering::Relaxed);
    assert_eq!(OrderedStore::UsedFlags.ordering(), Ordering::Relaxed);
}

#[test]
fn heap_memory_begins_at_a_page() {
    for length in [1, 40, 4096, 5000] {
        assert_eq!(HeapMemory::new(length).unwrap().host_address() % 4096, 0);
    }
}
