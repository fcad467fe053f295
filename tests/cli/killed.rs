//! A run that was killed continues without loss.

use crate::{Left, Place, SPECIMEN, TIMES, json};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const RUN: [&str; 6] = ["run", "--json", "--max-findings", "9999", "--out", "out"];

fn start(place: &Place, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ringstorm"))
        .current_dir(place.path())
        .args(RUN)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be run")
}

fn run(place: &Place, more: &[&str]) -> Left {
    place.run(&[&RUN[..], more].concat())
}

/// The parts of a report that must not depend on interruptions, and the files of its findings.
fn essence(place: &Place, mut report: Value) -> (Value, Vec<(String, String)>) {
    let object = report.as_object_mut().expect("an object");
    TIMES.iter().for_each(|key| assert!(object.remove(*key).is_some(), "{key}"));
    let mut files: Vec<(String, String)> = std::fs::read_dir(place.path().join("out"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name.ends_with(".storm"))
        .map(|name| (name.clone(), place.read(&format!("out/{name}"))))
        .collect();
    files.sort();
    (report, files)
}

/// The number of seeds that a killed run has completed.
fn seeds_done(place: &Place) -> Option<u64> {
    let text = std::fs::read_to_string(place.path().join("out/progress.json")).ok()?;
    let progress: Value = serde_json::from_str(&text).expect("never half a file");
    progress["seeds"].as_u64()
}

/// Waits until the progress has more than `seeds` seeds.
#[track_caller]
fn wait_for_progress(place: &Place, seeds: u64) -> u64 {
    let begin = Instant::now();
    loop {
        match seeds_done(place) {
            Some(done) if done > seeds => return done,
            _ if begin.elapsed() > Duration::from_secs(60) => panic!("no progress after {seeds} seeds"),
            _ => sleep(Duration::from_millis(10)),
        }
    }
}

/// Starts a run, and kills it when it has written some progress.
fn killed(place: &Place, args: &[&str]) -> u64 {
    let mut child = start(place, args);
    wait_for_progress(place, 0);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    seeds_done(place).expect("progress")
}

#[test]
fn a_run_that_is_killed_twenty_times_has_the_same_result() {
    // A second or two, so that the run writes its progress several times.
    let seeds = if cfg!(debug_assertions) { "2500" } else { "60000" };
    let args = ["--seeds", seeds, "--steps", "40", "--subject", SPECIMEN];
    let whole = Place::new();
    let begin = Instant::now();
    let left = run(&whole, &args);
    let took = begin.elapsed();
    let expected = essence(&whole, json(&left));
    assert!(!expected.1.is_empty());

    let place = Place::new();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(20);
    let (mut kills, mut far, mut done) = (0, Vec::new(), 0);
    while kills < 20 {
        let mut child = start(&place, &args);
        // Some kills come before the run continues, some after it has made further progress.
        let further = random.random_range(0..3) > 0;
        while further
            && seeds_done(&place).unwrap_or(0) <= done
            && child.try_wait().expect("a status").is_none()
        {
            sleep(Duration::from_millis(1));
        }
        sleep(took.mul_f64(f64::from(random.random_range(0..100_u32)) / 1000.0));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        if seeds_done(&place).is_none() && place.path().join("out/report.json").exists() {
            // The run had already ended: start again.
            std::fs::remove_dir_all(place.path().join("out")).expect("the folder");
            done = 0;
            continue;
        }
        kills += 1;
        let now = seeds_done(&place).unwrap_or(0);
        assert!(now >= done, "{now} seeds after {done}");
        done = now;
        far.push(done);
    }
    assert!(far.iter().any(|seeds| *seeds > 0), "no progress was kept at all: {far:?}");
    let left = run(&place, &args);
    if done > 0 {
        assert!(left.err.starts_with(&format!("continuing after {} seeds\n", grouped(done))), "{left:?}");
    }
    assert_eq!(essence(&place, json(&left)), expected, "killed after {far:?}");
    assert!(seeds_done(&place).is_none(), "the progress is removed");
    let names = std::fs::read_dir(place.path().join("out")).expect("the folder");
    let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().contains("-tmp-")),
        "nothing half done: {names:?}"
    );
    let report: Value = serde_json::from_str(&place.read("out/report.json")).expect("an object");
    assert_eq!(essence(&place, report), expected);
}

#[test]
fn a_run_with_a_time_continues_for_the_remaining_time() {
    let place = Place::new();
    let done = killed(&place, &["--time", "4s"]);
    let before: Value = serde_json::from_str(&place.read("out/progress.json")).expect("an object");
    let left = run(&place, &["--time", "4s"]);
    let (before, report) = (before["seconds"].as_f64().expect("a number"), json(&left));
    let seconds = report["seconds"].as_f64().expect("a number");
    // Four seconds in total, not four more.
    assert!(
        before > 0.0 && (4.0..4.0 + before.max(1.0)).contains(&seconds),
        "{seconds} s, {before} s before"
    );
    assert!(report["seeds"].as_u64().is_some_and(|seeds| seeds > done), "{report}");
}

