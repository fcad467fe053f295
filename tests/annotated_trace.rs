//! The annotated trace of a finding, its view on one screen, and the test to paste.

use ringstorm::annotated_trace::{AnnotatedTrace, Style, annotate_in, must_pass, test_of, view};
use ringstorm::execution::Rig;
use ringstorm::outcome::{Expected, Limit, Verdict};
use ringstorm::scenario::{Document, Scenario, Step};
use ringstorm::subject::SubjectKind;
use std::panic::catch_unwind;
use std::path::Path;

const MISUSE: &str = "ringstorm scenario 1\nqueue size=4 buffer=64\ndriver submit readable=1x8 writable=2x8\n\
                      driver misuse free mid-chain newest\n";

fn specimen() -> SubjectKind {
    SubjectKind::by_name("specimen-mid-chain-freed").expect("a specimen")
}

#[test]
fn must_pass_panics_with_the_annotated_trace_of_a_finding() {
    must_pass(SubjectKind::Core, MISUSE);
    let failure = catch_unwind(|| must_pass(specimen(), MISUSE)).expect_err("the specimen fails");
    let trace = failure.downcast::<String>().expect("an annotated trace");
    assert!(trace.contains(">  1  driver misuse free mid-chain newest"), "{trace}");
    assert!(trace.contains("violation of misuse-refused"), "{trace}");
    let failure =
        catch_unwind(|| must_pass(SubjectKind::Core, "ringstorm scenario 1\n")).expect_err("no scenario");
    assert!(failure.downcast::<String>().expect("a message").contains("line 2"));
}

#[test]
fn the_test_to_paste_contains_the_scenario_or_names_its_file() {
    let mut scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let outcome = Rig::new().expect("memory").run(specimen(), &scenario, &mut ()).expect("a run");
    let short = test_of(specimen(), &outcome, &scenario, Some("x.storm"));
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

fn trace(
    style: Style,
    kind: SubjectKind,
    scenario: &Scenario,
) -> (AnnotatedTrace, ringstorm::outcome::Outcome) {
    annotate_in(style, &mut Rig::new().expect("memory"), kind, scenario).expect("a run")
}

/// The violation, the last steps and the state fit on one screen: 40 lines, of at most 120 characters.
#[test]
fn the_view_of_every_regression_fits_on_one_screen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/regressions");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
        let Document { scenario, expectations, .. } = text.parse().expect("a scenario");
        for (name, _) in expectations.iter().filter(|(_, expected)| *expected != Expected::Pass) {
            let kind = SubjectKind::by_name(name).expect("a subject");
            let (annotated, outcome) = trace(Style::Brief, kind, &scenario);
            let view = view(kind, &scenario, &annotated, &outcome);
            assert!(view.lines().count() <= 40, "{name}: {view}");
            let mut below = view.lines().skip_while(|line| !line.is_empty());
            assert!(below.all(|line| line.chars().count() <= 120), "{name}: {view}");
            let marked = view.lines().filter(|line| line.starts_with('>')).count();
            // No step fails if the queue is wrong as soon as it is constructed.
            assert_eq!(marked, usize::from(outcome.steps > 0), "{name}: {view}");
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} findings were checked");
}

#[test]
fn a_wrong_free_count_is_shown_beside_the_right_one() {
    let text = "ringstorm scenario 1\nqueue size=1 buffer=64\ndriver submit readable=1x8\ndriver reset\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let kind = SubjectKind::by_name("specimen-reset-loses-live-descriptors").expect("a specimen");
    let (annotated, outcome) = trace(Style::Columns, kind, &scenario);
    assert!(outcome.is_finding());
    assert!(
        annotated.state.contains("\n+ free       driver returns 0 of 1; expected 1: 0\n"),
        "{}",
        annotated.state
    );
    let last = annotated.steps.lines().last().expect("a step");
    let columns: Vec<&str> = last.split_whitespace().skip(3).take(4).collect();
    assert_eq!(columns, ["0", "0", "0", "0"], "{last}");
    // A right count is shown once.
    let (annotated, _) =
        trace(Style::Columns, specimen(), &MISUSE.parse::<Document>().expect("one").scenario);
    assert!(annotated.state.contains("\n  free       1 of 4: 3\n"), "{}", annotated.state);
}

#[test]
fn repeated_effects_are_shown_once_with_their_number() {
    let text = "ringstorm scenario 1\nqueue size=64 buffer=64\ndriver submit writable=52x64\ndevice take\n\
                device return newest written=full\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (annotated, _) = trace(Style::Columns, SubjectKind::Core, &scenario);
    assert!(annotated.steps.contains("  52 times: writes 64 bytes; used element 0: "), "{}", annotated.steps);
}

