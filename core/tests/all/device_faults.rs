//! All faults of a device in the used ring, under both policies.

use crate::support::{Device, Memory, Queue, descriptors_of_queue, pattern};
use ringstorm_core::{
    AfterFault, Completion, DeviceFault, DeviceStopped, Error, Head, Misuse, NotInFlight, Notification,
    OverLong, Policies, RingIndex,
};

const BOTH: [AfterFault; 2] = [AfterFault::Broken, AfterFault::Continue];

/// A queue of 16 with a chain of each kind: two in flight, one completed, one unpublished.
struct Scene<'m> {
    queue: Queue<'m>,
    device: Device<'m, ringstorm_core::HeapMemory>,
    /// Descriptors 0 and 1: completed, not freed.
    returned: Head,
    /// Descriptors 2 to 4: one device-readable buffer, two device-writable ones.
    first: Head,
    /// Descriptor 5: a single device-writable buffer.
    second: Head,
    /// Descriptors 6 and 7.
    unpublished: Head,
}

/// The free list of the scene: 8 was used by a chain that was freed.
const FREE: [u16; 8] = [8, 9, 10, 11, 12, 13, 14, 15];

fn memory(after_fault: AfterFault, over_long: OverLong) -> Memory {
    Memory::new(16, 32).with(Policies { after_fault, over_long, ..Policies::default() })
}

fn scene(memory: &Memory) -> Scene<'_> {
    let (mut queue, mut device) = (memory.queue(), memory.device());
    let returned = queue.submit(&[b"r"], &[32]).unwrap();
    let first = queue.submit(&[b"first"], &[32, 8]).unwrap();
    let second = queue.submit(&[], &[32]).unwrap();
    let _ = queue.publish();
    while device.poll().is_some() {}
    device.answer(returned.index(), b"back");
    assert_eq!(queue.take(), Ok(Some(Completion { head: returned, written: 4 })));
    let unpublished = queue.submit(&[b"u"], &[32]).unwrap();
    assert_eq!((queue.in_flight(), queue.free_count()), (2, 8));
    Scene { queue, device, returned, first, second, unpublished }
}

/// Checks that the free list did not change: new chains get the descriptors that they would have got without the
/// fault.
fn assert_free_list(queue: &mut Queue<'_>) {
    assert_eq!(queue.free_count(), 8);
    let head = queue.submit(&[], &[1; 8]).unwrap();
    assert_eq!(descriptors_of_queue(queue, head), FREE);
}

/// Checks that chains other than the faulty one complete, and can be read and freed, as without the fault.
fn assert_continues(scene: Scene<'_>) {
    let Scene { mut queue, mut device, returned, first, second, unpublished } = scene;
    assert!(!queue.is_broken());
    assert_eq!(queue.take(), Ok(None), "the bad element is consumed");
    assert_eq!(queue.in_flight(), 2);
    assert_free_list(&mut queue);
    assert_eq!(queue.publish(), Notification::Needed);
    assert_eq!(device.poll(), Some(unpublished.index()));
    assert_eq!(device.poll(), Some(8));
    let mut out = [0; 40];
    for (head, answer) in [(second, pattern(1, 32)), (unpublished, pattern(2, 5)), (first, pattern(3, 40))] {
        device.answer(head.index(), &answer);
        assert_eq!(queue.take(), Ok(Some(Completion { head, written: answer.len() as u32 })));
        assert_eq!(queue.read(head, &mut out), Ok(answer.len()));
        assert_eq!(out[..answer.len()], answer);
        assert_eq!(queue.free(head), Ok(()));
    }
    assert_eq!(queue.read(returned, &mut out), Ok(4));
    assert_eq!(queue.free(returned), Ok(()));
    device.return_chain(8, 0);
    assert_eq!(queue.take().unwrap().unwrap().head.index(), 8);
    assert_eq!((queue.in_flight(), queue.free_count()), (0, 8));
}

