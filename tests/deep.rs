//! Deep scenarios: the generator fills queues of every size and makes long journeys, in every profile, and a run reports how
//! deep it went.

use ringstorm::campaign::{self, Budget, Canary, Hang, Plan, Summary};
use ringstorm::depth::{Depth, LAP, queue_sizes};
use ringstorm::execution::Rig;
use ringstorm::outcome::Expected;
use ringstorm::report::{Interval, PROGRAM, RunOptions, RunReport};
use ringstorm::scenario::{Draw, JOURNEYS, Profile, Scenario, Step, generate};
use ringstorm::subject::SubjectKind;
use ringstorm_core::QueueSize;
use ringstorm_model::Invariant;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use strum::VariantArray;

/// The first seed that makes a journey.
const FIRST: u64 = JOURNEYS / 2;

fn journey(scenario: &Scenario) -> Option<u32> {
    let rounds = scenario.steps.iter().filter_map(|step| match step {
        Step::Rounds { count } => Some(*count),
        _ => None,
    });
    rounds.max().filter(|count| *count > 60_000)
}

fn fills(scenario: &Scenario) -> bool {
    let size = scenario.setup.queue_size.get();
    scenario.steps.iter().any(|step| match step {
        Step::SubmitMany { readable, writable, times } => {
            readable.count + writable.count == 1 && *times == size
        }
        _ => false,
    })
}

fn run(kind: SubjectKind, scenario: &Scenario) -> (Expected, Depth) {
    let mut rig = Rig::new().expect("there is memory");
    let outcome = rig.run(kind, scenario, &mut ()).expect("it can run");
    (Expected::of(&outcome.verdict), rig.take_depth())
}

fn specimen(name: &str) -> SubjectKind {
    SubjectKind::by_name(name).expect("a specimen")
}

fn size(size: u32) -> QueueSize {
    QueueSize::new(size).expect("a queue size")
}

#[test]
fn of_consecutive_seeds_one_makes_a_journey() {
    for from in [0, JOURNEYS, 1 << 40, u64::MAX - JOURNEYS + 1] {
        for profile in Profile::VARIANTS {
            let scenario = |at: u64| journey(&generate(from + at, *profile, 48));
            assert_eq!(scenario(FIRST), Some(65_535), "{profile:?} from {from}");
            for at in [0, 1, FIRST - 1, FIRST + 1, JOURNEYS - 1] {
                assert_eq!(scenario(at), None, "{profile:?} from {from} at {at}");
            }
        }
    }
}

#[test]
fn queues_of_every_size_are_filled_in_every_profile() {
    for profile in Profile::VARIANTS {
        for queue_size in queue_sizes() {
            let draw = Draw { profile: *profile, steps: 48, queue_size: Some(queue_size) };
            let scenario = (0..2_000).map(|seed| draw.scenario(seed)).find(fills);
            let mut scenario =
                scenario.unwrap_or_else(|| panic!("{profile:?}: {queue_size:?} is not filled"));
            // The plan itself, without the steps around it.
            let start = scenario.steps.iter().position(|step| matches!(step, Step::SubmitMany { .. }));
            scenario.steps.drain(..start.expect("the plan"));
            let times = |step: &Step| matches!(step, Step::SubmitMany { readable, writable, .. } if readable.count + writable.count == 1);
            scenario.steps.retain(times);
            let (verdict, depth) = run(SubjectKind::Core, &scenario);
            assert_eq!(verdict, Expected::Pass);
            assert_eq!(depth.in_flight(queue_size), u32::from(queue_size.get()), "{profile:?}");
        }
    }
}

#[test]
fn short_scenarios_have_no_plan() {
    for seed in (0..1_000).chain([FIRST]) {
        let scenario = generate(seed, Profile::Honest, 47);
        assert!(journey(&scenario).is_none() && !fills(&scenario), "seed {seed}");
    }
}

#[test]
fn a_plan_keeps_the_number_of_steps() {
    for seed in (0..500).chain([FIRST]) {
        for steps in [47, 48, 128] {
            assert_eq!(generate(seed, Profile::Swarm, steps).steps.len(), steps, "seed {seed}");
        }
    }
}

