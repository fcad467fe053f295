//! The memory of a queue or table that is dropped or released.
//! || A device may still write to the chains in flight. Unmapped memory may already belong to something else. So
//! memory is freed only after the caller has confirmed that the device has stopped.

use crate::support::recorder::{Access, Recorder};
use ringstorm_core::{
    DescriptorTable, DeviceAddress, DeviceStopped, Head, Region, SharedMemory, ThreadShared, WritableBuffers,
};
use ringstorm_core::{Misuse, QueueSize, Refused, RingIndex, SplitQueue};
use std::rc::Rc;
use std::sync::Arc;

/// The number of calls of `abandon` without a matching `reclaim`.
fn abandon_count(log: &[Access]) -> usize {
    let count = |wanted| log.iter().filter(|access| **access == wanted).count();
    count(Access::Abandon) - count(Access::Reclaim)
}

/// The number of times that each region of a table is still abandoned after `end` has consumed the table.
fn abandoned(end: impl FnOnce(DescriptorTable<Recorder>, Head)) -> [usize; 3] {
    let memories = [64, 64, 8].map(Recorder::new);
    let logs = [memories[0].log(), memories[1].log(), memories[2].log()];
    let [table, buffers, own] = memories;
    let at = |memory, base| Region::at(memory, DeviceAddress::new(base));
    let (size, choice) = (QueueSize::new(4).unwrap(), WritableBuffers::Unchanged);
    let mut made = DescriptorTable::new(size, 16, choice, at(table, 0), at(buffers, 0x1000)).unwrap();
    made.register(at(own, 0x2000)).unwrap();
    let head = made.create(&[], &[1, 1]).unwrap();
    end(made, head);
    logs.map(|log| abandon_count(&log.lock().unwrap()))
}

#[test]
fn a_table_dropped_with_live_chains_abandons_every_region() {
    assert_eq!(abandoned(|table, _| drop(table)), [1, 1, 1]);
}

#[test]
fn a_table_without_live_chains_abandons_nothing() {
    let free_and_drop = |mut table: DescriptorTable<Recorder>, head| {
        table.free(head).unwrap();
    };
    assert_eq!(abandoned(free_and_drop), [0, 0, 0]);
    let free_and_release = |mut table: DescriptorTable<Recorder>, head| {
        table.free(head).unwrap();
        assert!(table.release().is_ok());
    };
    assert_eq!(abandoned(free_and_release), [0, 0, 0]);
    assert_eq!(abandoned(|table, _| table.release_stopped(DeviceStopped::confirmed())), [0, 0, 0]);
    let reset = |mut table: DescriptorTable<Recorder>, _| table.reset(DeviceStopped::confirmed());
    assert_eq!(abandoned(reset), [0, 0, 0]);
}

#[test]
fn a_refused_release_abandons_nothing_until_the_table_is_dropped() {
    let refused = |table: DescriptorTable<Recorder>, head| {
        let mut table = table.release().unwrap_err().value;
        table.free(head).unwrap();
    };
    assert_eq!(abandoned(refused), [0, 0, 0]);
    assert_eq!(abandoned(|table, _| drop(table.release())), [1, 1, 1]);
}

/// A queue has rings, unlike a table. The device may write them even if no chain is live.
#[test]
fn a_queue_abandons_its_memory_unless_the_device_was_stopped() {
    let make = || {
        let memory = crate::support::Memory::new(4, 16);
        let [rings, buffers] = [memory.rings.len(), memory.buffers.len()].map(Recorder::new);
        let logs = [rings.log(), buffers.log()];
        let at = |memory, base| Region::at(memory, DeviceAddress::new(base));
        let queue = SplitQueue::new(memory.config, at(rings, 0), at(buffers, 0x1000)).unwrap();
        (queue, logs.map(|log| move || abandon_count(&log.lock().unwrap()) > 0))
    };
    let (queue, abandoned) = make();
    drop(queue);
    assert_eq!(abandoned.map(|is_abandoned| is_abandoned()), [true; 2], "dropped");
    let (queue, abandoned) = make();
    std::mem::forget(queue);
    assert_eq!(abandoned.map(|is_abandoned| is_abandoned()), [true; 2], "forgotten");
    let (queue, abandoned) = make();
    queue.release(DeviceStopped::confirmed());
    assert_eq!(abandoned.map(|is_abandoned| is_abandoned()), [false; 2], "released");
}

