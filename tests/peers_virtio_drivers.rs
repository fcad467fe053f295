//! Replays the findings in `virtio-drivers`: each subject must have the expected outcome. The annotated traces are reviewed
//! output, in reports/peers/virtio-drivers.

#[path = "../examples/virtio_drivers/adapter/mod.rs"]
mod adapter;
#[path = "../examples/support/documents.rs"]
mod documents;

use ringstorm::annotated_trace;
use ringstorm::execution::Rig;
use ringstorm::outcome::Expected;
use ringstorm::scenario::{Document, Profile, generate};
use ringstorm::subject::{SubjectKind, Subjects};
use std::path::Path;

fn documents() -> Vec<(String, String, Document)> {
    documents::documents(Path::new(adapter::FINDINGS)).unwrap()
}

#[test]
fn every_finding_has_the_expected_outcome() {
    let subjects = Subjects::with(&adapter::ALL).unwrap();
    let mut rig = Rig::new().unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../reports/peers/virtio-drivers");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, _, document) in documents() {
        let mut traces = document.comments.iter().map(|comment| format!("#{comment}\n")).collect::<String>();
        for (subject, expected) in &document.expectations {
            let kind = subjects.by_name(subject).unwrap_or_else(|| panic!("no subject {subject}"));
            let (text, outcome) = annotated_trace::annotate(&mut rig, kind, &document.scenario).unwrap();
            assert_eq!(Expected::of(&outcome.verdict), *expected, "{name} on {subject}:\n{text}");
            traces.push_str(&format!("\n== {text}"));
        }
        settings.bind(|| insta::assert_snapshot!(name, traces));
    }
}

#[test]
fn every_finding_is_in_canonical_form() {
    for (name, text, document) in documents() {
        assert_eq!(document.to_string(), text, "{name}");
    }
}

#[test]
fn every_subject_has_a_finding_and_its_spared_variant_passes_one() {
    let documents = documents();
    for own in &adapter::ALL {
        let name = SubjectKind::External(own).name();
        let named = |(subject, expected): &(String, Expected)| {
            *subject == name && (*expected == Expected::Pass) == name.ends_with("-spared")
        };
        assert!(documents.iter().any(|(_, _, document)| document.expectations.iter().any(named)), "{name}");
    }
}

#[test]
fn a_spared_variant_has_no_other_finding() {
    let mut rig = Rig::new().unwrap();
    for own in &adapter::ALL {
        let kind = SubjectKind::External(own);
        if !kind.name().ends_with("-spared") {
            continue;
        }
        for profile in [Profile::Honest, Profile::Hostile, Profile::Swarm] {
            for seed in 0..40 {
                let scenario = generate(seed, profile, 64);
                let (text, outcome) = annotated_trace::annotate(&mut rig, kind, &scenario).unwrap();
                assert!(!outcome.is_finding(), "seed {seed}, {profile:?}:\n{text}");
            }
        }
    }
}
