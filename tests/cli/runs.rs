//! Runs: their findings, files and output.

use crate::{Left, Place, SPECIMEN, TIMES, json};
use serde_json::Value;

fn number(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("{key} is no number in {report}"))
}

/// A run over the specimen, with further arguments.
fn storm(place: &Place, seeds: &str, more: &[&str]) -> Left {
    place.run(&[&["run", "--subject", SPECIMEN, "--seeds", seeds], more].concat())
}

/// A defect that shows in many ways.
const MANY: &str = "specimen-free-follows-table";

fn many(place: &Place, more: &[&str]) -> Left {
    place.run(&[&["run", "--subject", MANY, "--seeds", "100"], more].concat())
}

fn signatures(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("an array");
    findings.iter().map(|finding| finding["signature"].as_str().expect("a string").to_owned()).collect()
}

#[test]
fn nothing_found() {
    let place = Place::new();
    let left = place.run(&["run", "--seeds", "40"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    assert!(left.out.starts_with("core under the swarm storm: 40 seeds from 0, "), "{left:?}");
    assert!(left.out.ends_with("nothing found\n"), "{left:?}");
    assert_eq!(left.err, "", "progress is for terminals only");
    assert!(place.everything().is_empty(), "no folder without a finding");
}

#[test]
fn json_has_its_fields() {
    let place = Place::new();
    let left = storm(&place, "40", &["--json", "--out", "found", "--jobs", "2"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    let report = json(&left);
    assert_eq!(report["version"], 3);
    assert_eq!(report["subject"], SPECIMEN);
    assert_eq!(report["profile"], "swarm");
    assert_eq!(number(&report, "seeds"), 40);
    let (steps, effective) = (number(&report, "steps"), number(&report, "effective_steps"));
    assert!(0 < effective && effective < steps && steps <= 40 * 129, "{report}");
    assert!(report["seconds"].as_f64().expect("a number") > 0.0);
    assert!(report["steps_per_second"].as_f64().expect("a number") > 0.0);
    let hash = report["trace_hash"].as_str().expect("a string").strip_prefix("0x").expect("hexadecimal");
    assert!(hash.len() == 16 && u64::from_str_radix(hash, 16).is_ok(), "{hash}");
    let (hit, total) = (number(&report["coverage"], "pairs_hit"), number(&report["coverage"], "pairs_total"));
    assert!(0 < hit && hit <= total, "{report}");
    let findings = report["findings"].as_array().expect("an array");
    assert!(!findings.is_empty());
    for finding in findings {
        let signature = finding["signature"].as_str().expect("a string");
        let invariant = finding["invariant"].as_str().expect("a string");
        assert!(signature.starts_with(&format!("{SPECIMEN}/violation/{invariant}/")), "{finding}");
        assert!(number(finding, "seed") < 40 && number(finding, "step") <= 128, "{finding}");
        assert!(number(finding, "count") >= 1, "{finding}");
        let text = place.read(finding["file"].as_str().expect("a string"));
        let steps = text.lines().filter(|line| line.starts_with('d') || *line == "settle").count();
        assert_eq!(number(finding, "steps_after_shrinking"), steps as u64, "{text}");
        assert!(text.contains(&format!("# {signature}\n")), "{text}");
    }
}

#[test]
fn the_last_line_reproduces_the_finding() {
    // Folder names that need quotes in a shell.
    for folder in ["found", "what's \"found\" $here", "deep/er"] {
        let place = Place::new();
        let left = storm(&place, "40", &["--out", folder]);
        assert_eq!(left.status, Some(1), "{left:?}");
        let first =
            left.out.split("FOUND ").nth(1).and_then(|rest| rest.lines().next()).expect("a signature");
        let command = left.out.lines().last().expect("a last line");
        let again = place.shell(command);
        assert_eq!(again.status, Some(1), "{command}: {again:?}");
        let invariant = first.split('/').nth(2).expect("an invariant");
        assert!(again.out.contains(&format!("violation of {invariant}: ")), "{first}: {again:?}");
        assert_eq!(again.err, "");
        let files = std::fs::read_dir(place.path().join(folder)).expect("the folder");
        let names: Vec<String> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("text")).collect();
        let (storms, others): (Vec<&str>, Vec<&str>) =
            names.iter().map(String::as_str).partition(|name| name.ends_with(".storm"));
        assert_eq!(storms.len(), left.out.matches("FOUND ").count(), "{names:?}");
        let known = |name: &&str| ["report.json", "report.html", ".ringstorm-lock"].contains(name);
        assert!(others.iter().all(known), "no temporary file is left: {names:?}");
    }
}

/// The file of a finding has the options that select its scenario.
#[test]
fn the_file_of_a_finding_has_the_command_that_replays_its_seed() {
    let place = Place::new();
    for options in [&[][..], &["--queue-size", "16", "--profile", "hostile", "--steps", "50"]] {
        let left =
            storm(&place, "60", &[options, &["--json", "--out", "found", "--max-findings", "1"]].concat());
        let file = json(&left)["findings"][0]["file"].as_str().expect("a file").to_owned();
        let text = place.read(&file);
        let command =
            text.lines().find_map(|line| line.split_once(": ringstorm replay ")).expect("a command").1;
        let again = place.run(&[&["replay"][..], &command.split(' ').collect::<Vec<_>>()].concat());
        assert_eq!(again.status, Some(1), "{command}: {again:?}");
        let size = if options.is_empty() { "" } else { "queue size=16 " };
        assert!(again.out.contains(size), "{command}: {again:?}");
    }
}

#[test]
fn masked_signatures_are_named_and_not_found() {
    let place = Place::new();
    let found = signatures(&json(&many(&place, &["--json", "--out", "found"])));
    let masks: Vec<&str> = found.iter().flat_map(|signature| ["--mask", signature]).collect();
    let left = many(&place, &masks);
    assert_eq!(left.status, Some(0), "{left:?}");
    assert!(left.out.ends_with("nothing found\n"), "{left:?}");
    for signature in &found {
        assert!(left.out.contains(&format!("masked     {signature}: ")), "{signature}: {left:?}");
    }
    let left = many(&place, &[&masks[..2], &["--json"]].concat());
    assert_eq!(left.status, Some(1));
    assert_eq!(signatures(&json(&left)), found[1..], "only the masked finding is missing");
    let counts = format!("{MANY}/*/free-count/*/*");
    let left = many(&place, &["--mask", &counts, "--json"]);
    let others: Vec<_> =
        found.iter().filter(|signature| !signature.contains("/free-count/")).cloned().collect();
    assert_eq!(signatures(&json(&left)), others, "* matches any part");
    let left = many(&place, &["--mask", "*/*/*/take/silent-none", "--json"]);
    assert_eq!(signatures(&json(&left)), found, "a mask has every part of a signature");
    assert!(left.err.contains("--mask */*/*/take/silent-none: no finding has this signature"), "{left:?}");
}

#[test]
fn enough_findings_end_a_run_early() {
    let place = Place::new();
    let left = storm(&place, "4000", &["--json", "--max-findings", "1"]);
    let report = json(&left);
    let groups = signatures(&report).len();
    // Seeds run in blocks, and a whole block is merged.
    assert!(left.status == Some(1) && groups >= 1, "{left:?}");
    assert!(number(&report, "seeds") < 4000);
    assert_eq!(report["complete"], false);
    let note = format!(
        "stopped after {} seeds: {groups} group{} of findings (--max-findings)\n",
        number(&report, "seeds"),
        if groups == 1 { "" } else { "s" }
    );
    assert!(left.err.ends_with(&note), "{left:?}");
    let complete = storm(&place, "40", &["--json"]);
    assert_eq!(json(&complete)["complete"], true);
    assert!(!complete.err.contains("stopped"), "{complete:?}");
}

#[test]
fn shards_cover_all_seeds_once() {
    let place = Place::new();
    let whole = json(&place.run(&["run", "--json", "--seeds", "50", "--from", "0x64"]));
    let shards = ["1/3", "2/3", "3/3"].map(|shard| {
        json(&place.run(&["run", "--json", "--seeds", "50", "--from", "100", "--shard", shard]))
    });
    for key in ["seeds", "steps", "effective_steps", "skipped_steps"] {
        assert_eq!(shards.iter().map(|shard| number(shard, key)).sum::<u64>(), number(&whole, key), "{key}");
    }
    let mut next = 100;
    for shard in &shards {
        assert_eq!(number(shard, "from"), next);
        next += number(shard, "seeds");
    }
    assert_eq!(next, 150);
}

#[test]
fn the_number_of_jobs_changes_nothing() {
    let place = Place::new();
    let [one, three] = ["1", "3"].map(|jobs| {
        let mut report = json(&many(&place, &["--json", "--max-findings", "3", "--jobs", jobs]));
        let object = report.as_object_mut().expect("an object");
        TIMES.iter().chain(&["jobs"]).for_each(|key| assert!(object.remove(*key).is_some(), "{key}"));
        report
    });
    assert_eq!(one, three);
    assert!(signatures(&one).len() >= 3);
}
