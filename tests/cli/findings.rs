//! A finding as people meet it: on a screen, step by step, and as a test.

use crate::Place;

const SUBJECT: &str = "specimen-mid-chain-id-taken";
const SCENARIO: &str = "ringstorm scenario 1\nqueue size=4 buffer=8 features=event-idx\n\
                        device fault free-id newest value=1\ndriver submit readable=1x8 writable=1x4\n\
                        device take count=1\ndriver take\ndriver free newest\n";

#[track_caller]
fn assert_format(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports/formats");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = text.replace(env!("CARGO_BIN_EXE_ringstorm"), "ringstorm");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_run_ends_with_its_shortest_finding_on_a_screen() {
    let place = Place::new();
    let left = place.run(&["run", "--subject", SUBJECT, "--seeds", "300", "--jobs", "1"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    let view = left.out.split_once("\n\n").expect("a summary, and a finding").1;
    assert_format("finding", view);
    assert!(view.lines().count() <= 50, "a screen: {view}");
    assert!(view.lines().filter(|line| line.starts_with('>')).count() == 1, "one guilty step: {view}");
}

#[test]
fn a_replay_tells_indexes_and_counts_in_columns() {
    let place = Place::new();
    place.write("finding.storm", SCENARIO);
    let left = place.run(&["replay", "finding.storm", "--verbose", "--subject", SUBJECT]);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert_format("replay-verbose", &left.out);
    // In a child it is the same.
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

#[test]
fn a_long_finding_is_shown_from_its_end() {
    let place = Place::new();
    let (before, rest) = SCENARIO.split_at(SCENARIO.find("driver submit").expect("a step"));
    let idle = "driver take\n".repeat(40);
    place.write("long.storm", format!("{before}{idle}{rest}"));
    let left = place.run(&["replay", "long.storm", "-v", "--subject", SUBJECT]);
    assert_eq!(left.out.matches("driver take ").count(), 41, "a replay leaves nothing out: {left:?}");
}

#[test]
fn completions_are_for_the_shell_that_is_asked_for() {
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

/// What help teaches can be typed as it is.
#[test]
fn the_examples_of_help_are_understood() {
    let place = Place::new();
    let mut seen = 0;
    for command in ["", "run", "replay", "show", "shrink", "explore", "calibrate", "report", "completions"] {
        let help = place.run(&["help", command][..1 + usize::from(!command.is_empty())]);
        for line in help.out.lines().filter_map(|line| line.strip_prefix("  ringstorm ")) {
            let line = line.split("  ").next().expect("a command").split(" > ").next().expect("a command");
            let line = line.replace("NAME.storm", "x.storm").replace("NAME", "core").replace('\'', "");
            let mut arguments: Vec<&str> = line.split_whitespace().collect();
            // With its help asked for, a command says whether it knows its arguments and does nothing.
            arguments.push("--help");
            let left = place.run(&arguments);
            assert_eq!(left.status, Some(0), "{line}: {left:?}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} examples");
}
