//! Scenarios of seeds for subjects that offer calls.

use ringstorm::scenario::{Draw, OfferedCalls, Op, Profile, Scenario};
use std::collections::BTreeSet;
use strum::VariantArray;

const DRAW: Draw = Draw { profile: Profile::Swarm, steps: 128, queue_size: None };

fn is_offered(op: Op) -> bool {
    matches!(op, Op::DelayInterrupts | Op::TakeBack | Op::InterruptArrives)
}

#[test]
fn seeds_keep_their_scenarios_for_subjects_that_offer_nothing() {
    for seed in 0..200 {
        let plain = DRAW.scenario(seed);
        assert_eq!(DRAW.scenario_with(seed, OfferedCalls::default()), plain);
        assert!(!plain.steps.iter().any(|step| is_offered(step.op())));
    }
}

#[test]
fn offered_calls_are_added_between_the_steps_of_a_seed() {
    let offered = OfferedCalls {
        delayed_used_notifications: true,
        take_back: true,
        take_back_live: true,
        used_notification_handler: true,
    };
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let (plain, with) = (DRAW.scenario(seed), DRAW.scenario_with(seed, offered));
        assert_eq!((with.setup, with.steps.len()), (plain.setup, 128));
        seen.extend(with.steps.iter().map(|step| step.op()).filter(|op| is_offered(*op)));
        let others = with.steps.iter().filter(|step| !is_offered(step.op()));
        assert!(
            others
                .eq(plain.steps.iter().take(with.steps.iter().filter(|step| !is_offered(step.op())).count()))
        );
        assert_eq!(Scenario::decode(&with.encode()), with);
    }
    assert!(Op::VARIANTS.iter().filter(|op| is_offered(**op)).all(|op| seen.contains(op)), "{seen:?}");
}

#[test]
fn only_offered_calls_are_added() {
    let stopped = OfferedCalls { take_back: true, ..OfferedCalls::default() };
    let steps: BTreeSet<String> = (0..200)
        .flat_map(|seed| DRAW.scenario_with(seed, stopped).steps)
        .map(|step| step.to_string())
        .collect();
    assert!(steps.contains("driver take-back") && !steps.contains("driver take-back live"));
}
