//! The whole command over external subjects, child processes included. This test is such a program and starts itself, so it
//! has its own `main`.

use ringstorm::cli;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, Provided, Subject, WrongAdapter,
};
use std::process::{Command, ExitCode, Output, exit};
use std::sync::atomic::{AtomicBool, Ordering};

/// The queue of ringstorm-core, with an adapter that calls `third` in its third `take`, and `end` in its release.
struct Adapter {
    queue: CoreQueue,
    takes: u32,
    third: fn(),
    end: fn(),
}

impl Adapter {
    fn boxed(third: fn(), setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        Self::ending(third, || {}, setup, provided)
    }

    fn ending(third: fn(), end: fn(), setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        Box::new(Self { queue: CoreQueue::new(setup, provided), takes: 0, third, end })
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let head = self.queue.submit(readable, writable)?;
        self.queue.publish();
        Ok(head)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        self.takes += 1;
        if self.takes == 3 {
            (self.third)();
        }
        self.queue.take()
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(head, out)
    }

    fn free(&mut self, head: u16, name: ringstorm::subject::HandleAge) -> Answer<()> {
        self.queue.free(head, name)
    }

    fn release(self: Box<Self>) {
        (self.end)();
        Box::new(self.queue).release();
    }
}

const CAN: Capabilities = Capabilities { free: true, lengths: true, policies: true, ..Capabilities::NONE };
const SUBJECTS: &[External] = &[
    External::new("good", CAN, |setup, provided| Adapter::boxed(|| {}, setup, provided)),
    External::new("aborts", CAN, |setup, provided| Adapter::boxed(|| std::process::abort(), setup, provided)),
    External::new("wrong", CAN, |setup, provided| {
        Adapter::boxed(|| WrongAdapter::raise("its caller lost count"), setup, provided)
    }),
    External::new("exits-built", CAN, |_, _| exit(0)),
    External::new("exits-taking", CAN, |setup, provided| Adapter::boxed(|| exit(0), setup, provided)),
    External::new("exits-released", CAN, |setup, provided| {
        Adapter::ending(|| {}, || exit(0), setup, provided)
    }),
    External::new("exits-in-a-thread", CAN, |setup, provided| {
        Adapter::boxed(|| std::thread::spawn(|| exit(0)).join().expect("it exits"), setup, provided)
    }),
    External::new("exits-shrunk", CAN, |setup, provided| Adapter::boxed(panic_then_exit, setup, provided)),
];

/// The first call is a finding. A later one, while that finding is shrunk, ends the process.
fn panic_then_exit() {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if PANICKED.swap(true, Ordering::SeqCst) {
        exit(0);
    }
    panic!("once");
}

/// Runs this program with these arguments in a new folder.
fn command(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this program");
    Command::new(program).args(arguments).current_dir(&folder).output().expect("it starts")
}

/// First arguments with which this program acts as the command, not as the test. Child processes get `isolated`.
const COMMANDS: [&str; 9] =
    ["run", "replay", "shrink", "explore", "calibrate", "report", "isolated", "help", "completions"];

fn check(arguments: &[&str], status: i32, out: &str, err: &str) {
    let Output { status: left, stdout, stderr } = command(arguments);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    println!("{arguments:?}");
    assert_eq!(left.code(), Some(status), "{arguments:?}: {stdout}\n{stderr}");
    assert!(stdout.contains(out), "{arguments:?}: {stdout}\n{stderr}");
    assert!(stderr.contains(err), "{arguments:?}: {stdout}\n{stderr}");
}

