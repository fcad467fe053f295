//! Queues that work differently from core, and the storm's results for each.

use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Outcome};
use ringstorm::scenario::{Profile, Scenario, Setup, Step, generate};
use ringstorm::shrink::{Limits, shrink_while};
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, HandleAge, MisuseKind, Provided,
    Refusal, Subject, SubjectKind, Submission,
};
use ringstorm_model::Invariant;

/// The defect of such a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    NeverNotifies,
    HandsOutZeros,
    ForgetsToFree,
    DoesNotRefill,
    LeaksWhatItRefuses,
}

/// The queue of ringstorm-core, changed so that `submit` publishes, `publish` only returns whether to notify, and
/// `take` frees. A self-filling queue submits one device-writable buffer for each descriptor by itself.
struct Mannered {
    queue: CoreQueue,
    defect: Defect,
    taken: Vec<u8>,
    /// The length of each buffer of a self-filling queue in bytes.
    fills: Option<u32>,
    untold: Vec<Submission>,
    /// The number of chains that were refused.
    leaked: u32,
    /// Whether it notified the device of the chains that it submitted by itself.
    notified: bool,
}

impl Mannered {
    fn new(defect: Defect, setup: &Setup, provided: &Provided) -> Self {
        let queue = CoreQueue::new(setup, provided);
        Self { queue, defect, taken: Vec::new(), fills: None, untold: Vec::new(), notified: false, leaked: 0 }
    }

    fn self_filling(defect: Defect, setup: &Setup, provided: &Provided) -> Self {
        let length = u32::from(setup.buffer_size);
        let mut filling = Self { fills: Some(length), ..Self::new(defect, setup, provided) };
        for _ in 0..setup.queue_size.get() {
            filling.fill(length);
        }
        filling
    }

    fn fill(&mut self, length: u32) {
        // A broken queue takes no chains.
        let Ok(head) = self.submit(&[], &[length]) else { return };
        self.untold.push(Submission { head, readable: Vec::new(), writable: vec![length] });
    }
}