/// The view shows only the first of many effects that differ only in their numbers. The full trace shows all.
#[test]
fn effects_that_differ_only_in_numbers_are_cut_in_the_view() {
    let mut text = String::from("ringstorm scenario 1\nqueue size=64 buffer=8\n");
    (0..40).for_each(|_| text.push_str("driver submit readable=1x8\n"));
    text.push_str("device take count=40\ndriver misuse free in-flight newest\n");
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (annotated, mut outcome) = trace(Style::Brief, SubjectKind::Core, &scenario);
    assert!(annotated.steps.contains("takes chain 39, reads 8 bytes"), "{}", annotated.steps);
    outcome.verdict = Verdict::Panic("an invented panic".to_owned());
    let view = view(SubjectKind::Core, &scenario, &annotated, &outcome);
    let few = "  takes chain 0, reads 8 bytes; takes chain 1, reads 8 bytes; ...\n";
    assert!(view.contains(few), "{view}");
    assert!(view.contains("\n      ... 31 earlier steps\n"), "{view}");
    assert!(view.lines().skip_while(|line| !line.is_empty()).all(|line| line.len() <= 120), "{view}");
}

#[test]
fn a_step_that_ended_the_process_or_hung_is_marked_as_the_failing_one() {
    let scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let (mut annotated, mut outcome) = trace(Style::Brief, specimen(), &scenario);
    annotated.steps.truncate(annotated.steps.find('\n').expect("a line") + 1);
    for (verdict, how) in [
        (Verdict::Died("signal: 6 (SIGABRT)".to_owned()), "the process died here"),
        (Verdict::Stuck(Limit::Time), "the call did not return"),
    ] {
        outcome.verdict = verdict;
        let view = view(specimen(), &scenario, &annotated, &outcome);
        let failing = format!("\n{:<56} {how}\n", ">  1  driver misuse free mid-chain newest");
        assert!(view.contains(&failing), "{view}");
        assert!(view.contains("\n   0  driver submit "), "{view}");
        let test = test_of(specimen(), &outcome, &scenario, Some("x.storm"));
        assert!(!test.contains("must_pass"), "{test}");
        assert!(test.contains("// replay x.storm --subject specimen-mid-chain-freed --isolate\n"), "{test}");
    }
}

/// A process may have been killed from outside in the run, so the replay may pass.
#[test]
fn a_passing_replay_blames_nobody() {
    let scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let (annotated, outcome) = trace(Style::Brief, SubjectKind::Core, &scenario);
    let view = view(SubjectKind::Core, &scenario, &annotated, &outcome);
    assert!(view.starts_with("pass\n") && !view.contains("at fault") && !view.contains("\n>"), "{view}");
    assert!(!test_of(SubjectKind::Core, &outcome, &scenario, Some("x.storm")).contains("must_pass"));
}

/// The last line shows how the queue goes away, and a requested memory failure that did not happen.
#[test]
fn the_last_line_shows_the_ending_of_the_setup() {
    let text = "ringstorm scenario 1\nqueue size=4 buffer=64 ending=dropped\ndriver memory-fails after=60000\n\
                driver submit readable=1x8\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (AnnotatedTrace { steps, .. }, outcome) = trace(Style::Brief, SubjectKind::Core, &scenario);
    let last = steps.lines().find(|line| line.starts_with(" end  drain and drop ")).expect("the drain");
    assert!(!outcome.is_finding(), "{steps}");
    assert!(last.contains(" the earlier memory-fails had no effect: too few accesses; "), "{steps}");
    // A memory failure that happened is shown only at its step.
    let scenario = text.replace("60000", "1").parse::<Document>().expect("a scenario").scenario;
    let (AnnotatedTrace { steps, .. }, _) = trace(Style::Brief, SubjectKind::Core, &scenario);
    assert!(
        steps.contains("memory fails and the call unwinds") && !steps.contains("had no effect"),
        "{steps}"
    );
}

