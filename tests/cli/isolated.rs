//! Subjects that end their process or never return: findings in child processes, and the run continues.

use crate::{Left, Place, TIMES, json};
use serde_json::Value;

/// A seed with the chain at which deadly subjects fail. Its neighbours have no such chain.
const DEADLY_SEED: u64 = 2184;

fn around(place: &Place, subject: &str, more: &[&str]) -> Left {
    let from = (DEADLY_SEED - 3).to_string();
    let base =
        ["run", "--subject", subject, "--from", &from, "--seeds", "7", "--isolate", "--patience", "1s"];
    place.run(&[&base[..], more].concat())
}

#[test]
fn subjects_that_abort_or_never_return_on_one_seed_are_reported() {
    let place = Place::new();
    let cases = [
        ("abort", "died", "died: signal: 6 (SIGABRT)"),
        ("exit", "died", "died: exit status: 7"),
        ("overflow", "died", "died: signal: "),
        ("spin", "stuck", "stuck: the call did not return in time"),
    ];
    for (deed, kind, detail) in cases {
        let subject = format!("deadly-{deed}");
        let left = around(&place, &subject, &["--json", "--out", deed]);
        assert_eq!(left.status, Some(1), "{left:?}");
        let report = json(&left);
        assert_eq!(
            (&report["seeds"], &report["complete"]),
            (&Value::from(7), &Value::from(true)),
            "it continues: {report}"
        );
        let [finding] = report["findings"].as_array().expect("an array").as_slice() else {
            panic!("{report}")
        };
        assert_eq!(
            (&finding["seed"], &finding["count"]),
            (&Value::from(DEADLY_SEED), &Value::from(1)),
            "{finding}"
        );
        assert!(finding["detail"].as_str().is_some_and(|text| text.starts_with(detail)), "{finding}");
        let signature = finding["signature"].as_str().expect("text");
        assert!(signature.starts_with(&format!("{subject}/{kind}/no-panic/submit/")), "{signature}");
        assert!(finding["steps_after_shrinking"].as_u64().is_some_and(|steps| steps <= 3), "{finding}");
        // The file fails in the same way.
        let file = finding["file"].as_str().expect("text");
        let again = place.run(&["replay", file, "--subject", &subject, "--isolate", "--patience", "1s"]);
        assert_eq!(again.status, Some(1), "{again:?}");
        assert!(again.out.contains(detail) && again.out.contains("failing call: submit"), "{again:?}");
        // The process did not report the failing step.
        let how = if kind == "died" { "the process died here" } else { "the call did not return" };
        let failing: Vec<&str> = again.out.lines().filter(|line| line.starts_with('>')).collect();
        let step = "  driver submit ";
        assert!(failing.len() == 1 && failing[0].contains(step) && failing[0].ends_with(how), "{again:?}");
    }
}

#[test]
fn no_test_to_paste_ends_the_process_of_all_tests() {
    let place = Place::new();
    let left = around(&place, "deadly-exit", &[]);
    let (_, test) = left.out.split_once("\nas a test:\n").expect("a finding in full");
    assert!(
        test.starts_with("// No test: it would end the process") && !test.contains("must_pass"),
        "{left:?}"
    );
    let command = test.lines().find_map(|line| line.strip_prefix("// ")?.strip_prefix("replay "));
    let again = place.shell(&format!("exec $R replay {}", command.expect("what replays it")));
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.out.contains("died: exit status: 7"), "{again:?}");
}

