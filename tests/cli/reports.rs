//! Merging the reports of shards, and refusing reports that do not belong together.

use crate::{Place, SPECIMEN, TIMES, json};
use serde_json::{Value, json};

/// Runs shard K of N of a run with findings, and writes its report.
fn shard(place: &Place, shard: &str, more: &[&str]) -> String {
    let base =
        ["run", "--json", "--subject", SPECIMEN, "--seeds", "150", "--from", "100", "--max-findings", "999"];
    let left = place.run(&[&base[..], &["--shard", shard], more].concat());
    let name = format!("shard-{}.json", shard.replace('/', "-of-"));
    place.write(&name, left.out);
    name
}

fn shards(place: &Place, of: u32) -> Vec<String> {
    (1..=of).map(|number| shard(place, &format!("{number}/{of}"), &[])).collect()
}

fn without(mut report: Value, keys: &[&str]) -> Value {
    let object = report.as_object_mut().expect("an object");
    TIMES.iter().chain(keys).for_each(|key| assert!(object.remove(*key).is_some(), "{key}"));
    report
}

#[test]
fn shards_in_any_number_of_processes_are_the_whole_run() {
    let place = Place::new();
    let whole = shard(&place, "1/1", &[]);
    // The report of the only shard is that of the whole run.
    let whole = without(json(&place.run(&["report", "--json", &whole])), &["jobs", "canary"]);
    assert!(whole["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{whole}");
    for of in [2, 3, 7] {
        let mut names = shards(&place, of);
        // In any order.
        names.reverse();
        names.swap(0, of as usize / 2);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let merged = place.run(&[&["report", "--json"], &names[..]].concat());
        assert_eq!(merged.status, Some(1), "something was found");
        assert!(merged.err.is_empty(), "{merged:?}");
        assert_eq!(without(json(&merged), &["jobs", "canary"]), whole, "{of} shards");
        let text = place.run(&[&["report"], &names[..]].concat());
        assert!(text.out.contains(": 150 seeds from 100, "), "{text:?}");
        assert!(!text.out.contains("incomplete") && !text.out.contains("missing"), "{text:?}");
    }
}

#[test]
fn an_unsharded_report_stays_as_it_is() {
    let place = Place::new();
    let left = place.run(&["run", "--json", "--seeds", "40"]);
    place.write("run.json", &left.out);
    let again = place.run(&["report", "--json", "run.json", "-o", "again.json"]);
    assert_eq!((again.status, again.out.as_str()), (Some(0), ""), "{again:?}");
    assert_eq!(place.read("again.json"), left.out);
    let text = place.run(&["report", "run.json"]);
    assert!(text.status == Some(0) && text.out.ends_with("nothing found\n"), "{text:?}");
}

#[test]
fn missing_shards_are_named_and_never_pass() {
    let place = Place::new();
    for number in [1, 3] {
        let left = place.run(&["run", "--json", "--seeds", "40", "--shard", &format!("{number}/4")]);
        place.write(&format!("{number}.json"), left.out);
    }
    let left = place.run(&["report", "1.json", "3.json"]);
    assert_eq!(left.status, Some(2), "{left:?}");
    assert!(left.out.contains("missing    shard 2/4\n  missing    shard 4/4\n"), "{left:?}");
    assert_eq!(
        left.err,
        "error: nothing found, but incomplete: shard 2/4 is missing, shard 4/4 is missing\n"
    );
    let left = place.run(&["report", "--json", "1.json", "3.json"]);
    assert_eq!((&json(&left)["missing"], &json(&left)["complete"]), (&json!(["2/4", "4/4"]), &json!(false)));
    // A merged report with missing shards is not a shard.
    place.write("part.json", left.out);
    let left = place.run(&["report", "part.json", "1.json"]);
    assert_eq!(left.status, Some(2));
    assert_eq!(left.err, "error: part.json: expected a report of all shards, found one without 2/4, 4/4\n");
}

#[test]
fn a_shard_that_ended_early_is_named_and_never_green() {
    let place = Place::new();
    let names: Vec<String> = (1..=3).map(|number| format!("{number}.json")).collect();
    for (number, name) in (1..).zip(&names) {
        let left = place.run(&["run", "--json", "--seeds", "90", "--shard", &format!("{number}/3")]);
        let mut report = json(&left);
        if number > 1 {
            // The state after Ctrl-C.
            report["complete"] = json!(false);
        }
        place.write(name, report.to_string());
    }
    let left = place.run(&["report", &names[0], &names[1], &names[2]]);
    assert_eq!(left.status, Some(2), "{left:?}");
    assert!(left.out.contains("  incomplete shard 2-3/3 ended early\n"), "{left:?}");
    assert_eq!(left.err, "error: nothing found, but incomplete: shard 2-3/3 ended early\n");
}

#[test]
fn more_shards_than_seeds_add_up_too() {
    let place = Place::new();
    let whole = json(&place.run(&["run", "--json", "--seeds", "3"]));
    let names: Vec<String> = (1..=5).map(|number| format!("{number}.json")).collect();
    for (number, name) in (1..).zip(&names) {
        let left = place.run(&["run", "--json", "--seeds", "3", "--shard", &format!("{number}/5")]);
        assert_eq!(left.status, Some(0), "{left:?}");
        place.write(name, left.out);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let merged = place.run(&[&["report", "--json"], &names[..]].concat());
    assert_eq!(merged.status, Some(0), "{merged:?}");
    assert_eq!(without(json(&merged), &["jobs", "canary"]), without(whole, &["jobs", "canary"]));
}

#[test]
fn reports_of_different_runs_are_refused() {
    let place = Place::new();
    let one = shard(&place, "1/2", &[]);
    let other = |name: &str, more: &[&str]| {
        let left = place.run(
            &[&["run", "--json", "--subject", SPECIMEN, "--seeds", "150", "--from", "100"], more].concat(),
        );
        place.write(name, left.out);
        name.to_owned()
    };
    let cases = [
        (
            other("a.json", &["--shard", "2/2", "--max-findings", "999", "--steps", "64"]),
            "steps_per_seed is 64 there and 128 here",
        ),
        (
            other("b.json", &["--shard", "2/2", "--max-findings", "999", "--profile", "hostile"]),
            "profile is \"hostile\" there and \"swarm\" here",
        ),
        (
            other("c.json", &["--shard", "2/3", "--max-findings", "999"]),
            "the first is one of 2 shards, the second one of 3",
        ),
        (other("d.json", &["--shard", "2/2"]), "max_findings is 10 there and 999 here"),
    ];
    for (name, what) in &cases {
        let left = place.run(&["report", &one, name]);
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
        assert_eq!(left.err, format!("error: {one} and {name} are reports of different runs: {what}\n"));
    }
    let left = place.run(&["report", &one, &one]);
    assert_eq!(left.status, Some(2));
    assert_eq!(
        left.err,
        format!("error: {one} and {one} are the same shard: both have the seeds from 100 on\n")
    );
    // Two runs with a time are not shards, even if they have no common seeds.
    let [first, second] = ["0", "100000"].map(|from| {
        let left = place.run(&["run", "--json", "--time", "100ms", "--from", from]);
        place.write(&format!("{from}.json"), left.out);
        format!("{from}.json")
    });
    let left = place.run(&["report", &first, &second]);
    let error =
        "are two runs with --time, not shards of one run (run --shard); compare them with report --compare";
    assert_eq!((left.status, left.err), (Some(2), format!("error: {first} and {second} {error}\n")));
}

#[test]
fn files_that_are_not_reports() {
    let place = Place::new();
    let report = place.run(&["run", "--json", "--seeds", "3"]).out;
    place.write("kept.txt", "as it was");
    let changed = |key: &str, value: Value| {
        let mut report: Value = serde_json::from_str(&report).expect("an object");
        report[key] = value;
        report.to_string()
    };
    let cases = [
        (report[..report.len() / 2].to_owned(), "expected a report as JSON: EOF while parsing"),
        (String::new(), "expected a report as JSON: EOF while parsing a value"),
        ("[1, 2]".to_owned(), "expected a report of `run --json`, found no version"),
        (
            "{\"version\": 1, \"specimens\": []}".to_owned(),
            "expected a report of `run --json`, found one of `calibrate --json`",
        ),
        ("{\"version\": 1}".to_owned(), "expected version 3 of the report, found version 1"),
        (changed("version", json!(2)), "expected version 3 of the report, found version 2"),
        (changed("seeds", json!("many")), "expected a report of `run --json`: invalid type"),
        (changed("shard", json!("5/4")), "shard: expected K/N with K from 1 to N"),
        (changed("from", json!(7)), "from: expected the first seed of its shard, found 7"),
        (changed("seeds", json!(2)), "seeds: expected 3 in a complete shard, found 2"),
        (changed("seeds", json!(u64::MAX)), "seeds: expected at most 3, found 18446744073709551615"),
        (changed("steps", json!(u64::MAX)), "steps: expected at most 387, found 18446744073709551615"),
        (changed("effective_steps", json!(388)), "effective_steps: expected at most 387, found 388"),
        (changed("canary", json!(null)), "expected a canary that was caught, found none"),
        (changed("trace_hash", json!("0x12g")), "trace_hash: expected 0x and 16 digits"),
        (changed("seconds", json!(-1.0)), "cannot convert float seconds to Duration"),
        (
            changed(
                "coverage",
                json!({"pairs_hit": 0, "pairs_total": 1, "missed": ["no x pair"], "states": [], "seeds": {}}),
            ),
            "coverage: its numbers contradict each other",
        ),
        (
            changed(
                "coverage",
                json!({"pairs_hit": 0, "pairs_total": 1, "missed": [], "states": [], "seeds": {"no-fault": []}}),
            ),
            "coverage: expected the name of a fault, found \"no-fault\"",
        ),
        (
            changed(
                "counts",
                json!({"operations": {"driver dance": {"begun": 1, "effective": 1}}, "faults": {}}),
            ),
            "counts: \"driver dance\" is not an operation",
        ),
        (
            changed(
                "counts",
                json!({"operations": {"driver take": {"begun": 388, "effective": 1}}, "faults": {}}),
            ),
            "counts: expected at most 387, found 388",
        ),
        (
            changed("pace", json!([{"seconds": -1.0, "effective_steps": 1, "stepping_seconds": 1.0}])),
            "pace: cannot convert float seconds to Duration",
        ),
    ];
    for (text, what) in cases {
        place.write("bad.json", &text);
        let left = place.run(&["report", "bad.json", "-o", "kept.txt"]);
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{what}: {left:?}");
        assert!(left.err.starts_with(&format!("error: bad.json: {what}")), "{what}: {left:?}");
        assert_eq!(left.err.lines().count(), 1, "{left:?}");
        assert_eq!(place.read("kept.txt"), "as it was");
    }
    let left = place.run(&["report", "missing.json"]);
    assert!(left.status == Some(2) && left.err.starts_with("error: missing.json: No such file"), "{left:?}");
    let left = place.run(&["report"]);
    assert!(left.status == Some(2) && left.err.contains("<FILE.json>..."), "{left:?}");
}

#[test]
fn a_calibration_measures_the_subjects_that_are_named() {
    let named = ["specimen-id-folded", "specimen-id-truncated"];
    let place = Place::new();
    let args = ["calibrate", "--subject", &named.join(","), "--steps", "40"];
    let report = json(&place.run(&[&args[..], &["--json"]].concat()));
    let specimens = report["specimens"].as_array().expect("an array");
    let names: Vec<&str> = specimens.iter().filter_map(|specimen| specimen["name"].as_str()).collect();
    assert_eq!(names, named);
    let left = place.run(&args);
    assert!(left.out.contains(" of 2 subjects were caught from every start\n"), "{left:?}");
}
