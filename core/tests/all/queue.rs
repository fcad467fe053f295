//! The split queue with a device that follows the specification.

use crate::support::vast::Vast;
use crate::support::{
    self, BUFFERS_AT, Memory, Queue, RINGS_AT, bytes, descriptors_of_queue, heap, pattern, region,
};
use ringstorm_core::{
    Completion, DeviceAddress, DeviceStopped, Error, Head, Layout, Misuse, Notification, Policies, Refused,
    Region, Segment, SharedMemory, SplitQueue, Tampering, WritableBuffers,
};

/// Submits a chain, has the device return it with that answer, and takes, reads and frees it.
fn round_trip(memory: &Memory, queue: &mut Queue<'_>, answer: &[u8]) -> Head {
    let head = queue.submit(&[], &[32, 32]).unwrap();
    let _ = queue.publish();
    let mut device = memory.device();
    while device.poll().is_some_and(|polled| polled != head.index()) {}
    device.answer(head.index(), answer);
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: answer.len() as u32 })));
    head
}

#[test]
fn a_new_queue_works_is_empty_and_returns_its_addresses() {
    let memory = Memory::new(16, 32);
    let queue = memory.queue();
    assert!(!queue.is_broken());
    assert_eq!((queue.free_count(), queue.in_flight()), (16, 0));
    // 2.7: 16 descriptors of 16 bytes, then 6 + 2 * 16 bytes, then the next multiple of 4.
    let expected = [RINGS_AT, RINGS_AT + 256, RINGS_AT + 296].map(DeviceAddress::new);
    assert_eq!(queue.addresses(), expected);
    assert_eq!(queue.rings().address(), expected[0]);
    assert_eq!(queue.buffer_regions()[0].address(), DeviceAddress::new(BUFFERS_AT));
    assert_eq!(queue.verify(), []);
}

#[test]
fn the_device_sees_a_chain_after_publish() {
    let memory = Memory::new(4, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    assert_eq!(queue.publish(), Notification::NotNeeded, "nothing to publish");
    let head = queue.submit(&[b"request"], &[32]).unwrap();
    assert_eq!((device.poll(), queue.in_flight()), (None, 0));
    assert_eq!(queue.publish(), Notification::Needed);
    assert_eq!((device.available_index(), queue.in_flight()), (1, 1));
    assert_eq!(queue.publish(), Notification::NotNeeded, "nothing new");
    assert_eq!((device.available_index(), queue.in_flight()), (1, 1));
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(device.serve(|request| [b"re: ", request.as_slice()].concat()), 1);
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: 11 })));
    assert_eq!((queue.take(), queue.in_flight(), queue.free_count()), (Ok(None), 0, 2));
    let mut out = [0; 32];
    assert_eq!(queue.read(head, &mut out), Ok(11));
    assert_eq!(&out[..11], b"re: request");
    assert_eq!(queue.free(head), Ok(()));
    assert_eq!(queue.free_count(), 4);
}

