//! Scenarios in and out: show, replay, shrink.

use crate::{Place, SPECIMEN};

const HEAD: &str = "ringstorm scenario 1\nqueue size=8 buffer=64\n";
/// A misuse that the specimen accepts and core refuses.
const MISUSE: &str = "driver submit readable=2x1\ndriver misuse free mid-chain newest\n";

#[test]
fn a_scenario_goes_to_bytes_and_back() {
    let place = Place::new();
    for args in [["5", "swarm", "128"], ["0x7", "hostile", "300"], ["8", "honest", "1"]] {
        let [seed, profile, steps] = args;
        let shown = place.run(&["show", seed, "--profile", profile, "--steps", steps]);
        assert_eq!((shown.status, shown.err.as_str()), (Some(0), ""));
        assert_eq!(shown.out.lines().count(), 2 + steps.parse::<usize>().expect("a number"));
        place.write("a.storm", &shown.out);
        let written = place.run(&["show", "a.storm", "--bytes", "-o", "a.bytes"]);
        assert_eq!((written.status, written.out.as_str()), (Some(0), ""));
        assert_eq!(place.run(&["show", "a.bytes"]).out, shown.out);
        place.run(&["show", "a.bytes", "--output", "b.storm"]);
        assert_eq!(place.read("b.storm"), shown.out);
        let again = place.run(&["replay", "a.storm", "b.storm", "a.bytes"]).out;
        let traces: Vec<&str> =
            again.split("== ").skip(1).map(|trace| trace.split_once(": ").expect("a name").1).collect();
        assert!(traces.len() == 3 && traces.iter().all(|trace| *trace == traces[0]), "{again}");
    }
}

