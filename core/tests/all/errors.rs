//! Error texts, one line each, and who is to blame.

use crate::support::{self, Memory};
use ringstorm_core::{
    Blame, DeviceAddress, DeviceFault, Error, Head, Misuse, NotInFlight, QueueSize, SystemError,
};

#[test]
fn misuse_says_what_was_asked_for() {
    let address = DeviceAddress::new(0x1000);
    let (memory, own) = (Memory::new(1, 1), support::heap(1));
    let mut table = memory.table();
    let region = table.register(support::region(&own, 0)).unwrap();
    let head = Head::from_parts(table.id(), 3, 17);
    let size = QueueSize::new(8).unwrap();
    let texts = [
        (Misuse::QueueSize(5), "queue size 5 is not a power of two from 1 to 32768"),
        (Misuse::BufferSize(0), "buffers of 0 bytes: must be at least 1 and fit the address space"),
        (Misuse::RegionTooSmall { needed: 9, length: 8 }, "the region has 8 bytes, 9 are needed"),
        (
            Misuse::RegionMisaligned { address: 0x1008, alignment: 16 },
            "the region begins at 0x1008, which is not a multiple of 16",
        ),
        (
            Misuse::RegionWraps { address, length: 64 },
            "a region of 64 bytes at 0x1000 reaches the end of the address space",
        ),
        (Misuse::RegionsOverlap(address), "the region at 0x1000 overlaps one that is there already"),
        (Misuse::TooManyRegions, "no more regions can be registered"),
        (Misuse::UnknownRegion(region), "region 1 is not registered"),
        (Misuse::OutsideRegion { position: 2 }, "buffer 2 lies outside its region"),
        (Misuse::EmptyChain, "a chain needs at least one buffer"),
        (Misuse::EmptyBuffer { position: 2 }, "buffer 2 is empty"),
        (
            Misuse::BufferTooLarge { position: 1, length: 65, limit: 64 },
            "buffer 1 has 65 bytes, at most 64 fit",
        ),
        (Misuse::ChainTooLong, "the chain would exceed 2^32 bytes"),
        (Misuse::NotEnoughFree { needed: 3, free: 2 }, "3 descriptors are needed, 2 are free"),
        (Misuse::ChainExceedsQueue { needed: 9, size }, "9 descriptors are needed, and the queue has 8"),
        (Misuse::MemoryEmpty, "memory of zero bytes"),
        (Misuse::Alignment(3), "an alignment of 3 is not a power of two up to a page"),
        (
            Misuse::RegionsShareMemory(address),
            "the region at 0x1000 is memory of one that is there already, under another address",
        ),
        (Misuse::RegionOfAnotherQueue(region), "region 1 was registered with another queue"),
        (Misuse::HeadOfAnotherQueue(head), "head 3#17 is another queue's"),
        (Misuse::Published(head), "chain 3#17 was published"),
        (Misuse::HeadOutOfRange(head), "head 3#17 is outside the table"),
        (Misuse::HeadFree(head), "head 3#17 is free"),
        (Misuse::HeadInsideChain(head), "head 3#17 is inside a chain"),
        (Misuse::HeadStale(head), "head 3#17 is stale: another chain begins there"),
        (Misuse::NotReturned(head), "chain 3#17 is not back from the device"),
        (Misuse::ReadableInChain(head), "chain 3#17 has a device-readable buffer"),
        (Misuse::PayloadTooLong { length: 9, left: 8 }, "9 bytes do not fit into the 8 that are left"),
        (
            Misuse::ChainsLive { descriptors: 4 },
            "4 descriptors are in live chains, and the caller did not confirm that the device has stopped",
        ),
    ];
    for (misuse, text) in texts {
        assert_eq!(misuse.to_string(), text);
        let error = Error::from(misuse);
        assert_eq!(error.to_string(), format!("refused: {text}"));
        assert_eq!(error.blame(), Blame::Caller);
    }
}

#[test]
fn device_faults_say_what_the_device_did() {
    let head = Head::from_parts(Memory::new(1, 1).table().id(), 3, 17);
    let not_in_flight = |actually| DeviceFault::IdNotInFlight { id: 3, actually };
    let texts = [
        (
            DeviceFault::IndexJump { claimed: 9, in_flight: 2 },
            "the used index is 9 ahead, but only 2 chains are in flight",
        ),
        (DeviceFault::IdOutOfRange { id: 70_000 }, "used id 70000 is outside the table"),
        (not_in_flight(NotInFlight::Free), "used id 3 is not in flight: it is free"),
        (not_in_flight(NotInFlight::InsideChain), "used id 3 is not in flight: it is inside a chain"),
        (not_in_flight(NotInFlight::Unpublished), "used id 3 is not in flight: it is not published yet"),
        (not_in_flight(NotInFlight::Returned), "used id 3 is not in flight: it is returned already"),
        (
            DeviceFault::LengthTooLong { head, claimed: 9, writable: 8 },
            "used length 9 of chain 3#17 exceeds its 8 device-writable bytes",
        ),
        (DeviceFault::Broken, "the queue is broken by an earlier fault and waits for a reset"),
        (DeviceFault::Unwound, "memory panicked in an earlier call of the queue, which waits for a reset"),
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
fn system_errors_say_what_was_refused_and_why() {
    let out_of_memory = SystemError::OutOfMemory { bytes: 12 };
    assert_eq!(out_of_memory.to_string(), "no memory for 12 bytes");
    let map = SystemError::Map(std::io::Error::other("no"));
    assert_eq!(std::error::Error::source(&map).unwrap().to_string(), "no");
    for (error, text) in
        [(out_of_memory, "system: no memory for 12 bytes"), (map, "system: mapping memory: no")]
    {
        let error = Error::from(error);
        assert_eq!(error.to_string(), text);
        assert_eq!(error.blame(), Blame::System);
    }
}
