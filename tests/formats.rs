//! Every form of a report, as reviewed output in reports/formats, and the schemas of the JSON forms, in reports/schemas.

#[path = "support/reports.rs"]
mod reports;

use reports::{calibration, found, hostile, run};
use ringstorm::explore::report::ExploreReport;
use ringstorm::outcome::Expected;
use ringstorm::report::{CalibrationReport, Comparison, FindingReport, RunReport, junit, page, sarif};
use ringstorm::timeline::{Change, Moment, Phase, Timeline};
use schemars::{JsonSchema, schema_for};
use std::path::Path;
use std::time::Instant;

fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../reports/formats");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn every_form_is_as_it_was_reviewed() {
    let report = found();
    let changed = run("specimen-links-read-back", 200, 10);
    let comparison = Comparison::new(&changed, &report).expect("two runs");
    let forms = [
        ("run.txt", report.text()),
        ("run.json", report.json()),
        ("run.html", page(&report, Some(&calibration())).expect("a page")),
        ("run.xml", junit(&report).expect("XML")),
        ("run.sarif", sarif(&report)),
        ("nothing-found.xml", junit(&run("core", 20, 1)).expect("XML")),
        ("compare.txt", comparison.to_string()),
        ("compare.json", comparison.json()),
        ("calibrate.json", serde_json::to_string_pretty(&calibration()).expect("keys are strings")),
    ];
    for (name, text) in forms {
        snapshots().bind(|| insta::assert_snapshot!(name, text));
    }
}

/// Most multiples of 0.1 have no exact binary form, and would print with many digits.
#[test]
fn the_labels_of_the_speed_plot_have_few_digits() {
    let mut report = found();
    for end in [0.000_6, 0.55, 7.3, 86_400.0] {
        for (point, seconds) in report.pace.iter_mut().zip([end / 2.0, end]) {
            (point.seconds, point.stepping_seconds) = (seconds, seconds);
        }
        let page = page(&report, None).expect("a page");
        let labels: Vec<&str> = page.lines().map(str::trim).filter(|line| line.ends_with(" s")).collect();
        assert!(labels.len() > 2 && labels.iter().all(|label| label.len() <= 9), "{labels:?}");
    }
}

/// The page says as much of a finding as the run.
#[test]
fn the_page_says_who_is_at_fault_and_how_to_test_it() {
    let mut report = found();
    let test = "must_pass(SubjectKind::by_name(&#34;specimen-links-read-back&#34;).unwrap(), scenario);";
    let blame = "<dd>The driver is at fault: the device broke the specification earlier (next-out-of-range), which a driver must withstand.</dd>";
    let page = page(&report, None).expect("a page");
    assert!(page.contains(test) && page.contains(blame), "{page}");
    // A subject's name cannot end the comment that contains it. A scenario that ends the process gets no test to paste.
    report.findings.truncate(1);
    report.findings[0].signature.subject = "mine\nfn main() {}".to_owned();
    let page = ringstorm::report::page(&report, None).expect("a page");
    assert!(page.contains("must_pass(SubjectKind::External(&#38;MINE), scenario);"), "{page}");
    assert!(page.contains("is the constant of your subject, mine fn main() {}.\n"), "{page}");
    report.findings[0].signature.expected = Expected::Died;
    assert!(!ringstorm::report::page(&report, None).expect("a page").contains("must_pass"));
}

/// Control characters in names and details of a report are shown as escapes, so they cannot control the terminal.
#[test]
fn text_escapes_invisible_characters() {
    let mut report = hostile();
    report.asked.subject.push_str("\nnothing found");
    let text = report.text();
    assert!(text.matches("\\u{1b}").count() > 5 && text.contains("\\u{202e}"), "{text}");
    let unseen = |letter: char| letter.is_control() && letter != '\n' || "\u{202e}\u{feff}".contains(letter);
    assert!(!text.contains(unseen) && !text.contains("\nnothing found"), "{text}");
}

