//! The queue under steps that proptest generates and shrinks, judged by the model after each.
//!
//! A run of 96 cases takes about a second in a debug build. `PROPTEST_CASES=20000 cargo test --release --test
//! state_machine_queue` makes it a long one. What fails is shrunk, printed as a scenario, and kept as a .storm
//! file under `target/tmp`, with the command that replays it; `ringstorm shrink` can make it smaller still.
//!
//! What is drawn and what is checked stands in `support/queue_machine.rs`.

#[path = "support/failure.rs"]
mod failure;
#[path = "support/queue_machine.rs"]
mod queue_machine;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/step_strategy.rs"]
mod step_strategy;

use failure::{config, fail};
use proptest::test_runner::TestRunner;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use queue_machine::{Books, CASE_STEPS, Failing, QueueTest, cases};
use quiet::quietly;
use ringstorm::execution::Rig;
use ringstorm::scenario::Scenario;
use ringstorm::story;
use ringstorm::subject::Kind;

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn the_queue_keeps_every_invariant(sequential CASE_STEPS => QueueTest<Told>);
}

/// What the books expect of ringstorm's own queue they may not expect of one that can do less.
#[test]
fn a_specimen_without_a_defect_passes() {
    let config = config();
    let mut runner = TestRunner::new(config.clone());
    let strategy = cases(CASE_STEPS, || Books::any(Kind::Specimen(None)));
    let passed = runner.run(&strategy, |(books, steps, seen)| {
        QueueTest::<Told>::test_sequential(config.clone(), books, steps, seen);
        Ok(())
    });
    passed.unwrap_or_else(|error| panic!("{error}"));
}

/// Fails with everything that there is to know.
struct Told;

impl Failing for Told {
    fn fail(kind: Kind, scenario: &Scenario, what: &str) -> ! {
        let told = quietly(|| story::tell(&mut Rig::new()?, kind, scenario));
        let story = match &told {
            Ok(Ok((story, _))) => story,
            Ok(Err(_)) | Err(_) => "the story cannot be told",
        };
        let what = format!("{what}\n\n{story}");
        let replay = format!("cargo run --release -- replay PATH --subject {}", kind.name());
        fail("state_machine_queue", scenario, &what, &replay)
    }
}
