//! Runs proptest-state-machine until the first failing case.

use crate::queue_machine::{CASE_STEPS, OnFailure, QueueReference, QueueTest, cases};
use crate::starts::Catch;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use proptest_state_machine::StateMachineTest;
use ringstorm::scenario::Scenario;
use ringstorm::subject::SubjectKind;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

/// Fails without an annotated trace, which would take longer than the case.
struct Silent;

impl OnFailure for Silent {
    fn fail(_: SubjectKind, _: &Scenario, what: &str) -> ! {
        resume_unwind(Box::new(what.to_owned()))
    }
}

/// The cases and seconds until one fails; `None` if the time limit ends first. Each start is a seed of proptest's
/// generator.
pub fn first_catch(kind: SubjectKind, start: u32, patience: Duration) -> Option<Catch> {
    let config =
        Config { cases: u32::MAX, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&start.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let strategy = cases(CASE_STEPS, move || QueueReference::any(kind));
    let (runs, late) = (Cell::new(0), Cell::new(false));
    let begin = Instant::now();
    let result = runner.run(&strategy, |(books, steps, _)| {
        if begin.elapsed() > patience {
            late.set(true);
            return Err(TestCaseError::fail("patience has ended"));
        }
        runs.set(runs.get() + 1);
        // proptest counts steps only for shrinking. Without shrinking, it takes a step count for an error.
        QueueTest::<Silent>::test_sequential(config.clone(), books, steps, None);
        Ok(())
    });
    let seconds = begin.elapsed().as_secs_f64();
    let failed = matches!(result, Err(TestError::Fail(..)));
    (failed && !late.get()).then_some(Catch { runs: runs.get(), seconds })
}