/// Compares a schema with its file. `INSTA_UPDATE=always` writes the file, as for snapshots.
fn schema<T: JsonSchema>(kind: &str) {
    let mut text = serde_json::to_string_pretty(&schema_for!(T)).expect("keys are strings");
    text.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reports/schemas/{kind}.json"));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &text).expect("a schema can be written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, text, "{}: INSTA_UPDATE=always writes the file again", path.display());
}

#[test]
fn schemas_are_as_they_were_published() {
    schema::<RunReport>("run");
    schema::<CalibrationReport>("calibrate");
    schema::<ExploreReport>("explore");
    schema::<Comparison>("compare");
}

#[test]
fn a_report_can_be_read_back() {
    let report = found();
    assert_eq!(ringstorm::report::read(&report.json()), Ok(report));
}

#[test]
fn hostile_text_is_no_markup() {
    let report = hostile();
    let (page, xml) = (page(&report, None).expect("a page"), junit(&report).expect("XML"));
    for (form, text) in [("page", &page), ("JUnit", &xml)] {
        for mark in
            ["<script>alert", "<img", "<b onclick", "</svg><b", "\u{202e}", "\u{1b}", "\u{0}", "\u{feff}"]
        {
            assert!(!text.contains(mark), "{mark:?} in {form}");
        }
        assert!(text.contains("alert(1)") && text.contains("\\u{202e}"), "{form}");
    }
    assert!(!page.contains("49 ]]"), "the template engine must not evaluate text of a report");
    let sarif: serde_json::Value = serde_json::from_str(&sarif(&report)).expect("JSON");
    let message = sarif["runs"][0]["results"][0]["message"]["text"].as_str().expect("a message");
    assert!(message.contains("<script>alert(1)</script> & \"quoted\"") && message.contains("\\u{202e}"));
}

#[test]
fn sarif_reports_parts_that_are_missing_or_ended_early() {
    let part = |change: &dyn Fn(&mut RunReport)| {
        let mut report = run("core", 20, 1);
        change(&mut report);
        let log: serde_json::Value = serde_json::from_str(&sarif(&report)).expect("JSON");
        let invocation = &log["runs"][0]["invocations"][0];
        let notes = &invocation["toolExecutionNotifications"];
        let notes: Vec<String> =
            notes.as_array().expect("a list").iter().map(|one| one["message"]["text"].to_string()).collect();
        (invocation["executionSuccessful"] == true, notes.join(" "))
    };
    assert_eq!(part(&|_| {}), (true, String::new()));
    let early = (false, "\"the run ended early, after 20 seeds\"".to_owned());
    assert_eq!(part(&|report| report.complete = false), early);
    assert_eq!(part(&|report| (report.complete, report.enough_found) = (false, true)), (true, String::new()));
    let shards = part(&|report| {
        (report.complete, report.enough_found) = (false, true);
        report.missing = vec!["2/4".to_owned()];
        report.ended_early = vec!["3-4/4".to_owned()];
    });
    assert_eq!(shards, (false, "\"shard 2/4 is missing\" \"shard 3-4/4 ended early\"".to_owned()));
}

#[test]
fn xml_contains_no_forbidden_character() {
    let mut report = found();
    let text = "what \u{fffe} is \u{ffff} no \u{1} character \u{fffd}\u{10000}";
    report.asked.subject = text.to_owned();
    report.asked.generator = text.to_owned();
    for finding in &mut report.findings {
        finding.detail = text.to_owned();
        finding.file = format!("{text}.storm");
    }
    let xml = junit(&report).expect("XML");
    let forbidden = |character: char| {
        character < ' ' && !"\t\n\r".contains(character) || matches!(character, '\u{fffe}' | '\u{ffff}')
    };
    assert!(!xml.contains(forbidden), "{xml}");
    assert!(xml.contains("what \\u{fffe} is \\u{ffff} no \\u{1} character \u{fffd}\u{10000}"), "{xml}");
}

