//! Subjects that damage their process, or do not return from their release, under the whole command. This test is such a
//! program and starts itself, so it has its own `main`.

use ringstorm::cli;
use ringstorm::scenario::Setup;
use ringstorm::subject::{
    Answer, Capabilities, Completion, CoreQueue, External, Geometry, Provided, QueueSize, SharedMemory,
    Subject, WatchedMemory,
};
use std::cell::Cell;
use std::process::{Command, ExitCode, abort};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The queue of ringstorm-core with two hooks.
struct Hooked {
    queue: CoreQueue,
    rings: Rc<WatchedMemory>,
    take: fn(),
    release: fn(&WatchedMemory),
}

impl Hooked {
    fn boxed(
        take: fn(),
        release: fn(&WatchedMemory),
        setup: &Setup,
        provided: &Provided,
    ) -> Box<dyn Subject> {
        let (queue, rings) = (CoreQueue::new(setup, provided), Rc::clone(&provided.rings));
        Box::new(Self { queue, rings, take, release })
    }
}

impl Subject for Hooked {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let head = self.queue.submit(readable, writable)?;
        self.queue.publish();
        Ok(head)
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let taken = self.queue.take();
        if matches!(taken, Ok(Some(_))) {
            (self.take)();
        }
        taken
    }

    fn read(&mut self, head: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(head, out)
    }

    fn free(&mut self, head: u16, name: ringstorm::subject::HandleAge) -> Answer<()> {
        self.queue.free(head, name)
    }

    fn release(self: Box<Self>) {
        (self.release)(&self.rings);
        Box::new(self.queue).release();
    }
}

const CAN: Capabilities = Capabilities { free: true, lengths: true, policies: true, ..Capabilities::NONE };

const SUBJECTS: &[External] = &[
    // Its memory is damaged in some call, and its process ends later, outside of a call.
    External::new("damages", CAN, |setup, provided| Hooked::boxed(|| {}, |_| {}, setup, provided))
        .with_rings(end_after_forty),
    // Once it has failed, it fails differently as long as its process lives.
    External::new("lingers", CAN, |setup, provided| {
        assert!(!FAILED.load(Ordering::SeqCst), "an effect of an earlier failure");
        Hooked::boxed(fail, |_| {}, setup, provided)
    }),
    External::new("reports", CAN, |setup, provided| Hooked::boxed(report, |_| {}, setup, provided)),
    External::new("walks", CAN, |setup, provided| Hooked::boxed(|| {}, walk, setup, provided)),
    External::new("fails-then-walks", CAN, |setup, provided| {
        BROKEN.set(false);
        Hooked::boxed(
            fail,
            |rings| {
                if BROKEN.get() {
                    walk(rings)
                }
            },
            setup,
            provided,
        )
    }),
    External::new("fails-then-spins", CAN, |setup, provided| {
        BROKEN.set(false);
        Hooked::boxed(
            fail,
            |_| {
                while BROKEN.get() {
                    std::hint::spin_loop()
                }
            },
            setup,
            provided,
        )
    }),
];

static FAILED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether the subject of this thread has failed.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

fn fail() {
    BROKEN.set(true);
    FAILED.store(true, Ordering::SeqCst);
    panic!("it fails");
}

fn walk(rings: &WatchedMemory) {
    while rings.load_u16(0) != rings.load_u16(2) || rings.load_u16(0) == rings.load_u16(2) {}
}

fn end_after_forty(size: QueueSize) -> usize {
    static QUEUES: AtomicU32 = AtomicU32::new(0);
    if QUEUES.fetch_add(1, Ordering::SeqCst) == 40 {
        abort();
    }
    ringstorm_core::Layout::new(size).len()
}

/// Prints what a sanitizer prints, and ends the process.
fn report() {
    eprintln!("some words before\n==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1");
    (0..200).for_each(|frame| eprintln!("    #{frame} 0x1 in function_{frame} queue.c:{frame}"));
    eprintln!("==7==ABORTING");
    abort()
}

