//! Steps that proptest generates and shrinks, over the whole queue. The model judges each step.
//!
//! A run of 96 cases takes about a second in a debug build. `PROPTEST_CASES=20000 cargo test --release --test
//! state_machine_queue` makes a long run. The test shrinks a failing case, prints it as a scenario with the command that
//! replays it, and writes it to a .storm file in `target/tmp`. `ringstorm shrink` may shrink it further.
//!
//! `support/queue_machine.rs` contains the generator and the checks.

#[path = "support/failure.rs"]
mod failure;
#[path = "support/queue_machine.rs"]
mod queue_machine;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/step_strategy.rs"]
mod step_strategy;

use failure::{config, fail, failure_file};
use proptest::test_runner::{Config, TestError, TestRunner};
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use queue_machine::{CASE_STEPS, OnFailure, QueueReference, QueueTest, cases};
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
    fn the_queue_keeps_every_invariant(sequential CASE_STEPS => QueueTest<ReportFailure>);
}

/// A subject with fewer capabilities than core must pass too.
#[test]
fn a_specimen_without_a_defect_passes() {
    let config = config();
    let mut runner = TestRunner::new(config.clone());
    let strategy = cases(CASE_STEPS, || QueueReference::any(SubjectKind::Specimen(None)));
    let passed = runner.run(&strategy, |(reference, steps, seen)| {
        QueueTest::<ReportFailure>::test_sequential(config.clone(), reference, steps, seen);
        Ok(())
    });
    passed.unwrap_or_else(|error| panic!("{error}"));
}

/// Uses a specimen with a defect to test how a failure is reported.
#[test]
fn a_failure_is_shrunk_and_written_as_a_scenario() {
    let kind = SubjectKind::by_name("specimen-head-at-size").expect("a specimen");
    // Enough cases to find the defect, whatever `PROPTEST_CASES` asks for.
    let config = Config { cases: 2000, ..config() };
    let mut runner = TestRunner::new(config.clone());
    let strategy = cases(CASE_STEPS, move || QueueReference::any(kind));
    let error = runner.run(&strategy, |(reference, steps, seen)| {
        QueueTest::<ReportFailure>::test_sequential(config.clone(), reference, steps, seen);
        Ok(())
    });
    let Err(TestError::Fail(reason, _)) = error else { panic!("{error:?}") };
    let message = reason.to_string();
    let path = failure_file(&test_name(kind));
    let text = std::fs::read_to_string(&path).expect("the file of the failure");
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    assert!(message.contains(&scenario.to_string()), "{message}");
    let command = format!("replay {} --subject {}", path.display(), kind.name());
    assert!(message.contains(&command), "{message}");
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

/// Reports a failure with its annotated trace and the command that replays it.
struct ReportFailure;

impl OnFailure for ReportFailure {
    fn fail(kind: SubjectKind, scenario: &Scenario, what: &str) -> ! {
        let trace = quietly(|| annotated_trace::annotate(&mut Rig::new()?, kind, scenario));
        let (trace, expected) = match &trace {
            // The outcome is a pass if only the reference of this test objects.
            Ok(Ok((trace, outcome))) => (trace.as_str(), Expected::of(&outcome.verdict)),
            Ok(Err(_)) | Err(_) => ("there is no annotated trace", Expected::Pass),
        };
        let expect = as_regression(&kind.name(), expected);
        let what = format!("{what}\n\n{trace}");
        let replay = format!("cargo run --release -- replay PATH --subject {}", kind.name());
        fail(&test_name(kind), scenario, &what, &expect, &replay)
    }
}
