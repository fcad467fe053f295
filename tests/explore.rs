//! Every scenario of a small scope: what is found, what is not, and that nothing is missed.

use ringstorm::execution::{Rig, StepResult};
use ringstorm::explore::{Alphabet, Counterexample, Ending, Explored, Means, Scope, explore};
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
        means: Means::default(),
    }
}

fn run(scope: &Scope) -> Explored {
    explore(scope, &AtomicBool::new(false), |_| ()).expect("there is memory")
}

/// What two explorations of the same scope must agree in.
fn seen(explored: &Explored) -> (Vec<u64>, u64, Option<usize>, Ending, Option<Counterexample>) {
    let Explored { levels, transitions, depth, ending, found, elapsed: _ } = explored.clone();
    (levels, transitions, depth, ending, found)
}

#[test]
fn nothing_goes_wrong_in_queues_without_a_defect() {
    for (size, depth, faults) in [(1, 2, 1), (2, 2, 1), (1, 6, 0), (2, 3, 0), (4, 2, 0)] {
        for kind in [SubjectKind::Core, SubjectKind::Specimen(None)] {
            let explored = run(&scope(kind, size, depth, faults));
            assert_eq!(explored.found, None, "{} of {size}", kind.name());
            assert_eq!((explored.ending, explored.depth), (Ending::Exhausted, Some(depth)));
            assert_eq!(explored.levels.len(), depth + 1);
            assert!(explored.transitions > explored.states());
        }
    }
}

