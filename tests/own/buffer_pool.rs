//! Buffers that an adapter does not give back to its `BufferPool`, or gives back twice, are an error of the adapter. A queue
//! that loses or confuses its chains is a finding.

use crate::scenarios::{run, scenario, subject};
use ringstorm::execution::CannotRun;
use ringstorm::scenario::{Profile, Setup, generate};
use ringstorm::subject::{
    Answer, BufferPool, Capabilities, Completion, Defect, Geometry, HandleAge, Lent, Provided, SharedMemory,
    Specimen, Subject, SubjectKind, WatchedMemory,
};
use std::rc::Rc;
use strum::VariantArray;

/// What the adapter does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    ForgetsRefused,
    ForgetsFreed,
    ForgetsAtReset,
    GivesBackTwice,
}

/// A queue with buffers of its own, and a pool in other memory that lends as many buffers to each chain.
struct Adapter {
    queue: Specimen,
    pool: BufferPool,
    /// By head.
    lent: Vec<Option<Lent>>,
    wrong: Wrong,
}

impl Adapter {
    fn new(defect: Option<Defect>, wrong: Wrong, setup: &Setup, provided: &Provided) -> Self {
        let memory = WatchedMemory::new(provided.buffers.len()).expect("memory");
        memory.restart(provided.buffers.len());
        let of_pool = Provided { buffers: Rc::new(memory), ..provided.clone() };
        Self {
            queue: Specimen::new(defect, setup, provided),
            pool: BufferPool::new(setup, &of_pool),
            lent: vec![None; setup.queue_size.as_usize()],
            wrong,
        }
    }

    fn give_back(&mut self, head: u16) {
        if let Some(lent) = self.lent.get_mut(usize::from(head)).and_then(Option::take) {
            self.pool.take_back(lent);
        }
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        // The queue refuses what the pool refuses.
        let lent = self.pool.lend(readable, writable).ok();
        let answer = self.queue.submit(readable, writable);
        match (answer, lent) {
            (Ok(head), lent) => {
                if let Some(place) = self.lent.get_mut(usize::from(head)) {
                    *place = lent;
                }
            }
            (Err(_), Some(lent)) if self.wrong != Wrong::ForgetsRefused => self.pool.take_back(lent),
            (Err(_), _) => {}
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
        self.queue.read(head, out)
    }

    fn free(&mut self, head: u16, age: HandleAge) -> Answer<()> {
        self.queue.free(head, age)?;
        if self.wrong == Wrong::GivesBackTwice {
            let lent = self.lent[usize::from(head)].clone();
            self.pool.take_back(lent.expect("the chain is live"));
        }
        if self.wrong != Wrong::ForgetsFreed {
            self.give_back(head);
        }
        Ok(())
    }

    fn withdraw(&mut self, head: u16) -> Answer<()> {
        self.queue.withdraw(head)?;
        self.give_back(head);
        Ok(())
    }

    fn free_count(&self) -> u32 {
        self.queue.free_count()
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.queue.set_used_notifications(wanted)
    }

    fn reset(&mut self, first_index: u16) {
        self.queue.reset(first_index);
        if self.wrong != Wrong::ForgetsAtReset {
            (0..self.lent.len() as u16).for_each(|head| self.give_back(head));
        }
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

const CAN: Capabilities = Capabilities {
    unwinds: false,
    write_in_place: false,
    keeps_memory: false,
    ..SubjectKind::Specimen(None).capabilities()
};

fn own(defect: Option<Defect>, wrong: Wrong) -> SubjectKind {
    subject("pooled", CAN, move |setup, provided| Box::new(Adapter::new(defect, wrong, setup, provided)))
}

/// The message that a scenario ends with.
fn message(wrong: Wrong, steps: &str) -> String {
    let scenario = scenario(steps);
    assert!(!run(own(None, Wrong::Nothing), &scenario).expect("a right adapter").is_finding());
    let Err(CannotRun::Adapter(wrong)) = run(own(None, wrong), &scenario) else { panic!("not refused") };
    wrong.to_string()
}

const SUBMIT: &str = "driver submit writable=2x8";
const RETURN: &str = "device take\ndevice return newest\ndriver take\ndriver free newest";

#[test]
fn an_empty_pool() {
    let steps = format!("{SUBMIT}\n{RETURN}\ndriver submit writable=3x8");
    insta::assert_snapshot!(message(Wrong::ForgetsFreed, &steps), @"the adapter is wrong, so nothing is known about its queue: its `BufferPool` had too few buffers left for a chain of 3 that the queue may accept: 4 of 4 are lent, but the live chains before it have only 0. Call `take_back` when the queue refuses a chain, and when a chain is freed, withdrawn, or ended by a reset; a new pool has lent nothing (in step 5, submit)");
}

#[test]
fn buffers_that_are_not_given_back() {
    let (reset, refused) = ("driver reset", "driver submit writable=3x8");
    let steps = [
        (Wrong::ForgetsFreed, format!("{SUBMIT}\n{RETURN}\n{SUBMIT}")),
        (Wrong::ForgetsAtReset, format!("{SUBMIT}\n{reset}\n{SUBMIT}")),
        (Wrong::ForgetsRefused, format!("{SUBMIT}\n{refused}\n{RETURN}\n{SUBMIT}")),
    ];
    let messages = steps.map(|(wrong, steps)| message(wrong, &steps));
    insta::assert_snapshot!(messages.join("\n"), @r"
    the adapter is wrong, so nothing is known about its queue: 4 buffers of its `BufferPool` are lent, but the live chains have only 2. Call `take_back` when the queue refuses a chain, and when a chain is freed, withdrawn, or ended by a reset; a new pool has lent nothing (in step 5, submit)
    the adapter is wrong, so nothing is known about its queue: 4 buffers of its `BufferPool` are lent, but the live chains have only 2. Call `take_back` when the queue refuses a chain, and when a chain is freed, withdrawn, or ended by a reset; a new pool has lent nothing (in step 2, submit)
    the adapter is wrong, so nothing is known about its queue: 4 buffers of its `BufferPool` are lent, but the live chains have only 2. Call `take_back` when the queue refuses a chain, and when a chain is freed, withdrawn, or ended by a reset; a new pool has lent nothing (in step 6, submit)
    ");
}

#[test]
fn buffers_that_are_given_back_twice() {
    let steps = format!("{SUBMIT}\n{RETURN}\n{SUBMIT}");
    insta::assert_snapshot!(message(Wrong::GivesBackTwice, &steps), @"the adapter is wrong, so nothing is known about its queue: it gave buffers back to its `BufferPool` that were not lent: 2. Call `take_back` once for each chain (in step 5, submit)");
}

/// Each defect is found with a pool as without one, also where the queue loses chains or uses descriptors twice.
#[test]
fn a_defect_of_the_queue_is_no_error_of_the_adapter() {
    for defect in Defect::VARIANTS {
        let with_pool = own(Some(*defect), Wrong::Nothing);
        let bare = subject("bare", CAN, move |setup, provided| {
            Box::new(Specimen::new(Some(*defect), setup, provided))
        });
        for seed in 0..30 {
            let scenario = generate(seed, Profile::Swarm, 64);
            let outcome =
                run(with_pool, &scenario).unwrap_or_else(|error| panic!("{defect:?} {seed}: {error}"));
            assert_eq!(outcome, run(bare, &scenario).expect("a run"), "{defect:?} {seed}");
        }
    }
}