#[test]
fn a_deadly_scenario_is_shrunk_in_children_and_becomes_a_regression() {
    let place = Place::new();
    let seed = DEADLY_SEED.to_string();
    let shrunk =
        place.run(&["shrink", &seed, "--subject", "deadly-overflow", "--isolate", "-o", "small.storm"]);
    assert_eq!(shrunk.status, Some(1), "{shrunk:?}");
    assert!(shrunk.err.starts_with("deadly-overflow/died/no-panic/submit/"), "{shrunk:?}");
    // It is expected to end its process, so `replay` uses a child.
    place.write(
        "small.storm",
        place.read("small.storm") + "expect deadly-overflow died\nexpect specimen pass\n",
    );
    let left = place.run(&["replay", "small.storm"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    assert!(left.out.contains("as expected: died\n"), "{left:?}");
    assert!(
        left.err.contains("small.storm: the output of its process: ") && left.err.contains("overflow"),
        "{left:?}"
    );
}

#[test]
fn a_harmless_subject_has_the_same_results_in_children() {
    let place = Place::new();
    let run = |more: &[&str]| {
        let base = ["run", "--json", "--seeds", "70", "--subject", crate::SPECIMEN];
        let mut report = json(&place.run(&[&base[..], more].concat()));
        let object = report.as_object_mut().expect("an object");
        TIMES
            .iter()
            .chain(&["isolated", "jobs"])
            .for_each(|key| assert!(object.remove(*key).is_some(), "{key}"));
        report
    };
    assert_eq!(run(&["--isolate", "--jobs", "2"]), run(&["--jobs", "1"]));
}

/// A run in this process would end with its first chain that is deadly, and lose all results.
#[test]
fn a_deadly_subject_without_children_is_refused() {
    let place = Place::new();
    place.write("spin.storm", "ringstorm scenario 1\n# subject: deadly-spin\nqueue size=4 buffer=8\n");
    for command in [
        "run --subject deadly-spin --seeds 5",
        "replay 5 --subject deadly-spin",
        "replay 5 spin.storm",
        "shrink 5 --subject deadly-spin",
    ] {
        let left = place.shell(&format!("$R {command}"));
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{command}: {left:?}");
        let error = "error: deadly-spin ends its process or never returns: add --isolate, so that it runs in a child \
                     process\n";
        assert_eq!(left.err, error, "{command}");
    }
    let left = place.run(&["explore", "--subject", "deadly-spin", "--queue-size", "1"]);
    assert_eq!(left.status, Some(2), "{left:?}");
    assert!(left.err.contains("deadly-spin needs child processes, which `explore` does not use"), "{left:?}");
}

/// While the process is stopped, its calls cannot return, and that is no finding.
#[test]
fn a_process_that_is_stopped_is_not_stuck() {
    let place = Place::new();
    let line = "$R run --seeds 10000000 --jobs 4 --patience 1s >printed & run=$!; sleep 0.5; \
         for i in 1 2 3; do kill -STOP $run; sleep 1.6; kill -CONT $run; sleep 0.3; done; kill -INT $run; wait $run; \
         echo $?; cat printed";
    let left = place.shell(line);
    assert!(left.out.starts_with("0\n") && left.out.contains("nothing found so far\n"), "{left:?}");
}

/// Shell: the first child of the run.
const CHILD: &str = "child() { cat /proc/$run/task/*/children 2>/dev/null | tr ' ' '\\n' | head -1; };";

/// An idle child is replaced. A child that is killed in a call is a finding that did not happen again.
#[test]
fn a_killed_child_does_not_end_the_run() {
    let place = Place::new();
    // Kill only children of the run, one after the other, and fewer than end a run that starts slowly.
    let line = format!(
        "$R run --json --seeds 1500 --subject specimen --jobs 2 --isolate & run=$!; {CHILD} \
         for i in 1 2; do sleep 0.2; until [ -n \"$(child)\" ]; do sleep 0.02; done; \
         kill -9 $(child) && echo killed >&2; done; wait $run"
    );
    let left = place.shell(&line);
    assert!(left.err.contains("killed"), "a child was killed: {left:?}");
    let report = json(&left);
    assert_eq!((&report["seeds"], &report["complete"]), (&Value::from(1500), &Value::from(true)), "{left:?}");
    let findings = report["findings"].as_array().expect("an array");
    assert_eq!(left.status, Some(i32::from(!findings.is_empty())), "{left:?}");
    for finding in findings {
        let detail = finding["detail"].as_str().expect("text");
        // Both can be of one seed, the second when the seed was repeated.
        let twice = findings.len() == 1 && detail == "died: signal: 9 (SIGKILL)";
        assert!(twice || detail == "died: signal: 9 (SIGKILL), but not when it was run again", "{detail}");
    }
}

#[test]
fn isolation_without_a_temporary_folder_is_refused() {
    let place = Place::new();
    let left = Place::left(place.shell_command("$R run --seeds 5 --isolate").env("TMPDIR", "/nonexistent"));
    assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
    assert!(left.err.starts_with("error: a child process failed: No such file or directory"), "{left:?}");
}

#[test]
fn no_child_outlives_its_parent() {
    let place = Place::new();
    // The paths of their files identify the children. The brackets keep grep from finding itself.
    let line = format!(
        "count() {{ grep -lsz \"$PWD/[r]ingstorm-\" /proc/[0-9]*/cmdline | wc -l; }}; \
         await() {{ n=0; until [ $(count) $1 $2 ] || [ $n -gt 300 ]; do n=$((n + 1)); sleep 0.2; done; }}; \
         $R run --subject deadly-spin --from {DEADLY_SEED} --seeds 1 --isolate --patience 1h >/dev/null 2>&1 & \
         await -gt 0; count; kill -9 $!; await -eq 0; count"
    );
    let left = Place::left(place.shell_command(&line).env("TMPDIR", place.path()));
    let counts: Vec<u32> =
        left.out.split_whitespace().map(|count| count.parse().expect("a number")).collect();
    assert!(matches!(counts[..], [before, 0] if before > 0), "{left:?}");
}
