//! Runs the example with QEMU's storage daemon, and checks that it leaves no process and no file behind, however it ends.
//!
//! Without QEMU, tests that need it print that they were skipped. With `RINGSTORM_QEMU=required` they fail instead.
#![cfg(target_os = "linux")]

#[path = "../examples/vhost_user_blk/arguments.rs"]
mod arguments;
#[path = "../examples/vhost_user_blk/demonstration.rs"]
mod demonstration;

use demonstration::options::Options;
use demonstration::{Failure, run, run_and_report};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Prefix of an argument with the number of seconds. The test runner takes the argument for the name of a test.
const MARK: &str = "example:";
/// The test that runs this binary again by this name, as the example.
const NAME: &str = "ctrl_c_leaves_nothing_behind_and_a_kill_leaves_no_daemon";

fn options(arguments: &[&str]) -> Result<Options, String> {
    let all = ["vhost_user_blk"].iter().chain(arguments).map(|argument| argument.into());
    arguments::parse(all).map_err(|(text, status)| {
        assert_eq!(status, 2);
        text
    })
}

/// Whether the daemon can be run. If not, a message goes directly to standard error, since the test runner captures prints.
fn qemu() -> bool {
    let daemon = options(&[]).expect("the defaults are good").daemon;
    let Err(error) = Command::new(&daemon).arg("--version").output() else { return true };
    let reason = format!("{} cannot be run ({error}); Debian's package qemu-utils has it", daemon.display());
    assert!(std::env::var_os("RINGSTORM_QEMU").is_none_or(|value| value != "required"), "{reason}");
    writeln!(std::io::stderr(), "skipped: {reason}").expect("standard error can be written");
    false
}

/// The output of the example.
fn printed(arguments: &[&str]) -> String {
    let mut out = Vec::new();
    run(&options(arguments).expect("good arguments"), &mut out).expect("the example succeeds");
    String::from_utf8(out).expect("text")
}

/// The lines that begin with this word.
fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(word)).collect()
}

#[test]
fn a_real_device_serves_the_queue_and_the_queue_survives_its_death() {
    if !qemu() {
        return;
    }
    let text = printed(&["--seconds", "0", "--depths", "1,5,32", "--blocks", "128", "--block-size", "512"]);
    let features = lines(&text, "negotiated");
    assert!(
        matches!(features[..], [line] if line.contains("VERSION_1, RING_EVENT_IDX, BLK_FLUSH")),
        "{text}"
    );
    assert_eq!(lines(&text, "verified").len(), 3, "{text}");
    let survived = lines(&text, "survived");
    assert_eq!(survived.len(), 4, "{text}");
    assert!(survived.iter().all(|line| line.contains(", 256 after the reset")), "{text}");
    let wrapped: Vec<&str> = lines(&text, "wrapped")[0].split_whitespace().collect();
    assert!(wrapped[1].parse::<u64>().expect("a number") > 1 << 16, "{text}");
}

#[test]
fn the_queue_is_measured_beside_the_peer() {
    if !qemu() {
        return;
    }
    let text = printed(&["--seconds", "1", "--depths", "8", "--blocks", "64"]);
    let rows = lines(&text, "    8 |");
    assert_eq!(rows.len(), 2, "{text}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 9, "{text}");
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !["yes", "no"].contains(cell)) {
            let number: f64 = cell.parse().expect("a number");
            // On a very busy machine, the rate may round to 0.0 MB/s.
            let megabytes = column == 3;
            assert!(number > 0.0 || megabytes && number == 0.0, "{text}");
        }
    }
}

#[test]
fn a_missing_daemon_is_reported_in_one_line() {
    let fails = |daemon: &str| run(&options(&["--daemon", daemon]).expect("good"), &mut Vec::new());
    let missing = fails("/nowhere/qemu").expect_err("the program does not exist");
    assert!(matches!(missing, Failure::NoDaemon(_)), "{missing}");
    let message = missing.to_string();
    assert!(
        message.contains("'/nowhere/qemu'") && message.contains("qemu-utils") && !message.contains('\n'),
        "{message}"
    );
    // `true` ends at once with success. Some implementations print no version.
    let gone = fails("true").expect_err("`true` is no daemon");
    assert!(matches!(gone, Failure::Daemon(_) | Failure::NoDaemon(_)), "{gone}");
    assert!(matches!(fails("false"), Err(Failure::NoDaemon(_))));
}

#[test]
fn wrong_arguments_are_refused_in_one_line() {
    let wrong: [(&[&str], &str); 6] = [
        (&["--depths", "0"], "0"),
        (&["--depths", "1,65"], "65"),
        (&["--block-size", "1000"], "must be a multiple of 512"),
        (&["--blocks", "1"], "64"),
        (&["--patience", "0s"], "must be longer than 0"),
        (&["--seconds", "soon"], "soon"),
    ];
    let large = options(&["--blocks", "65536", "--block-size", "1048576"]).expect("each alone is good");
    assert!(matches!(run(&large, &mut Vec::new()), Err(Failure::Arguments(_) | Failure::NoDaemon(_))));
    for (arguments, word) in wrong {
        let refused = options(arguments).expect_err("wrong");
        assert!(refused.contains(word) && !refused.contains('\n'), "{refused}");
    }
}

/// Runs this binary again as the example, with this folder for temporary files.
fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME, &format!("{MARK}3600")])
        .env("TMPDIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be run again")
}

/// Processes with a path in this folder among their arguments.
fn daemons(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("text");
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

#[track_caller]
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited in vain for: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Ends the example by a signal while its daemon runs.
fn ended_by(signal: Signal, folder: &Path) -> ExitStatus {
    let mut example = start(folder);
    wait_until("a daemon", || !daemons(folder).is_empty());
    sleep(Duration::from_millis(100));
    let id = i32::try_from(example.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(id, signal).expect("it is there");
    let status = example.wait().expect("it ends");
    wait_until("no daemon", || daemons(folder).is_empty());
    status
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_a_kill_leaves_no_daemon() {
    if let Some(seconds) = std::env::args().find_map(|arg| arg.strip_prefix(MARK).map(String::from)) {
        let options = options(&["--seconds", &seconds]).expect("good arguments");
        // Exit directly, because the test runner would replace the exit status.
        let status = run_and_report(&options);
        std::process::exit(if status == std::process::ExitCode::from(130) { 130 } else { 1 });
    }
    if !qemu() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let left = || -> Vec<_> { fs::read_dir(folder.path()).expect("the folder").flatten().collect() };
    assert_eq!(ended_by(Signal::INT, folder.path()).code(), Some(130));
    assert!(left().is_empty(), "{:?}", left());
    assert_eq!(ended_by(Signal::KILL, folder.path()).code(), None);
    // After SIGKILL nothing cleans up, but the image has no name, so only small files remain.
    let scratch = left().pop().expect("the folder of the socket").path();
    let size = |entry: fs::DirEntry| entry.metadata().expect("a file").len();
    assert!(fs::read_dir(scratch).expect("a folder").flatten().map(size).sum::<u64>() < 4096);
}
