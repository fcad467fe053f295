//! `explore`: its output, its files and its errors.

use crate::{Place, SPECIMEN};
use serde_json::Value;

/// A scope that has a counterexample of two steps.
const FAILING: [&str; 6] = ["explore", "--subject", SPECIMEN, "--faults", "0", "--json"];

#[test]
fn nothing_found() {
    let place = Place::new();
    let left = place.run(&["explore", "--depth", "1", "--faults", "1"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    let lines: Vec<&str> = left.out.lines().collect();
    assert_eq!(lines[0], "core, every scenario of a small scope: at most one fault in an execution");
    for (line, size) in lines[1..4].iter().zip([1, 2, 4]) {
        let start = format!("  queue size {size}   exhausted to depth 1; ");
        assert!(line.starts_with(&start) && line.contains(" states, "), "{line}");
    }
    assert_eq!(lines[4..], ["nothing found"]);
    assert_eq!(left.err, "", "progress is for terminals only");
    assert!(place.everything().is_empty());
}

/// The queue sizes share the time.
#[test]
fn a_time_limits_the_whole_command() {
    let left = Place::new().run(&["explore", "--time", "3s", "--json"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    let report = crate::json(&left);
    let scopes = report["scopes"].as_array().expect("an array");
    let seconds: f64 = scopes.iter().map(|scope| scope["seconds"].as_f64().expect("a number")).sum();
    assert!(scopes.len() == 3 && seconds < 8.0, "each size alone would take 3 s: {report}");
}

#[test]
fn the_json_equals_its_snapshot() {
    let left = Place::new().run(&[&FAILING[..], &["--queue-size", "2", "--jobs", "1"]].concat());
    // Times differ in every run.
    let timeless = |line: &str| match line.split_once(':') {
        Some((field, rest)) if field.contains("second") => {
            format!("{field}: 0{}", if rest.ends_with(',') { "," } else { "" })
        }
        _ => line.to_owned(),
    };
    let lines: Vec<String> = left.out.lines().map(timeless).collect();
    crate::findings::assert_format("explore.json", &lines.join("\n"));
}

#[test]
fn the_shortest_scenario_is_printed_and_written() {
    let place = Place::new();
    let args = ["explore", "--subject", SPECIMEN, "--faults", "0", "-o", "found.storm"];
    let left = place.run(&args);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert!(
        left.out.contains("  queue size 2   FOUND a failing scenario, complete to depth 1; "),
        "{left:?}"
    );
    // With four descriptors, one step does not show the defect.
    assert!(left.out.contains("  queue size 4   exhausted to depth 1; "), "{left:?}");
    assert!(left.out.contains("violation of misuse-refused"), "{left:?}");
    let command = left.out.lines().last().expect("a line");
    assert!(command.ends_with(&format!(" replay found.storm --subject {SPECIMEN}")), "{left:?}");
    let again = place.run(&["replay", "found.storm", "--subject", SPECIMEN]);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert_eq!(place.run(&["replay", "found.storm"]).status, Some(1), "the file names its subject");
    assert_eq!(place.run(&["replay", "found.storm", "--subject", "core"]).status, Some(0), "core passes it");
    // Without -o, the scenario is printed.
    let printed = place.run(&args[..5]);
    let (_, scenario) = printed.out.split_once("as a scenario:\n").expect("the scenario");
    assert_eq!(scenario, place.read("found.storm"));
}

#[test]
fn json_has_its_fields() {
    let place = Place::new();
    let left = place.run(&FAILING);
    assert_eq!(left.status, Some(1), "{left:?}");
    let report: Value = serde_json::from_str(&left.out).expect("one object");
    assert_eq!((&report["version"], &report["faults"]), (&1.into(), &0.into()));
    assert_eq!(report["subject"], SPECIMEN);
    let scopes = report["scopes"].as_array().expect("an array");
    let of = |field: &str| scopes.iter().map(|scope| scope[field].clone()).collect::<Vec<Value>>();
    assert_eq!(of("queue_size"), [1, 2, 4]);
    assert_eq!(of("ending"), ["exhausted", "found", "exhausted"]);
    assert_eq!(of("exhausted"), [true, false, true]);
    assert_eq!(of("complete_depth"), [6, 1, 1]);
    for scope in scopes {
        let levels: u64 = scope["levels"].as_array().into_iter().flatten().filter_map(Value::as_u64).sum();
        assert_eq!(scope["states"], levels);
        for field in ["setups", "letters", "transitions"] {
            assert!(scope[field].as_u64().is_some_and(|number| number > 0), "{field}: {scope}");
        }
        assert!(scope["seconds"].as_f64().is_some() && scope["transitions_per_second"].as_f64().is_some());
    }
    let finding = &report["finding"];
    assert_eq!((&finding["queue_size"], &finding["steps"]), (&2.into(), &2.into()));
    assert_eq!(finding["invariant"], "misuse-refused");
    assert_eq!(finding["file"], Value::Null);
    place.write("found.storm", finding["scenario"].as_str().expect("a string"));
    assert_eq!(place.run(&["replay", "found.storm", "--subject", SPECIMEN]).status, Some(1));
}

#[test]
fn the_alphabet_is_printed() {
    let place = Place::new();
    let left = place.run(&["explore", "--alphabet", "--queue-size", "2"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    let actions = left.out.lines().filter(|line| line.starts_with("    ")).count();
    assert!(left.out.starts_with(&format!("queue size 2: 2 setups, {actions} actions\n")), "{left:?}");
    assert!(left.out.contains("\n    device fault index-jump newest value=1\n"), "{left:?}");
    // Every action is a step of the text form.
    let steps: String = left
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| !line.contains('('))
        .fold(String::new(), |text, line| text + line + "\n");
    place.write("all.storm", format!("ringstorm scenario 1\nqueue size=2 buffer=4\n{steps}"));
    assert_eq!(place.run(&["replay", "all.storm"]).status, Some(0));
}

#[test]
fn a_scope_above_the_limit_is_refused_with_its_size() {
    let place = Place::new();
    let args = ["explore", "--queue-size", "1", "--depth", "40", "--faults", "1", "--max-states", "10000"];
    let left = place.run(&args);
    assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
    assert!(left.err.starts_with("error: queue size 1: about ") && left.err.lines().count() == 1, "{left:?}");
    let part = " states are expected up to depth 40 with at most one fault in an execution, but the limit is 10,000; --depth ";
    assert!(left.err.contains(part), "{left:?}");
    // With --time it starts all the same, and stops at the limit of states.
    let left = place.run(&[&args[..], &["--time", "50s"]].concat());
    assert_eq!(left.status, Some(0), "{left:?}");
    assert!(left.out.contains("  queue size 1   not exhausted, complete to depth "), "{left:?}");
    assert!(left.out.contains(": stopped at the limit of states; 10,000 states, "), "{left:?}");
}