#[test]
fn a_journey_shows_the_16_bit_count_of_chains_since_the_last_notification() {
    let kind = specimen("specimen-unnotified-cut-to-16-bits");
    let scenario = generate(FIRST, Profile::Honest, 48);
    assert_eq!(run(kind, &scenario).0, Expected::Violation(Invariant::Notified));
    let (verdict, depth) = run(SubjectKind::Core, &scenario);
    assert_eq!(verdict, Expected::Pass);
    assert_eq!(depth.most_between_notifications, LAP);
    assert!(depth.most_in_one_queue >= LAP);
}

#[test]
fn a_full_queue_shows_the_8_bit_count_of_chains_in_flight() {
    let kind = specimen("specimen-in-flight-cut-to-8-bits");
    let draw = Draw { profile: Profile::Honest, steps: 48, queue_size: Some(size(256)) };
    let found =
        (0..2_000).map(|seed| draw.scenario(seed)).find(|scenario| run(kind, scenario).0 != Expected::Pass);
    let scenario = found.expect("it is found");
    assert_eq!(run(kind, &scenario).0, Expected::Violation(Invariant::FairBlame));
    let (verdict, depth) = run(SubjectKind::Core, &scenario);
    assert_eq!((verdict, depth.in_flight(size(256))), (Expected::Pass, 256));
}

#[test]
fn the_steps_of_one_scenario_repeat_within_a_limit() {
    let steps = vec![Step::Rounds { count: Step::MAX_ROUNDS }; 6];
    let depth = run(SubjectKind::Core, &Scenario { steps, ..Scenario::default() }).1;
    // The limit is two of the longest steps. Each further step makes one round trip.
    assert_eq!(depth.most_in_one_queue, 2 * Step::MAX_ROUNDS + 4);
}

fn report(from: u64, seeds: u64, queue_size: Option<QueueSize>) -> RunReport {
    let plan = Plan {
        kind: SubjectKind::Core,
        draw: Draw { profile: Profile::Honest, steps: 48, queue_size },
        from,
        budget: Budget::Seeds(seeds),
        jobs: 2,
        max_findings: 1,
        masks: BTreeSet::new(),
        call_timeout: Plan::CALL_TIMEOUT,
        isolation: None,
    };
    let hung = |hang: &Hang, _: &Summary| panic!("{hang:?}");
    let summary = campaign::run(&plan, Summary::default(), &AtomicBool::new(false), &hung, &mut ());
    let asked = RunOptions::new(&plan, Some(Interval { from, count: seeds }));
    let canary = Canary { subject: "specimen".to_owned(), seeds: 1, signature: "x".to_owned() };
    let summary = summary.expect("it can run");
    RunReport::new(asked, PROGRAM.to_owned(), None, &plan, &summary, Some(canary), |_| String::new())
}

#[test]
fn a_run_reports_how_deep_it_went() {
    let deep = report(FIRST - 40, 80, Some(size(4)));
    let depth = deep.depth.clone().expect("a depth");
    assert_eq!(
        depth.in_flight.iter().map(|entry| (entry.queue_size, entry.most)).collect::<Vec<_>>(),
        [(4, 4)]
    );
    let text = deep.text();
    let expected = "  depth      1 of 1 queue sizes filled with chains in flight; 1 lap of the 16-bit indexes; \
                    65,536 chains between notifications\n";
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("not reached: full queues of "), "{text}");
    // The report has all that a continued run needs.
    assert_eq!(deep.summary().expect("a summary").tally.depth.in_flight(size(4)), 4);
}

#[test]
fn a_run_names_what_it_did_not_reach() {
    let shallow = report(0, 3, None);
    let depth = shallow.depth.clone().expect("a depth");
    assert_eq!(depth.in_flight.len(), 16);
    let text = shallow.text();
    assert!(
        text.contains("of 16 queue sizes filled with chains in flight; 0 laps of the 16-bit indexes"),
        "{text}"
    );
    assert!(text.contains("not reached: full queues of "), "{text}");
    assert!(text.contains(", 32,768 (0); a lap of the 16-bit indexes ("), "{text}");
    assert!(text.contains("; 65,536 chains between notifications ("), "{text}");
    let mut more = shallow;
    more.depth.as_mut().expect("a depth").in_flight[2].most = 5;
    assert_eq!(
        more.summary().expect_err("five chains in a queue of four"),
        "depth: expected at most 4 chains in flight, found 5"
    );
}
