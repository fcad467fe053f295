//! The forms of a report, and the comparison of two runs.

use crate::{Left, Place, SPECIMEN, json};
use serde_json::json;

/// Runs a storm over the specimen and writes its report.
fn report(place: &Place, name: &str, seeds: &str) {
    let left = place.run(&["run", "--json", "--subject", SPECIMEN, "--seeds", seeds, "--max-findings", "99"]);
    place.write(name, left.out);
}

#[test]
fn the_extension_of_the_output_selects_the_form() {
    let place = Place::new();
    report(&place, "run.json", "40");
    let forms = [
        ("page.html", "html", "<!doctype html>\n"),
        ("again.json", "json", "{\n  \"version\": 3,\n"),
        ("tests.xml", "junit", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ringstorm\""),
        ("found.sarif", "sarif", "{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\""),
        ("run.txt", "text", "specimen-mid-chain-freed under the swarm storm: 40 seeds from 0, "),
    ];
    for (file, format, beginning) in forms {
        let left = place.run(&["report", "run.json", "-o", file]);
        assert_eq!((left.status, left.out.as_str(), left.err.as_str()), (Some(1), "", ""), "{file}");
        assert!(place.read(file).starts_with(beginning), "{file}: {}", &place.read(file)[..80]);
        // --format has precedence over the extension.
        let left = place.run(&["report", "run.json", "--format", format]);
        assert_eq!((left.status, left.out), (Some(1), place.read(file)), "{format}");
        let left = place.run(&["report", "run.json", "--format", format, "-o", "any.thing"]);
        assert_eq!((left.status, place.read("any.thing")), (Some(1), place.read(file)), "{format}");
    }
    let left = place.run(&["report", "run.json", "--format", "pdf"]);
    assert!(left.status == Some(2) && left.err.contains("'pdf'"), "{left:?}");
    let left = place.run(&["report", "run.json", "-o", "x.pdf"]);
    assert!(
        left.status == Some(2)
            && left.err.contains("expected the extension .txt, .json, .html, .xml or .sarif, found .pdf"),
        "{left:?}"
    );
    assert!(!place.path().join("x.pdf").exists());
}

