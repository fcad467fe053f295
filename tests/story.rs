//! A finding on a screen, and as a test.

use ringstorm::annotated_trace::{AnnotatedTrace, Style, annotate_in, must_pass, test_of, view};
use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Limit, Verdict};
use ringstorm::scenario::{Document, Scenario, Step};
use ringstorm::subject::SubjectKind;
use std::panic::catch_unwind;
use std::path::Path;

const MISUSE: &str = "ringstorm scenario 1\nqueue size=4 buffer=64\ndriver submit readable=1x8 writable=2x8\n\
                      driver misuse free mid-chain newest\n";

fn naive() -> SubjectKind {
    SubjectKind::by_name("specimen-mid-chain-freed").expect("a specimen")
}

#[test]
fn a_subject_must_stand_a_scenario() {
    must_pass(SubjectKind::Core, MISUSE);
    let failure = catch_unwind(|| must_pass(naive(), MISUSE)).expect_err("the specimen does not");
    let told = failure.downcast::<String>().expect("a story");
    assert!(told.contains(">  1  driver misuse free mid-chain newest"), "{told}");
    assert!(told.contains("violation of misuse-refused"), "{told}");
    let failure =
        catch_unwind(|| must_pass(SubjectKind::Core, "ringstorm scenario 1\n")).expect_err("no scenario");
    assert!(failure.downcast::<String>().expect("words").contains("line 2"));
}

