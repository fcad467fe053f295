//! A finding as text: in the output of a run, as a replay, and as a test to paste.

use crate::Place;
use ringstorm::scenario::Op;
use ringstorm_model::Invariant;
use ringstorm_sim_device::Fault;
use strum::VariantArray;

const SUBJECT: &str = "specimen-mid-chain-id-taken";
const SCENARIO: &str = "ringstorm scenario 1\nqueue size=4 buffer=8 features=event-idx\n\
                        device fault free-id newest value=1\ndriver submit readable=1x8 writable=1x4\n\
                        device take count=1\ndriver take\ndriver free newest\n";

#[track_caller]
pub fn assert_format(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports/formats");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = text.replace(env!("CARGO_BIN_EXE_ringstorm"), "ringstorm");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_run_ends_with_its_shortest_finding() {
    let place = Place::new();
    let left = place.run(&["run", "--subject", SUBJECT, "--seeds", "300", "--jobs", "1"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    let view = left.out.split_once("\n\n").expect("a summary, and a finding").1;
    assert_format("finding", view);
    assert!(view.lines().count() <= 50, "a screen: {view}");
    assert!(view.lines().filter(|line| line.starts_with('>')).count() == 1, "one failing step: {view}");
}

#[test]
fn a_verbose_replay_has_indexes_and_counts_in_columns() {
    let place = Place::new();
    place.write("finding.storm", SCENARIO);
    let left = place.run(&["replay", "finding.storm", "--verbose", "--subject", SUBJECT]);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert_format("replay-verbose", &left.out);
    // A child process prints the same.
    assert_eq!(
        place.run(&["replay", "finding.storm", "-v", "--subject", SUBJECT, "--isolate"]).out,
        left.out
    );
    let lines: Vec<&str> = left.out.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let head = lines[0];
    for column in ["avail", "used", "free", "live"] {
        let end = head.find(&format!(" {column}")).expect("a column") + 1 + column.len();
        for line in &lines[1..] {
            let digit = line.get(end - 1..end);
            assert!(digit.is_none_or(|digit| digit.trim().parse::<u8>().is_ok()), "{column} of {line:?}");
        }
    }
}

/// The README quotes the output, without the test to paste.
#[test]
fn the_readme_shows_a_finding_as_it_is_printed() {
    let readme = include_str!("../../README.md").split_once("\n## A finding\n").expect("its section").1;
    let mut blocks = readme.split("```").skip(1).step_by(2);
    let command = blocks.next().and_then(|block| block.strip_prefix("sh\ncargo run --release -- "));
    let shown = blocks.next().and_then(|block| block.strip_prefix("text\n")).expect("the output");
    let place = Place::new();
    let arguments: Vec<&str> = command.expect("a command").split_whitespace().collect();
    let printed =
        place.run(&arguments).out.replace(env!("CARGO_BIN_EXE_ringstorm"), "target/release/ringstorm");
    let (_, printed) = printed.split_once("\n\n").expect("a summary, and a finding");
    let (view, rest) = printed.split_once("\nas a test:\n").expect("a test to paste");
    let last = &rest[rest.find("\nreplay it with:").expect("the command that replays it")..];
    assert_eq!(shown, format!("{view}{last}"));
}

/// A replay of a finding prints as much as the run that found it.
#[test]
fn a_failing_replay_says_who_is_at_fault_and_how_to_test_it() {
    const BLAME: &str = "\n  The driver is at fault: the device broke the specification earlier (free-id), ";
    let place = Place::new();
    place.write("finding.storm", SCENARIO);
    let brief = place.run(&["replay", "finding.storm", "--subject", SUBJECT]).out;
    assert!(brief.ends_with(&format!(
            "{BLAME}which a driver must withstand.\n  --verbose adds the state at the failing step and a test to paste\n\n"
        )), "{brief}");
    let whole = place.run(&["replay", "finding.storm", "-v", "--subject", SUBJECT]).out;
    let after = whole.split_once(BLAME).expect("who is at fault").1;
    let (state, test) = after.split_once("\nas a test:\n").expect("a test to paste");
    assert!(state.contains("\nstate ") && state.contains("\n  free "), "{whole}");
    assert!(test.contains("\n        driver take\\n\\\n") && test.ends_with("\n}\n\n"), "{whole}");
    // An expected finding is not explained again.
    let expected = format!("{SCENARIO}expect {SUBJECT} violation completed-once\n");
    place.write("expected.storm", expected);
    for more in [&[][..], &["-v"]] {
        let left = place.run(&[&["replay", "expected.storm"], more].concat());
        assert_eq!(left.status, Some(0), "{left:?}");
        assert!(left.out.ends_with("as expected: violation completed-once\n\n"), "{left:?}");
        assert!(!left.out.contains("at fault") && !left.out.contains("as a test"), "{left:?}");
    }
    // Another finding than the expected one.
    let other = format!("{SCENARIO}expect {SUBJECT} violation drains\n");
    place.write("other.storm", other);
    let left = place.run(&["replay", "other.storm"]);
    assert!(left.out.contains(BLAME) && left.out.contains("\nNOT as expected, which is: "), "{left:?}");
}

/// The list of findings has one line for each, before the finding in full.
#[test]
fn a_run_lists_each_finding_in_a_line() {
    let place = Place::new();
    let subject = "specimen-free-follows-table";
    let left = place.run(&["run", "--subject", subject, "--seeds", "300", "--out", "kept"]);
    let (summary, _) = left.out.split_once("\n\n").expect("a summary, and a finding");
    let list: Vec<&str> = summary.lines().skip_while(|line| !line.starts_with("FOUND ")).collect();
    let (last, found) = list.split_last().expect("findings");
    assert!(found.len() > 1 && found.iter().all(|line| line.starts_with("FOUND ") && line.len() <= 132));
    assert_eq!(*last, "the shrunk scenarios are in kept, in files named after the signatures", "{summary}");
}

#[test]
fn a_replay_of_a_long_finding_prints_every_step() {
    let place = Place::new();
    let (before, rest) = SCENARIO.split_at(SCENARIO.find("driver submit").expect("a step"));
    let idle = "driver take\n".repeat(40);
    place.write("long.storm", format!("{before}{idle}{rest}"));
    let left = place.run(&["replay", "long.storm", "-v", "--subject", SUBJECT]);
    assert_eq!(left.out.matches("driver take ").count(), 41, "a replay prints every step: {left:?}");
}

#[test]
fn completions_are_for_the_named_shell() {
    let place = Place::new();
    for (shell, part) in
        [("bash", "complete -F"), ("zsh", "#compdef ringstorm"), ("fish", "complete -c ringstorm")]
    {
        let left = place.run(&["completions", shell]);
        assert_eq!((left.status, left.err.as_str()), (Some(0), ""));
        assert!(left.out.contains(part) && left.out.contains("replay"), "{shell}: {left:?}");
    }
    assert_eq!(place.run(&["completions", "cmd"]).status, Some(2));
}

#[test]
fn help_fits_the_width_of_the_terminal() {
    let place = Place::new();
    for command in ["run", "replay", "explore", "report", "scenario"] {
        let left = place.shell(&format!("COLUMNS=80 $R help {command}"));
        let widest = left.out.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| (60..=80).contains(&widest)), "{left:?}");
    }
}