#[test]
fn junit_tells_a_run_that_stopped_at_its_limit_from_one_that_ended_early() {
    let case = |change: &dyn Fn(&mut RunReport)| {
        let mut report = run("core", 20, 1);
        change(&mut report);
        let xml = junit(&report).expect("XML");
        let case = xml.split_once("name=\"every seed was run\"").expect("the test").1;
        case.split_once("<testcase").expect("another one").0.trim().to_owned()
    };
    assert!(case(&|_| {}).ends_with("/>"), "it passes");
    let enough = case(&|report| (report.complete, report.enough_found, report.seeds) = (false, true, 1));
    let skipped = "<skipped message=\"the run stopped at its limit of findings: 0 groups after 1 seed\"/>";
    assert!(enough.contains(skipped), "{enough}");
    let early = case(&|report| report.complete = false);
    assert!(early.contains("<error message=\"the run ended early, after 20 seeds\"/>"), "{early}");
}

/// A truncated command would be another valid command.
#[test]
fn no_command_is_cut() {
    let mut report = found();
    let long = "n".repeat(3_000);
    report.asked.subject = format!("{long}\u{1b}end");
    report.findings.truncate(1);
    report.findings[0].file = format!("{long}.storm");
    let shown = |command: &str| format!("{command} --subject '{long}\\u{{1b}}end'");
    let (run, seed) =
        (shown("ringstorm run"), shown(&format!("ringstorm replay {}", report.findings[0].seed)));
    let replay = shown(&format!("ringstorm replay {long}.storm"));
    let page = page(&report, None).expect("a page").replace("&#39;", "'");
    assert!(page.contains(&run) && page.contains(&seed) && page.contains(&replay));
    let xml = junit(&report).expect("XML").replace("&apos;", "'");
    assert!(xml.contains(&run) && xml.contains(&replay));
    assert!(sarif(&report).replace("\\\\", "\\").contains(&replay));
}

/// Largest page: 5 MB, which a browser still shows without delay.
const MOST: usize = 5_000_000;

#[test]
fn a_page_of_ten_thousand_findings_stays_small() {
    let mut report = found();
    let first = report.findings[0].clone();
    for number in 0..10_000 {
        let mut finding = first.clone();
        finding.signature.subject = format!("subject-{number}");
        if number >= 100 {
            finding.timeline = None;
        }
        report.findings.push(finding);
    }
    let start = Instant::now();
    let page = page(&report, None).expect("a page");
    assert!(page.len() < MOST, "{} bytes", page.len());
    assert!(page.contains(" more groups, by signature</summary>"), "findings without a picture are listed");
    assert!(
        page.contains("more groups do not fit on the page; the JSON report has all."),
        "so many are left out"
    );
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    let alike = |finding: &&FindingReport| finding.signature.expected == first.signature.expected;
    assert_eq!(report.findings.iter().filter(alike).count() - 20, 9_981);
    assert!(junit(&report).expect("XML").contains("9,981 more groups of findings"));
}

#[test]
fn a_page_with_a_finding_of_a_hundred_thousand_steps_stays_small() {
    let mut report = found();
    let finding = &mut report.findings[0];
    finding.scenario =
        format!("ringstorm scenario 1\nqueue size=4 buffer=64\n{}", "driver take\n".repeat(100_000));
    finding.detail = "wrong ".repeat(1_000_000);
    // A larger timeline than ringstorm itself writes.
    let change = |step: u32| Change { descriptor: step as u16, chain: u16::MAX, phase: Phase::Device };
    let moment = |step: u32| Moment {
        step: "driver take".to_owned(),
        note: "much ".repeat(100),
        fault: Some("duplicate-id".to_owned()),
        touches: (0..100).collect(),
        changes: (0..20).map(|more| change(step + more)).collect(),
    };
    finding.timeline = Some(Timeline { left_out: u64::MAX, moments: (0..100_000).map(moment).collect() });
    let page = page(&report, None).expect("a page");
    assert!(page.len() < MOST, "{} bytes", page.len());
    assert!(page.contains("The rest is in the finding's file."));
    assert!(page.contains("more descriptors."), "the page states how many descriptors it leaves out");
}