/// Checks that a broken queue refuses to take and submit, and publishes nothing. Completed chains can still be read
/// and freed.
fn assert_broken(scene: Scene<'_>, memory: &Memory) {
    let Scene { mut queue, mut device, returned, first, second, unpublished } = scene;
    assert!(queue.is_broken());
    assert_eq!((queue.in_flight(), queue.free_count()), (2, 8));
    device.return_chain(second.index().into(), 0);
    let (before, index) = (memory.snapshot(), device.available_index());
    for _ in 0..2 {
        assert_eq!(queue.take(), Err(DeviceFault::Broken));
    }
    let broken = |result: Result<Head, Error>| matches!(result, Err(Error::Device(DeviceFault::Broken)));
    assert!(broken(queue.submit(&[b"x"], &[])));
    assert!(broken(queue.submit_with(&[1], &[], |_| panic!("must not be asked to fill"))));
    assert!(broken(queue.submit_over(&[], &[])));
    assert_eq!(queue.publish(), Notification::NotNeeded);
    assert_eq!(device.available_index(), index);
    assert_eq!(memory.snapshot(), before);
    for head in [first, second, unpublished] {
        assert_eq!(queue.free(head), Err(Misuse::NotReturned(head)));
    }
    let mut out = [0; 8];
    assert_eq!(queue.read(returned, &mut out), Ok(4));
    assert_eq!(queue.free(returned), Ok(()));
    assert_eq!(queue.free_count(), 10);
    assert_recovers(queue, [returned, first, second, unpublished], memory);
}

/// Checks that a reset frees everything and invalidates all earlier completions, and that the queue then works.
fn assert_recovers(mut queue: Queue<'_>, old: [Head; 4], memory: &Memory) {
    queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
    assert!(!queue.is_broken());
    assert_eq!((queue.free_count(), queue.in_flight()), (16, 0));
    assert_eq!(queue.take(), Ok(None));
    assert_eq!(queue.publish(), Notification::NotNeeded, "nothing from before is published");
    for head in old {
        assert_eq!(queue.free(head), Err(Misuse::HeadFree(head)));
    }
    let mut device = memory.device();
    let head = queue.submit(&[b"again"], &[32; 15]).unwrap();
    assert_eq!(descriptors_of_queue(&queue, head), (0..16).collect::<Vec<_>>());
    assert_eq!(queue.publish(), Notification::Needed);
    assert_eq!(device.serve(|payload| payload), 1);
    assert_eq!(queue.take(), Ok(Some(Completion { head, written: 5 })));
    assert_eq!(queue.free(head), Ok(()));
    assert_eq!(queue.take(), Ok(None));
}

