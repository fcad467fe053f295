//! Refused input: exit status 2, one line on standard error with the place and the reason, and nothing else.

use crate::{Place, SPECIMEN};

#[track_caller]
fn refused(place: &Place, args: &[&str], parts: &[&str]) {
    let before = place.everything();
    let left = place.run(args);
    assert_eq!(left.status, Some(2), "{args:?}: {left:?}");
    assert_eq!(left.out, "", "{args:?}");
    assert!(left.err.starts_with("error: ") && left.err.ends_with('\n'), "{args:?}: {left:?}");
    assert_eq!(left.err.lines().count(), 1, "{args:?}: {left:?}");
    for part in parts {
        assert!(left.err.contains(part), "{args:?}: {part:?} is missing in {left:?}");
    }
    assert_eq!(place.everything(), before, "{args:?} wrote something");
}

#[test]
fn arguments() {
    let table: [(&str, &[&str]); 38] = [
        ("dance", &["dance"]),
        ("report", &["error: the following required arguments were not provided: <FILE.json>..."]),
        ("--seeds 60000", &["'--seeds'", "tip: write `ringstorm run --seeds 60000` (see --help)"]),
        ("run --dance", &["--dance"]),
        ("run --subject nobody", &["'nobody'", "--subject", "did you mean "]),
        ("replay 1 --subject specimen-", &["'specimen-'", "--subject"]),
        ("run --profile calm", &["'calm'", "--profile", "honest, hostile, swarm"]),
        ("run --mask foo", &["'foo'", "--mask", "expected SUBJECT/OUTCOME/INVARIANT/CALL/FAULT"]),
        ("run --mask */*/*/*/", &["--mask", "expected SUBJECT/OUTCOME/INVARIANT/CALL/FAULT"]),
        ("run --seeds 0", &["'0'", "--seeds"]),
        ("run --seeds -1", &["-1"]),
        ("run --seeds", &["--seeds", "value is required"]),
        ("run --seeds 18446744073709551616", &["'18446744073709551616'", "--seeds"]),
        ("run --jobs 0", &["'0'", "--jobs"]),
        ("run --jobs many", &["'many'", "--jobs"]),
        ("run --steps 0", &["'0'", "--steps"]),
        ("run --steps 1000001", &["'1000001'", "--steps", "1000000"]),
        ("show 1 --steps 0", &["'0'", "--steps"]),
        ("run --max-findings 0", &["'0'", "--max-findings"]),
        ("run --shard 0/3", &["'0/3'", "--shard", "K from 1 to N"]),
        ("run --shard 4/3", &["'4/3'", "--shard", "K from 1 to N"]),
        ("run --shard 3", &["'3'", "--shard", "K/N"]),
        ("run --time 1s --seeds 3", &["--time", "cannot be used with", "--seeds"]),
        ("run --time 1s --shard 1/2", &["--time", "cannot be used with", "--shard"]),
        ("run --time soon", &["'soon'", "--time", "30s"]),
        ("run --from nowhere", &["'nowhere'", "--from", "a seed from 0 to 18446744073709551615"]),
        ("run --from 18446744073709551615", &["--from", "the last seed is 18446744073709551615"]),
        ("explore --queue-size 3", &["'3'", "--queue-size", "a power of two from 1 to 64"]),
        ("explore --queue-size 128", &["'128'", "--queue-size", "a power of two from 1 to 64"]),
        ("explore --depth -1", &["-1"]),
        ("explore --max-states 0", &["'0'", "--max-states"]),
        ("explore --time 0s", &["'0s'", "--time"]),
        ("explore --subject nobody", &["'nobody'", "--subject"]),
        ("replay", &["FILE|SEED"]),
        ("show 1 2", &["'2'"]),
        ("show 18446744073709551616", &["18446744073709551616: expected a seed"]),
        ("run --subject specimen-free", &["did you mean specimen-freed-"]),
        ("show 0xstorm", &["0xstorm: expected a seed"]),
    ];
    let place = Place::new();
    for (line, parts) in table {
        refused(&place, &line.split(' ').collect::<Vec<_>>(), parts);
    }
}