#[test]
fn a_batch_is_in_the_ring_in_order_of_submission() {
    let memory = Memory::new(8, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let heads: Vec<Head> = (1..=3).map(|count| queue.submit(&[], &vec![1; count]).unwrap()).collect();
    assert_eq!(device.available_index(), 0);
    let _ = queue.publish();
    assert_eq!((device.available_index(), queue.in_flight()), (3, 3));
    let polled: Vec<u16> = std::iter::from_fn(|| device.poll()).collect();
    assert_eq!(polled, [0, 1, 3]);
    for head in heads.iter().rev() {
        device.write_used(head.index().into(), 0);
    }
    device.publish_used();
    for (taken, head) in heads.iter().rev().enumerate() {
        assert_eq!(usize::from(queue.in_flight()), 3 - taken);
        assert_eq!(queue.take(), Ok(Some(Completion { head: *head, written: 0 })));
    }
    assert_eq!(queue.take(), Ok(None));
}

/// 2.7.10: bit 0 of the used flags suppresses available-buffer notifications. The other bits have no effect.
#[test]
fn the_device_can_suppress_notifications() {
    let wishes = [(0, true), (1, false), (2, true), (3, false), (0xfffe, true), (0xffff, false)];
    for (flags, wanted) in wishes {
        let memory = Memory::new(4, 32);
        let (mut queue, device) = (memory.queue(), memory.device());
        device.set_used_flags(flags);
        queue.submit(&[], &[1]).unwrap();
        assert_eq!(queue.publish() == Notification::Needed, wanted, "flags {flags:#x}");
        assert_eq!(device.available_index(), 1, "published all the same");
    }
}

/// 2.7.7: bit 0 of the available flags suppresses used-buffer notifications. Enabling them reports elements that wait
/// already.
#[test]
fn the_driver_can_suppress_notifications() {
    let memory = Memory::new(4, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    assert_eq!(device.available_flags(), 0);
    assert!(!queue.set_used_notifications(false));
    assert_eq!(device.available_flags(), 1);
    let head = queue.submit(&[], &[1]).unwrap();
    let _ = queue.publish();
    assert!(!queue.set_used_notifications(true));
    assert_eq!(device.available_flags(), 0);
    device.return_chain(head.index().into(), 0);
    assert!(queue.set_used_notifications(false));
    assert!(queue.set_used_notifications(true));
    assert!(queue.take().unwrap().is_some());
    assert!(!queue.set_used_notifications(true));
}

#[test]
fn read_returns_the_reported_bytes_that_fit() {
    let memory = Memory::new(8, 32);
    let mut queue = memory.queue();
    memory.buffers.copy_in(0, &[0xee; 256]);
    let answer = pattern(4, 40);
    let head = round_trip(&memory, &mut queue, &answer);
    for length in [0, 1, 31, 32, 33, 39, 40] {
        let mut out = vec![0xcc; length];
        assert_eq!(queue.read(head, &mut out), Ok(length));
        assert_eq!(out, answer[..length]);
    }
    let mut longer = [0xcc; 64];
    assert_eq!(queue.read(head, &mut longer), Ok(40), "not more than the device reported");
    assert_eq!((&longer[..40], &longer[40..]), (&answer[..], &[0xcc; 24][..]));
}

#[test]
fn read_skips_the_readable_buffers() {
    let memory = Memory::new(8, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let head = queue.submit(&[b"not this", b"nor this"], &[5, 32]).unwrap();
    let _ = queue.publish();
    device.serve(|_| b"but this".to_vec());
    queue.take().unwrap().unwrap();
    let mut out = [0; 8];
    assert_eq!(queue.read(head, &mut out), Ok(8));
    assert_eq!(&out, b"but this");
}

/// Some real devices also count device-readable bytes, against 2.7.8.2. By default the queue limits the length.
#[test]
fn a_used_length_is_limited_to_the_writable_bytes() {
    for (claimed, written) in [(0, 0), (36, 36), (37, 37), (38, 37), (1 << 31, 37), (u32::MAX, 37)] {
        let memory = Memory::new(4, 32);
        let (mut queue, mut device) = (memory.queue(), memory.device());
        let head = queue.submit(&[b"readable"], &[32, 5]).unwrap();
        let _ = queue.publish();
        device.return_chain(head.index().into(), claimed);
        assert_eq!(queue.take(), Ok(Some(Completion { head, written })));
        assert_eq!(queue.read(head, &mut [0; 50]), Ok(written as usize));
        assert!(!queue.is_broken());
    }
}

#[test]
fn a_chain_of_two_to_the_32_bytes_can_report_all_but_one() {
    let (rings, buffers) = Vast::rings_and_buffers();
    let mut queue = Vast::queue(&rings, &buffers);
    let head = queue.submit(&[], &[u32::MAX, 1]).unwrap();
    let _ = queue.publish();
    support::Device::new(4, &rings, vec![], 0).return_chain(0, u32::MAX);
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: u32::MAX })));
    assert_eq!(queue.free(head), Ok(()));
}

#[test]
fn bytes_reported_but_not_written_are_zero_with_zeroed_buffers() {
    for (writable, expected) in [(WritableBuffers::Unchanged, 0xee), (WritableBuffers::Zeroed, 0)] {
        let memory = Memory::new(4, 32).with(Policies { writable, ..Policies::default() });
        let (mut queue, mut device) = (memory.queue(), memory.device());
        memory.buffers.copy_in(0, &[0xee; 128]);
        let head = queue.submit(&[], &[32]).unwrap();
        let _ = queue.publish();
        device.write(head.index(), b"four");
        device.return_chain(head.index().into(), 32);
        queue.take().unwrap().unwrap();
        let mut out = [0xcc; 32];
        assert_eq!(queue.read(head, &mut out), Ok(32));
        assert_eq!((&out[..4], &out[4..]), (&b"four"[..], &[expected; 28][..]));
    }
}

#[test]
fn payload_can_be_written_in_place() {
    let memory = Memory::new(4, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let head = queue.submit_with(&[4, 4], &[8], |writer| writer.write(b"in place")).unwrap();
    assert_eq!(queue.publish(), Notification::Needed);
    device.serve(|request| request);
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: 8 })));
    let mut out = [0; 8];
    assert_eq!(queue.read(head, &mut out), Ok(8));
    assert_eq!(&out, b"in place");
}

