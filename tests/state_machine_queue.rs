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

use failure::{config, fail, kept_file};
use proptest::test_runner::{Config, TestError, TestRunner};
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use queue_machine::{Books, CASE_STEPS, Failing, QueueTest, cases};
use quiet::quietly;
use ringstorm::annotated_trace;
use ringstorm::execution::Rig;
use ringstorm::outcome::Expected;
use ringstorm::report::as_regression;
use ringstorm::scenario::{Document, Scenario};
use ringstorm::subject::SubjectKind;

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
    let strategy = cases(CASE_STEPS, || Books::any(SubjectKind::Specimen(None)));
    let passed = runner.run(&strategy, |(books, steps, seen)| {
        QueueTest::<Told>::test_sequential(config.clone(), books, steps, seen);
        Ok(())
    });
    passed.unwrap_or_else(|error| panic!("{error}"));
}

/// What becomes of a failure, shown by a queue that is known to be wrong.
#[test]
fn a_failure_is_shrunk_and_kept_as_a_scenario_to_commit() {
    let kind = SubjectKind::by_name("specimen-head-at-size").expect("a specimen");
    // Not fewer cases than are enough for it, however few are asked for.
    let config = Config { cases: 2000, ..config() };
    let mut runner = TestRunner::new(config.clone());
    let strategy = cases(CASE_STEPS, move || Books::any(kind));
    let error = runner.run(&strategy, |(books, steps, seen)| {
        QueueTest::<Told>::test_sequential(config.clone(), books, steps, seen);
        Ok(())
    });
    let Err(TestError::Fail(reason, _)) = error else { panic!("{error:?}") };
    let told = reason.to_string();
    let path = kept_file(&test_name(kind));
    let text = std::fs::read_to_string(&path).expect("the file that was kept");
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    assert!(told.contains(&scenario.to_string()), "{told}");
    let command = format!("replay {} --subject {}", path.display(), kind.name());
    assert!(told.contains(&command), "{told}");
    assert!(scenario.steps.len() <= 4, "{text}");
    let outcome = Rig::new().expect("memory").run(kind, &scenario, &mut ()).expect("a run");
    assert!(outcome.is_finding(), "{text}");
    assert!(
        text.contains(&format!(
            "\n# to keep this as a regression, add the last line: expect {} ",
            kind.name()
        )),
        "{text}"
    );
}

fn test_name(kind: SubjectKind) -> String {
    format!("state_machine_queue-{}", kind.name())
}

/// Fails with everything that there is to know.
struct Told;

impl Failing for Told {
    fn fail(kind: SubjectKind, scenario: &Scenario, what: &str) -> ! {
        let told = quietly(|| annotated_trace::annotate(&mut Rig::new()?, kind, scenario));
        let (story, expected) = match &told {
            Ok(Ok((story, outcome))) => (story.as_str(), Expected::of(&outcome.verdict)),
            // What the books alone object to passes otherwise.
            Ok(Err(_)) | Err(_) => ("the story cannot be told", Expected::Pass),
        };
        let expect = as_regression(&kind.name(), expected);
        let what = format!("{what}\n\n{story}");
        let replay = format!("cargo run --release -- replay PATH --subject {}", kind.name());
        fail(&test_name(kind), scenario, &what, &expect, &replay)
    }
}
