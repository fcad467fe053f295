//! Closed streams, full disks and Ctrl-C.

use crate::{Place, SPECIMEN};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    for what in ["show 5 --steps 100000", "replay 5 --steps 5000", "--help"] {
        // Standard error has the exit status of the command.
        let left = place.shell(&format!("{{ $R {what}; echo \"status $?\" >&2; }} | head -c 1 >/dev/null"));
        assert_eq!(left.err, "status 0\n", "{what}");
    }
}

/// The exit status reports a finding also if the reader of the pipe is gone.
#[test]
fn the_status_reports_a_finding_without_a_reader() {
    let place = Place::new();
    let found = format!("run --subject {SPECIMEN} --seeds 300 --max-findings 1");
    let left = place.run(&[&found.split(' ').collect::<Vec<_>>()[..], &["--json"]].concat());
    place.write("run.json", &left.out);
    let replay = format!("replay 1 {} --subject {SPECIMEN}", place.failing_seed());
    let explore = format!("explore --subject {SPECIMEN} --queue-size 2 --depth 3");
    for what in [&found, &format!("{found} --json"), &replay, &explore, "report run.json"] {
        let left = place.shell(&format!("{{ sleep 0.2; $R {what}; echo \"status $?\" >&2; }} | true"));
        assert_eq!(left.err.lines().last(), Some("status 1"), "{what}: {left:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let place = Place::new();
    let run = format!("run --seeds 10 --subject {SPECIMEN}");
    for what in [
        "help",
        "run --help",
        "show 5",
        "show 5 --bytes",
        "replay 5",
        "run --seeds 1",
        "run --seeds 1 --json",
        run.as_str(),
    ] {
        let left = place.shell(&format!("exec $R {what} >/dev/full"));
        assert_eq!(left.status, Some(2), "{what}: {left:?}");
        let last = left.err.lines().last().expect("a line");
        assert!(last.starts_with("error: standard output: No space left"), "{what}: {left:?}");
    }
}

#[test]
fn a_finding_that_cannot_be_written_is_printed() {
    let place = Place::new();
    // A file has the name of the folder. Without --out, the run does not check the folder first.
    place.write("findings", "a file");
    let left = place.run(&["run", "--subject", SPECIMEN, "--from", &place.failing_seed(), "--seeds", "1"]);
    assert_eq!(left.status, Some(2), "{left:?}");
    assert!(
        left.out.contains("FOUND specimen-mid-chain-freed/violation/"),
        "the summary is printed: {left:?}"
    );
    let (before, document) = left.err.split_once("ringstorm scenario 1\n").expect("the scenario");
    assert!(
        before.ends_with("a finding could not be written to a file; this is its scenario:\n"),
        "{left:?}"
    );
    assert_eq!(left.err.matches("ringstorm scenario 1\n").count(), 1, "once: {left:?}");
    // The output names no file. It has the command that replays the seed.
    assert!(left.out.contains("; its file could not be written\n"), "{left:?}");
    assert!(!left.out.contains(".storm"), "{left:?}");
    let again = place.shell(left.out.lines().last().expect("a command"));
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(left.err.lines().last().is_some_and(|line| line.starts_with("error: findings: ")), "{left:?}");
    // The printed scenario is valid.
    let lines = document.lines().take_while(|line| !line.is_empty()).map(|line| format!("{line}\n"));
    place.write("saved.storm", format!("ringstorm scenario 1\n{}", lines.collect::<String>()));
    let again = place.run(&["replay", "saved.storm", "--subject", SPECIMEN]);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert_eq!(place.read("findings"), "a file");
}

/// Starts a long run, interrupts it, and returns its status and its streams.
fn interrupted(place: &Place, args: &[&str], signal: &str) -> (Option<i32>, String, String) {
    let child = Command::new(env!("CARGO_BIN_EXE_ringstorm"))
        .current_dir(place.path())
        .args(["run", "--time", "60s"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be run");
    sleep(Duration::from_millis(700));
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status().expect("kill can be run");
    assert!(sent.success());
    let start = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    // Well below the 60 seconds of the run, and enough for a slow machine to stop.
    assert!(start.elapsed() < Duration::from_secs(40), "took {:?} to stop", start.elapsed());
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_interrupted_run_prints_its_results() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        let (status, out, err) = interrupted(&place, &[], signal);
        assert_eq!(status, Some(0), "{err}");
        assert!(
            out.starts_with("core under the swarm storm: ") && out.ends_with("nothing found so far\n"),
            "{out}"
        );
        assert!(err.starts_with("interrupted after "), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn an_interrupted_run_keeps_its_findings() {
    let place = Place::new();
    let args = ["--subject", SPECIMEN, "--json", "--max-findings", "4000000000"];
    let (status, out, err) = interrupted(&place, &args, "-INT");
    let report: serde_json::Value = serde_json::from_str(&out).expect("one object");
    let findings = report["findings"].as_array().expect("an array");
    assert_eq!(status, Some(i32::from(!findings.is_empty())), "{err}");
    assert_eq!(report["complete"], false);
    for finding in findings {
        let text = place.read(finding["file"].as_str().expect("a string"));
        assert!(text.starts_with("ringstorm scenario 1\n"), "{text}");
    }
}