#[test]
fn files_that_are_not_scenarios() {
    let place = Place::new();
    let head = "ringstorm scenario 1\nqueue size=8 buffer=64\n";
    let size_is =
        |found: &str| format!("line 2, column 12: expected a power of two from 1 to 32768, found {found}");
    let (zero, three, above) = (size_is("\"0\""), size_is("\"3\""), size_is("\"65536\""));
    let table: [(&str, Vec<u8>, &str); 11] = [
        ("text.storm", b"ringstorm scenario 1\nqueue size=8\n\xff\n".into(), "line 3: expected text"),
        (
            "version.storm",
            b"ringstorm scenario 2\nqueue size=8\n".into(),
            "line 1, column 1: expected `ringstorm scenario 1`",
        ),
        (
            "version-without-ending",
            b"ringstorm scenario 2\n".into(),
            "line 1, column 1: expected `ringstorm scenario 1`",
        ),
        (
            "empty.storm",
            Vec::new(),
            "line 1, column 1: expected `ringstorm scenario 1` as the first line, found the end of the file",
        ),
        ("cut.storm", format!("{head}driver ta").into(), "line 3, column 8: expected one of submit"),
        ("end.storm", format!("{head}driver take").into(), "line 3, column 12: expected a line break"),
        (
            "line.storm",
            format!("{head}device dance\n").into(),
            "line 3, column 8: expected one of take, return",
        ),
        ("zero.storm", b"ringstorm scenario 1\nqueue size=0\n".into(), &zero),
        ("three.storm", b"ringstorm scenario 1\nqueue size=3\n".into(), &three),
        ("above.storm", b"ringstorm scenario 1\nqueue size=65536\n".into(), &above),
        ("subject.storm", format!("{head}expect nobody pass\n").into(), "expect: unknown subject \"nobody\""),
    ];
    for (name, content, why) in &table {
        place.write(name, content);
        for command in ["replay", "shrink"] {
            refused(&place, &[command, name], &[&format!("error: {name}: "), why]);
        }
        if *name != "subject.storm" {
            refused(&place, &["show", name], &[&format!("error: {name}: "), why]);
        }
    }
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let place = Place::new();
    place.write("file", "a file");
    std::fs::create_dir(place.path().join("folder")).expect("a folder");
    for command in ["replay", "show", "shrink"] {
        refused(&place, &[command, "missing.storm"], &["missing.storm: ", "No such file"]);
        refused(&place, &[command, "folder"], &["folder: ", "directory"]);
    }
    // All inputs are read before the first one runs.
    refused(&place, &["replay", "1", "missing.storm"], &["missing.storm: "]);
    refused(&place, &["run", "--seeds", "1", "--out", "file"], &["file: "]);
    refused(&place, &["run", "--seeds", "1", "--out", "file/below"], &["file/below: "]);
    refused(&place, &["show", "1", "-o", "missing/out.storm"], &["missing/out.storm: ", "No such file"]);
    let left = place.run(&["show", "1", "-o", "missing/out.storm"]);
    assert!(!left.err.contains("tmp"), "the error has no temporary name: {left:?}");
    refused(&place, &["show", "1", "-o", "file/out.storm"], &["file/out.storm: "]);
    refused(&place, &["show", "1", "-o", "folder"], &["folder: "]);
}

#[test]
fn shrinking_into_a_missing_folder() {
    let place = Place::new();
    let left =
        place.run(&["shrink", &place.failing_seed(), "--subject", SPECIMEN, "-o", "missing/out.storm"]);
    assert_eq!((left.status, left.out.as_str()), (Some(2), ""));
    // The result is printed before the file is written.
    let last = left.err.lines().last().expect("a line");
    assert!(last.starts_with("error: missing/out.storm: "), "{left:?}");
    assert!(place.everything().is_empty());
}
