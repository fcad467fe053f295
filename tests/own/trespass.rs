//! A forbidden access that an adapter detects is a finding, wherever the scenario runs.

use ringstorm::campaign::{self, Budget, Ending, Finding, Hang, Observer, Plan, Summary};
use ringstorm::execution::{Rig, StepResult};
use ringstorm::outcome::{Call, Expected, Verdict};
use ringstorm::scenario::{Document, Draw, Profile, Setup, Step};
use ringstorm::subject::{
    Answer, Capabilities, Completion, External, Geometry, Subject, SubjectKind, Trespass,
};
use ringstorm_model::Invariant;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// While it is locked, a call of a queue that can be stuck does not return.
static STUCK: AtomicBool = AtomicBool::new(false);

/// A queue that writes outside of its memory with its first chain, and whether it can be stuck.
struct Stray(Geometry, bool);

impl Subject for Stray {
    fn geometry(&self) -> Geometry {
        self.0
    }

    fn submit(&mut self, _: &[&[u8]], _: &[u32]) -> Answer<u16> {
        while self.1 && STUCK.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        Trespass::raise("8 bytes behind the rings were written")
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        Ok(None)
    }

    fn read(&mut self, _: u16, _: &mut [u8]) -> Answer<usize> {
        Ok(0)
    }

    fn release(self: Box<Self>) {}
}

fn geometry(setup: &Setup) -> Geometry {
    let size = setup.queue_size.get();
    let (available, end) = (16 * usize::from(size), 18 * usize::from(size) + 6);
    Geometry { size, table: 0, available, used: end.next_multiple_of(4) }
}

static STRAY: External =
    External::new("stray", Capabilities::NONE, |setup, _| Box::new(Stray(geometry(setup), false)));

static STICKY: External =
    External::new("sticky", Capabilities::NONE, |setup, _| Box::new(Stray(geometry(setup), true)));

const SCENARIO: &str =
    "ringstorm scenario 1\nqueue size=2 buffer=8\ndriver take\ndriver submit readable=1x8\n";

#[test]
fn it_violates_own_area_in_the_call_that_detected_it() {
    let scenario = SCENARIO.parse::<Document>().unwrap().scenario;
    let mut rig = Rig::new().unwrap();
    let outcome = rig.run(SubjectKind::External(&STRAY), &scenario, &mut ()).unwrap();
    let Verdict::Violation(violation) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(violation.to_string(), "own-area: 8 bytes behind the rings were written");
    assert_eq!((outcome.call, outcome.step), (Call::Submit, 1));
    let signature = outcome.signature("stray").to_string();
    assert_eq!(signature, "stray/violation/own-area/submit/no-fault");
    // The rig can run another execution.
    assert!(!rig.run(SubjectKind::Core, &scenario, &mut ()).unwrap().is_finding());
}

#[test]
fn it_ends_an_execution_that_goes_step_by_step() {
    let scenario = SCENARIO.parse::<Document>().unwrap().scenario;
    let mut rig = Rig::new().unwrap();
    rig.try_begin(SubjectKind::External(&STRAY), &scenario.setup).unwrap();
    assert_eq!(rig.try_step(&scenario.steps[0]).unwrap(), StepResult::Continued);
    let StepResult::Ended(verdict) = rig.try_step(&scenario.steps[1]).unwrap() else { panic!("it goes on") };
    assert_eq!(Expected::of(&verdict), Expected::Violation(Invariant::OwnArea));
}

/// Makes the queue stuck as soon as the finding was reported.
struct Sticky;

impl Observer for Sticky {
    fn found(&mut self, _: &Finding) {
        STUCK.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_call_that_does_not_return_while_shrinking_costs_no_finding() {
    let draw = Draw { profile: Profile::Swarm, steps: 64, queue_size: None };
    let submits =
        |seed: &u64| draw.scenario(*seed).steps.iter().any(|step| matches!(step, Step::Submit { .. }));
    let plan = Plan {
        kind: SubjectKind::External(&STICKY),
        draw,
        from: (0..).find(submits).expect("a seed"),
        budget: Budget::Seeds(1),
        jobs: 1,
        max_findings: 9,
        masks: BTreeSet::new(),
        call_timeout: Duration::from_secs(1),
        isolation: None,
    };
    let reported = Mutex::new(None);
    let hung = |hang: &Hang, summary: &Summary| {
        *reported.lock().unwrap() = Some((*hang, summary.clone()));
        STUCK.store(false, Ordering::Relaxed);
    };
    let summary =
        campaign::run(&plan, Summary::default(), &AtomicBool::new(false), &hung, &mut Sticky).unwrap();
    // The watchdog has the earlier finding unchanged, and the call that does not return.
    let (hang, then) = reported.lock().unwrap().take().expect("it was stuck");
    assert!(hang.shrinking && hang.call == Call::Submit && hang.seed == Some(plan.from), "{hang:?}");
    assert_eq!((then.tally.seeds, then.ending), (1, Ending::Unfinished));
    let [found, stuck] = then.findings.as_slice() else { panic!("{:?}", then.findings) };
    assert_eq!(found.signature.expected, Expected::Violation(Invariant::OwnArea));
    assert_eq!(found.shrunk, plan.draw.scenario(plan.from));
    assert_eq!((stuck.signature.expected, stuck.seed, stuck.count), (Expected::Stuck, plan.from, 1));
    assert!(stuck.detail.ends_with(", while a finding of its seed was shrunk"), "{}", stuck.detail);
    assert_eq!(stuck.shrunk.steps.len(), stuck.step + 1, "it was on its way to be smaller");
    // The call returns now, so the result has no trace of it.
    let [found] = summary.findings.as_slice() else { panic!("{:?}", summary.findings) };
    assert_eq!((found.shrunk.steps.len(), summary.ending), (1, Ending::Complete));
}
