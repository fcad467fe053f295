//! The command line with subjects from another crate, called from a test.

use super::example;
use ringstorm::cli::{self, CliError, Found};
use ringstorm::subject::{Capabilities, External, Subjects};

/// Tests run in the folder of the package, so the output must go to another folder.
fn run(own: &'static [External], arguments: &[&str]) -> Result<Found, CliError> {
    cli::command(own, arguments)
}

#[test]
fn a_test_runs_the_storm_over_its_own_queue() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a name");
    let storm = ["run", "--seeds", "400", "--out", out];
    assert_eq!(
        run(&[example::OWN], &[&storm[..], &["--profile", "honest"]].concat()).unwrap(),
        Found::Nothing
    );
    let hostile = ["run", "--seeds", "400", "--max-findings", "2", "--out", out];
    assert_eq!(run(&[example::OWN], &hostile).unwrap(), Found::Something);
    let mut findings: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "storm"))
        .collect();
    findings.sort();
    assert!(findings.len() >= 2, "{findings:?}");
    let report = std::fs::read_to_string(folder.path().join("report.json")).expect("a report");
    assert!(report.contains("\"program\": \"\""), "no command line is that of this test: {report}");
    for finding in findings {
        let text = std::fs::read_to_string(&finding).expect("a scenario");
        assert!(text.contains(": replay ") && !text.contains("ringstorm replay"), "{text}");
        let finding = finding.to_str().expect("a name");
        for command in ["replay", "shrink"] {
            assert_eq!(
                run(&[example::OWN], &[command, finding]).unwrap(),
                Found::Something,
                "{command} {finding}"
            );
        }
        assert_eq!(run(&[example::OWN], &["replay", finding, "--subject", "core"]).unwrap(), Found::Nothing);
    }
    let explore = ["explore", "--queue-size", "2", "--depth", "2"];
    assert_eq!(run(&[example::OWN], &explore).unwrap(), Found::Something);
}

/// The error message for these arguments.
fn refused(own: &'static [External], arguments: &[&str]) -> String {
    let Err(CliError::Input(text)) = run(own, arguments) else { panic!("{arguments:?} was not refused") };
    text
}

#[test]
fn refused_arguments() {
    insta::assert_snapshot!(refused(&[example::OWN], &["run", "--subject", "trustin"]), @"invalid value 'trustin' for '--subject <NAME>': expected the name of a subject (did you mean trusting, specimen or specimen-interrupt-flag-inverted?); the names are trusting, core, specimen, specimen-DEFECT and deadly-DEED");
    insta::assert_snapshot!(refused(&[example::OWN], &["run", "--isolate"]), @"--isolate starts this program again, so its main must call ringstorm::cli::main_with");
    let wrong = refused(&[example::OWN], &["run", "--seedz", "1"]);
    assert!(wrong.contains("--seedz"), "{wrong}");
}

#[test]
fn invalid_names() {
    const fn named(name: &'static str) -> External {
        External::new(name, Capabilities::NONE, |_, _| unreachable!("nothing is run"))
    }
    let flaw = |own: &'static [External]| Subjects::with(own).unwrap_err();
    insta::assert_snapshot!(flaw(&[const { named("core") }]), @"two subjects have the name core");
    insta::assert_snapshot!(flaw(&[const { named("mine") }, const { named("mine") }]), @"two subjects have the name mine");
    insta::assert_snapshot!(flaw(&[const { named("a b") }]), @"the name of a subject consists of letters, digits, -, _ and ., and does not begin with - or .: \"a b\" is invalid");
    insta::assert_snapshot!(flaw(&[const { named("") }]), @"the name of a subject consists of letters, digits, -, _ and ., and does not begin with - or .: \"\" is invalid");
}

/// A name may be computed, and a closure may capture what distinguishes the variants.
#[test]
fn one_adapter_serves_many_variants() {
    let can = Capabilities { prepare: true, free: true, ..Capabilities::NONE };
    let variants: Vec<External> = [false, true]
        .map(|fails| {
            External::variant(format!("mine-{fails}"), can, move |setup, provided| {
                assert!(!fails, "this variant fails");
                Box::new(ringstorm::subject::CoreQueue::new(setup, provided))
            })
        })
        .into();
    let variants: &'static [External] = variants.leak();
    assert_eq!(run(variants, &["replay", "7", "--subject", "mine-false"]).unwrap(), Found::Nothing);
    assert_eq!(run(variants, &["replay", "7", "--subject", "mine-true"]).unwrap(), Found::Something);
    let invalid: Vec<External> = vec![External::variant("a b", Capabilities::NONE, |_, _| unreachable!())];
    assert!(Subjects::with(invalid.leak()).unwrap_err().contains("is invalid"));
}

#[test]
fn variants_of_a_queue_are_measured() {
    let calibrate = ["calibrate", "--steps", "40", "--subject", "trusting,specimen-id-folded"];
    assert_eq!(run(&[example::OWN], &calibrate).unwrap(), Found::Nothing);
    let wrong = refused(&[example::OWN], &["calibrate", "--subject", "trusting,trustin"]);
    assert!(wrong.contains("did you mean trusting"), "{wrong}");
    let deadly = refused(&[example::OWN], &["calibrate", "--subject", "deadly-spin"]);
    assert!(deadly.contains("deadly-spin needs child processes"), "{deadly}");
}