impl Subject for Mannered {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let answer = self.queue.submit(readable, writable);
        let full =
            matches!(answer, Err(Refusal::Misuse(MisuseKind::NotEnoughFree | MisuseKind::ChainExceedsQueue)));
        self.leaked += u32::from(full);
        let head = answer?;
        self.notified |= self.queue.publish();
        Ok(head)
    }

    fn publish(&mut self) -> bool {
        // To notify more often than necessary is no defect. A self-filling queue notifies when it fills itself, and
        // not in `publish`.
        let notified = std::mem::take(&mut self.notified);
        self.defect != Defect::NeverNotifies && (notified || self.fills.is_none())
    }

    fn submitted_itself(&mut self) -> Option<Submission> {
        if self.untold.is_empty() { None } else { Some(self.untold.remove(0)) }
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let answer = self.queue.take();
        let head = match answer {
            Ok(Some(Completion { head, length })) => {
                self.taken = vec![0; length as usize];
                if self.defect != Defect::HandsOutZeros {
                    self.queue.read(head, &mut self.taken)?;
                }
                Some(head)
            }
            Err(Refusal::Device(refusal)) => refusal.returned,
            _ => None,
        };
        if let Some(head) = head {
            if self.defect != Defect::ForgetsToFree {
                self.queue.free(head, HandleAge::Current)?;
            }
            if let (Some(length), true) = (self.fills, self.defect != Defect::DoesNotRefill) {
                self.fill(length);
            }
        }
        answer
    }

    fn read(&mut self, _: u16, out: &mut [u8]) -> Answer<usize> {
        let count = out.len().min(self.taken.len());
        out[..count].copy_from_slice(&self.taken[..count]);
        Ok(count)
    }

    fn free_count(&self) -> u32 {
        match self.defect {
            Defect::LeaksWhatItRefuses => self.queue.free_count().saturating_sub(self.leaked),
            _ => self.queue.free_count(),
        }
    }

    fn reset(&mut self, first_index: u16) {
        self.queue.reset(first_index);
        if let Some(length) = self.fills {
            for _ in 0..self.queue.geometry().size {
                self.fill(length);
            }
        }
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

const AT_ONCE: Capabilities = Capabilities {
    should_notify: true,
    lengths: true,
    free_count: true,
    event_index: true,
    reset: true,
    policies: true,
    ..Capabilities::NONE
};
const FILLS: Capabilities = Capabilities { submits_itself: true, ..AT_ONCE };

/// The first finding of some seeds.
fn storm(own: &'static External) -> Option<Outcome> {
    let mut rig = Rig::new().expect("memory");
    let mut effective = 0;
    for seed in 0..600 {
        let scenario = generate(seed, Profile::Swarm, 64);
        let outcome = rig.run(SubjectKind::External(own), &scenario, &mut ()).expect("a run");
        effective += outcome.effective_steps;
        if outcome.is_finding() {
            return Some(outcome);
        }
    }
    assert!(effective > 600 * 16, "{effective} steps are not enough to find anything");
    None
}

macro_rules! found {
    ($make:ident, $can:expr, $defect:ident) => {{
        static OWN: External = External::new("mannered", $can, |setup: &Setup, provided: &Provided| {
            Box::new(Mannered::$make(Defect::$defect, setup, provided))
        })
        .with_largest(64);
        storm(&OWN).map(|outcome| Expected::of(&outcome.verdict))
    }};
}

#[test]
fn a_queue_that_publishes_at_once_and_frees_as_it_takes() {
    assert_eq!(found!(new, AT_ONCE, None), None);
    assert_eq!(found!(new, AT_ONCE, NeverNotifies), Some(Expected::Violation(Invariant::Notified)));
    assert_eq!(found!(new, AT_ONCE, HandsOutZeros), Some(Expected::Violation(Invariant::Response)));
    assert_eq!(found!(new, AT_ONCE, ForgetsToFree), Some(Expected::Violation(Invariant::FreeCount)));
}

#[test]
fn a_self_filling_queue() {
    assert_eq!(found!(self_filling, FILLS, None), None);
    assert_eq!(found!(self_filling, FILLS, NeverNotifies), Some(Expected::Violation(Invariant::Notified)));
    assert_eq!(found!(self_filling, FILLS, HandsOutZeros), Some(Expected::Violation(Invariant::Response)));
    assert_eq!(found!(self_filling, FILLS, DoesNotRefill), Some(Expected::Violation(Invariant::Drains)));
}

/// A correct queue with fewer capabilities has no findings.
#[test]
fn a_queue_with_fewer_capabilities_has_no_findings() {
    let less: [fn(&mut Capabilities); 13] = [
        |_| {},
        |can| can.first_index = false,
        |can| can.write_in_place = false,
        |can| can.free_count = false,
        |can| can.used_notifications = false,
        |can| can.event_index = false,
        |can| can.reset = false,
        |can| can.misuse = false,
        |can| can.stale_handles = false,
        |can| can.zeroing = false,
        |can| can.policies = false,
        |can| can.watched = false,
        |can| *can = Capabilities { prepare: true, free: true, lengths: true, ..Capabilities::NONE },
    ];
    for (number, lessen) in less.iter().enumerate() {
        let mut can = SubjectKind::Core.capabilities();
        lessen(&mut can);
        let build = |setup: &Setup, provided: &Provided| -> Box<dyn Subject> {
            Box::new(CoreQueue::new(setup, provided))
        };
        let own = Box::leak(Box::new(External::new("less", can, build)));
        let found = storm(own);
        assert!(found.is_none(), "{number}: {found:?}");
    }
}

/// A queue that frees as it takes gets no steps with taken chains.
#[test]
fn a_queue_that_frees_as_it_takes_gets_no_calls_of_free() {
    const CAN: Capabilities = Capabilities { misuse: true, ..AT_ONCE };
    static OWN: External = External::new("mannered", CAN, |setup, provided| {
        Box::new(Mannered::new(Defect::None, setup, provided))
    });
    let text = "ringstorm scenario 1\nqueue size=4 buffer=8\ndriver submit writable=1x8\ndevice take\n\
                device return newest\ndriver take\ndriver free newest\ndriver read newest limit=full\n\
                driver misuse free free-descriptor newest\n";
    let document: ringstorm::scenario::Document = text.parse().expect("a scenario");
    let outcome = Rig::new()
        .expect("memory")
        .run(SubjectKind::External(&OWN), &document.scenario, &mut ())
        .expect("a run");
    assert_eq!((outcome.is_finding(), outcome.skipped_steps), (false, 3), "{outcome:?}");
}

/// Without `free`, a chain is read after the check of its `take`, so memory must not fail.
#[test]
fn memory_does_not_fail_in_a_queue_that_frees_as_it_takes() {
    const CAN: Capabilities = Capabilities { watched: true, unwinds: true, ..AT_ONCE };
    static OWN: External = External::new("mannered", CAN, |setup, provided| {
        Box::new(Mannered::new(Defect::None, setup, provided))
    });
    let text = "ringstorm scenario 1\nqueue size=4 buffer=8\ndriver submit writable=1x8\ndevice take\n\
                device return newest\ndriver memory-fails after=2\ndriver take\n";
    let document: ringstorm::scenario::Document = text.parse().expect("a scenario");
    let outcome = Rig::new()
        .expect("memory")
        .run(SubjectKind::External(&OWN), &document.scenario, &mut ())
        .expect("a run");
    assert_eq!((outcome.is_finding(), outcome.skipped_steps), (false, 1), "{outcome:?}");
}

#[test]
fn a_queue_is_created_with_at_most_its_largest_size() {
    static OWN: External = External::new("mannered", AT_ONCE, |setup, provided| {
        assert_eq!(setup.queue_size.get(), 2);
        Box::new(Mannered::new(Defect::None, setup, provided))
    })
    .with_largest(2);
    let scenario = ringstorm::scenario::Scenario {
        setup: Setup { queue_size: ringstorm_core::QueueSize::new(8).expect("a size"), ..Setup::default() },
        steps: Vec::new(),
    };
    let mut rig = Rig::new().expect("memory");
    let (text, _) = ringstorm::annotated_trace::annotate(&mut rig, SubjectKind::External(&OWN), &scenario)
        .expect("a run");
    assert!(text.starts_with("queue size=2 "), "{text}");
    for command in ["run", "explore"] {
        let own = std::slice::from_ref(&OWN);
        let refused = ringstorm::cli::command(own, [command, "--queue-size", "4"]).expect_err("too large");
        assert_eq!(refused.to_string(), "--queue-size 4: mannered supports at most 2 descriptors");
    }
}

/// Shrinking a chain that is refused for its length removes half of the buffers at a time, not one buffer.
#[test]
fn a_chain_of_many_buffers_is_shrunk_quickly() {
    static OWN: External = External::new("mannered", AT_ONCE, |setup, provided| {
        Box::new(Mannered::new(Defect::LeaksWhatItRefuses, setup, provided))
    });
    let text = "ringstorm scenario 1\nqueue size=4 buffer=1\ndriver submit readable=131072x1\n";
    let scenario = text.parse::<ringstorm::scenario::Document>().expect("a scenario").scenario;
    let (kind, mut rig) = (SubjectKind::External(&OWN), Rig::new().expect("memory"));
    let outcome = rig.run(kind, &scenario, &mut ()).expect("a run");
    assert_eq!(Expected::of(&outcome.verdict), Expected::Violation(Invariant::FreeCount));
    let signature = outcome.signature("mannered");
    // This number of executions would not be enough to remove one buffer at a time.
    let few = Limits { steps: 60, ..Limits::default() };
    let shrunk = ringstorm::shrink::shrink(&mut rig, kind, &signature, &scenario, few).expect("a scenario");
    let left = ringstorm::scenario::Document { scenario: shrunk.scenario, ..Default::default() }.to_string();
    assert!(left.ends_with("driver submit readable=2x1\n"), "{left}");
    // A shrink that is stopped returns the best result so far: the fewer attempts, the longer the scenario.
    let mut sizes = Vec::new();
    for most in [0, 6, 12, 60] {
        let mut tries = 0;
        let mut go_on = |_: &Scenario| {
            tries += 1;
            tries <= most
        };
        let shrunk = shrink_while(&mut rig, kind, &signature, &scenario, Limits::default(), &mut go_on);
        let shrunk = shrunk.expect("a scenario").scenario;
        let outcome = rig.run(kind, &shrunk, &mut ()).expect("a run");
        assert_eq!(outcome.signature("mannered"), signature);
        let [Step::Submit { readable, .. }] = shrunk.steps[..] else { panic!("{shrunk:?}") };
        sizes.push(readable.count);
    }
    assert!(
        sizes[0] == 131_072 && sizes[3] == 2 && sizes.is_sorted_by(|more, fewer| more >= fewer),
        "{sizes:?}"
    );
}
