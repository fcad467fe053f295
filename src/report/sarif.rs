//! What a run found as SARIF: a rule for each invariant, and the file that a finding is kept in as its place.

use super::page::{plain, visible};
use super::repeat::replay_command;
use super::{FindingReport, RunReport, counted};
use ringstorm_model::Invariant;
use serde_json::{Value, json};
use strum::VariantArray;

/// As many results are what services take.
const MOST_RESULTS: usize = 5_000;

/// As many parts that were not run are told of.
const MOST_NOTIFICATIONS: usize = 100;

/// The findings as SARIF 2.1.0. Its invocation failed where silence would mean nothing.
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
        "{detail}. Found by {}, the lowest is {}. {}",
        counted(finding.count, "seed"),
        finding.seed,
        visible(&replay_command(report, finding))
    );
    let mut location =
        json!({ "logicalLocations": [{ "name": plain(&report.asked.subject), "kind": "module" }] });
    // What could not be written is in no file.
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

/// The line of the last step, where a shrunk scenario goes wrong at the latest: behind the comments that a finding's file
/// begins with.
fn last_step(scenario: &str) -> usize {
    const COMMENTS: usize = 4;
    scenario.lines().count().max(1) + COMMENTS
}

/// A path as the reference that it is in a URI.
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
