//! The findings of a run as SARIF: a rule for each invariant, and the file of each finding as its location.

use super::page::{plain, visible};
use super::repeat::replay_command;
use super::{FindingReport, RunReport, counted};
use ringstorm_model::Invariant;
use serde_json::{Value, json};
use strum::VariantArray;

/// Services accept this number of results.
const MOST_RESULTS: usize = 5_000;

/// The most notifications of parts that did not run.
const MOST_NOTIFICATIONS: usize = 100;

/// The findings as SARIF 2.1.0. If the run is incomplete, `executionSuccessful` is false.
pub fn sarif(report: &RunReport) -> String {
    let rules: Vec<Value> = Invariant::VARIANTS
        .iter()
        .map(|invariant| {
            json!({
                "id": invariant.name(),
                "shortDescription": { "text": invariant.sentence() },
                "defaultConfiguration": { "level": "error" },
            })
        })
        .collect();
    let results: Vec<Value> =
        report.findings.iter().take(MOST_RESULTS).map(|finding| result(report, finding)).collect();
    let gaps = report.gaps();
    let notifications: Vec<Value> = gaps
        .iter()
        .take(MOST_NOTIFICATIONS)
        .map(|gap| json!({ "level": "error", "message": { "text": plain(gap) } }))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ringstorm",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": gaps.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("keys are strings");
    text.push('\n');
    text
}

fn result(report: &RunReport, finding: &FindingReport) -> Value {
    let rule = finding.signature.expected.invariant().map_or("none", Invariant::name);
    let (signature, detail) = (plain(&finding.signature.to_string()), plain(&finding.detail));
    let text = format!(
        "{detail}.{} Found by {}, lowest seed {}. Replay it with: {}",
        finding.rule().map_or(String::new(), |rule| format!(" Violated {rule}")),
        counted(finding.count, "seed"),
        finding.seed,
        visible(&replay_command(report, finding))
    );
    let mut location =
        json!({ "logicalLocations": [{ "name": plain(&report.asked.subject), "kind": "module" }] });
    // A finding whose file could not be written has no location.
    if !finding.file.is_empty() {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&finding.file) },
            "region": { "startLine": last_step(&finding.scenario) },
        });
    }
    json!({
        "ruleId": rule,
        "level": "error",
        "message": { "text": text },
        "locations": [location],
        "partialFingerprints": { "ringstormSignature/v1": signature },
        "occurrenceCount": finding.count.max(1),
    })
}

/// The line of the last step in the file of a finding, where a shrunk scenario fails at the latest. The file begins with
/// comments.
fn last_step(scenario: &str) -> usize {
    const COMMENTS: usize = 4;
    scenario.lines().count().max(1) + COMMENTS
}

/// A path as a relative reference of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            b'\\' => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
