//! A store to a descriptor of a chain in flight is judged in the call that makes it.

use ringstorm::execution::Rig;
use ringstorm::outcome::{Call, Outcome, Verdict};
use ringstorm::scenario::{Document, Setup};
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, HandleAge, Provided, SharedMemory,
    Subject, SubjectKind,
};
use ringstorm_model::Invariant;
use ringstorm_sim_device::WatchedMemory;
use std::rc::Rc;

const WATCHED: Capabilities = Capabilities { free: true, watched: true, ..Capabilities::NONE };

/// What `free` stores to the descriptor after the one that it frees.
#[derive(Clone, Copy)]
enum Store {
    /// The value that is there.
    Same,
    /// Another length.
    OtherLength,
}

/// The queue of ringstorm-core, with a `free` that stores to a neighbour.
struct Neighbours {
    queue: CoreQueue,
    rings: Rc<WatchedMemory>,
    store: Store,
}

impl Subject for Neighbours {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let head = self.queue.submit(readable, writable)?;
        self.queue.publish();
        Ok(head)
    }

    fn publish(&mut self) -> bool {
        true
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.queue.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(head, out)
    }

    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        self.queue.free(head, age)?;
        let length = 16 * (usize::from(head) + 1) + 8;
        let value = match self.store {
            Store::Same => 8,
            Store::OtherLength => 7,
        };
        self.rings.store_u32(self.queue.geometry().table + length, value);
        Ok(())
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

static SAME: External = External::new("same", WATCHED, |setup: &Setup, provided: &Provided| {
    let (queue, rings) = (CoreQueue::new(setup, provided), Rc::clone(&provided.rings));
    Box::new(Neighbours { queue, rings, store: Store::Same })
});
static OTHER: External = External::new("other", WATCHED, |setup: &Setup, provided: &Provided| {
    let (queue, rings) = (CoreQueue::new(setup, provided), Rc::clone(&provided.rings));
    Box::new(Neighbours { queue, rings, store: Store::OtherLength })
});

fn run(subject: &'static External, steps: &str) -> Outcome {
    let text = format!("ringstorm scenario 1\nqueue size=4 buffer=64\n{steps}");
    let document: Document = text.parse().expect("a scenario");
    Rig::new()
        .expect("memory")
        .run(SubjectKind::External(subject), &document.scenario, &mut ())
        .expect("a run")
}

/// The device returns chain 0 while it has chain 1, and the driver frees chain 0.
const ONE_IN_FLIGHT: &str = "driver submit readable=1x8\ndriver submit readable=1x8\ndevice take\n\
                             device return newest\ndriver take\ndriver free newest\n";

#[test]
fn the_call_that_changes_a_descriptor_in_flight_is_the_failing_one() {
    let outcome = run(&OTHER, ONE_IN_FLIGHT);
    let Verdict::Violation(violation) = &outcome.verdict else { panic!("{}", outcome.verdict) };
    assert_eq!((violation.invariant, outcome.call), (Invariant::Payload, Call::Free));
    assert_eq!(
        outcome.verdict.to_string(),
        "violation of payload: the driver changed descriptor 1 of chain 1, which the device has not returned"
    );
}

#[test]
fn storing_the_same_value_is_allowed() {
    let outcome = run(&SAME, ONE_IN_FLIGHT);
    assert!(!outcome.is_finding(), "{}", outcome.verdict);
}

/// The device has returned both chains, so their descriptors are the driver's again.
#[test]
fn descriptors_of_a_returned_chain_may_be_changed() {
    let steps = "driver submit readable=1x8\ndriver submit readable=1x8\ndevice take\ndevice return newest\n\
                 device take\ndevice return newest\ndriver take\ndriver free newest\n";
    let outcome = run(&OTHER, steps);
    assert!(!outcome.is_finding(), "{}", outcome.verdict);
}