/// Runs this program with these arguments in a new folder, and returns its output and its errors.
fn command(arguments: &[&str], status: i32) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this program");
    let left = Command::new(program).args(arguments).current_dir(&folder).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&left.stdout), String::from_utf8_lossy(&left.stderr));
    println!("{arguments:?}");
    assert_eq!(left.status.code(), Some(status), "{arguments:?}: {out}\n{err}");
    (out.into_owned(), err.into_owned())
}

fn run(subject: &str, more: &[&str], status: i32) -> (String, String) {
    command(&[&["run", "--jobs", "1", "--subject", subject], more].concat(), status)
}

fn an_end_outside_of_a_call_is_a_finding_with_the_seeds_of_its_process() {
    let (out, _) = run("damages", &["--seeds", "60", "--isolate"], 1);
    let how = "died: signal: 6 (SIGABRT), outside of a call; an earlier call may have damaged memory: its process ran the \
               seeds 0 to 40";
    assert!(out.contains("FOUND damages/died/no-panic/release/no-fault"), "{out}");
    assert!(out.contains(how), "{out}");
    assert!(out.starts_with("damages under the swarm storm: 60 seeds"), "the run continues: {out}");
}

fn each_finding_is_followed_by_a_fresh_process() {
    let (out, _) = run("lingers", &["--seeds", "40", "--isolate"], 1);
    let groups: Vec<&str> = out.lines().filter(|line| line.starts_with("FOUND ")).collect();
    assert!(!groups.is_empty() && groups.iter().all(|group| group.contains("/take/")), "{out}");
    assert!(!out.contains("an effect of an earlier failure"), "{out}");
}

fn the_first_lines_of_a_sanitizer_report_are_printed() {
    let (out, _) = run("reports", &["--seeds", "40", "--max-findings", "1", "--isolate"], 1);
    assert!(out.contains("FOUND reports/died/no-panic/take/"), "{out}");
    let text = "ringstorm scenario 1\nqueue size=2 buffer=8\ndriver submit readable=1x1\n";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.storm");
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("a name");
    let (_, err) = command(&["replay", file, "--subject", "reports", "--isolate"], 1);
    assert!(
        err.contains("\n==7==ERROR: AddressSanitizer: heap-buffer-overflow")
            || err.contains(": ==7==ERROR: "),
        "{err}"
    );
    assert!(err.contains(" #0 0x1 in function_0 ") && !err.contains("function_100"), "{err}");
}

fn a_release_that_does_not_return_is_a_finding() {
    for isolate in [&[][..], &["--isolate"]] {
        let run = |subject, status| {
            run(subject, &[&["--seeds", "40", "--patience", "1s"], isolate].concat(), status).0
        };
        let walks = run("walks", 1);
        assert!(walks.contains("FOUND walks/stuck/no-panic/release/"), "{walks}");
        // The first failure decides.
        let walks = run("fails-then-walks", 1);
        assert!(walks.contains("FOUND fails-then-walks/panic/no-panic/take/"), "{walks}");
        assert!(!walks.contains("/stuck/"), "{walks}");
        let spins = run("fails-then-spins", 1);
        assert!(spins.contains("FOUND fails-then-spins/stuck/no-panic/release/"), "{spins}");
    }
}

fn main() -> ExitCode {
    // `cargo test` passes none of these as first argument.
    if std::env::args().nth(1).is_some_and(|first| ["run", "replay", "isolated"].contains(&first.as_str())) {
        return cli::main_with(SUBJECTS);
    }
    an_end_outside_of_a_call_is_a_finding_with_the_seeds_of_its_process();
    each_finding_is_followed_by_a_fresh_process();
    the_first_lines_of_a_sanitizer_report_are_printed();
    a_release_that_does_not_return_is_a_finding();
    ExitCode::SUCCESS
}