/// The fewest steps in which some defects show, in a queue of which size, and after which fault: those that a search
/// finds in a moment. All others are in reports/explore.md.
const SHORTEST: [(Defect, u32, usize, Option<Fault>); 14] = [
    // Not even one step is needed to see a handle kept.
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
        let found = explored.found.unwrap_or_else(|| panic!("{} is not found", defect.name()));
        assert_eq!(explored.ending, Ending::Found, "{}", defect.name());
        assert_eq!(found.scenario.steps.len(), steps, "{}: {}", defect.name(), found.outcome.verdict);
        assert_eq!(found.outcome.last_fault, fault, "{}", defect.name());
        // It is a scenario like any other, and the queue without the defect passes it.
        let again = rig.run(kind, &found.scenario, &mut ()).expect("there is memory");
        assert_eq!(again, found.outcome, "{}", defect.name());
        let without =
            rig.run(SubjectKind::Specimen(None), &found.scenario, &mut ()).expect("there is memory");
        assert!(!without.is_finding(), "{}: {}", defect.name(), without.verdict);
        // Everything shorter was tried, and a smaller queue or fewer faults do not show it in so many steps.
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
fn the_same_is_seen_twice_with_any_number_of_threads_and_by_replay() {
    for (kind, size, depth, faults) in
        [(SubjectKind::Core, 1, 2, 1), (SubjectKind::Specimen(Some(Defect::NextUnchecked)), 1, 2, 1)]
    {
        let usual = scope(kind, size, depth, faults);
        let first = seen(&run(&usual));
        for jobs in [1, 2, 5] {
            assert_eq!(seen(&run(&Scope { jobs, ..usual.clone() })), first);
        }
        let means = Means { snapshots: false, ..Means::default() };
        assert_eq!(seen(&run(&Scope { means, ..usual })), first);
    }
}

#[test]
fn a_subject_that_tells_nothing_is_explored_too() {
    let usual = scope(SubjectKind::Specimen(Some(Defect::NextUnchecked)), 1, 2, 1);
    let blind = Scope { means: Means { snapshots: false, fingerprints: false }, ..usual.clone() };
    let (usual, blind) = (run(&usual), run(&blind));
    let steps = |explored: &Explored| explored.found.as_ref().map(|found| found.scenario.steps.len());
    assert_eq!((steps(&blind), steps(&usual)), (Some(2), Some(2)));
    assert!(blind.states() > usual.states(), "what it has seen tells more states apart than what it knows");
}

#[test]
fn a_scope_that_does_not_fit_is_refused_or_stopped() {
    let large = scope(SubjectKind::Core, 1, 40, 1);
    let explored = run(&Scope { max_states: 10_000, ..large.clone() });
    let Ending::Refused { expected, fits } = explored.ending else { panic!("{:?}", explored.ending) };
    assert!(expected > 10_000 && (2..8).contains(&fits), "{expected} {fits}");
    assert!(explored.states() < 10_000, "{}", explored.states());
    // What is expected to fit does.
    let smaller = run(&Scope { max_states: 10_000, depth: fits, ..large.clone() });
    assert_eq!(smaller.ending, Ending::Exhausted);
    // It is stopped by its own bound where there is nothing to guess from.
    let full = run(&Scope { max_states: 60, ..large.clone() });
    assert_eq!((full.ending, full.states(), full.depth), (Ending::Full, 60, Some(0)));
    let late = run(&Scope { time: Some(Duration::ZERO), ..large.clone() });
    assert_eq!(late.ending, Ending::Late);
    let interrupted = explore(&large, &AtomicBool::new(true), |_| ()).expect("there is memory");
    assert_eq!((interrupted.ending, interrupted.depth), (Ending::Interrupted, None));
}

#[test]
fn the_alphabet_has_every_operation_and_every_fault_once() {
    for size in [1, 2, 4, 64] {
        let Alphabet { setups, letters } = Alphabet::new(QueueSize::new(size).expect("a power of two"), true);
        assert_eq!(setups.len(), 2);
        let steps: Vec<Step> = letters.iter().map(|letter| letter.step).collect();
        for (number, step) in steps.iter().enumerate() {
            assert!(!steps[..number].contains(step), "twice: {step}");
        }
        let ops: BTreeSet<Op> = steps.iter().map(Step::op).collect();
        let missing = Op::VARIANTS.iter().filter(|op| !ops.contains(op));
        assert_eq!(missing.collect::<Vec<_>>(), [&Op::Idle]);
        for fault in Fault::VARIANTS {
            let has = |step: &&Step| matches!(step, Step::Fault { fault: other, .. } if other == fault);
            assert!(steps.iter().any(|step| has(&step)), "{}", fault.name());
        }
        for bad in BadHead::VARIANTS {
            assert!(steps.iter().any(|step| matches!(step, Step::Misuse { head, .. } if head == bad)));
        }
        let honest = Alphabet::new(QueueSize::new(size).expect("a power of two"), false);
        assert!(honest.letters.iter().all(|letter| !letter.is_fault()));
    }
}

/// Goes a path from its beginning; `None` if a step of it does nothing.
fn go(rig: &mut Rig, kind: SubjectKind, alphabet: &Alphabet, setup: usize, path: &[usize]) -> Option<u64> {
    let begun = rig.try_begin(kind, &alphabet.setups[setup]).expect("there is memory");
    assert_eq!(begun, StepResult::Continued);
    for letter in path {
        match rig.try_step(&alphabet.letters[*letter].step).expect("an adapter") {
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

/// Whatever is taken for the same state goes on in the same way: the second path to a state is compared with the first.
#[test]
fn states_that_look_the_same_go_on_alike() {
    for (kind, size, depth) in
        [(SubjectKind::Core, 1, 2), (SubjectKind::Core, 2, 2), (SubjectKind::Specimen(None), 1, 2)]
    {
        let alphabet = Alphabet::new(QueueSize::new(size).expect("a power of two"), true);
        let letters = || (0..alphabet.letters.len()).filter(|letter| !alphabet.letters[*letter].rare);
        let mut rig = Rig::new().expect("there is memory");
        let mut compared = 0;
        for setup in 0..alphabet.setups.len() {
            let mut ways: BTreeMap<u64, Vec<Vec<usize>>> = BTreeMap::new();
            let mut level = vec![Vec::new()];
            for _ in 0..depth {
                let mut next = Vec::new();
                for (path, letter) in
                    level.iter().flat_map(|path| letters().map(move |letter| (path, letter)))
                {
                    let longer: Vec<usize> = path.iter().copied().chain([letter]).collect();
                    let Some(key) = go(&mut rig, kind, &alphabet, setup, &longer) else { continue };
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
                // Every seventh letter, another one from state to state.
                for letter in letters().filter(|letter| (letter + compared) % 7 == 0) {
                    let [first, second] = [one, other].map(|path| {
                        let longer: Vec<usize> = path.iter().copied().chain([letter]).collect();
                        go(&mut rig, kind, &alphabet, setup, &longer)
                    });
                    let step = alphabet.letters[letter].step;
                    assert_eq!(first, second, "{} {one:?} {other:?}, then {step}", kind.name());
                }
            }
        }
        assert!(compared > 50, "{compared}");
    }
}

/// What was live when a queue was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Live {
    Nothing,
    Readable,
    Writable,
}

static DROPPED: Mutex<BTreeSet<Live>> = Mutex::new(BTreeSet::new());

/// The queue of ringstorm-core, which notes what is live when it is dropped.
struct Noting {
    queue: CoreQueue,
    live: Live,
}

impl Subject for Noting {
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
        DROPPED.lock().expect("nobody panicked").insert(self.live);
        Box::new(self.queue).drop_while_device_runs();
    }
}

/// What a queue does last before it is dropped depends on how many steps there were: all of it is tried in each state.
#[test]
fn every_ending_is_tried_in_every_state() {
    const CAN: Capabilities = Capabilities { keeps_memory: true, ..Capabilities::NONE };
    static OWN: External = External::new("noting", CAN, |setup, provided| {
        Box::new(Noting { queue: CoreQueue::new(setup, provided), live: Live::Nothing })
    });
    let explored = run(&scope(SubjectKind::External(&OWN), 1, 0, 0));
    assert_eq!((explored.found, explored.ending), (None, Ending::Exhausted));
    let dropped = DROPPED.lock().expect("nobody panicked");
    assert_eq!(*dropped, BTreeSet::from([Live::Nothing, Live::Readable, Live::Writable]));
}

#[test]
fn an_execution_that_goes_back_counts_who_holds_the_memory_as_before() {
    let setup = Setup { ending: scenario::Ending::Dropped, ..Setup::default() };
    let mut rig = Rig::new().expect("there is memory");
    assert_eq!(rig.try_begin(SubjectKind::Core, &setup).expect("there is memory"), StepResult::Continued);
    let before = rig.snapshot().expect("core can be copied");
    let held =
        |rig: &Rig| [&rig.provided().rings, &rig.provided().buffers].map(|memory| memory.abandonments());
    assert_eq!(held(&rig), [2, 2], "the queue and its copy");
    for _ in 0..3 {
        rig.finish().expect("nothing is wrong");
        assert!(rig.provided().rings.is_abandoned(), "a dropped queue keeps its rings");
        rig.restore(&before);
        assert_eq!(held(&rig), [2, 2]);
    }
    Rig::forget(before);
    assert_eq!(held(&rig), [1, 1]);
}
