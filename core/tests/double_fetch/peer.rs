//! The other process, which runs this test binary again.

use ringstorm_core::{MappedMemory, SharedMemory};
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::process::parent_id;
use std::process::{Child, Command, Stdio, id};
use std::time::{Duration, Instant};

/// The prefix of an argument with role, parent and paths. The test runner takes the argument for the name of a test
/// that it does not find.
const ARGUMENT_PREFIX: &str = "peer:";

/// Offsets in the memory by which both processes communicate. The test sets these fields.
const STOP: usize = 0;
const START: usize = 4;
const LENGTH: usize = 8;
/// Set by the other process: the number of rounds it has run.
const ROUNDS: usize = 64;
/// Set by the other process: the values it has seen, one word for each.
const SEEN: usize = 128;

/// What the other process does with the bytes.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// Fills them with a different value in each round.
    Rewrite,
    /// Records the values that it sees in them.
    Watch,
}

/// The other process. It ends together with this one.
pub struct Peer {
    child: Child,
    talk: MappedMemory,
}

impl Peer {
    /// Runs the test `name` of this binary in a new process. The test must begin with a call of [`is_the_peer`].
    pub fn start(name: &str, role: Role, memory: &MappedMemory) -> Self {
        let talk = MappedMemory::shareable(4096).unwrap();
        let path = |memory: &MappedMemory| {
            format!("/proc/{}/fd/{}", id(), memory.file().expect("shareable").as_raw_fd())
        };
        let argument = format!("{ARGUMENT_PREFIX}{role:?}:{}:{}:{}", id(), path(&talk), path(memory));
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.args(["--exact", name, &argument]).stdout(Stdio::null()).spawn().unwrap();
        Self { child, talk }
    }

    /// Selects the bytes to work on, and waits until the other process has started on them.
    pub fn work_at(&self, start: usize, length: usize) {
        self.talk.store_u32(START, start as u32);
        self.talk.store_u32(LENGTH, length as u32);
        let (before, since) = (self.talk.load_u32(ROUNDS), Instant::now());
        while self.talk.load_u32(ROUNDS).wrapping_sub(before) < 2 {
            assert!(since.elapsed() < Duration::from_secs(60), "the other process makes no progress");
            std::thread::yield_now();
        }
    }

    pub fn has_seen(&self, value: u8) -> bool {
        self.talk.load_u32(SEEN + 4 * usize::from(value)) != 0
    }

    pub fn stop(mut self) {
        self.talk.store_u32(STOP, 1);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // An error means that the process has already ended, as intended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this process is the other process. If so, its work is done when this returns.
pub fn is_the_peer() -> bool {
    let argument = std::env::args().find_map(|arg| arg.strip_prefix(ARGUMENT_PREFIX).map(String::from));
    argument.is_some_and(|argument| {
        let parts: Vec<&str> = argument.split(':').collect();
        let [role, parent, talk, memory] = parts[..] else { panic!("{argument}") };
        let attach = |path: &str| {
            let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
            MappedMemory::attach(file).unwrap()
        };
        let (talk, memory) = (attach(talk), attach(memory));
        let work: fn(&MappedMemory, &MappedMemory, u32) = match role {
            "Rewrite" => rewrite,
            "Watch" => watch,
            other => panic!("{other}"),
        };
        let parent = parent.parse().unwrap();
        for round in 1_u32.. {
            work(&talk, &memory, round);
            talk.store_u32(ROUNDS, round);
            // The parent has ended if the parent's id has changed.
            let is_left = round.is_multiple_of(256) && parent_id() != parent;
            if talk.load_u32(STOP) != 0 || is_left {
                break;
            }
        }
        true
    })
}

/// The offset and the length of the bytes to work on.
fn place(talk: &MappedMemory) -> (usize, usize) {
    (talk.load_u32(START) as usize, talk.load_u32(LENGTH) as usize)
}

fn rewrite(talk: &MappedMemory, memory: &MappedMemory, round: u32) {
    let (start, length) = place(talk);
    let mut bytes = [0; 4 * 4096];
    // The sum of the bytes is different in each of 255 consecutive rounds, at every length.
    bytes[..length].fill(round as u8);
    memory.copy_in(start, &bytes[..length]);
}

fn watch(talk: &MappedMemory, memory: &MappedMemory, _: u32) {
    let (start, length) = place(talk);
    for at in (start..start + length).step_by(2) {
        for value in memory.load_u16(at).to_le_bytes() {
            talk.store_u32(SEEN + 4 * usize::from(value), 1);
        }
    }
}
