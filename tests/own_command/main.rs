//! The whole command over external subjects, child processes included. This test is such a program and starts itself, so it
//! has its own `main`.

mod hang;
mod interrupted;

use ringstorm::cli;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, Provided, Subject, WrongAdapter,
};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// The queue of ringstorm-core, with an adapter that calls `third` in its third `take`, and `end` in its release.
struct Adapter {
    queue: CoreQueue,
    takes: u32,
    /// Whether it never returns from a `submit` of the chain [`hang::TRIGGER`].
    spins: bool,
    third: fn(),
    end: fn(),
}

impl Adapter {
    fn boxed(third: fn(), setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        Self::ending(third, || {}, setup, provided)
    }

    fn ending(third: fn(), end: fn(), setup: &Setup, provided: &Provided) -> Box<dyn Subject> {
        Box::new(Self { queue: CoreQueue::new(setup, provided), takes: 0, spins: false, third, end })
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        while self.spins && (readable.len(), writable.len()) == hang::TRIGGER {
            std::hint::spin_loop();
        }
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
    External::new("spins", CAN, |setup, provided| {
        let (queue, third, end) = (CoreQueue::new(setup, provided), || {}, || {});
        Box::new(Adapter { queue, takes: 0, spins: true, third, end })
    }),
    External::new("slow", CAN, |setup, provided| {
        interrupted::construct();
        Adapter::boxed(interrupted::fail, setup, provided)
    }),
];

/// The results of a command.
#[derive(Debug, Default)]
struct Left {
    status: Option<i32>,
    out: String,
    err: String,
}

/// A folder to run this program in, as a command.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Left {
        Self::left(Command::new(program()).args(arguments).current_dir(self.path()))
    }

    /// Runs a line of the shell, in which `$R` is the command.
    fn shell(&self, line: &str) -> Left {
        Self::left(Command::new("sh").args(["-c", line]).env("R", program()).current_dir(self.path()))
    }

    fn left(command: &mut Command) -> Left {
        let Output { status, stdout, stderr } = command.output().expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Left { status: status.code(), out: text(stdout), err: text(stderr) }
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect(name)
    }
}

fn program() -> PathBuf {
    std::env::current_exe().expect("this program")
}

/// The first call is a finding. A later one, while that finding is shrunk, ends the process.
fn panic_then_exit() {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    if PANICKED.swap(true, Ordering::SeqCst) {
        exit(0);
    }
    panic!("once");
}

/// First arguments with which this program acts as the command, not as the test. Child processes get `isolated`.
const COMMANDS: [&str; 9] =
    ["run", "replay", "shrink", "explore", "calibrate", "report", "isolated", "help", "completions"];

fn check(arguments: &[&str], status: i32, out: &str, err: &str) {
    let left = Place::new().run(arguments);
    println!("{arguments:?}");
    assert_eq!(left.status, Some(status), "{arguments:?}: {left:?}");
    assert!(left.out.contains(out), "{arguments:?}: {left:?}");
    assert!(left.err.contains(err), "{arguments:?}: {left:?}");
}

/// No help names the command `ringstorm`, or its default subject.
fn the_help_names_this_program_and_its_subjects() {
    let place = Place::new();
    let name = program().file_name().expect("a name").to_string_lossy().into_owned();
    for command in
        ["", "run", "replay", "show", "shrink", "explore", "calibrate", "report", "scenario", "completions"]
    {
        let left = place.run(&["help", command][..1 + usize::from(!command.is_empty())]);
        assert_eq!(left.status, Some(0), "{left:?}");
        assert!(left.out.contains(&format!("Usage: {name}")), "{left:?}");
        for foreign in [
            "  ringstorm\n",
            "ringstorm run",
            "ringstorm re",
            "ringstorm help",
            "`ringstorm",
            "ringstorm's own",
        ] {
            assert!(!left.out.contains(foreign), "{command}: {foreign}: {left:?}");
        }
        assert!(!left.out.contains("{"), "{left:?}");
    }
    let front = place.run(&["help"]).out;
    assert!(front.contains("over good") && front.contains(&format!("\n  {name} run --subject ")), "{front}");
    assert!(front.contains("This program tests the subjects good, aborts, wrong, "), "{front}");
}

/// If the program is in `PATH`, the commands that a report prints work in a shell.
fn the_commands_of_reports_can_be_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program();
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
    the_help_names_this_program_and_its_subjects();
    the_commands_of_reports_can_be_typed();
    an_exit_of_a_subject_is_no_success();
    hang::a_hang_is_printed_with_its_seed_and_ends_the_run();
    interrupted::one_sigterm_ends_shrinking();
    ExitCode::SUCCESS
}