#[test]
fn chains_can_be_in_registered_regions() {
    let memory = Memory::new(4, 32);
    let own = heap(4096);
    let mut queue = memory.queue();
    let id = queue.register(region(&own, 0x5000)).unwrap();
    assert_eq!(queue.buffer_regions()[1].address(), DeviceAddress::new(0x5000));
    own.copy_in(100, b"from here");
    let segment = |offset, length| Segment { region: id, offset, length };
    let head = queue.submit_over(&[segment(100, 9)], &[segment(2000, 1000)]).unwrap();
    let _ = queue.publish();
    let regions = vec![(BUFFERS_AT, &memory.buffers), (0x5000, &own)];
    let mut device = support::Device::new(4, &memory.rings, regions, 0);
    device.serve(|request| [request, b" to there".to_vec()].concat());
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: 18 })));
    assert_eq!(&bytes(&own)[2000..2018], b"from here to there");
    let mut out = [0; 18];
    assert_eq!(queue.read(head, &mut out), Ok(18));
    assert_eq!(&out, b"from here to there");
}

#[test]
fn only_a_completed_chain_can_be_read_and_freed() {
    let memory = Memory::new(4, 32);
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let head = queue.submit(&[], &[32]).unwrap();
    let refused = Misuse::NotReturned(head);
    for _ in 0..2 {
        assert_eq!(queue.read(head, &mut [0; 4]), Err(refused));
        assert_eq!(queue.free(head), Err(refused));
        let _ = queue.publish();
    }
    device.answer(head.index(), b"done");
    assert_eq!(queue.free(head), Err(refused), "not before it is taken");
    queue.take().unwrap().unwrap();
    assert_eq!(queue.free(head), Ok(()));
    assert_eq!(queue.free(head), Err(Misuse::HeadFree(head)));
    assert_eq!(queue.read(head, &mut [0; 4]), Err(Misuse::HeadFree(head)));
    assert_eq!(queue.buffers(head).err(), Some(Misuse::HeadFree(head)));
}

#[test]
fn a_queue_reports_tampering() {
    let memory = Memory::new(4, 32);
    let mut queue = memory.queue();
    let head = queue.submit(&[], &[1, 1]).unwrap();
    memory.redirect(1, 0);
    assert_eq!(queue.verify().last(), Some(&Tampering::Loop { head }));
    assert_eq!(descriptors_of_queue(&queue, head), [0, 1]);
}

#[test]
fn the_rings_need_their_full_length_and_alignment() {
    let memory = Memory::new(4, 32);
    let needed = Layout::new(memory.config.size).len();
    let make = |rings: Region<_>| match SplitQueue::new(memory.config, rings, memory.buffer_region()) {
        Err(Refused { error: Error::Misuse(misuse), .. }) => Some(misuse),
        other => other.map(|_| None).unwrap(),
    };
    let (short, exact) = (heap(needed - 1), heap(needed));
    let too_small = Misuse::RegionTooSmall { needed, length: needed - 1 };
    assert_eq!(make(region(&short, RINGS_AT)), Some(too_small));
    assert_eq!(make(region(&exact, RINGS_AT)), None);
    let misaligned = Misuse::RegionMisaligned { address: RINGS_AT + 4, alignment: 16 };
    assert_eq!(make(region(&exact, RINGS_AT + 4)), Some(misaligned));
}

#[test]
fn queues_make_their_own_mappings() {
    let memory = Memory::new(4, 32);
    for make in [SplitQueue::anonymous, SplitQueue::shareable] {
        let mut queue = make(memory.config).unwrap();
        assert_eq!(queue.rings().address().get(), queue.rings().memory().host_address());
        assert!(queue.rings().len() >= Layout::new(memory.config.size).len());
        assert!(queue.buffer_regions()[0].len() >= 128);
        let head = queue.submit(&[b"mine"], &[32]).unwrap();
        let _ = queue.publish();
        let base = queue.buffer_regions()[0].address().get();
        let (rings, buffers) = (queue.rings().memory(), queue.buffer_regions()[0].memory());
        support::Device::new(4, rings, vec![(base, buffers)], 0).serve(|request| request);
        assert_eq!(queue.take(), Ok(Some(Completion { head, written: 4 })));
        queue.free(head).unwrap();
        queue.release(DeviceStopped::confirmed());
        let none = ringstorm_core::Config { buffer_size: 0, ..memory.config };
        assert!(matches!(make(none), Err(Error::Misuse(Misuse::BufferSize(0)))));
    }
}
