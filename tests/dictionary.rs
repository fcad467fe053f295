//! The dictionary of the fuzz target `text` contains every word of the scenario language and no other.

use ringstorm::outcome::Expected;
use ringstorm::scenario::{BadHead, Buffers, Document, HeadCall, Op, Profile, Scenario, Step, generate};
use ringstorm_model::Invariant;
use ringstorm_sim_device::Fault;
use std::collections::BTreeSet;
use std::path::Path;
use strum::VariantArray;

/// A word as the dictionary contains it: without digits, since a fuzzer generates numbers itself. `None` for a number.
fn without_numbers(word: &str) -> Option<String> {
    let (key, value) = word.split_once('=').map_or(("", word), |(key, value)| (key, value));
    let value = if value.starts_with("0x") { "" } else { value };
    let value: String = value.chars().filter(|character| !character.is_ascii_digit()).collect();
    let word = if key.is_empty() { value } else { format!("{key}={value}") };
    (!word.is_empty()).then_some(word)
}

/// The words of a text. The actor and its operation are one word, and so is the first line.
fn words(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let mut found = vec![format!("{}\\x0a", lines.next().expect("a first line"))];
    for line in lines {
        let mut rest: Vec<&str> = line.split_whitespace().collect();
        if matches!(rest[0], "driver" | "device") {
            found.push(rest.drain(..2).collect::<Vec<_>>().join(" "));
        }
        found.extend(rest.into_iter().filter_map(without_numbers));
    }
    found
}

/// Texts that contain every word at least once. The last text has the words that no seed draws.
fn texts() -> Vec<String> {
    let drawn = |seed| generate(seed, Profile::Swarm, 128).to_string();
    let invariants = Invariant::VARIANTS.iter().map(|invariant| Expected::Violation(*invariant));
    let outcomes = invariants.chain([Expected::Pass, Expected::Panic, Expected::Stuck, Expected::Died]);
    let expectations = outcomes.map(|expected| ("core".to_owned(), expected)).collect();
    let submit_many = Step::SubmitMany { readable: Buffers::NONE, writable: Buffers::of(1, 1), times: 2 };
    let take_back = Step::TakeBack { stopped: false };
    let offered = [take_back, Step::DelayInterrupts, Step::InterruptArrives];
    let steps = [Step::Idle, Step::Settle, submit_many, Step::Rounds { count: 2 }];
    let steps = steps.into_iter().chain(offered).collect();
    let scenario = Scenario { steps, ..Scenario::default() };
    let expecting = Document { scenario, expectations, ..Document::default() };
    (0..300).map(drawn).chain([expecting.to_string()]).collect()
}

#[test]
fn the_dictionary_contains_the_words_of_the_language() {
    let words: BTreeSet<String> = texts().iter().flat_map(|text| words(text)).collect();
    let names = [
        Op::VARIANTS.iter().map(|op| op.name()).collect::<Vec<_>>(),
        Fault::VARIANTS.iter().map(|fault| fault.name()).collect(),
        Invariant::VARIANTS.iter().map(|invariant| invariant.name()).collect(),
        HeadCall::VARIANTS.iter().map(Into::into).collect(),
        BadHead::VARIANTS.iter().map(Into::into).collect(),
    ];
    for name in names.concat() {
        // The words of `driver submit times` are two.
        let name = name.strip_suffix(" times").unwrap_or(name);
        assert!(words.contains(name), "none of the texts contains {name}");
    }
    let wanted: String = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/text.dict");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let there: String =
        there.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert!(there == wanted, "fuzz/text.dict must contain, below its comment:\n{wanted}");
}
