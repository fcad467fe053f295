//! Running steps allocates nothing, and the memory of a long run does not grow.

use allocation_counter::measure;
use ringstorm::execution::Rig;
use ringstorm::scenario::{Buffers, Draw, Profile, Scenario, Setup, Step, generate};
use ringstorm::subject::SubjectKind;
use ringstorm_core::QueueSize;

/// Scenarios of seeds, without queues above 256 descriptors, and without failing memory, since a panic allocates.
fn scenarios(seeds: std::ops::Range<u64>) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = seeds.map(|seed| generate(seed, Profile::Swarm, 200)).collect();
    // Large queues ask for chains of up to 131,072 buffers, for which the list of slices grows once.
    scenarios.retain(|scenario| scenario.setup.queue_size.get() <= 256);
    for scenario in &mut scenarios {
        scenario.steps.retain(|step| !matches!(step, Step::MemoryFails { .. }));
    }
    scenarios
}

#[test]
fn no_step_allocates_once_the_rig_is_warm() {
    let mut rig = Rig::new().unwrap();
    let scenarios = scenarios(0..60);
    let mut steps = 0;
    for scenario in &scenarios {
        // The first run grows the buffers of the rig to the size that this scenario needs.
        rig.run(SubjectKind::Core, scenario, &mut ()).unwrap();
        rig.begin(SubjectKind::Core, &scenario.setup).unwrap().unwrap();
        let mut run = |rig: &mut Rig| {
            for step in &scenario.steps {
                rig.step(step).unwrap();
                steps += 1;
            }
        };
        // Each scenario makes a new subject. Its record of a short chain may later hold a long one, so several rounds pass
        // until nothing grows any more. A step that always allocates never reaches this state.
        let quiet = (0..64).any(|_| {
            let allocated = measure(|| run(&mut rig));
            rig.step(&Step::Settle).unwrap();
            rig.step(&Step::Reset).unwrap();
            allocated.count_total == 0
        });
        assert!(quiet, "in the steps of\n{scenario}");
    }
    assert!(steps > 10_000, "{steps} steps");
}

/// Fills a large queue, so that later ones need no more memory for their chains.
fn fill_queue(rig: &mut Rig) {
    let setup = Setup { queue_size: QueueSize::new(4096).unwrap(), ..Setup::default() };
    rig.begin(SubjectKind::Core, &setup).unwrap().unwrap();
    let chain = Buffers::of(1, 1);
    rig.step(&Step::SubmitMany { readable: Buffers::NONE, writable: chain, times: 4096 }).unwrap();
    rig.finish().unwrap();
}

/// In a sweep every scenario differs. Only a few long chains need more memory than is there already.
#[test]
fn the_steps_of_a_sweep_hardly_allocate() {
    let mut rig = Rig::new().unwrap();
    fill_queue(&mut rig);
    let (mut allocations, mut steps) = (0, 0);
    for (number, scenario) in scenarios(0..400).iter().enumerate() {
        rig.begin(SubjectKind::Core, &scenario.setup).unwrap().unwrap();
        let made = measure(|| scenario.steps.iter().for_each(|step| rig.step(step).unwrap()));
        rig.finish().unwrap();
        if number >= 200 {
            (allocations, steps) = (allocations + made.count_total, steps + scenario.steps.len() as u64);
        }
    }
    assert!(allocations * 200 < steps, "{allocations} allocations in {steps} steps");
}

#[test]
fn drawing_a_scenario_into_a_large_enough_one_allocates_nothing() {
    for profile in [Profile::Honest, Profile::Hostile, Profile::Swarm] {
        let draw = Draw { profile, steps: 128, queue_size: None };
        let mut scenario = draw.scenario(0);
        let drawn = measure(|| (1..1000).for_each(|seed| draw.scenario_into(seed, &mut scenario)));
        assert_eq!(drawn.count_total, 0, "{profile:?}");
    }
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    let mut rig = Rig::new().unwrap();
    let scenarios = scenarios(0..40);
    let mut pass = || {
        for scenario in &scenarios {
            rig.run(SubjectKind::Core, scenario, &mut ()).unwrap();
        }
    };
    pass();
    pass();
    let one = measure(&mut pass);
    let ten = measure(|| (0..10).for_each(|_| pass()));
    assert_eq!((one.bytes_current, ten.bytes_current), (0, 0));
    assert_eq!(one.bytes_max, ten.bytes_max);
}