#[test]
fn an_interrupted_run_continues() {
    let place = Place::new();
    let mut child = start(&place, &["--seeds", "1000000"]);
    wait_for_progress(&place, 0);
    let sent =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill can be run");
    assert!(sent.success());
    child.wait().expect("it ends");
    let done = seeds_done(&place).expect("progress");
    // `report` accepts the progress of an unfinished run.
    let left = place.run(&["report", "out/progress.json"]);
    assert!(left.out.contains("  incomplete the run ended early"), "{left:?}");
    assert!(
        left.status == Some(2)
            && left.err.starts_with("error: nothing found, but incomplete: the run ended early, after "),
        "{left:?}"
    );
    let mut child = start(&place, &["--seeds", "1000000"]);
    wait_for_progress(&place, done);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

#[test]
fn the_progress_of_a_run_with_other_options_is_refused_and_stays() {
    let place = Place::new();
    killed(&place, &["--seeds", "1000000"]);
    let before = place.read("out/progress.json");
    let cases: [(&[&str], &str); 4] = [
        (
            &["--seeds", "999999"],
            "all_seeds is {\"count\":1000000,\"from\":0} there and {\"count\":999999,\"from\":0} here",
        ),
        (&["--seeds", "1000000", "--profile", "honest"], "profile is \"swarm\" there and \"honest\" here"),
        (&["--seeds", "1000000", "--shard", "1/2"], "shard is none there and 1/2 here"),
        (&["--time", "1s"], "time is not given there and 1.0 here"),
    ];
    for (args, what) in cases {
        let left = run(&place, args);
        assert_eq!((left.status, left.out.as_str()), (Some(2), ""), "{left:?}");
        let error = "error: out/progress.json: this is the progress of a run with other options: ";
        assert!(left.err.starts_with(&format!("{error}{what}")), "{what}: {left:?}");
        assert_eq!(place.read("out/progress.json"), before);
    }
    for (bad, what) in [
        (before[..before.len() / 2].to_owned(), "expected a report as JSON"),
        (
            before.replacen("\"build\": \"0x", "\"build\": \"1x", 1),
            "this is the progress of another build of this program; ",
        ),
    ] {
        place.write("out/progress.json", &bad);
        let left = run(&place, &["--seeds", "1000000"]);
        assert_eq!(left.status, Some(2), "{left:?}");
        assert!(left.err.starts_with(&format!("error: out/progress.json: {what}")), "{left:?}");
        assert_eq!(place.read("out/progress.json"), bad);
    }
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let place = Place::new();
    let mut child = start(&place, &["--time", "60s"]);
    wait_for_progress(&place, 0);
    let left = run(&place, &["--seeds", "10"]);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!(
        (left.status, left.err.as_str()),
        (
            Some(2),
            "error: --out out: another run is using this folder; wait for it, or name another folder\n"
        )
    );
}

#[test]
fn a_folder_that_is_removed_loses_no_finding() {
    // During the run the folder is moved, or replaced by a broken link, or replaced by another folder.
    for (before, away) in [
        ("", "mv out gone"),
        ("mkdir gone; ln -s gone out; ln -s printed/nowhere other", "mv -T other out"),
        ("mkdir gone other; ln -s gone out; ln -s other link", "mv -T link out"),
    ] {
        let place = Place::new();
        let args = format!("run --subject {SPECIMEN} --time 3s --steps 32 --out out --max-findings 99");
        let line = format!(
            "{before}\n$R {args} >printed 2>errors & \
             while [ ! -e out/progress.json ]; do :; done; {away}; wait $!; echo $?"
        );
        let left = place.shell(&line);
        assert_eq!(left.out.trim(), "2", "{away}: {left:?}");
        let (printed, errors) = (place.read("printed"), place.read("errors"));
        let groups = printed.matches("FOUND ").count();
        assert!(groups > 0 && printed.contains(" seeds from 0, "), "{printed}");
        // No finding has a file, so each scenario is printed once.
        let scenarios = errors
            .matches(
                "a finding could not be written to a file; this is its scenario:\nringstorm scenario 1\n",
            )
            .count();
        assert_eq!(scenarios, groups, "{away}: {errors}");
        let unsaved = printed.matches("; its file could not be written\n").count();
        assert_eq!(unsaved, groups, "{away}: {printed}");
        assert!(errors.lines().last().is_some_and(|line| line.starts_with("error: out: ")), "{errors}");
        let entries = |name: &str| std::fs::read_dir(place.path().join(name)).map_or(0, Iterator::count);
        assert!(entries("gone") > 0 && entries("out") == 0, "no folder is created again: {away}");
    }
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}