/// Every example in a help is a valid command.
#[test]
fn the_examples_of_help_are_valid() {
    let place = Place::new();
    let mut seen = 0;
    for command in ["", "run", "replay", "show", "shrink", "explore", "calibrate", "report", "completions"] {
        let help = place.run(&["help", command][..1 + usize::from(!command.is_empty())]);
        for line in help.out.lines().filter_map(|line| line.strip_prefix("  ringstorm ")) {
            let line = line.split("  ").next().expect("a command").split(" > ").next().expect("a command");
            let line = line.replace("NAME.storm", "x.storm").replace("NAME", "core").replace('\'', "");
            let mut arguments: Vec<&str> = line.split_whitespace().collect();
            // With --help, a command checks its arguments and does nothing.
            arguments.push("--help");
            let left = place.run(&arguments);
            assert_eq!(left.status, Some(0), "{line}: {left:?}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} examples");
}

/// The help of the text form has a complete example, and every word of the language.
#[test]
fn the_help_of_scenarios_has_an_example_that_runs() {
    let place = Place::new();
    let help = place.run(&["help", "scenario"]).out;
    let example = place.run(&["scenario"]);
    assert_eq!((example.status, example.err.as_str()), (Some(0), ""));
    let indented: String = example.out.lines().map(|line| format!("  {line}\n")).collect();
    assert!(help.contains(&format!("Example:\n{indented}")), "{help}");
    place.write("example.storm", &example.out);
    let replayed = place.run(&["replay", "example.storm"]);
    assert_eq!(replayed.status, Some(0), "each outcome is as expected: {replayed:?}");
    assert_eq!(place.run(&["show", "example.storm"]).out, example.out);
    let operations = Op::VARIANTS.iter().map(|op| op.name());
    let faults = Fault::VARIANTS.iter().map(|fault| fault.name());
    let invariants = Invariant::VARIANTS.iter().map(|invariant| invariant.name());
    for name in operations.chain(faults).chain(invariants) {
        assert!(help.contains(&format!("\n{name}: ")), "{name}: {help}");
    }
}
