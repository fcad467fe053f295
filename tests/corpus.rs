//! Seeds of the fuzz corpus, through the functions that the fuzz targets call.

use ringstorm::fuzz::{CATCH, begin_hunt, specimen};
use ringstorm::scenario::{Document, Scenario};
use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn every_seed_of_storm_passes_and_nearly_all_reach_the_queue() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/storm");
    let (mut seeds, mut reached) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seeds += 1;
        reached += usize::from(ringstorm::fuzz::storm(&Scenario::decode(&bytes)));
    }
    assert!(seeds >= 30, "{seeds} seeds");
    assert!(reached * 10 >= seeds * 9, "{reached} of {seeds} seeds do something with the queue");
}

/// A panic of the subject is an outcome, and the catch is what ends the fuzzer.
#[test]
fn a_hunt_ends_with_a_catch_that_counts_executions() {
    let arguments = ["specimen", "corpus", "-ignore_remaining_args=1", "specimen-head-at-size"];
    begin_hunt(arguments.map(str::to_owned).into_iter());
    specimen(&Scenario::default());
    let text = include_str!("../corpus/regressions/0001-head-equal-to-the-queue-size.storm");
    let scenario = text.parse::<Document>().expect("a regression").scenario;
    let caught = catch_unwind(|| specimen(&scenario)).expect_err("it is caught");
    let message = caught.downcast_ref::<String>().expect("a message");
    assert!(message.starts_with(&format!("{CATCH}specimen-head-at-size/panic/no-panic/")), "{message}");
    assert!(message.contains(" after 2 executions and 0."), "{message}");
}

#[test]
fn a_hunt_for_nobody_is_refused() {
    let refused = catch_unwind(|| begin_hunt(["specimen".to_owned(), "nobody".to_owned()].into_iter()));
    assert!(refused.is_err());
}
