//! Replays every file of corpus/regressions: each subject must have the expected outcome, and core must pass. The annotated
//! traces are reviewed output, in reports/regressions. To make a finding a regression, add its file.

use ringstorm::annotated_trace;
use ringstorm::execution::Rig;
use ringstorm::outcome::Expected;
use ringstorm::report::as_regression;
use ringstorm::scenario::{Document, Scenario};
use ringstorm::subject::{Defect, SubjectKind};
use std::path::{Path, PathBuf};
use strum::VariantArray;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/regressions");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Document {
    let text = std::fs::read_to_string(path).unwrap();
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The expectations of a file. Core must always pass, even if the file does not name it.
fn expectations(document: &Document) -> Vec<(SubjectKind, Expected)> {
    let mut all: Vec<(SubjectKind, Expected)> = document
        .expectations
        .iter()
        .map(|(name, expected)| {
            (SubjectKind::by_name(name).unwrap_or_else(|| panic!("no subject {name}")), *expected)
        })
        .collect();
    if !all.iter().any(|(kind, _)| *kind == SubjectKind::Core) {
        all.insert(0, (SubjectKind::Core, Expected::Pass));
    }
    all
}

#[test]
fn every_regression_has_the_expected_outcome() {
    let mut rig = Rig::new().unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../reports/regressions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in files() {
        let document = read(&path);
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut traces = document.comments.iter().map(|comment| format!("#{comment}\n")).collect::<String>();
        for (kind, expected) in expectations(&document) {
            let (text, outcome) = annotated_trace::annotate(&mut rig, kind, &document.scenario).unwrap();
            assert_eq!(Expected::of(&outcome.verdict), expected, "{name} on {}:\n{text}", kind.name());
            traces.push_str(&format!("\n== {text}"));
        }
        settings.bind(|| insta::assert_snapshot!(name, traces));
    }
}

#[test]
fn every_regression_survives_a_round_trip() {
    for path in files() {
        let document = read(&path);
        let again: Document = document.to_string().parse().unwrap();
        assert_eq!(again, document, "{}", path.display());
        assert_eq!(Scenario::decode(&document.scenario.encode()), document.scenario, "{}", path.display());
    }
}

#[test]
fn every_defect_has_a_regression_that_core_passes() {
    let documents: Vec<Document> = files().iter().map(|path| read(path)).collect();
    for defect in Defect::VARIANTS {
        let kind = SubjectKind::Specimen(Some(*defect));
        let caught = documents
            .iter()
            .flat_map(expectations)
            .any(|expectation| expectation.0 == kind && expectation.1 != Expected::Pass);
        assert!(caught, "no regression catches {}", kind.name());
    }
}

/// The comment in a finding's file explains how to make it a regression. For core there is no line to add, since core must pass.
#[test]
fn the_comment_in_a_finding_gives_the_line_that_makes_it_a_regression() {
    let copied = "to keep this as a regression, copy this file to corpus/regressions: core must pass it";
    assert_eq!(as_regression("core", Expected::Panic), copied);
    let comment = as_regression("specimen", Expected::Stuck);
    let line = comment.strip_prefix("to keep this as a regression, add the last line: ").expect("a line");
    let document: Document =
        format!("ringstorm scenario 1\nqueue size=1 buffer=1\n{line}\n").parse().unwrap();
    assert_eq!(document.expectations, [("specimen".to_owned(), Expected::Stuck)]);
}