/// The chains that only the end submits have lines of their own: a finding in them is no riddle.
#[test]
fn the_chains_of_the_end_are_steps_of_the_trace() {
    let show = |kind: SubjectKind, text: &str| {
        let scenario = text.parse::<Document>().expect("a scenario").scenario;
        let (annotated, outcome) = trace(Style::Brief, kind, &scenario);
        let view = view(kind, &scenario, &annotated, &outcome);
        assert!(view.lines().skip_while(|line| !line.is_empty()).all(|line| line.len() <= 120), "{view}");
        (annotated, outcome, view)
    };
    let weak = SubjectKind::by_name("specimen-index-not-released").expect("a specimen");
    let queue = "ringstorm scenario 1\nqueue size=4 buffer=64 ending=";
    for (ending, how) in [("released", "release"), ("dropped", "drop")] {
        let (_, outcome, view) = show(weak, &format!("{queue}{ending}\ndevice notifications on\n"));
        assert!(outcome.is_finding(), "{view}");
        let line = format!("\n>end  submit one more chain; {how} with it live");
        assert!(view.contains(&line) && view.contains(" driver submits chain 0; "), "{view}");
        assert!(view.contains(&format!("\n end  drain and {how}")), "{view}");
        assert!(
            view.contains(&format!("\n  at the end, {how} with one more chain live; failing call: ")),
            "{view}"
        );
    }
    let broken = "ringstorm scenario 1\nqueue size=4 buffer=64\ndriver submit readable=1x8\n\
                  device fault id-out-of-range newest value=0\ndriver take\n";
    let (mut annotated, mut outcome, view) = show(SubjectKind::Core, broken);
    let trial = format!("\n{:<56} driver is reset; ", " end  reset the broken queue; submit a trial chain");
    assert!(view.contains(&trial), "{view}");
    // A process that ended in the last part did not send its line.
    let scenario = broken.parse::<Document>().expect("a scenario").scenario;
    annotated.steps.truncate(annotated.steps.trim_end().rfind('\n').expect("lines") + 1);
    outcome.verdict = Verdict::Died("signal: 6 (SIGABRT)".to_owned());
    let view = self::view(SubjectKind::Core, &scenario, &annotated, &outcome);
    let failing = format!("\n{:<56} the process died here\n", ">end  after the drain");
    assert!(view.contains(&failing), "{view}");
    assert!(view.contains("\n  at the end, after the drain; failing call: "), "{view}");
    let start = annotated.steps.find("\n end  reset the broken queue").expect("the trial chain") + 1;
    let length = annotated.steps[start..].find('\n').expect("a line") + 1;
    annotated.steps.truncate(start + length);
    outcome.verdict = Verdict::Panic("an invented panic".to_owned());
    let view = self::view(SubjectKind::Core, &scenario, &annotated, &outcome);
    assert!(view.contains("\n  at the trial chain after the drain; failing call: "), "{view}");
}

/// A driver that is told of a used element that is not there has seen the duplicate id before.
#[test]
fn the_party_at_fault_depends_on_every_fault_that_took_effect() {
    let run = |faults: &str| {
        let text = format!(
            "ringstorm scenario 1\nqueue size=4 buffer=8\ndriver submit writable=2x4\ndevice take\n{faults}\
             driver misuse free mid-chain newest\n"
        );
        let scenario = text.parse::<Document>().expect("a scenario").scenario;
        let mut rig = Rig::new().expect("memory");
        let (trace, outcome) = annotate_in(Style::Brief, &mut rig, specimen(), &scenario).expect("a run");
        assert!(outcome.is_finding(), "{}", outcome.verdict);
        view(specimen(), &scenario, &trace, &outcome)
    };
    let spurious = "device fault spurious-notification newest value=0\n";
    let out_of_range = "device fault id-out-of-range newest value=0\n";
    let followed = "at fault: the device followed the specification";
    assert!(run("").contains(&format!("{followed}.")));
    assert!(run(spurious).contains(&format!("{followed} (which permits spurious-notification).")));
    let text = run(&format!("{out_of_range}{spurious}"));
    assert!(
        text.contains("at fault: the device broke the specification earlier (id-out-of-range), "),
        "{text}"
    );
}

/// The driver notifies after it has stored the available index, whether `submit` or `publish` stores it.
#[test]
fn effects_are_in_the_order_in_which_they_happened() {
    let text = "ringstorm scenario 1\nqueue size=4 buffer=8\ndriver submit readable=1x8\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let (annotated, _) = trace(Style::Brief, SubjectKind::Core, &scenario);
    let notes = "chain 0; descriptor 0; 3 free; available index 1; notifies\n";
    assert!(annotated.steps.contains(notes), "{}", annotated.steps);
}

/// The device can see the chain, but the failing call is judged before the model counts it as in flight.
#[test]
fn a_chain_of_a_failing_publish_is_drawn() {
    let text = "ringstorm scenario 1\nqueue size=4 buffer=8\ndriver submit readable=1x8\n";
    let scenario = text.parse::<Document>().expect("a scenario").scenario;
    let kind = SubjectKind::by_name("specimen-index-before-entry").expect("a specimen");
    let (annotated, outcome) = trace(Style::Brief, kind, &scenario);
    assert!(outcome.is_finding());
    let chains = "+ chains     in flight: none; in the available ring, not yet in flight: 0; completed, not freed: none\n";
    assert!(annotated.state.contains(chains), "{}", annotated.state);
}
