//! A refused call of the queue changes no byte of memory, and does not affect later calls.

use crate::support::{BUFFERS_AT, Device, Memory, Queue, RINGS_AT, bytes, heap, region};
use ringstorm_core::{
    Buffer, DeviceAddress, DeviceFault, DeviceStopped, Error, Head, HeapMemory, Misuse, Refused, Region,
    RegionId, RingIndex, Segment,
};

const OWN_AT: u64 = 0x10_0000_0000;
const SPARE_AT: u64 = 0x20_0000_0000;

struct Stage {
    memory: Memory,
    own: HeapMemory,
    spare: HeapMemory,
}

impl Stage {
    fn new() -> Self {
        Self { memory: Memory::new(16, 32), own: heap(256), spare: heap(256) }
    }
}

/// A queue of 16 with chains in several states.
struct Scene<'m> {
    stage: &'m Stage,
    queue: Queue<'m>,
    device: Device<'m, HeapMemory>,
    own: RegionId,
    /// The handle of a freed chain whose descriptor is free.
    freed: Head,
    /// The handle of a freed chain whose descriptor is now the head of `in_flight`.
    stale: Head,
    returned: Head,
    in_flight: Head,
    unpublished: Head,
}

fn scene(stage: &Stage) -> Scene<'_> {
    let mut queue = stage.memory.queue();
    let regions = vec![(BUFFERS_AT, &stage.memory.buffers), (OWN_AT, &stage.own)];
    let mut device = Device::new(16, &stage.memory.rings, regions, 0);
    let own = queue.register(region(&stage.own, OWN_AT)).unwrap();
    let stale = queue.submit(&[b"stale"], &[]).unwrap();
    let returned = queue.submit(&[b"returned"], &[32]).unwrap();
    let freed = queue.submit(&[], &[7]).unwrap();
    let _ = queue.publish();
    for head in [freed, stale, returned] {
        let answer: &[u8] = if head == returned { b"answer" } else { b"" };
        device.answer(head.index(), answer);
        queue.take().unwrap().unwrap();
    }
    queue.free(stale).unwrap();
    let in_flight = queue.submit(&[b"in flight"], &[32, 32]).unwrap();
    let _ = queue.publish();
    let unpublished = queue.submit(&[b"unpublished"], &[32]).unwrap();
    queue.free(freed).unwrap();
    while device.poll().is_some() {}
    assert_eq!((in_flight.index(), queue.free_count()), (stale.index(), 9));
    Scene { stage, queue, device, own, freed, stale, returned, in_flight, unpublished }
}

/// All state that can be observed without changing it.
type Everything = ((Vec<u8>, Vec<u8>), Vec<u8>, (u16, u16, bool, usize), Vec<Vec<Buffer>>, Vec<u8>);

impl Scene<'_> {
    fn everything(&self) -> Everything {
        let Self { stage, queue, .. } = self;
        let numbers =
            (queue.free_count(), queue.in_flight(), queue.is_broken(), queue.buffer_regions().len());
        let live = [self.returned, self.in_flight, self.unpublished];
        let chains = live.map(|head| queue.buffers(head).unwrap().collect());
        let mut answer = vec![0; 32];
        let length = queue.read(self.returned, &mut answer).unwrap();
        answer.truncate(length);
        (stage.memory.snapshot(), bytes(&stage.own), numbers, chains.to_vec(), answer)
    }

    /// Completes all work and logs all results that the caller sees.
    fn complete_all(mut self) -> Vec<String> {
        let mut log = Vec::new();
        if self.queue.is_broken() {
            self.queue.reset(DeviceStopped::confirmed(), RingIndex::new(0));
            self.device = self.stage.memory.device();
        } else {
            self.device.answer(self.in_flight.index(), b"late");
            log.push(format!("{:?} {:?}", self.queue.take(), self.queue.free(self.in_flight)));
            log.push(format!("{:?}", self.queue.free(self.returned)));
        }
        log.push(format!("{:?}", self.queue.register(region(&self.stage.spare, SPARE_AT)).unwrap().get()));
        while self.queue.free_count() > 0 {
            log.push(format!("{:?}", self.queue.submit(&[], &[32]).unwrap()));
        }
        log.push(format!("{:?}", self.queue.publish()));
        log.push(format!("{}", self.device.serve(|_| b"served".to_vec())));
        while let Some(done) = self.queue.take().unwrap() {
            log.push(format!("{done:?} {:?}", self.queue.free(done.head)));
        }
        log.push(format!("{:?} {:?}", self.queue.free_count(), self.stage.memory.snapshot()));
        log
    }
}

