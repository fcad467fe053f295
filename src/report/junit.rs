//! The results of a run as JUnit XML, with a test for each invariant: every run has the same tests.

use super::page;
use super::repeat::{replay_command, run_command};
use super::{FindingReport, RunReport, counted};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use ringstorm_model::Invariant;
use std::time::Duration;
use strum::VariantArray;

/// The most findings in full for one invariant.
const MOST_IN_FULL: usize = 20;

/// The report as XML.
///
/// # Errors
/// A message if it cannot be written.
pub fn junit(report: &RunReport) -> Result<String, String> {
    let profile: &str = report.asked.profile.into();
    let class = format!("ringstorm.{}.{profile}", plain(&report.asked.subject));
    let mut suite = TestSuite::new(format!("{} under the {profile} storm", plain(&report.asked.subject)));
    suite.set_time(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
    for (name, value) in properties(report) {
        suite.add_property(Property::new(name, value));
    }
    let mut add = |name: &str, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname(class.as_str());
        suite.add_test_case(case);
    };
    add("every seed was run", completeness(report));
    for invariant in Invariant::VARIANTS {
        let broken = |finding: &&FindingReport| finding.signature.expected.invariant() == Some(*invariant);
        let findings: Vec<&FindingReport> = report.findings.iter().filter(broken).collect();
        add(invariant.name(), status(report, *invariant, &findings));
    }
    let mut all = Report::new("ringstorm");
    all.add_test_suite(suite);
    all.to_string().map_err(|error| error.to_string())
}

fn properties(report: &RunReport) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("generator", plain(&report.asked.generator)),
        ("seeds", report.seeds.to_string()),
        ("effective steps", report.effective_steps.to_string()),
        ("coverage cells", report.coverage.pairs_hit.to_string()),
        ("trace hash", plain(&report.trace_hash)),
        ("command", visible(&run_command(report))),
    ];
    if let Some(canary) = &report.canary {
        properties.push(("canary", plain(&canary.signature)));
    }
    properties
}

/// Whether every seed ran. An incomplete run is an error, and a run that stopped at its limit of findings is skipped.
fn completeness(report: &RunReport) -> TestCaseStatus {
    let gaps = report.gaps();
    if gaps.is_empty() && report.complete {
        return TestCaseStatus::success();
    }
    if gaps.is_empty() {
        let mut status = TestCaseStatus::skipped();
        let (groups, seeds) = (report.findings.len() as u64, counted(report.seeds, "seed"));
        status.set_message(format!(
            "the run stopped at its limit of findings: {} after {seeds}",
            counted(groups, "group")
        ));
        return status;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let gaps: Vec<String> = gaps.iter().map(|gap| plain(gap)).collect();
    status.set_message(gaps.join(", "));
    status
}

fn status(report: &RunReport, invariant: Invariant, findings: &[&FindingReport]) -> TestCaseStatus {
    let Some(first) = findings.first() else { return TestCaseStatus::success() };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(first.signature.expected.kind());
    status.set_message(plain(&first.detail));
    let mut text = format!("rule {invariant}: {}\n", invariant.sentence());
    for finding in findings.iter().take(MOST_IN_FULL) {
        text.push_str(&format!(
            "\n{}\n{}\n{}, lowest seed {}\nreplay it with: {}\n",
            plain(&finding.signature.to_string()),
            plain(&finding.detail),
            counted(finding.count, "seed"),
            finding.seed,
            visible(&replay_command(report, finding))
        ));
    }
    if findings.len() > MOST_IN_FULL {
        text.push_str(&format!(
            "\n{} of findings\n",
            counted((findings.len() - MOST_IN_FULL) as u64, "more group")
        ));
    }
    status.set_description(text);
    status
}

/// As on the page, without the characters that XML does not permit.
fn plain(text: &str) -> String {
    well_formed(&page::plain(text))
}

/// The same in full length.
fn visible(text: &str) -> String {
    well_formed(&page::visible(text))
}

/// Escapes the characters that XML 1.0 does not permit, escaped or not.
fn well_formed(text: &str) -> String {
    let is_allowed =
        |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    let mut written = String::new();
    for character in text.chars() {
        match is_allowed(character) {
            true => written.push(character),
            false => written.extend(character.escape_unicode()),
        }
    }
    written
}
