//! `explore`: it finds defects by the shortest path, finds nothing in correct queues, and misses no state.

use ringstorm::execution::{Rig, StepResult};
use ringstorm::explore::{Alphabet, Counterexample, Explored, Scope, StopReason, SubjectFeatures, explore};
use ringstorm::scenario::{self, BadHead, Op, Setup, Step};
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, Defect, External, Geometry, Subject, SubjectKind,
};
use ringstorm_core::QueueSize;
use ringstorm_sim_device::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strum::VariantArray;

fn scope(kind: SubjectKind, size: u32, depth: usize, faults: u32) -> Scope {
    Scope {
        kind,
        queue_size: QueueSize::new(size).expect("a power of two"),
        depth,
        faults,
        max_states: 10_000_000,
        time: None,
        jobs: 2,
        features: SubjectFeatures::default(),
    }
}

fn run(scope: &Scope) -> Explored {
    explore(scope, &AtomicBool::new(false), |_| ()).expect("there is memory")
}

/// The results of an exploration without the time. Two explorations of the same scope must agree in them.
fn results(explored: &Explored) -> (Vec<u64>, u64, Option<usize>, StopReason, Option<Counterexample>) {
    let Explored { levels, transitions, depth, ending, found, elapsed: _ } = explored.clone();
    (levels, transitions, depth, ending, found)
}

#[test]
fn nothing_is_found_in_queues_without_a_defect() {
    for (size, depth, faults) in [(1, 2, 1), (2, 2, 1), (1, 6, 0), (2, 3, 0), (4, 2, 0)] {
        for kind in [SubjectKind::Core, SubjectKind::Specimen(None)] {
            let explored = run(&scope(kind, size, depth, faults));
            assert_eq!(explored.found, None, "{} of {size}", kind.name());
            assert_eq!((explored.ending, explored.depth), (StopReason::Exhausted, Some(depth)));
            assert_eq!(explored.levels.len(), depth + 1);
            assert!(explored.transitions > explored.states());
        }
    }
}

/// Defects with the queue size, the fewest steps and the fault that show them. Only those that a search finds quickly; the
/// others are in reports/explore.md.
const SHORTEST: [(Defect, u32, usize, Option<Fault>); 14] = [
    // The release at the end shows this leak, so no step is needed.
    (Defect::ReleaseLeaks, 1, 0, None),
    (Defect::HeadAtSize, 1, 1, None),
    (Defect::CountCutTo16Bits, 1, 1, None),
    (Defect::OversizedBufferHalfway, 1, 1, None),
    (Defect::ZeroMeansUnused, 1, 1, None),
    (Defect::DescriptorsTakenFirst, 1, 1, None),
    (Defect::HeadAloneFreed, 2, 1, None),
    (Defect::FreeLengthTripwire, 1, 1, Some(Fault::LengthScribbled)),
    (Defect::IndexJumpFollowed, 1, 1, Some(Fault::IndexJump)),
    (Defect::MidChainFreed, 2, 2, None),
    (Defect::RefusedHalfway, 2, 1, None),
    (Defect::FreeMutatesBeforeCheck, 1, 2, Some(Fault::NextToSelf)),
    (Defect::NextUnchecked, 1, 2, Some(Fault::NextOutOfRange)),
    (Defect::LoopDetectedAtHeadOnly, 2, 2, Some(Fault::NextToSelf)),
];