#[test]
fn several_inputs_are_replayed_in_order() {
    let place = Place::new();
    place.write("good.storm", format!("{HEAD}driver submit readable=1x1\n"));
    let left = place.run(&["replay", "3", "good.storm", "4"]);
    assert_eq!((left.status, left.err.as_str()), (Some(0), ""), "{left:?}");
    let heads: Vec<&str> =
        left.out.lines().filter_map(|line| line.strip_prefix("== ")?.split(':').next()).collect();
    assert_eq!(heads, ["3", "good.storm", "4"]);
    assert_eq!(left.out.lines().filter(|line| *line == "pass").count(), 3);
    // One failing input makes the exit status 1.
    place.write("bad.storm", format!("{HEAD}{MISUSE}expect {SPECIMEN} pass\n"));
    let left = place.run(&["replay", "bad.storm", "good.storm"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert!(left.out.contains("== good.storm: "), "the others are replayed: {left:?}");
}

#[test]
fn expectations_decide() {
    let table: [(&str, &[&str], i32, &str); 8] = [
        ("", &[], 0, "pass\n"),
        ("", &["--subject", SPECIMEN], 1, "violation of misuse-refused: "),
        ("expect core pass\n", &[], 0, "pass\n"),
        ("expect core panic\n", &[], 1, "NOT as expected, which is: panic\n"),
        (
            "expect specimen-mid-chain-freed violation misuse-refused\n",
            &[],
            0,
            "as expected: violation misuse-refused\n",
        ),
        (
            "expect specimen-mid-chain-freed violation payload\n",
            &[],
            1,
            "NOT as expected, which is: violation payload\n",
        ),
        ("expect specimen-mid-chain-freed pass\n", &[], 1, "violation of misuse-refused: "),
        ("expect core pass\nexpect specimen-mid-chain-freed stuck\n", &["--subject", "core"], 0, "pass\n"),
    ];
    let place = Place::new();
    for (expect, args, status, ending) in table {
        place.write("a.storm", format!("{HEAD}{MISUSE}{expect}"));
        let left = place.run(&[&["replay", "a.storm"], args].concat());
        assert_eq!((left.status, left.err.as_str()), (Some(status), ""), "{expect:?}: {left:?}");
        assert!(left.out.contains(ending), "{expect:?}: {left:?}");
    }
}

/// A replay runs the subject that the file names, and prints it.
#[test]
fn a_file_names_its_subject() {
    let place = Place::new();
    let signed = format!("{SPECIMEN}/violation/misuse-refused/free/no-fault");
    let elsewhere = "subject mine, which this program does not have";
    let table: [(String, &[&str], i32, &str); 8] = [
        (String::new(), &[], 0, " on core\n"),
        (format!("# subject: {SPECIMEN}\n"), &[], 1, " on specimen-mid-chain-freed\n"),
        (format!("# by hand\n# {signed}\n"), &[], 1, " on specimen-mid-chain-freed\n"),
        (format!("# {signed}\n# subject: core\n"), &[], 0, " on core\n"),
        (format!("# subject: {SPECIMEN}\n"), &["--subject", "core"], 0, " on core\n"),
        ("# subject: a prose comment\n".to_owned(), &[], 0, " on core\n"),
        ("# subject: mine\n".to_owned(), &[], 2, elsewhere),
        ("# mine/panic/no-panic/submit/no-fault\n".to_owned(), &["--subject", "core"], 0, " on core\n"),
    ];
    for (comments, args, status, text) in table {
        place.write("a.storm", HEAD.replace('\n', "\n#\n").replacen("#\n", &comments, 1) + MISUSE);
        let left = place.run(&[&["replay", "a.storm"], args].concat());
        assert_eq!(left.status, Some(status), "{comments:?}: {left:?}");
        assert!(left.out.contains(text) || left.err.contains(text), "{comments:?}: {left:?}");
        assert_eq!(left.out.is_empty(), status == 2, "{comments:?}: {left:?}");
    }
    let shrunk = place.run(&["shrink", "a.storm", "--subject", SPECIMEN]);
    assert!(
        shrunk.out.contains(&format!("\n# subject: {SPECIMEN}\n")),
        "not the subject of before: {shrunk:?}"
    );
}

/// The file that a run writes is enough to replay its finding.
#[test]
fn a_finding_is_replayed_over_its_subject() {
    let place = Place::new();
    let run = ["run", "--json", "--subject", SPECIMEN, "--seeds", "200", "--max-findings", "1"];
    let report = crate::json(&place.run(&run));
    let file = report["findings"][0]["file"].as_str().expect("text");
    assert!(place.read(file).contains(&format!("\n# subject: {SPECIMEN}\n")), "{}", place.read(file));
    let left = place.run(&["replay", file]);
    assert!(left.status == Some(1) && left.out.contains(&format!(" on {SPECIMEN}\n")), "{left:?}");
}

#[test]
fn shrinking_keeps_the_signature() {
    let place = Place::new();
    let left = place.run(&["shrink", &place.failing_seed(), "--subject", SPECIMEN, "-o", "small.storm"]);
    assert_eq!((left.status, left.out.as_str()), (Some(1), ""), "{left:?}");
    let (signature, rest) = left.err.split_once(": ").expect("a signature");
    let steps = rest
        .strip_prefix("shrunk from 128 steps to ")
        .expect("both lengths")
        .split_once(" steps\n")
        .expect("a number");
    let steps = steps.0.parse::<usize>().expect("a number");
    assert!(steps < 20, "{left:?}");
    let small = place.read("small.storm");
    assert_eq!(small.lines().nth(1), Some(format!("# {signature}").as_str()));
    let expect = "# to keep this as a regression, add the last line: expect ";
    assert!(small.lines().nth(2).is_some_and(|line| line.starts_with(expect)), "{small}");
    assert_eq!(small.lines().nth(3), Some(format!("# subject: {SPECIMEN}").as_str()));
    assert_eq!(small.lines().count(), 5 + steps);
    let replay = left.err.lines().last().expect("a command");
    assert_eq!(place.shell(replay).status, Some(1), "{replay}");
    // Without -o, the scenario is printed. The smallest scenario stays unchanged.
    let printed = place.run(&["shrink", "small.storm", "--subject", SPECIMEN]);
    assert_eq!((printed.status, printed.out.as_str()), (Some(1), small.as_str()));
    assert_eq!(printed.err, format!("{signature}: shrunk from {steps} steps to {steps} steps\n"));
}

#[test]
fn comments_and_expectations_survive_shrinking() {
    let place = Place::new();
    let top = "ringstorm scenario 1\n# by hand\n";
    let expect = "expect specimen-mid-chain-freed violation misuse-refused\n";
    place.write("a.storm", format!("{top}queue size=8 buffer=64\nsettle\nidle\n{MISUSE}settle\n{expect}"));
    let left = place.run(&["shrink", "a.storm"]);
    assert_eq!(left.status, Some(1), "{left:?}");
    assert!(left.out.starts_with(top) && left.out.ends_with(&format!("{MISUSE}{expect}")), "{left:?}");
}

#[test]
fn nothing_to_shrink() {
    let place = Place::new();
    let left = place.run(&["shrink", "5", "-o", "small.storm"]);
    assert_eq!((left.status, left.out.as_str()), (Some(0), ""));
    assert_eq!(left.err, "5: nothing to shrink, this scenario passes\n");
    assert!(place.everything().is_empty());
}

#[test]
fn help_and_version_are_results() {
    let place = Place::new();
    for args in [&["--help"][..], &["--version"], &["help", "run"], &["replay", "-h"]] {
        let left = place.run(args);
        assert_eq!((left.status, left.err.as_str()), (Some(0), ""), "{args:?}");
        assert!(left.out.contains("ringstorm"), "{args:?}: {left:?}");
    }
}

#[test]
fn a_file_that_is_no_text_is_read_as_bytes_and_says_so() {
    let place = Place::new();
    place.write("notes.txt", "driver submit readable=1x8\n");
    let left = place.run(&["replay", "notes.txt"]);
    assert_eq!(left.status, Some(0), "{left:?}");
    assert!(left.err.starts_with("notes.txt: read as the bytes of a fuzzer"), "{left:?}");
}