#[test]
fn a_run_with_a_folder_writes_its_page() {
    let place = Place::new();
    let left = place.run(&["run", "--subject", SPECIMEN, "--seeds", "40", "--out", "out"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    let left = place.run(&["report", "out/report.json", "-o", "again.html"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert_eq!(place.read("out/report.html"), place.read("again.html"));
}

#[test]
fn the_calibration_is_shown_on_the_page() {
    let place = Place::new();
    report(&place, "run.json", "20");
    let caught = json!({
        "name": "specimen-head-at-size", "found": true, "invariant": "no-panic", "median_seeds": 2,
        "median_seconds": 0.5, "worst_seeds": 9, "worst_seconds": 1.5, "steps_after_shrinking": 3, "scenario": "",
    });
    let calibration = json!({"version": 1, "generator": "swarm-7", "specimens": [caught]});
    json(&Left { out: calibration.to_string(), ..Left::default() });
    place.write("calibrate.json", calibration.to_string());
    let left = place.run(&["report", "run.json", "--calibration", "calibrate.json", "-o", "page.html"]);
    assert_eq!((left.status, left.err.as_str()), (Some(1), ""));
    assert!(place.read("page.html").contains("specimen-head-at-size"));
    for (bad, what) in [
        (place.read("calibrate.json")[..100].to_owned(), "expected a report as JSON: "),
        (place.read("run.json"), "expected a report of `calibrate --json`, found one of `run --json`"),
        ("{}".to_owned(), "expected a report of `calibrate --json`, found no version"),
    ] {
        place.write("bad.json", bad);
        place.write("page.html", "as it was");
        let left = place.run(&["report", "run.json", "--calibration", "bad.json", "-o", "page.html"]);
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
        assert!(left.err.starts_with(&format!("error: bad.json: {what}")), "{left:?}");
        assert_eq!((left.err.lines().count(), place.read("page.html").as_str()), (1, "as it was"));
    }
}

#[test]
fn a_bad_report_leaves_the_page_as_it_was() {
    let place = Place::new();
    report(&place, "run.json", "20");
    let good = place.read("run.json");
    let bad = [good[..good.len() / 2].to_owned(), "no JSON".to_owned(), good.replacen("3", "4", 1)];
    for text in bad {
        place.write("bad.json", text);
        for ending in ["html", "xml", "sarif", "json"] {
            let page = format!("page.{ending}");
            place.write(&page, "as it was");
            let left = place.run(&["report", "bad.json", "-o", &page]);
            assert_eq!((left.status, left.err.lines().count()), (Some(2), 1), "{left:?}");
            assert_eq!(place.read(&page), "as it was");
        }
    }
}

#[test]
fn two_runs_are_compared() {
    let place = Place::new();
    // A defect that shows in many ways.
    for (name, seeds) in [("small.json", "20"), ("large.json", "200")] {
        let many = ["run", "--json", "--subject", "specimen-index-jump-followed", "--max-findings", "99"];
        place.write(name, place.run(&[&many[..], &["--seeds", seeds]].concat()).out);
    }
    let left = place.run(&["report", "--compare", "small.json", "small.json"]);
    assert_eq!((left.status, left.err.as_str()), (Some(0), ""), "nothing is new: {left:?}");
    assert!(left.out.contains("findings   0 new, 0 gone, ") && left.out.ends_with("traces     equal\n"));
    let left = place.run(&["report", "--compare", "small.json", "large.json", "--json"]);
    assert_eq!(left.status, Some(1), "something is new");
    let compared = json(&left);
    let count = |what: &str| compared["findings"][what].as_array().map_or(0, Vec::len);
    assert!(count("new") > 0 && count("same") > 0 && count("gone") == 0, "{compared}");
    assert!(compared["pairs"]["gained"].as_array().is_some_and(|gained| !gained.is_empty()));
    assert_eq!(compared["pairs"]["lost"], json!([]));
    // With the runs exchanged, the new findings are gone.
    let left = place.run(&["report", "--compare", "large.json", "small.json", "-o", "compared.json"]);
    assert_eq!((left.status, left.out.as_str()), (Some(0), ""));
    let back: serde_json::Value = serde_json::from_str(&place.read("compared.json")).expect("an object");
    assert_eq!(back["pairs"]["lost"], compared["pairs"]["gained"]);
    assert_eq!(back["findings"]["gone"].as_array().map(Vec::len), Some(count("new")));
}

#[test]
fn a_comparison_with_an_incomplete_run_never_passes() {
    let place = Place::new();
    report(&place, "whole.json", "40");
    let changed = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut report = serde_json::from_str(&place.read("whole.json")).expect("an object");
        change(&mut report);
        place.write(name, report.to_string());
    };
    // After Ctrl-C, and at the limit of findings.
    changed("early.json", &|report| report["complete"] = json!(false));
    changed("enough.json", &|report| {
        (report["complete"], report["enough_found"]) = (json!(false), json!(true));
    });
    changed("silent.json", &|report| report["findings"] = json!([]));
    let part =
        ["run", "--json", "--subject", SPECIMEN, "--seeds", "40", "--max-findings", "99", "--shard", "1/2"];
    place.write("part.json", place.run(&part).out);
    let cases = [
        (
            "whole.json",
            "early.json",
            2,
            "error: early.json: no new finding, but incomplete: the run ended early, after 40 seeds\n",
        ),
        (
            "whole.json",
            "part.json",
            2,
            "error: part.json: no new finding, but incomplete: shard 2/2 is missing\n",
        ),
        ("whole.json", "enough.json", 0, ""),
        ("early.json", "whole.json", 0, ""),
        ("silent.json", "early.json", 1, ""),
    ];
    for (before, after, status, err) in cases {
        let left = place.run(&["report", "--compare", before, after]);
        assert_eq!((left.status, left.err.as_str()), (Some(status), err), "{before} {after}: {left:?}");
        assert!(left.out.starts_with("before "), "the comparison is printed: {left:?}");
    }
}

#[test]
fn invalid_comparisons_are_refused() {
    let place = Place::new();
    report(&place, "run.json", "20");
    place.write("cut.json", &place.read("run.json")[..300]);
    let cases: [(&[&str], &str); 4] = [
        (&["run.json"], "error: --compare: expected two reports, before and after, found 1\n"),
        (
            &["run.json", "run.json", "run.json"],
            "error: --compare: expected two reports, before and after, found 3\n",
        ),
        (
            &["run.json", "run.json", "--format", "html"],
            "error: --compare: expected text or json as the format\n",
        ),
        (&["run.json", "cut.json"], "error: cut.json: expected a report as JSON: EOF while parsing"),
    ];
    for (args, what) in cases {
        let left = place.run(&[&["report", "--compare"], args].concat());
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
        assert!(left.err.starts_with(what) && left.err.lines().count() == 1, "{left:?}");
    }
}
