//! Errors of adapters end with a message for the author, and not with a finding.

use ringstorm::execution::{CannotRun, Rig};
use ringstorm::scenario::{Document, Setup};
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, DeviceAddress, External, Geometry, Provided, RingIndex,
    SharedMemory, Subject, SubjectKind, WrongAdapter,
};

/// The queue of ringstorm-core with a wrong adapter.
struct Wrong {
    queue: CoreQueue,
    fault: Fault,
}

#[derive(Clone, Copy)]
enum Fault {
    TableOutside,
    UsedOffItsAlignment,
    RingsOverlap,
    OtherSize,
    TooManyFree,
    NoneFree,
    Raised,
    GeometryPanics,
    ReadsTooMuch,
    PublishesEarly,
}

impl Subject for Wrong {
    fn geometry(&self) -> Geometry {
        let good = self.queue.geometry();
        match self.fault {
            Fault::TableOutside => Geometry { table: 1 << 20, ..good },
            Fault::UsedOffItsAlignment => Geometry { used: good.used + 2, ..good },
            Fault::RingsOverlap => Geometry { available: good.table, ..good },
            Fault::OtherSize => Geometry { size: 2 * good.size, ..good },
            Fault::GeometryPanics => panic!("the map has no entry"),
            _ => good,
        }
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        if matches!(self.fault, Fault::Raised) {
            WrongAdapter::raise("its map of pages is full");
        }
        let answer = self.queue.submit(readable, writable);
        if matches!(self.fault, Fault::PublishesEarly | Fault::ReadsTooMuch) {
            self.queue.publish();
        }
        answer
    }

    fn publish(&mut self) -> bool {
        self.queue.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.queue.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        let count = self.queue.read(head, out)?;
        Ok(if matches!(self.fault, Fault::ReadsTooMuch) { out.len() + 1 } else { count })
    }