/// Makes a call that is refused, and compares the queue with a second one that never got the call.
fn refused_after(
    prepare: impl Fn(&mut Scene<'_>),
    call: impl FnOnce(Scene<'_>) -> (Scene<'_>, Error),
) -> Error {
    let (stage, other) = (Stage::new(), Stage::new());
    let (mut seen, mut twin) = (scene(&stage), scene(&other));
    prepare(&mut seen);
    prepare(&mut twin);
    let before = seen.everything();
    let (seen, error) = call(seen);
    assert_eq!(seen.everything(), before, "{error}");
    assert_eq!(seen.everything(), twin.everything(), "{error}");
    assert_eq!(seen.complete_all(), twin.complete_all(), "{error}");
    error
}

#[track_caller]
fn refused<T>(call: impl FnOnce(&mut Scene<'_>) -> Result<T, Error>, expected: Misuse) {
    refused_for(call, |_| expected);
}

#[track_caller]
fn refused_for<T>(
    call: impl FnOnce(&mut Scene<'_>) -> Result<T, Error>,
    misuse: impl FnOnce(&Scene<'_>) -> Misuse,
) {
    let mut expected = Misuse::EmptyChain;
    let error = refused_after(
        |_| {},
        |mut scene| {
            expected = misuse(&scene);
            let error = call(&mut scene).err().expect("the call is refused");
            (scene, error)
        },
    );
    assert!(matches!(error, Error::Misuse(misuse) if misuse == expected), "{error}");
}

const LONG: [u8; 33] = [1; 33];
const FULL: Misuse = Misuse::NotEnoughFree { needed: 10, free: 9 };

#[test]
fn submit() {
    let too_large = |position| Misuse::BufferTooLarge { position, length: 33, limit: 32 };
    let empty = |position| Misuse::EmptyBuffer { position };
    refused(|scene| scene.queue.submit(&[], &[]), Misuse::EmptyChain);
    refused(|scene| scene.queue.submit(&[b"a", b""], &[1]), empty(1));
    refused(|scene| scene.queue.submit(&[b"a"], &[1, 0]), empty(2));
    refused(|scene| scene.queue.submit(&[b"a", &LONG], &[1]), too_large(1));
    refused(|scene| scene.queue.submit(&[b"a"], &[1, 33]), too_large(2));
    refused(|scene| scene.queue.submit(&[b"a".as_slice(); 4], &[1; 6]), FULL);
}

#[test]
fn submit_with() {
    let too_large = |position| Misuse::BufferTooLarge { position, length: 33, limit: 32 };
    refused(|scene| scene.queue.submit_with(&[], &[], |_| Ok(())), Misuse::EmptyChain);
    refused(|scene| scene.queue.submit_with(&[1, 0], &[], |_| Ok(())), Misuse::EmptyBuffer { position: 1 });
    refused(|scene| scene.queue.submit_with(&[1], &[0], |_| Ok(())), Misuse::EmptyBuffer { position: 1 });
    refused(|scene| scene.queue.submit_with(&[33], &[], |_| Ok(())), too_large(0));
    refused(|scene| scene.queue.submit_with(&[1], &[33], |_| Ok(())), too_large(1));
    refused(|scene| scene.queue.submit_with(&[1; 10], &[], |_| Ok(())), FULL);
    let too_long = Misuse::PayloadTooLong { length: 33, left: 32 };
    refused(|scene| scene.queue.submit_with(&[16, 16], &[1], |writer| writer.write(&LONG)), too_long);
    refused(|scene| scene.queue.submit_with(&[16], &[1], |_| Err(Misuse::EmptyChain)), Misuse::EmptyChain);
}

#[test]
fn submit_over() {
    let segment = |scene: &Scene<'_>, offset, length| Segment { region: scene.own, offset, length };
    let own = Segment { region: RegionId::BUFFERS, offset: 0, length: 1 };
    refused(|scene| scene.queue.submit_over(&[], &[]), Misuse::EmptyChain);
    let unknown = Misuse::UnknownRegion(RegionId::BUFFERS);
    refused(|scene| scene.queue.submit_over(&[segment(scene, 0, 1)], &[own]), unknown);
    let over = |offset, length| {
        move |scene: &mut Scene<'_>| {
            scene.queue.submit_over(&[segment(scene, 0, 256)], &[segment(scene, offset, length)])
        }
    };
    refused(over(0, 0), Misuse::EmptyBuffer { position: 1 });
    refused(over(0, 257), Misuse::OutsideRegion { position: 1 });
    refused(over(256, 1), Misuse::OutsideRegion { position: 1 });
    refused(over(usize::MAX, u32::MAX), Misuse::OutsideRegion { position: 1 });
    refused(|scene| scene.queue.submit_over(&[segment(scene, 0, 1); 4], &[segment(scene, 0, 1); 6]), FULL);
}

/// Every way in which a handle can be invalid, for each call with a handle.
#[test]
fn read_free_withdraw_and_buffers() {
    type Wrong = (fn(&Scene<'_>) -> Head, fn(Head) -> Misuse);
    let wrong: [Wrong; 8] = [
        (|scene| Head::from_parts(scene.queue.id(), 16, 1), Misuse::HeadOutOfRange),
        (|scene| Head::from_parts(scene.queue.id(), 0xffff, 1), Misuse::HeadOutOfRange),
        (|scene| scene.freed, Misuse::HeadFree),
        (|scene| scene.stale, Misuse::HeadStale),
        (|scene| Head::from_parts(scene.queue.id(), 4, scene.in_flight.serial()), Misuse::HeadInsideChain),
        (another_queues, Misuse::HeadOfAnotherQueue),
        (|scene| scene.in_flight, Misuse::NotReturned),
        (|scene| scene.unpublished, Misuse::NotReturned),
    ];
    for (head, misuse) in wrong {
        let expected = |scene: &Scene<'_>| misuse(head(scene));
        refused_for(|scene| Ok(scene.queue.read(head(scene), &mut [0; 8])?), expected);
        refused_for(|scene| Ok(scene.queue.free(head(scene))?), expected);
        if !matches!(misuse(another_queue()), Misuse::NotReturned(_)) {
            refused_for(|scene| Ok(scene.queue.buffers(head(scene)).map(|_| ())?), expected);
            refused_for(|scene| Ok(scene.queue.withdraw(head(scene))?), expected);
        }
    }
    refused_for(
        |scene| Ok(scene.queue.withdraw(scene.in_flight)?),
        |scene| Misuse::Published(scene.in_flight),
    );
    refused_for(|scene| Ok(scene.queue.withdraw(scene.returned)?), |scene| Misuse::Published(scene.returned));
}

/// A chain of another queue.
fn another_queue() -> Head {
    thread_local! {
        static OTHER: ringstorm_core::QueueId = Memory::new(16, 32).queue().id();
    }
    Head::from_parts(OTHER.with(|id| *id), 0, 1)
}

/// The index and serial number of a returned chain, with the id of another queue.
fn another_queues(scene: &Scene<'_>) -> Head {
    Head::from_parts(another_queue().queue(), scene.returned.index(), scene.returned.serial())
}

#[test]
fn a_refused_read_writes_nothing_to_the_callers_buffer() {
    let stage = Stage::new();
    let scene = scene(&stage);
    let mut out = [0xcc; 8];
    assert!(scene.queue.read(scene.in_flight, &mut out).is_err());
    assert!(scene.queue.read(scene.freed, &mut out).is_err());
    assert_eq!(out, [0xcc; 8]);
}

#[test]
fn register() {
    for at in [RINGS_AT, BUFFERS_AT, OWN_AT, OWN_AT - 1] {
        let overlap = Misuse::RegionsOverlap(DeviceAddress::new(at));
        refused(|scene| registered(scene, region(&scene.stage.spare, at)), overlap);
    }
    let shares = Misuse::RegionsShareMemory(DeviceAddress::new(SPARE_AT));
    refused(|scene| registered(scene, region(&scene.stage.own, SPARE_AT)), shares);
    let address = DeviceAddress::new(u64::MAX - 3);
    let wraps = Misuse::RegionWraps { address, length: 256 };
    refused(|scene| registered(scene, Region::at(&scene.stage.spare, address)), wraps);
}

fn registered<'m>(scene: &mut Scene<'m>, region: Region<&'m HeapMemory>) -> Result<RegionId, Error> {
    scene.queue.register(region).map_err(Refused::into_error)
}

/// A broken queue examines neither its arguments nor the used ring.
#[test]
fn everything_on_a_broken_queue() {
    fn broken<T>(call: impl FnOnce(&mut Scene<'_>) -> Result<T, Error>) {
        let prepare = |scene: &mut Scene<'_>| {
            scene.device.return_chain(0xffff_ffff, 0);
            assert!(scene.queue.take().is_err());
            scene.device.return_chain(scene.in_flight.index().into(), 3);
        };
        let error = refused_after(prepare, |mut scene| {
            let error = call(&mut scene).err().expect("the call is refused");
            (scene, error)
        });
        assert!(matches!(error, Error::Device(DeviceFault::Broken)), "{error}");
    }
    broken(|scene| scene.queue.submit(&[b"x"], &[1]));
    broken(|scene| scene.queue.submit(&[], &[]));
    broken(|scene| scene.queue.submit_with(&[1], &[1], |writer| writer.write(b"x")));
    let segment = |scene: &Scene<'_>| Segment { region: scene.own, offset: 0, length: 1 };
    broken(|scene| scene.queue.submit_over(&[segment(scene)], &[]));
    broken(|scene| Ok(scene.queue.take()?));
}
