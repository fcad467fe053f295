//! A call that never returns, in the process of the run.

use crate::{Left, Place};
use serde_json::Value;

/// The numbers of device-readable and device-writable buffers of the chain at which the subject `spins`.
pub const TRIGGER: (usize, usize) = (6, 8);
/// A seed with such a chain. The 300 seeds before it have none.
const SEED: u64 = 2184;

/// The results so far are printed and written, with the call as a finding and the command that replays it.
pub fn a_hang_is_printed_with_its_seed_and_ends_the_run() {
    let place = Place::new();
    let from = (SEED - 300).to_string();
    let base = ["run", "--subject", "spins", "--from", &from, "--seeds", "310", "--patience", "500ms"];
    let hung = |more: &[&str]| {
        let left = place.run(&[&base[..], &["--jobs", "1"], more].concat());
        assert_eq!(left.status, Some(1), "{left:?}");
        left
    };
    let left = hung(&[]);
    let of_seed = format!(" of seed {SEED}\n");
    assert!(left.out.contains("\nFOUND spins/stuck/no-panic/submit/"), "{left:?}");
    assert!(left.out.contains("\nspins is stuck: submit did not return within 0."), "{left:?}");
    assert!(left.out.contains(&of_seed), "{left:?}");
    let command = left.out.lines().last().expect("a last line");
    let again = place.shell(&format!("{command} --patience 500ms"));
    assert_eq!(again.status, Some(1), "{command}: {again:?}");
    assert!(again.out.contains("stuck: the call did not return in time"), "{again:?}");
    assert!(left.out.contains(" steps so far; file findings/spins-stuck-"), "it was not shrunk: {left:?}");
    // A complete report of the results so far.
    let left = hung(&["--json", "--out", "out", "--shard", "1/1"]);
    assert!(left.err.contains(&of_seed), "{left:?}");
    let report = json(&left);
    let seeds = report["seeds"].as_u64().expect("a number");
    assert!(report["complete"] == false && (1..300).contains(&seeds), "{report}");
    let finding = report["findings"].as_array().and_then(|findings| findings.last()).expect("a finding");
    assert_eq!((&finding["seed"], &finding["count"]), (&SEED.into(), &1.into()), "{finding}");
    let file = finding["file"].as_str().expect("text");
    // Every form has the command with --isolate, and none has a test.
    place.write("run.json", &left.out);
    assert!(place.read(file).contains(" --subject spins --isolate\n"), "{}", place.read(file));
    for form in ["html", "junit", "sarif"] {
        let report = place.run(&["report", "run.json", "--format", form]).out;
        let command = format!("{file} --subject spins --isolate");
        assert!(report.contains(&command) && !report.contains("must_pass"), "{form}: {report}");
    }
    let again = place.shell(&format!("$R replay {file} --subject spins --isolate --patience 500ms"));
    assert!(again.status == Some(1) && again.out.contains("failing call: submit"), "{again:?}");
    assert!(place.read("out/report.json").contains("spins"), "the folder has it, too");
    let whole = place.run(&["report", "run.json"]);
    assert!(whole.status == Some(1) && whole.out.contains("the run ended early"), "{whole:?}");
    // Continued, it has the same result.
    let again = hung(&["--json", "--out", "out", "--shard", "1/1"]);
    assert_eq!(json(&again)["findings"], report["findings"], "{again:?}");
}

fn json(left: &Left) -> Value {
    serde_json::from_str(&left.out).unwrap_or_else(|error| panic!("{error}: {left:?}"))
}