    fn free_count(&self) -> u32 {
        match self.fault {
            Fault::TooManyFree => u32::MAX,
            Fault::NoneFree => 0,
            _ => self.queue.free_count(),
        }
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

const COUNTS: Capabilities = Capabilities { free_count: true, ..Capabilities::NONE };
const FREES: Capabilities = Capabilities { free: true, ..Capabilities::NONE };
const PREPARES: Capabilities = Capabilities { prepare: true, ..Capabilities::NONE };

/// The message that a scenario ends with.
fn message(own: &'static External, step: &str) -> String {
    let text = format!("ringstorm scenario 1\nqueue size=4 buffer=64 first-index=0xfffe\n{step}\n");
    let document: Document = text.parse().expect("a scenario");
    let mut rig = Rig::new().expect("memory");
    let result = rig.run(SubjectKind::External(own), &document.scenario, &mut ());
    let Err(CannotRun::Adapter(wrong)) = result else { panic!("{result:?}") };
    // The rig can run another execution.
    assert!(!rig.run(SubjectKind::Core, &document.scenario, &mut ()).expect("a run").is_finding());
    wrong.to_string()
}

macro_rules! wrong {
    ($fault:ident) => {
        wrong!($fault, COUNTS, "driver submit readable=1x8")
    };
    ($fault:ident, $can:expr, $steps:expr) => {{
        static OWN: External = External::new("wrong", $can, |setup: &Setup, provided: &Provided| {
            Box::new(Wrong { queue: CoreQueue::new(setup, provided), fault: Fault::$fault })
        });
        message(&OWN, $steps)
    }};
}

#[test]
fn a_geometry_that_cannot_be() {
    insta::assert_snapshot!(wrong!(TableOutside), @"the adapter is wrong, so nothing is known about its queue: its geometry puts the descriptor table at 1048576, but its 64 bytes do not fit in the 120 bytes provided for table and rings (when the queue was constructed)");
    insta::assert_snapshot!(wrong!(UsedOffItsAlignment), @"the adapter is wrong, so nothing is known about its queue: its geometry puts the used ring at 82, which is not a multiple of 4 (2.7) (when the queue was constructed)");
    insta::assert_snapshot!(wrong!(RingsOverlap), @"the adapter is wrong, so nothing is known about its queue: its geometry puts the available ring at 0, where it overlaps the descriptor table at 0 (when the queue was constructed)");
    insta::assert_snapshot!(wrong!(OtherSize), @"the adapter is wrong, so nothing is known about its queue: its geometry has queue size 8, but the setup has queue size 4 (when the queue was constructed)");
}

#[test]
fn a_geometry_that_panics_is_no_panic_of_the_queue() {
    insta::assert_snapshot!(wrong!(GeometryPanics), @"the adapter is wrong, so nothing is known about its queue: its `geometry` panics: the map has no entry (when the queue was constructed)");
}

#[test]
fn capabilities_that_do_not_match_the_calls() {
    let steps = "driver submit writable=1x8\ndevice take\ndevice return newest\ndriver take\ndriver read newest limit=4";
    insta::assert_snapshot!(wrong!(ReadsTooMuch, FREES, steps), @"the adapter is wrong, so nothing is known about its queue: its `read` returned a length of 5 for a buffer of length 4 (in step 4, read)");
    insta::assert_snapshot!(wrong!(PublishesEarly, PREPARES, "driver prepare readable=1x8"), @"the adapter is wrong, so nothing is known about its queue: its capabilities promise `prepare`, but its `submit` moves the available index, which only `publish` may do (in step 0, submit)");
}

/// The queue of the example, with other buffer addresses and other ring indexes than it declares.
#[test]
fn memory_where_the_device_does_not_look() {
    static CRAMPED: External = External::new("cramped", Capabilities::NONE, |setup, provided| {
        Box::new(Wrong { queue: CoreQueue::new(setup, provided), fault: Fault::Raised })
    })
    .with_rings(|_| 16);
    insta::assert_snapshot!(message(&CRAMPED, "settle"), @"the adapter is wrong, so nothing is known about its queue: its `with_rings` asks for 16 bytes, but the table and rings of a queue of size 4 need 120 bytes (2.7) (when the queue was constructed)");
    static OF_THIS_PROCESS: External =
        External::new("of-this-process", Capabilities::NONE, |setup, provided| {
            let host = DeviceAddress::new(provided.buffers.host_address());
            let provided = Provided { buffers_address: host, ..provided.clone() };
            Box::new(Wrong { queue: CoreQueue::new(setup, &provided), fault: Fault::ReadsTooMuch })
        });
    insta::assert_snapshot!(message(&OF_THIS_PROCESS, "driver submit readable=1x8"), @"the adapter is wrong, so nothing is known about its queue: a descriptor has an address of this process; the device needs `Provided::buffers_address` plus the buffer's offset (in step 0, submit)");
    const FIRST: Capabilities = Capabilities { first_index: true, ..Capabilities::NONE };
    static AT_ZERO: External = External::new("at-zero", FIRST, |setup, provided| {
        let setup = Setup { first_index: RingIndex::new(0), ..*setup };
        Box::new(Wrong { queue: CoreQueue::new(&setup, provided), fault: Fault::ReadsTooMuch })
    });
    insta::assert_snapshot!(message(&AT_ZERO, "settle"), @"the adapter is wrong, so nothing is known about its queue: its capabilities promise `first_index`, but the available index is 0 after construction; expected 65534 (when the queue was constructed)");
}

#[test]
fn a_free_count_that_is_none() {
    insta::assert_snapshot!(wrong!(TooManyFree), @"the adapter is wrong, so nothing is known about its queue: its free count after construction is 4294967295, but a queue of size 4 has 4 free descriptors (when the queue was constructed)");
    insta::assert_snapshot!(wrong!(NoneFree), @"the adapter is wrong, so nothing is known about its queue: its free count after construction is 0, but a queue of size 4 has 4 free descriptors (when the queue was constructed)");
}

#[test]
fn an_error_that_the_adapter_raises() {
    insta::assert_snapshot!(wrong!(Raised), @"the adapter is wrong, so nothing is known about its queue: its map of pages is full (in step 0, submit)");
}

/// An adapter that implements only the required methods, and these do nothing.
struct Bare(Geometry);

impl Subject for Bare {
    fn geometry(&self) -> Geometry {
        self.0
    }

    fn submit(&mut self, _: &[&[u8]], _: &[u32]) -> Answer<u16> {
        Ok(0)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        Ok(None)
    }

    fn read(&mut self, _: u16, _: &mut [u8]) -> Answer<usize> {
        Ok(0)
    }

    fn release(self: Box<Self>) {}
}

macro_rules! promises {
    ($capability:ident, $step:expr) => {{
        static OWN: External = External::new(
            "bare",
            Capabilities { $capability: true, ..Capabilities::NONE },
            |setup: &Setup, _: &Provided| {
                let size = setup.queue_size.get();
                let (available, used) = (16 * usize::from(size), 32 * usize::from(size));
                Box::new(Bare(Geometry { size, table: 0, available, used }))
            },
        )
        .with_rings(|size| 64 * size.as_usize());
        message(&OWN, $step)
    }};
}

#[test]
fn a_promise_that_is_not_kept() {
    insta::assert_snapshot!(promises!(free_count, "settle"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `free_count`, but it does not implement this method (when the queue was constructed)");
    insta::assert_snapshot!(promises!(submits_itself, "settle"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `submitted_itself`, but it does not implement this method (when the queue was constructed)");
    insta::assert_snapshot!(promises!(prepare, "driver publish"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `publish`, but it does not implement this method (in step 0, publish)");
    insta::assert_snapshot!(promises!(should_notify, "driver publish"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `publish`, but it does not implement this method (in step 0, publish)");
    insta::assert_snapshot!(promises!(used_notifications, "driver interrupts off"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `set_used_notifications`, but it does not implement this method (in step 0, interrupts)");
    insta::assert_snapshot!(promises!(reset, "driver reset"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `reset`, but it does not implement this method (in step 0, reset)");
    insta::assert_snapshot!(promises!(watched, "driver submit readable=1x8"), @"the adapter is wrong, so nothing is known about its queue: its capabilities promise `watched`, but it submitted a chain without a store to the rings' memory (in step 0, submit)");
}