/// If the program is in `PATH`, the commands that a report prints work in a shell.
fn the_commands_of_reports_can_be_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this program");
    let name = program.file_name().and_then(|name| name.to_str()).expect("a name");
    let place = program.parent().expect("a folder");
    let start = |command: &mut Command| command.current_dir(&folder).output().expect("it starts");
    let run = ["run", "--seeds", "60", "--subject", "aborts", "--isolate", "--out", "out"];
    assert_eq!(start(Command::new(&program).args(run)).status.code(), Some(1));
    let replay = format!("{name} replay out/");
    for form in ["html", "junit", "sarif"] {
        let report = ["report", "out/report.json", "--format", form];
        let text = start(Command::new(&program).args(report)).stdout;
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains(&replay), "{form}: {text}");
        assert!(form == "sarif" || text.contains(&format!("{name} run --subject aborts")), "{form}: {text}");
        assert!(
            !text.contains(place.to_str().expect("a name")),
            "{form} contains the folder of the program: {text}"
        );
    }
    let mut files = std::fs::read_dir(folder.path().join("out"))
        .expect("a folder")
        .map(|file| file.expect("a file").path());
    let finding =
        files.find(|file| file.extension().is_some_and(|ending| ending == "storm")).expect("a finding");
    let text = std::fs::read_to_string(finding).expect("text");
    let (_, command) =
        text.lines().find_map(|line| line.strip_prefix("# from seed ")?.split_once(": ")).expect("a command");
    let path = std::env::join_paths([place, "/usr/bin".as_ref(), "/bin".as_ref()]).expect("a path");
    let left = start(Command::new("sh").args(["-c", command]).env("PATH", path));
    assert_eq!(left.status.code(), Some(1), "{command}: {left:?}");
    assert!(String::from_utf8_lossy(&left.stdout).contains(" on aborts\n"), "{command}: {left:?}");
    // Ringstorm's own program knows this subject, so the report names that program.
    let left = start(Command::new(&program).args(["run", "--seeds", "1", "--subject", "core", "--json"]));
    assert!(String::from_utf8_lossy(&left.stdout).contains("\"program\": \"ringstorm\""), "{left:?}");
}

/// A subject that exits with status 0 ends the command before its end, so nothing passed.
fn an_exit_of_a_subject_is_no_success() {
    let error = "error: the subject ended this process by an exit";
    for subject in ["exits-built", "exits-taking", "exits-released", "exits-in-a-thread", "exits-shrunk"] {
        check(&["run", "--seeds", "60", "--jobs", "1", "--subject", subject], 2, "", error);
    }
    for subject in ["exits-built", "exits-released"] {
        check(&["replay", "7", "--subject", subject], 2, "", error);
        check(&["shrink", "7", "--subject", subject], 2, "", error);
        check(&["explore", "--queue-size", "1", "--subject", subject], 2, "", error);
    }
    let isolated = ["run", "--seeds", "6", "--isolate", "--subject", "exits-built"];
    check(&isolated, 1, "FOUND exits-built/died/no-panic/construct/no-fault", "");
    check(&["replay", "7", "--subject", "exits-released", "--isolate"], 1, "died: exit status: 0", "");
}

fn main() -> ExitCode {
    // `cargo test` passes none of these as first argument.
    if std::env::args().nth(1).is_some_and(|first| COMMANDS.contains(&first.as_str())) {
        return cli::main_with(SUBJECTS);
    }
    let seeds = ["run", "--seeds", "60"];
    let run = |more: &[&str], status, out, err| check(&[&seeds, more].concat(), status, out, err);
    run(&[], 0, "good under the swarm storm", "");
    run(&["--isolate"], 0, "nothing found", "");
    run(&["--subject", "aborts", "--isolate"], 1, "FOUND aborts/died/no-panic/take/", "");
    let wrong =
        "error: the adapter is wrong, so nothing is known about its queue: its caller lost count (in step ";
    run(&["--subject", "wrong"], 2, "nothing found so far", wrong);
    run(&["--subject", "wrong"], 2, "", "stopped by an error after 0 seeds");
    run(&["--subject", "wrong", "--isolate"], 2, "", wrong);
    check(&["replay", "7", "--subject", "wrong"], 2, "", wrong);
    check(&["replay", "7", "--subject", "wrong", "--isolate"], 2, "", wrong);
    check(&["explore", "--subject", "wrong", "--queue-size", "1"], 2, "", wrong);
    run(&["--subject", "core"], 0, "core under the swarm storm", "");
    check(&["help", "run"], 0, "The queue under test: good, aborts, wrong, exits-built, exits-taking,", "");
    check(&["completions", "bash"], 0, "\"good aborts wrong exits-built exits-taking ", "");
    the_commands_of_reports_can_be_typed();
    an_exit_of_a_subject_is_no_success();
    ExitCode::SUCCESS
}
