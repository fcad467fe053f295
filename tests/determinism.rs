//! The same scenario gives the same outcome: twice, alone or within a sweep, on any number of threads, in debug and release
//! builds. For the last one, both builds must give the trace hashes of the snapshot.

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

/// The parts of a summary that must not depend on threads, interruptions or time.
fn deterministic_part(summary: &Summary) -> impl PartialEq + std::fmt::Debug + use<> {
    let tally = Tally { stepping: Duration::ZERO, constructing: Duration::ZERO, ..summary.tally.clone() };
    (tally, summary.findings.clone(), summary.aliases.clone(), summary.seen_as.clone(), summary.ending)
}

/// Interrupts a run at each finding, before the finding is shrunk.
struct InterruptAtFinding<'a>(&'a AtomicBool);

impl Observer for InterruptAtFinding<'_> {
    fn found(&mut self, _: &Finding) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn interrupted_shrinking_ends_at_once_and_continues_later() {
    let kind = SubjectKind::by_name("specimen-mid-chain-freed").unwrap();
    let plan = plan(kind, Profile::Swarm, 0, 400, 2);
    let whole = sweep(kind, Profile::Swarm, 0, 400, 2);
    let (mut summary, mut unshrunk) = (Summary::default(), 0);
    loop {
        let interrupted = AtomicBool::new(false);
        let observer = &mut InterruptAtFinding(&interrupted);
        summary = campaign::run(&plan, summary, &interrupted, &hung, observer).unwrap();
        if summary.ending != Ending::Unfinished {
            break;
        }
        let last = summary.findings.last().expect("only a finding interrupts the run");
        assert_eq!(last.shrunk.steps.len(), STEPS, "after an interrupt the finding stays unshrunk");
        unshrunk += 1;
    }
    assert!(unshrunk > 0);
    assert_eq!(deterministic_part(&summary), deterministic_part(&whole));
}

#[test]
fn the_number_of_jobs_does_not_matter() {
    let kinds = [SubjectKind::Core, SubjectKind::by_name("specimen-mid-chain-freed").unwrap()];
    for kind in kinds {
        let one = sweep(kind, Profile::Swarm, 0, 400, 1);
        for jobs in [2, 3, 7] {
            assert_eq!(
                deterministic_part(&sweep(kind, Profile::Swarm, 0, 400, jobs)),
                deterministic_part(&one),
                "{}",
                kind.name()
            );
        }
        assert_eq!(one.findings.is_empty(), kind == SubjectKind::Core);
    }
}

#[test]
fn a_seed_alone_gives_the_outcome_that_it_has_in_a_sweep() {
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
fn single_steps_give_the_trace_of_a_whole_run() {
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
fn tallies_of_parts_append_to_the_tally_of_the_whole() {
    let whole = sweep(SubjectKind::Core, Profile::Swarm, 0, 100, 2).tally;
    for cut in [1, 31, 32, 33, 64, 99] {
        let mut parts = sweep(SubjectKind::Core, Profile::Swarm, 0, cut, 1).tally;
        parts.append(&sweep(SubjectKind::Core, Profile::Swarm, cut, 100 - cut, 1).tally);
        assert_eq!((parts.trace_hash, parts.steps), (whole.trace_hash, whole.steps), "cut at {cut}");
    }
    // The hash depends on the order.
    let (mut one, mut other) = (SweepHash::default(), SweepHash::default());
    [1, 2].into_iter().for_each(|trace| one.push(trace));
    [2, 1].into_iter().for_each(|trace| other.push(trace));
    assert_ne!(one, other);
}

#[test]
fn no_two_seeds_give_the_same_scenario() {
    let mut seen = BTreeSet::new();
    for seed in 0..2000 {
        assert!(seen.insert(generate(seed, Profile::Swarm, STEPS).encode()), "seed {seed}");
    }
}
