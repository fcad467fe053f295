//! Tests of the mutations of whole steps.

use ringstorm::fuzz::{Change, MIN_STEPS, change, crossover, mutate, storm};
use ringstorm::scenario::{HEADER_BYTES, Op, Pick, Profile, STEP_BYTES, Scenario, Step, generate};
use ringstorm_sim_device::Fault;
use std::collections::{HashMap, HashSet};
use strum::VariantArray;

const MOST: usize = 4096;

fn mutated(bytes: &[u8], most: usize, seed: u32) -> Vec<u8> {
    let mut buffer = bytes.to_vec();
    buffer.resize(most.max(bytes.len()), 0xaa);
    let size = mutate(&mut buffer, bytes.len(), most, seed);
    buffer.truncate(size);
    buffer
}

fn crossed(one: &[u8], other: &[u8], most: usize, seed: u32) -> Vec<u8> {
    let mut out = vec![0xaa; most];
    let size = crossover(one, other, &mut out, seed);
    out.truncate(size);
    out
}

#[track_caller]
fn is_canonical(bytes: &[u8], most: usize) {
    let scenario = Scenario::decode(bytes);
    assert!(bytes.len() <= most && !scenario.steps.is_empty(), "{} of {most} bytes", bytes.len());
    assert_eq!(scenario.encode(), bytes, "it decodes to another scenario:\n{scenario}");
}

#[test]
fn results_are_scenarios_within_the_size_and_depend_only_on_the_seed() {
    let seeds: Vec<Vec<u8>> =
        (0..20).map(|seed| generate(seed, Profile::Swarm, seed as usize * 5).encode()).collect();
    for seed in 0..4000_u32 {
        let one = &seeds[seed as usize % seeds.len()];
        let other = &seeds[seed as usize / 20 % seeds.len()];
        let most = HEADER_BYTES + STEP_BYTES + seed as usize % MOST;
        // The inputs need not be encoded scenarios.
        let (one, other) = (&one[..one.len() - seed as usize % 3], &other[..other.len() - seed as usize % 7]);
        let made = [mutated(one, most, seed), crossed(one, other, most, seed)];
        made.iter().for_each(|bytes| is_canonical(bytes, most));
        assert_eq!(made, [mutated(one, most, seed), crossed(one, other, most, seed)], "seed {seed}");
        let enough = MIN_STEPS.min((most - HEADER_BYTES) / STEP_BYTES);
        let steps = made.map(|bytes| Scenario::decode(&bytes).steps.len());
        assert!(steps.iter().all(|steps| *steps >= enough), "{steps:?} steps, {enough} would fit");
    }
}

#[test]
fn a_buffer_without_room_for_a_step_is_not_exceeded() {
    for most in 1..HEADER_BYTES + STEP_BYTES {
        assert!((1..=most).contains(&mutated(&[], most, 7).len()));
    }
}

/// Whether a change of this kind had its effect.
fn is_done(change: Change, before: &Scenario, after: &Scenario) -> bool {
    let (old, new) = (&before.steps, &after.steps);
    let same_setup = before.setup == after.setup;
    let differ = old.iter().zip(new).filter(|(old, new)| old != new).count();
    match change {
        Change::Insert => same_setup && new.len() == old.len() + 1,
        Change::InsertRun | Change::Duplicate => same_setup && new.len() > old.len(),
        Change::Delete => same_setup && new.len() < old.len(),
        Change::Swap => same_setup && new.len() == old.len() && differ <= 2,
        Change::Field => {
            let differing = || old.iter().zip(new).filter(|(old, new)| old != new);
            let same_op = differing().all(|(old, new)| old.op() == new.op() || has_no_field(old));
            same_setup && new.len() == old.len() && differing().count() <= 1 && same_op
        }
        Change::Setup => old == new,
    }
}

const fn has_no_field(step: &Step) -> bool {
    use Step::{Collect, Idle, Publish, Reset, Settle, Take};
    matches!(step, Idle | Publish | Take | Collect | Reset | Settle)
}

