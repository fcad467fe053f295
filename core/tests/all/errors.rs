//! The text of each error, and the party at fault.

use crate::support::{self, Memory};
use ringstorm_core::{
    Blame, DeviceAddress, DeviceFault, Error, Head, Misuse, NotInFlight, QueueSize, SystemError,
};

#[test]
fn the_text_of_each_misuse() {
    let address = DeviceAddress::new(0x1000);
    let (memory, own) = (Memory::new(1, 1), support::heap(1));
    let mut table = memory.table();
    let region = table.register(support::region(&own, 0)).unwrap();
    let head = Head::from_parts(table.id(), 3, 17);
    let size = QueueSize::new(8).unwrap();
    let texts = [
        (Misuse::QueueSize(5), "queue size 5 is not a power of two from 1 to 32768"),
        (Misuse::BufferSize(0), "buffer size 0 is zero, or the buffers together exceed the address space"),
        (
            Misuse::RegionTooSmall { needed: 9, length: 8 },
            "the region is too small: length 8, needed 9 (bytes)",
        ),
        (
            Misuse::RegionMisaligned { address: 0x1008, alignment: 16 },
            "the region begins at 0x1008, which is not a multiple of 16",
        ),
        (
            Misuse::RegionWraps { address, length: 64 },
            "the region at 0x1000 of length 0x40 reaches the end of the address space",
        ),
        (Misuse::RegionsOverlap(address), "the region at 0x1000 overlaps another region"),
        (Misuse::TooManyRegions, "no more regions can be registered"),
        (Misuse::UnknownRegion(region), "region 1 is not registered"),
        (Misuse::OutsideRegion { position: 2 }, "buffer 2 is not inside its region"),
        (Misuse::EmptyChain, "a chain needs at least one buffer"),
        (Misuse::EmptyBuffer { position: 2 }, "buffer 2 is empty"),
        (
            Misuse::BufferTooLarge { position: 1, length: 65, limit: 64 },
            "buffer 1 is too large: length 65, buffer size 64 (bytes)",
        ),
        (Misuse::ChainTooLong, "the chain exceeds 2^32 bytes"),
        (Misuse::NotEnoughFree { needed: 3, free: 2 }, "too few descriptors are free: needed 3, free 2"),
        (
            Misuse::ChainExceedsQueue { needed: 9, size },
            "the chain is too long for the queue: descriptors needed 9, queue size 8",
        ),
        (Misuse::MemoryEmpty, "memory of zero bytes was requested"),
        (Misuse::Alignment(3), "alignment 3 is not a power of two up to the page size"),
        (
            Misuse::RegionsShareMemory(address),
            "the region at 0x1000 shares memory with a region at another device address",
        ),
        (Misuse::RegionOfAnotherQueue(region), "region 1 was registered with another queue"),
        (Misuse::HeadOfAnotherQueue(head), "handle 3#17 belongs to another queue"),
        (Misuse::Published(head), "chain 3#17 was already published"),
        (Misuse::HeadOutOfRange(head), "the index of handle 3#17 is outside the descriptor table"),
        (Misuse::HeadFree(head), "handle 3#17 is stale: its descriptor is free"),
        (Misuse::HeadInsideChain(head), "the index of handle 3#17 is inside a chain, not at its head"),
        (Misuse::HeadStale(head), "handle 3#17 is stale: another chain begins at its index"),
        (Misuse::NotReturned(head), "chain 3#17 was not returned by the device"),
        (Misuse::ReadableInChain(head), "chain 3#17 has a device-readable buffer"),
        (Misuse::PayloadTooLong { length: 9, left: 8 }, "the payload is too long: length 9, room 8 (bytes)"),
        (
            Misuse::ChainsLive { descriptors: 4 },
            "chains are live (descriptors in use: 4), and the caller did not confirm that the device has stopped",
        ),
    ];
    for (misuse, text) in texts {
        assert_eq!(misuse.to_string(), text);
        let error = Error::from(misuse);
        assert_eq!(error.to_string(), format!("misuse: {text}"));
        assert_eq!(error.blame(), Blame::Caller);
    }
}

#[test]
fn the_text_of_each_device_fault() {
    let head = Head::from_parts(Memory::new(1, 1).table().id(), 3, 17);
    let not_in_flight = |actually| DeviceFault::IdNotInFlight { id: 3, actually };
    let texts = [
        (
            DeviceFault::IndexJump { claimed: 9, in_flight: 2 },
            "the used index claims more elements than chains are in flight: 9 claimed, 2 in flight",
        ),
        (DeviceFault::IdOutOfRange { id: 70_000 }, "used id 70000 is outside the descriptor table"),
        (
            not_in_flight(NotInFlight::Free),
            "used id 3 is not the head of a chain in flight: the descriptor is free",
        ),
        (
            not_in_flight(NotInFlight::InsideChain),
            "used id 3 is not the head of a chain in flight: the descriptor is inside a chain",
        ),
        (
            not_in_flight(NotInFlight::Unpublished),
            "used id 3 is not the head of a chain in flight: the chain is not published",
        ),
        (
            not_in_flight(NotInFlight::Returned),
            "used id 3 is not the head of a chain in flight: the device has already returned the chain",
        ),
        (
            DeviceFault::LengthTooLong { head, claimed: 9, writable: 8 },
            "used length 9 of chain 3#17 exceeds the length 8 of its device-writable buffers",
        ),
        (DeviceFault::Broken, "an earlier device fault broke the queue, which needs a reset"),
        (
            DeviceFault::Unwound,
            "the caller's memory panicked in an earlier call of the queue, which needs a reset",
        ),
    ];
    for (fault, text) in texts {
        assert_eq!(fault.to_string(), text);
        let error = Error::from(fault);
        assert_eq!(error.to_string(), format!("device fault: {text}"));
        let blame = if fault == DeviceFault::Unwound { Blame::Caller } else { Blame::Device };
        assert_eq!(error.blame(), blame);
    }
}

#[test]
fn the_text_of_each_system_error() {
    let out_of_memory = SystemError::OutOfMemory { bytes: 12 };
    assert_eq!(out_of_memory.to_string(), "allocating memory failed; size in bytes: 12");
    let map = SystemError::Map(std::io::Error::other("no"));
    assert_eq!(std::error::Error::source(&map).unwrap().to_string(), "no");
    for (error, text) in [
        (out_of_memory, "system error: allocating memory failed; size in bytes: 12"),
        (map, "system error: mapping memory failed: no"),
    ] {
        let error = Error::from(error);
        assert_eq!(error.to_string(), text);
        assert_eq!(error.blame(), Blame::System);
    }
}
