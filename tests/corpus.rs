//! The corpus of each fuzz target, through the function that the target calls.

use arbitrary::{Arbitrary, Unstructured};
use ringstorm::fuzz::{self, CAUGHT, begin_hunt, specimen};
use ringstorm::scenario::{Document, Scenario};
use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Runs an input as its target does, and returns whether the input passed the first checks of the target.
type Target = fn(&[u8]) -> bool;

/// The targets, with the percentage of inputs that must pass the first checks. Every scenario reaches the queue. Many inputs
/// of the other targets test refusals. `specimen` takes the same inputs as `storm`.
const TARGETS: [(&str, Target, usize); 4] = [
    ("storm", |bytes| fuzz::storm(&input(bytes)), 100),
    ("table", |bytes| fuzz::table(&input(bytes)), 33),
    ("text", |bytes| fuzz::text(input(bytes)), 25),
    ("walk", |bytes| fuzz::walk(&input(bytes)), 33),
];

fn input<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> T {
    T::arbitrary_take_rest(Unstructured::new(bytes)).expect("any bytes are an input")
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(top().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Whether a local fuzzing run added this file: libFuzzer names its files by 40 hexadecimal digits.
fn is_local(path: &Path) -> bool {
    let name = path.file_name().expect("a name").to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn every_input_of_every_corpus_passes_and_enough_are_accepted() {
    for (target, run, least) in TARGETS {
        let mut inputs = entries(&format!("corpus/{target}"));
        inputs.retain(|path| !is_local(path));
        let bytes: Vec<Vec<u8>> = inputs.iter().map(|path| fs::read(path).expect("an input")).collect();
        let reached = bytes.iter().filter(|bytes| run(bytes)).count();
        let (count, size) = (bytes.len(), bytes.iter().map(Vec::len).sum::<usize>());
        assert!((20..=256).contains(&count) && size <= 256 << 10, "{target}: {count} inputs of {size} bytes");
        assert!(reached * 100 >= count * least, "{target}: {reached} of {count} inputs are accepted");
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let stem = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let targets: BTreeSet<String> = entries("fuzz/fuzz_targets").iter().map(stem).collect();
    let mut corpora: BTreeSet<String> = entries("corpus").iter().map(stem).collect();
    assert!(corpora.remove("regressions"));
    assert_eq!(corpora, targets);
    let tried: BTreeSet<String> = TARGETS.iter().map(|(target, ..)| (*target).to_owned()).collect();
    assert_eq!(tried, targets.into_iter().filter(|target| target != "specimen").collect());
    let folder = |path: &str| fs::canonicalize(top().join(path)).expect(path);
    assert_eq!(
        folder("corpus/specimen"),
        folder("corpus/storm"),
        "specimen must start from the corpus of storm"
    );
    assert_eq!(folder("fuzz/corpus"), folder("corpus"), "`cargo fuzz run` must find the corpus");
}

/// Fuzzers often truncate inputs.
#[test]
fn a_truncated_input_is_an_input_too() {
    for (target, run, _) in TARGETS {
        let inputs = entries(&format!("corpus/{target}"));
        for path in inputs.into_iter().filter(|path| !is_local(path)) {
            let bytes = fs::read(path).expect("an input");
            for end in [bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(1)] {
                run(&bytes[..end]);
            }
        }
    }
}

/// A panic of the subject is an outcome of the execution. The panic that reports the catch ends the fuzzer.
#[test]
fn the_message_of_a_catch_counts_executions() {
    let arguments = ["specimen", "corpus", "-ignore_remaining_args=1", "specimen-head-at-size"];
    begin_hunt(arguments.map(str::to_owned).into_iter());
    specimen(&Scenario::default());
    let text = include_str!("../corpus/regressions/0001-head-equal-to-the-queue-size.storm");
    let scenario = text.parse::<Document>().expect("a regression").scenario;
    let caught = catch_unwind(|| specimen(&scenario)).expect_err("the defect is caught");
    let message = caught.downcast_ref::<String>().expect("a message");
    assert!(message.starts_with(&format!("{CAUGHT}specimen-head-at-size/panic/no-panic/")), "{message}");
    assert!(message.contains(" after 2 executions and 0."), "{message}");
}

#[test]
fn a_hunt_for_an_unknown_specimen_is_refused() {
    let refused =
        catch_unwind(|| begin_hunt(["specimen".to_owned(), "no-such-defect".to_owned()].into_iter()));
    assert!(refused.is_err());
}