#[test]
fn the_test_to_paste_holds_the_scenario_or_names_its_file() {
    let mut scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let outcome = Rig::new().expect("memory").run(naive(), &scenario, &mut ()).expect("a run");
    let short = test_of(naive(), &outcome, &scenario, Some("x.storm"));
    insta::assert_snapshot!(short, @r#"
    use ringstorm::{annotated_trace::must_pass, subject::SubjectKind};

    #[test]
    fn specimen_mid_chain_freed_violation_misuse_refused_free_no_fault() {
        let scenario = "\
            ringstorm scenario 1\n\
            queue size=4 buffer=64\n\
            driver submit readable=1x8 writable=2x8\n\
            driver misuse free mid-chain newest\n\
        ";
        must_pass(SubjectKind::by_name("specimen-mid-chain-freed").unwrap(), scenario);
    }
    "#);
    scenario.steps.extend([Step::Idle; 20]);
    let long = test_of(SubjectKind::Core, &outcome, &scenario, Some("found/a \"b\".storm"));
    assert!(long.contains(r#"must_pass(SubjectKind::Core, include_str!("a \"b\".storm"));"#), "{long}");
    assert!(long.contains(r#"// A copy of found/a "b".storm, beside this test."#), "{long}");
}

fn told(
    style: Style,
    kind: SubjectKind,
    scenario: &Scenario,
) -> (AnnotatedTrace, ringstorm::outcome::Outcome) {
    annotate_in(style, &mut Rig::new().expect("memory"), kind, scenario).expect("a run")
}

/// What does not hold, how it comes to that, and the state: on one screen, in lines that it has room for.
#[test]
fn every_regression_is_on_one_screen_where_it_goes_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/regressions");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
        let Document { scenario, expectations, .. } = text.parse().expect("a scenario");
        for (name, _) in expectations.iter().filter(|(_, expected)| *expected != Expected::Pass) {
            let kind = SubjectKind::by_name(name).expect("a subject");
            let (told, outcome) = told(Style::Brief, kind, &scenario);
            let view = view(kind, &scenario, &told, &outcome);
            assert!(view.lines().count() <= 40, "{name}: {view}");
            let mut story = view.lines().skip_while(|line| !line.is_empty());
            assert!(story.all(|line| line.chars().count() <= 120), "{name}: {view}");
            let marked = view.lines().filter(|line| line.starts_with('>')).count();
            assert_eq!(marked, 1, "{name}: {view}");
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} findings");
}

#[test]
fn what_the_driver_says_is_free_stands_beside_what_should_be() {
    let text = "ringstorm scenario 1\nqueue size=1 buffer=64\ndriver submit readable=1x8\ndriver reset\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let kind = SubjectKind::by_name("specimen-reset-loses-live-descriptors").expect("a specimen");
    let (told, outcome) = told(Style::Columns, kind, &scenario);
    assert!(outcome.is_finding());
    assert!(told.state.contains("\n+ free       driver returns 0 of 1; expected 1: 0\n"), "{}", told.state);
    let last = told.steps.lines().last().expect("a step");
    let columns: Vec<&str> = last.split_whitespace().skip(3).take(4).collect();
    assert_eq!(columns, ["0", "0", "0", "0"], "{last}");
    // A count that is as it should be is told once.
    let (told, _) = self::told(Style::Columns, naive(), &MISUSE.parse::<Document>().expect("one").scenario);
    assert!(told.state.contains("\n  free       1 of 4: 3\n"), "{}", told.state);
}

#[test]
fn what_comes_again_and_again_is_said_once() {
    let text = "ringstorm scenario 1\nqueue size=64 buffer=64\ndriver submit writable=52x64\ndevice take\n\
                device return newest written=full\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (told, _) = told(Style::Columns, SubjectKind::Core, &scenario);
    assert!(told.steps.contains("  52 times: writes 64 bytes; used element 0: "), "{}", told.steps);
}

/// Chains one after the other differ in their numbers: on a screen a few are enough, step by step each is told.
#[test]
fn what_differs_in_numbers_alone_is_cut_on_a_screen() {
    let mut text = String::from("ringstorm scenario 1\nqueue size=64 buffer=8\n");
    (0..40).for_each(|_| text.push_str("driver submit readable=1x8\n"));
    text.push_str("device take count=40\ndriver misuse free in-flight newest\n");
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (told, mut outcome) = told(Style::Brief, SubjectKind::Core, &scenario);
    assert!(told.steps.contains("takes chain 39, reads 8 bytes"), "{}", told.steps);
    outcome.verdict = Verdict::Panic("of nobody".to_owned());
    let view = view(SubjectKind::Core, &scenario, &told, &outcome);
    let few = "  takes chain 0, reads 8 bytes; takes chain 1, reads 8 bytes; ...\n";
    assert!(view.contains(few), "{view}");
    assert!(view.contains("\n      ... 31 earlier steps\n"), "{view}");
    assert!(view.lines().skip_while(|line| !line.is_empty()).all(|line| line.len() <= 120), "{view}");
}

#[test]
fn a_step_that_nobody_lived_to_tell_of_is_the_guilty_one() {
    let scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let (mut told, mut outcome) = told(Style::Brief, naive(), &scenario);
    told.steps.truncate(told.steps.find('\n').expect("a line") + 1);
    for (verdict, how) in [
        (Verdict::Died("signal: 6 (SIGABRT)".to_owned()), "the process died here"),
        (Verdict::Stuck(Limit::Time), "the call did not return"),
    ] {
        outcome.verdict = verdict;
        let view = view(naive(), &scenario, &told, &outcome);
        let guilty = format!("\n{:<56} {how}\n", ">  1  driver misuse free mid-chain newest");
        assert!(view.contains(&guilty), "{view}");
        assert!(view.contains("\n   0  driver submit "), "{view}");
        let test = test_of(naive(), &outcome, &scenario, Some("x.storm"));
        assert!(!test.contains("must_pass"), "{test}");
        assert!(test.contains("// replay x.storm --subject specimen-mid-chain-freed --isolate\n"), "{test}");
    }
}

/// Whose process somebody else ended the first time may do nothing wrong when it is told.
#[test]
fn nobody_is_to_blame_where_nothing_goes_wrong() {
    let scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let (told, outcome) = told(Style::Brief, SubjectKind::Core, &scenario);
    let view = view(SubjectKind::Core, &scenario, &told, &outcome);
    assert!(view.starts_with("pass\n") && !view.contains("at fault") && !view.contains("\n>"), "{view}");
    assert!(!test_of(SubjectKind::Core, &outcome, &scenario, Some("x.storm")).contains("must_pass"));
}

/// What is asked for and does not happen is told, and how the queue is let go.
#[test]
fn the_end_is_told_as_the_setup_has_it() {
    let text = "ringstorm scenario 1\nqueue size=4 buffer=64 ending=dropped\ndriver memory-fails after=60000\n\
                driver submit readable=1x8\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (AnnotatedTrace { steps, .. }, outcome) = told(Style::Brief, SubjectKind::Core, &scenario);
    let last = steps.lines().last().expect("a line");
    assert!(!outcome.is_finding() && last.starts_with(" end  drain and drop "), "{steps}");
    assert!(last.contains(" the earlier memory-fails had no effect: too few accesses; "), "{steps}");
    // One that did happen is not told twice.
    let scenario = text.replace("60000", "1").parse::<Document>().expect("a scenario").scenario;
    let (AnnotatedTrace { steps, .. }, _) = told(Style::Brief, SubjectKind::Core, &scenario);
    assert!(
        steps.contains("memory fails and the call unwinds") && !steps.contains("did not happen"),
        "{steps}"
    );
}