/// The device returns `id`. Checks the fault, and the queue's behaviour after it, under both policies.
fn check(id: impl Fn(&Scene<'_>) -> u32, expected: impl Fn(u32) -> DeviceFault) {
    for after_fault in BOTH {
        let memory = memory(after_fault, OverLong::Clamp);
        let mut scene = scene(&memory);
        let id = id(&scene);
        scene.device.return_chain(id, 3);
        let before = memory.snapshot();
        assert_eq!(scene.queue.take(), Err(expected(id)));
        assert_eq!(memory.snapshot(), before, "a fault writes nothing");
        match after_fault {
            AfterFault::Broken => assert_broken(scene, &memory),
            AfterFault::Continue => assert_continues(scene),
        }
    }
}

fn not_in_flight(actually: NotInFlight) -> impl Fn(u32) -> DeviceFault {
    move |id| DeviceFault::IdNotInFlight { id: id as u16, actually }
}

#[test]
fn an_id_outside_the_table() {
    for id in [16, 17, 0x7fff, 0xffff] {
        check(|_| id, |id| DeviceFault::IdOutOfRange { id });
    }
}

/// The id has 32 bits (2.7.8). The low 16 bits of this id are the head of a chain in flight.
#[test]
fn an_id_that_is_right_only_in_its_low_bits() {
    for high in [0x1_0000, 0x8000_0000, 0xffff_0000] {
        check(|scene| u32::from(scene.first.index()) | high, |id| DeviceFault::IdOutOfRange { id });
    }
}

#[test]
fn the_id_of_a_free_descriptor() {
    for id in [8, 15] {
        check(|_| id, not_in_flight(NotInFlight::Free));
    }
}

#[test]
fn the_id_of_a_descriptor_inside_a_chain() {
    for id in [1, 3, 4, 7] {
        check(|_| id, not_in_flight(NotInFlight::InsideChain));
    }
}

#[test]
fn a_chain_returned_twice() {
    check(|scene| scene.returned.index().into(), not_in_flight(NotInFlight::Returned));
}

#[test]
fn a_chain_that_was_never_published() {
    check(|scene| scene.unpublished.index().into(), not_in_flight(NotInFlight::Unpublished));
}

/// The index is now the head of a newer chain, which is not published.
#[test]
fn a_chain_returned_twice_after_another_began_at_its_head() {
    for after_fault in BOTH {
        let memory = memory(after_fault, OverLong::Clamp);
        let Scene { mut queue, mut device, returned, .. } = scene(&memory);
        queue.free(returned).unwrap();
        let newer = queue.submit(&[], &[32]).unwrap();
        assert_eq!(newer.index(), returned.index());
        device.return_chain(newer.index().into(), 4);
        let fault = not_in_flight(NotInFlight::Unpublished)(newer.index().into());
        assert_eq!(queue.take(), Err(fault));
        assert_eq!(queue.free(newer), Err(Misuse::NotReturned(newer)));
    }
}

/// After an index jump no valid element can be consumed, so it breaks the queue under both policies.
#[test]
fn an_index_that_jumps_or_goes_back() {
    for (after_fault, claimed) in
        BOTH.into_iter().flat_map(|policy| [3, 4, 100, 65_534, 65_535].map(|by| (policy, by)))
    {
        let memory = memory(after_fault, OverLong::Clamp);
        let mut scene = scene(&memory);
        let index = scene.device.used_index();
        scene.device.set_used_index(index.wrapping_add(claimed));
        assert_eq!(scene.queue.take(), Err(DeviceFault::IndexJump { claimed, in_flight: 2 }));
        scene.device.set_used_index(index);
        assert_broken(scene, &memory);
    }
}

#[test]
fn an_index_that_moves_when_nothing_is_in_flight() {
    for after_fault in BOTH {
        let memory = memory(after_fault, OverLong::Clamp);
        let mut queue = memory.queue();
        queue.submit(&[], &[1]).unwrap();
        memory.device().return_chain(0, 0);
        assert_eq!(queue.take(), Err(DeviceFault::IndexJump { claimed: 1, in_flight: 0 }));
        assert!(queue.is_broken());
    }
}

/// 2.7.8.2: a device must not write more than the chain's device-writable bytes. The driver reads nothing then.
#[test]
fn a_length_beyond_the_writable_bytes_is_refused_by_choice() {
    for (after_fault, claimed) in
        BOTH.into_iter().flat_map(|policy| [41, 1 << 31, u32::MAX].map(|l| (policy, l)))
    {
        let memory = memory(after_fault, OverLong::Refuse);
        let Scene { mut queue, mut device, first, second, .. } = scene(&memory);
        device.return_chain(first.index().into(), claimed);
        let fault = DeviceFault::LengthTooLong { head: first, claimed, writable: 40 };
        assert_eq!(queue.take(), Err(fault));
        assert_eq!(queue.is_broken(), after_fault == AfterFault::Broken);
        assert_eq!((queue.in_flight(), queue.free_count()), (1, 8));
        assert_eq!(queue.read(first, &mut [0; 8]), Ok(0), "the chain is back with nothing to read");
        assert_eq!(queue.free(first), Ok(()));
        assert_eq!(queue.free_count(), 11);
        device.answer(second.index(), &[7; 32]);
        let expected = match after_fault {
            AfterFault::Broken => Err(DeviceFault::Broken),
            AfterFault::Continue => Ok(Some(Completion { head: second, written: 32 })),
        };
        assert_eq!(queue.take(), expected);
    }
}

#[test]
fn several_bad_elements_in_a_row_are_consumed_one_by_one() {
    let memory = memory(AfterFault::Continue, OverLong::Clamp);
    let mut scene = scene(&memory);
    scene.device.write_used(99, 0);
    scene.device.write_used(8, 0);
    scene.device.publish_used();
    assert_eq!(scene.queue.take(), Err(DeviceFault::IdOutOfRange { id: 99 }));
    assert_eq!(scene.queue.take(), Err(not_in_flight(NotInFlight::Free)(8)));
    assert_continues(scene);
}