#[test]
fn a_defect_has_its_shortest_counterexample() {
    let mut rig = Rig::new().expect("there is memory");
    for (defect, size, steps, fault) in SHORTEST {
        let kind = SubjectKind::Specimen(Some(defect));
        let faults = u32::from(fault.is_some());
        let explored = run(&scope(kind, size, steps, faults));
        let found = explored.found.unwrap_or_else(|| panic!("{} was not found", defect.name()));
        assert_eq!(explored.ending, StopReason::Found, "{}", defect.name());
        assert_eq!(found.scenario.steps.len(), steps, "{}: {}", defect.name(), found.outcome.verdict);
        assert_eq!(found.outcome.last_fault, fault, "{}", defect.name());
        // A replay gives the same outcome, and the queue without the defect passes the scenario.
        let again = rig.run(kind, &found.scenario, &mut ()).expect("there is memory");
        assert_eq!(again, found.outcome, "{}", defect.name());
        let without =
            rig.run(SubjectKind::Specimen(None), &found.scenario, &mut ()).expect("there is memory");
        assert!(!without.is_finding(), "{}: {}", defect.name(), without.verdict);
        // The search tried all shorter scenarios. A smaller queue or fewer faults do not show the defect in as many steps.
        assert_eq!(explored.depth, steps.checked_sub(1), "{}", defect.name());
        if size > 1 {
            assert_eq!(run(&scope(kind, size / 2, steps, faults)).found, None, "{}", defect.name());
        }
        if faults > 0 {
            assert_eq!(run(&scope(kind, size, steps, 0)).found, None, "{}", defect.name());
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_snapshots() {
    for (kind, size, depth, faults) in
        [(SubjectKind::Core, 1, 2, 1), (SubjectKind::Specimen(Some(Defect::NextUnchecked)), 1, 2, 1)]
    {
        let usual = scope(kind, size, depth, faults);
        let first = results(&run(&usual));
        for jobs in [1, 2, 5] {
            assert_eq!(results(&run(&Scope { jobs, ..usual.clone() })), first);
        }
        let features = SubjectFeatures { snapshots: false, ..SubjectFeatures::default() };
        assert_eq!(results(&run(&Scope { features, ..usual })), first);
    }
}

#[test]
fn a_subject_without_snapshots_and_fingerprints_is_explored_too() {
    let usual = scope(SubjectKind::Specimen(Some(Defect::NextUnchecked)), 1, 2, 1);
    let blind =
        Scope { features: SubjectFeatures { snapshots: false, fingerprints: false }, ..usual.clone() };
    let (usual, blind) = (run(&usual), run(&blind));
    let steps = |explored: &Explored| explored.found.as_ref().map(|found| found.scenario.steps.len());
    assert_eq!((steps(&blind), steps(&usual)), (Some(2), Some(2)));
    assert!(blind.states() > usual.states(), "without fingerprints, states differ by their history");
}

#[test]
fn a_scope_that_is_too_large_is_refused_or_stopped() {
    let large = scope(SubjectKind::Core, 1, 40, 1);
    let explored = run(&Scope { max_states: 10_000, ..large.clone() });
    let StopReason::TooLarge { expected, fits } = explored.ending else { panic!("{:?}", explored.ending) };
    assert!(expected > 10_000 && (2..8).contains(&fits), "{expected} {fits}");
    assert!(explored.states() < 10_000, "{}", explored.states());
    // The depth that is expected to fit does fit.
    let smaller = run(&Scope { max_states: 10_000, depth: fits, ..large.clone() });
    assert_eq!(smaller.ending, StopReason::Exhausted);
    // The bound on states stops the search if there is no basis for an estimate yet.
    let full = run(&Scope { max_states: 60, ..large.clone() });
    assert_eq!((full.ending, full.states(), full.depth), (StopReason::StateLimit, 60, Some(0)));
    let late = run(&Scope { time: Some(Duration::ZERO), ..large.clone() });
    assert_eq!(late.ending, StopReason::TimeLimit);
    let interrupted = explore(&large, &AtomicBool::new(true), |_| ()).expect("there is memory");
    assert_eq!((interrupted.ending, interrupted.depth), (StopReason::Interrupted, None));
}

#[test]
fn the_alphabet_has_every_operation_and_every_fault_once() {
    for size in [1, 2, 4, 64] {
        let Alphabet { setups, actions } = Alphabet::new(QueueSize::new(size).expect("a power of two"), true);
        assert_eq!(setups.len(), 2);
        let steps: Vec<Step> = actions.iter().map(|action| action.step).collect();
        for (number, step) in steps.iter().enumerate() {
            assert!(!steps[..number].contains(step), "twice: {step}");
        }
        let ops: BTreeSet<Op> = steps.iter().map(Step::op).collect();
        let missing = Op::VARIANTS.iter().filter(|op| !ops.contains(op));
        assert_eq!(missing.collect::<Vec<_>>(), [&Op::Idle, &Op::SubmitMany, &Op::Rounds]);
        for fault in Fault::VARIANTS {
            let has = |step: &&Step| matches!(step, Step::Fault { fault: other, .. } if other == fault);
            assert!(steps.iter().any(|step| has(&step)), "{}", fault.name());
        }
        for bad in BadHead::VARIANTS {
            assert!(steps.iter().any(|step| matches!(step, Step::Misuse { head, .. } if head == bad)));
        }
        let honest = Alphabet::new(QueueSize::new(size).expect("a power of two"), false);
        assert!(honest.actions.iter().all(|action| !action.is_fault()));
    }
}

/// Executes a path from its beginning and returns the fingerprint of the state; `None` if a step was skipped.
fn state_after(
    rig: &mut Rig,
    kind: SubjectKind,
    alphabet: &Alphabet,
    setup: usize,
    path: &[usize],
) -> Option<u64> {
    let begun = rig.try_begin(kind, &alphabet.setups[setup]).expect("there is memory");
    assert_eq!(begun, StepResult::Continued);
    for action in path {
        match rig.try_step(&alphabet.actions[*action].step).expect("an adapter") {
            StepResult::Continued => {}
            StepResult::Skipped => return None,
            StepResult::Ended(verdict) => panic!("{verdict}"),
        }
    }
    let mut hasher = DefaultHasher::new();
    rig.fingerprint(false, &mut hasher);
    assert!(rig.fingerprint_subject(&mut hasher));
    Some(hasher.finish())
}

/// Compares two paths to states with the same fingerprint: after a further step the fingerprints must be equal again.
#[test]
fn states_with_equal_fingerprints_continue_alike() {
    for (kind, size, depth) in
        [(SubjectKind::Core, 1, 2), (SubjectKind::Core, 2, 2), (SubjectKind::Specimen(None), 1, 2)]
    {
        let alphabet = Alphabet::new(QueueSize::new(size).expect("a power of two"), true);
        let actions = || (0..alphabet.actions.len()).filter(|action| !alphabet.actions[*action].rare);
        let mut rig = Rig::new().expect("there is memory");
        let mut compared = 0;
        for setup in 0..alphabet.setups.len() {
            let mut ways: BTreeMap<u64, Vec<Vec<usize>>> = BTreeMap::new();
            let mut level = vec![Vec::new()];
            for _ in 0..depth {
                let mut next = Vec::new();
                for (path, action) in
                    level.iter().flat_map(|path| actions().map(move |action| (path, action)))
                {
                    let longer: Vec<usize> = path.iter().copied().chain([action]).collect();
                    let Some(key) = state_after(&mut rig, kind, &alphabet, setup, &longer) else { continue };
                    let known = ways.entry(key).or_default();
                    if known.is_empty() {
                        next.push(longer.clone());
                    }
                    if known.len() < 2 {
                        known.push(longer);
                    }
                }
                level = next;
            }
            for ways in ways.values() {
                let [one, other] = &ways[..] else { continue };
                compared += 1;
                // Every seventh action, with an offset that changes from state to state.
                for action in actions().filter(|action| (action + compared) % 7 == 0) {
                    let [first, second] = [one, other].map(|path| {
                        let longer: Vec<usize> = path.iter().copied().chain([action]).collect();
                        state_after(&mut rig, kind, &alphabet, setup, &longer)
                    });
                    let step = alphabet.actions[action].step;
                    assert_eq!(first, second, "{} {one:?} {other:?}, then {step}", kind.name());
                }
            }
        }
        assert!(compared > 50, "{compared}");
    }
}

/// The kind of the chain that was live when the queue was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Live {
    Nothing,
    Readable,
    Writable,
}

static DROPPED: Mutex<BTreeSet<Live>> = Mutex::new(BTreeSet::new());

/// The queue of ringstorm-core, with a record of the last live chain when it is dropped.
struct RecordingQueue {
    queue: CoreQueue,
    live: Live,
}

impl Subject for RecordingQueue {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let head = self.queue.submit(readable, writable)?;
        self.queue.publish();
        self.live = if writable.is_empty() { Live::Readable } else { Live::Writable };
        Ok(head)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.queue.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(head, out)
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }

    fn drop_while_device_runs(self: Box<Self>) {
        DROPPED.lock().expect("no test panicked").insert(self.live);
        Box::new(self.queue).drop_while_device_runs();
    }
}

/// What happens before a drop depends on the number of steps. `explore` tries every such ending in each state.
#[test]
fn every_ending_is_tried_in_every_state() {
    const CAN: Capabilities = Capabilities { keeps_memory: true, ..Capabilities::NONE };
    static OWN: External = External::new("recording", CAN, |setup, provided| {
        Box::new(RecordingQueue { queue: CoreQueue::new(setup, provided), live: Live::Nothing })
    });
    let explored = run(&scope(SubjectKind::External(&OWN), 1, 0, 0));
    assert_eq!((explored.found, explored.ending), (None, StopReason::Exhausted));
    let dropped = DROPPED.lock().expect("no test panicked");
    assert_eq!(*dropped, BTreeSet::from([Live::Nothing, Live::Readable, Live::Writable]));
}

#[test]
fn restoring_a_snapshot_restores_the_count_of_abandonments() {
    let setup = Setup { ending: scenario::Ending::Dropped, ..Setup::default() };
    let mut rig = Rig::new().expect("there is memory");
    assert_eq!(rig.try_begin(SubjectKind::Core, &setup).expect("there is memory"), StepResult::Continued);
    let before = rig.snapshot().expect("core can be copied");
    let abandonments =
        |rig: &Rig| [&rig.provided().rings, &rig.provided().buffers].map(|memory| memory.abandonments());
    assert_eq!(abandonments(&rig), [2, 2], "the queue and its copy");
    for _ in 0..3 {
        rig.finish().expect("nothing is wrong");
        assert!(rig.provided().rings.is_abandoned(), "a dropped queue keeps its rings");
        rig.restore(&before);
        assert_eq!(abandonments(&rig), [2, 2]);
    }
    Rig::forget(before);
    assert_eq!(abandonments(&rig), [1, 1]);
}