/// Two queues may share borrowed memory. It stays abandoned until both have reclaimed it. A clone counts too.
#[test]
fn memory_stays_abandoned_until_every_queue_has_reclaimed_it() {
    let memory = crate::support::Memory::new(4, 16);
    let own = Recorder::new(64);
    let log = own.log();
    let table = |at| {
        let mut table: DescriptorTable<&dyn SharedMemory> = {
            let (rings, buffers): (Region<&dyn SharedMemory>, Region<&dyn SharedMemory>) = (
                Region::at(&memory.rings, DeviceAddress::new(0x1_0000)),
                Region::at(&memory.buffers, DeviceAddress::new(0x2_0000)),
            );
            DescriptorTable::new(memory.config.size, 16, WritableBuffers::Unchanged, rings, buffers).unwrap()
        };
        table.register(Region::at(&own as &dyn SharedMemory, DeviceAddress::new(at))).unwrap();
        table
    };
    let (first, second) = (table(0x3_0000), table(0x4_0000));
    let clone = second.clone();
    assert_eq!(abandon_count(&log.lock().unwrap()), 3);
    drop(first);
    second.release_stopped(DeviceStopped::confirmed());
    assert_eq!(abandon_count(&log.lock().unwrap()), 1);
    drop(clone);
    assert_eq!(abandon_count(&log.lock().unwrap()), 0);
}

/// Borrowed and counted memory must forward `abandon` to the memory itself, because the owner may drop that next.
#[test]
fn borrowed_and_counted_memory_forwards_abandon() {
    fn abandons(memory: impl SharedMemory, recorder: &Recorder) {
        recorder.take_log();
        memory.abandon();
        assert_eq!(recorder.take_log(), [Access::Abandon]);
    }
    let recorder = Recorder::new(8);
    abandons(&recorder, &recorder);
    let rc = Rc::new(Recorder::new(8));
    abandons(Rc::clone(&rc), &rc);
    assert_eq!(Rc::strong_count(&rc), 1);
    #[expect(clippy::arc_with_non_send_sync, reason = "the test uses it in one thread")]
    let arc = Arc::new(Recorder::new(8));
    abandons(Arc::clone(&arc), &arc);
    assert_eq!(Arc::strong_count(&arc), 1);
    // SAFETY: there is no other thread.
    abandons(unsafe { ThreadShared::new(&recorder) }, &recorder);
}

#[cfg(target_os = "linux")]
mod mappings {
    use super::*;
    use crate::support::{Memory, maps};
    use ringstorm_core::{AnyMemory, MappedMemory};

    /// A queue with a chain in flight, and the addresses of its two mappings.
    fn queue(
        make: fn(ringstorm_core::Config) -> Result<SplitQueue<MappedMemory>, ringstorm_core::Error>,
    ) -> (SplitQueue<MappedMemory>, [u64; 2]) {
        let mut queue = make(Memory::new(4, 4096).config).unwrap();
        queue.submit(&[], &[1]).unwrap();
        let _ = queue.publish();
        let addresses = [queue.rings().address(), queue.buffer_regions()[0].address()];
        (queue, addresses.map(DeviceAddress::get))
    }

