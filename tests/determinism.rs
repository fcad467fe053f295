//! The same scenario gives the same outcome: twice, alone or within a sweep, on any number of threads, in debug
//! and release. The last one is shown by the literals: both builds are tested against them.

use ringstorm::campaign::{self, Budget, Ending, Finding, Hang, Observer, Plan, Summary, SweepHash, Tally};
use ringstorm::execution::Rig;
use ringstorm::scenario::{Draw, Profile, generate};
use ringstorm::subject::SubjectKind;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const STEPS: usize = 64;

fn plan(kind: SubjectKind, profile: Profile, from: u64, seeds: u64, jobs: usize) -> Plan {
    Plan {
        kind,
        draw: Draw { profile, steps: STEPS, queue_size: None },
        from,
        budget: Budget::Seeds(seeds),
        jobs,
        max_findings: 3,
        masks: BTreeSet::new(),
        call_timeout: Plan::CALL_TIMEOUT,
        isolation: None,
    }
}

fn hung(hang: &Hang, _: &Summary) {
    panic!("{hang:?}")
}

fn sweep(kind: SubjectKind, profile: Profile, from: u64, seeds: u64, jobs: usize) -> Summary {
    let plan = plan(kind, profile, from, seeds, jobs);
    campaign::run(&plan, Summary::default(), &AtomicBool::new(false), &hung, &mut ()).unwrap()
}

/// All of a summary that must not depend on how it came about.
fn essence(summary: &Summary) -> impl PartialEq + std::fmt::Debug + use<> {
    let tally = Tally { stepping: Duration::ZERO, constructing: Duration::ZERO, ..summary.tally.clone() };
    (tally, summary.findings.clone(), summary.ending)
}

/// Interrupts a run as soon as something is found, before it is shrunk.
struct Impatient<'a>(&'a AtomicBool);

impl Observer for Impatient<'_> {
    fn found(&mut self, _: &Finding) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn interrupted_shrinking_ends_at_once_and_is_made_up_for() {
    let kind = SubjectKind::by_name("specimen-mid-chain-freed").unwrap();
    let plan = plan(kind, Profile::Swarm, 0, 400, 2);
    let whole = sweep(kind, Profile::Swarm, 0, 400, 2);
    let (mut summary, mut unshrunk) = (Summary::default(), 0);
    loop {
        let interrupted = AtomicBool::new(false);
        let observer = &mut Impatient(&interrupted);
        summary = campaign::run(&plan, summary, &interrupted, &hung, observer).unwrap();
        if summary.ending != Ending::Unfinished {
            break;
        }
        let last = summary.findings.last().expect("nothing else interrupts it");
        assert_eq!(last.shrunk.steps.len(), STEPS, "nothing is tried any more");
        unshrunk += 1;
    }
    assert!(unshrunk > 0);
    assert_eq!(essence(&summary), essence(&whole));
}

#[test]
fn the_number_of_jobs_does_not_matter() {
    let kinds = [SubjectKind::Core, SubjectKind::by_name("specimen-mid-chain-freed").unwrap()];
    for kind in kinds {
        let one = sweep(kind, Profile::Swarm, 0, 400, 1);
        for jobs in [2, 3, 7] {
            assert_eq!(essence(&sweep(kind, Profile::Swarm, 0, 400, jobs)), essence(&one), "{}", kind.name());
        }
        assert_eq!(one.findings.is_empty(), kind == SubjectKind::Core);
    }
}

#[test]
fn a_seed_alone_is_the_seed_within_a_sweep() {
    for kind in SubjectKind::all() {
        let mut sweeping = Rig::new().unwrap();
        for seed in 0..60 {
            let scenario = generate(seed, Profile::Swarm, STEPS);
            let within = sweeping.run(kind, &scenario, &mut ()).unwrap();
            let alone = Rig::new().unwrap().run(kind, &scenario, &mut ()).unwrap();
            assert_eq!(within, alone, "{} seed {seed}", kind.name());
        }
    }
}

#[test]
fn step_by_step_is_the_same_as_at_once() {
    let mut rig = Rig::new().unwrap();
    for seed in 0..60 {
        let scenario = generate(seed, Profile::Hostile, STEPS);
        rig.begin(SubjectKind::Core, &scenario.setup).unwrap().unwrap();
        for step in &scenario.steps {
            rig.step(step).unwrap();
        }
        rig.finish().unwrap();
        let stepped = rig.trace_hash();
        assert_eq!(
            stepped,
            rig.run(SubjectKind::Core, &scenario, &mut ()).unwrap().trace_hash,
            "seed {seed}"
        );
    }
}

#[test]
fn debug_and_release_agree_on_these_traces() {
    let hashes = [Profile::Honest, Profile::Hostile, Profile::Swarm]
        .map(|profile| sweep(SubjectKind::Core, profile, 1000, 200, 2).tally.trace_hash.to_string());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../reports/generator");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("traces", hashes.join("\n")));
}

#[test]
fn parts_add_up_to_the_whole() {
    let whole = sweep(SubjectKind::Core, Profile::Swarm, 0, 100, 2).tally;
    for cut in [1, 31, 32, 33, 64, 99] {
        let mut parts = sweep(SubjectKind::Core, Profile::Swarm, 0, cut, 1).tally;
        parts.append(&sweep(SubjectKind::Core, Profile::Swarm, cut, 100 - cut, 1).tally);
        assert_eq!((parts.trace_hash, parts.steps), (whole.trace_hash, whole.steps), "cut at {cut}");
    }
    // The order counts.
    let (mut one, mut other) = (SweepHash::default(), SweepHash::default());
    [1, 2].into_iter().for_each(|trace| one.push(trace));
    [2, 1].into_iter().for_each(|trace| other.push(trace));
    assert_ne!(one, other);
}

#[test]
fn no_two_seeds_are_the_same_scenario() {
    let mut seen = BTreeSet::new();
    for seed in 0..2000 {
        assert!(seen.insert(generate(seed, Profile::Swarm, STEPS).encode()), "seed {seed}");
    }
}
