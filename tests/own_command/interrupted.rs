//! One SIGTERM while a finding is shrunk: the command ends, and keeps the smallest scenario so far.

use crate::{Left, Place};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// The line that the subject prints when it is executed while its finding is shrunk.
const SHRINKING: &str = "executed again";
/// The executions before the signal.
const BEFORE_SIGNAL: usize = 12;

static FAILED: AtomicBool = AtomicBool::new(false);
static EXECUTIONS: AtomicU32 = AtomicU32::new(0);

/// Constructs a queue. The executions after the first finding are slow, so that shrinking takes many seconds.
pub fn construct() {
    if FAILED.load(Ordering::SeqCst) {
        eprintln!("{SHRINKING} ({})", EXECUTIONS.fetch_add(1, Ordering::SeqCst));
        sleep(Duration::from_millis(100));
    }
}

pub fn fail() {
    FAILED.store(true, Ordering::SeqCst);
    panic!("the third take fails");
}

pub fn one_sigterm_ends_shrinking() {
    let place = Place::new();
    let left = signalled(&place, None, &["shrink", "7", "--subject", "slow", "-o", "small.storm"]);
    assert!(left.err.contains("interrupted; this is the smallest scenario so far\n"), "{left:?}");
    assert_eq!(left.status, Some(1), "{left:?}");
    fails_in_the_same_way(&place, "small.storm");

    // A run prints its results, too.
    let out = ["--jobs", "1", "--max-findings", "1", "--out", "out"];
    let left = signalled(
        &place,
        Some("found slow/"),
        &[&["run", "--subject", "slow", "--seeds", "2"], &out[..]].concat(),
    );
    assert!(left.err.contains("; these are the results so far"), "{left:?}");
    assert_eq!(left.status, Some(1), "{left:?}");
    assert!(left.out.contains("FOUND slow/panic/no-panic/take/"), "{left:?}");
    let files = std::fs::read_dir(place.path().join("out")).expect("the folder");
    let files = files
        .map(|file| file.expect("a file").path())
        .filter(|file| file.extension() == Some("storm".as_ref()));
    let files: Vec<_> = files.collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    fails_in_the_same_way(&place, file.to_str().expect("a name"));
}

/// The scenario of a file is smaller than the 128 steps of its seed, and fails.
fn fails_in_the_same_way(place: &Place, file: &str) {
    let steps = place
        .read(file)
        .lines()
        .filter(|line| line.starts_with("driver ") || line.starts_with("device "))
        .count();
    assert!(steps < 128, "{steps} steps");
    let again = place.run(&["replay", file, "--subject", "slow"]);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert!(again.out.contains("panic: the third take fails"), "{again:?}");
}

/// Starts a command, and sends it a SIGTERM after it has executed some scenarios while shrinking. If `begins` is given, shrinking
/// begins after a line that starts with it.
fn signalled(place: &Place, begins: Option<&str>, arguments: &[&str]) -> Left {
    let mut child = Command::new(crate::program())
        .args(arguments)
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let (mut left, mut executions, mut shrinks) = (Left::default(), 0, begins.is_none());
    while executions < BEFORE_SIGNAL {
        let before = left.err.len();
        assert!(errors.read_line(&mut left.err).expect("text") > 0, "it ended: {left:?}");
        let line = &left.err[before..];
        shrinks |= begins.is_some_and(|begins| line.starts_with(begins));
        executions += usize::from(shrinks && line.starts_with(SHRINKING));
    }
    let sent =
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill can be run");
    assert!(sent.success());
    errors.read_to_string(&mut left.err).expect("text");
    child.stdout.take().expect("a pipe").read_to_string(&mut left.out).expect("text");
    left.status = child.wait().expect("it ends").code();
    left
}