    /// Memory of a kind chosen at run time unmaps or abandons the memory that it was made from.
    #[test]
    fn any_memory_is_unmapped_or_abandoned_as_its_kind() {
        let make = || {
            let memory = MappedMemory::shareable(4096).unwrap();
            let identity = maps::identity(&memory);
            (AnyMemory::from(memory), identity)
        };
        let (memory, identity) = make();
        assert!(maps::has_file(identity));
        assert!(format!("{memory:?}").starts_with("AnyMemory { raw: RawMemory"), "{memory:?}");
        drop(memory);
        assert!(!maps::has_file(identity));

        let (memory, identity) = make();
        memory.abandon();
        drop(memory);
        assert!(maps::has_file(identity));
    }

    fn identities(queue: &SplitQueue<MappedMemory>) -> [u64; 2] {
        [queue.rings(), &queue.buffer_regions()[0]].map(|region| maps::identity(region.memory()))
    }

    #[test]
    fn a_queue_dropped_with_live_chains_stays_mapped() {
        let (shareable, _) = queue(SplitQueue::shareable);
        let identities = identities(&shareable);
        drop(shareable);
        assert!(identities.into_iter().all(maps::has_file));

        let (anonymous, addresses) = queue(SplitQueue::anonymous);
        drop(anonymous);
        assert!(addresses.into_iter().all(maps::has_address));
    }

    #[test]
    fn release_unmaps_both_mappings() {
        let (shareable, _) = queue(SplitQueue::shareable);
        let identities = identities(&shareable);
        assert!(identities.into_iter().all(maps::has_file));
        shareable.release(DeviceStopped::confirmed());
        assert!(!identities.into_iter().any(maps::has_file));

        assert!(maps::any_attempt(|| {
            let (anonymous, addresses) = queue(SplitQueue::anonymous);
            anonymous.release(DeviceStopped::confirmed());
            !addresses.into_iter().any(maps::has_address)
        }));
    }

    /// The device may access the rings until it is stopped: a correct device may write `avail_event` at any time.
    #[test]
    fn an_idle_queue_stays_mapped_when_it_is_dropped() {
        let queue = SplitQueue::shareable(Memory::new(4, 4096).config).unwrap();
        let idle = identities(&queue);
        drop(queue);
        assert!(idle.into_iter().all(maps::has_file));

        let (mut reset, _) = queue_in_flight();
        let after_reset = identities(&reset);
        reset.reset(DeviceStopped::confirmed(), RingIndex::new(0));
        drop(reset);
        assert!(
            after_reset.into_iter().all(maps::has_file),
            "after a reset, a device may access the memory again"
        );
    }

    fn queue_in_flight() -> (SplitQueue<MappedMemory>, [u64; 2]) {
        queue(SplitQueue::shareable)
    }

    /// A device may have mapped regions for which making a queue fails, so the caller gets them back.
    #[test]
    fn a_queue_that_cannot_be_made_returns_its_regions() {
        let memory = Memory::new(4, 4096);
        for (rings, buffers) in [(4096, 1), (8, 4 * 4096)] {
            let (rings, buffers) =
                (MappedMemory::shareable(rings).unwrap(), MappedMemory::shareable(buffers).unwrap());
            let identities = [maps::identity(&rings), maps::identity(&buffers)];
            let refused =
                SplitQueue::new(memory.config, Region::new(rings), Region::new(buffers)).unwrap_err();
            assert!(identities.into_iter().all(maps::has_file));
            drop(refused);
            assert!(!identities.into_iter().any(maps::has_file));
        }
    }

    #[test]
    fn a_region_that_cannot_be_registered_is_returned() {
        let (mut queue, _) = queue(SplitQueue::shareable);
        let own = MappedMemory::shareable(4096).unwrap();
        let identity = maps::identity(&own);
        let address = queue.rings().address();
        let Refused { error, value } = queue.register(Region::at(own, address)).unwrap_err();
        assert!(matches!(error, ringstorm_core::Error::Misuse(Misuse::RegionsOverlap(_))), "{error}");
        assert!(maps::has_file(identity));
        assert_eq!(value.address(), address);
        queue.release(DeviceStopped::confirmed());
    }
}