#[test]
fn every_kind_of_change_occurs_and_has_its_effect() {
    let mut counts: HashMap<Change, u32> = HashMap::new();
    let mut effective = 0;
    for seed in 0..8000_u32 {
        let mut scenario = generate((seed % 64).into(), Profile::Hostile, MIN_STEPS + 4);
        // Any change may also replace the setup of a large queue.
        if scenario.setup.queue_size.get() > 256 {
            continue;
        }
        let before = scenario.clone();
        let change = change(&mut scenario, MOST, seed);
        assert!(is_done(change, &before, &scenario), "{change:?} of\n{before}to\n{scenario}");
        effective += u32::from(before != scenario);
        *counts.entry(change).or_default() += 1;
    }
    for change in Change::VARIANTS {
        assert!(counts.get(change).is_some_and(|count| *count > 100), "{change:?}: {counts:?}");
    }
    let all: u32 = counts.values().sum();
    assert!(effective * 20 > all * 19, "{effective} of {all} changed something");
}

#[test]
fn crossover_has_steps_of_both_scenarios() {
    let on_or_off = |wanted| Step::Interrupts { wanted };
    let of = |wanted| Scenario { steps: vec![on_or_off(wanted); 40], ..Scenario::default() }.encode();
    let (one, other) = (of(true), of(false));
    for seed in 0..500 {
        let steps = Scenario::decode(&crossed(&one, &other, MOST, seed)).steps;
        let begin = steps.iter().take_while(|step| **step == on_or_off(true)).count();
        assert!(begin > 0 && steps.get(begin) == Some(&on_or_off(false)), "seed {seed}: {steps:?}");
    }
}

/// Steps without an effect, however many, get at least one step with an effect.
#[test]
fn every_result_reaches_the_queue() {
    for step in [Step::Idle, Step::Take, Step::Free { pick: Pick::NEWEST }, Step::DeviceTake { count: 1 }] {
        let idle = Scenario { steps: vec![step; 40], ..Scenario::default() };
        assert!(!storm(&idle), "{step}");
        let bytes = idle.encode();
        for seed in 0..300 {
            for made in [mutated(&bytes, MOST, seed), crossed(&bytes, &bytes, MOST, seed)] {
                let made = Scenario::decode(&made);
                assert!(storm(&made), "seed {seed} of {step}:\n{made}");
            }
        }
    }
}

/// Changes one scenario again and again, as libFuzzer does.
#[test]
fn every_operation_fault_and_size_occurs_and_every_input_reaches_the_queue() {
    let (mut ops, mut faults, mut sizes) = (HashSet::new(), HashSet::new(), HashMap::new());
    let (mut steps, mut missed) = (0, Vec::<u32>::new());
    let mut bytes = Scenario::default().encode();
    let rounds = 6000;
    for seed in 0..rounds {
        bytes = match seed % 4 {
            0 => crossed(&bytes, &generate(seed.into(), Profile::Swarm, 40).encode(), MOST, seed),
            _ => mutated(&bytes, MOST, seed),
        };
        let scenario = Scenario::decode(&bytes);
        ops.extend(scenario.steps.iter().map(Step::op));
        for step in &scenario.steps {
            if let Step::Fault { fault, .. } = step {
                faults.insert(*fault);
            }
        }
        *sizes.entry(scenario.setup.queue_size.get()).or_insert(0) += 1;
        steps += scenario.steps.len();
        if !storm(&scenario) {
            missed.push(seed);
        }
    }
    assert_eq!(ops.len(), Op::VARIANTS.len(), "{ops:?}");
    assert_eq!(faults.len(), Fault::VARIANTS.len(), "{faults:?}");
    // The largest sizes are rare.
    for seed in 0..30_000 {
        let mut scenario = Scenario::default();
        change(&mut scenario, 1, seed);
        sizes.entry(scenario.setup.queue_size.get()).or_insert(0);
    }
    assert_eq!(sizes.len(), 16, "{sizes:?}");
    let large: u32 = sizes.iter().filter(|(size, _)| **size > 256).map(|(_, count)| count).sum();
    assert!(large * 20 < rounds, "{large} of {rounds} queues are large ones");
    let mean = steps / rounds as usize;
    assert!((MIN_STEPS..=72).contains(&mean), "{mean} steps on average");
    assert!(missed.is_empty(), "{missed:?} did not reach the queue");
}
