//! The other process: this test binary, run again.

use ringstorm_core::{MappedMemory, SharedMemory};
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::process::parent_id;
use std::process::{Child, Command, Stdio, id};
use std::time::{Duration, Instant};

/// In front of role, parent and paths, in an argument that the test runner takes for the name of a test that it does not
/// find.
const MARK: &str = "peer:";

/// Where in the memory that both processes use to talk: set by the test.
const STOP: usize = 0;
const START: usize = 4;
const LENGTH: usize = 8;
/// Set by the other process: how often it has gone through its loop.
const ROUNDS: usize = 64;
/// Set by the other process: which values it has seen, a word for each.
const SEEN: usize = 128;

/// What the other process does with the bytes that it is to work at.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// Fills them with a value that is another one each time.
    Rewrite,
    /// Notes the values that it sees in them.
    Watch,
}

/// The other process, which ends with this one.
pub struct Peer {
    child: Child,
    talk: MappedMemory,
}

impl Peer {
    /// Runs the test `name` of this binary again, which must begin with [`was_run_as_one`].
    pub fn start(name: &str, role: Role, memory: &MappedMemory) -> Self {
        let talk = MappedMemory::shareable(4096).unwrap();
        let path = |memory: &MappedMemory| {
            format!("/proc/{}/fd/{}", id(), memory.file().expect("shareable").as_raw_fd())
        };
        let argument = format!("{MARK}{role:?}:{}:{}:{}", id(), path(&talk), path(memory));
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.args(["--exact", name, &argument]).stdout(Stdio::null()).spawn().unwrap();
        Self { child, talk }
    }

    /// Names the bytes to work at, and waits until the other process does.
    pub fn work_at(&self, start: usize, length: usize) {
        self.talk.store_u32(START, start as u32);
        self.talk.store_u32(LENGTH, length as u32);
        let (before, since) = (self.talk.load_u32(ROUNDS), Instant::now());
        while self.talk.load_u32(ROUNDS).wrapping_sub(before) < 2 {
            assert!(since.elapsed() < Duration::from_secs(60), "the other process does nothing");
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
        // Refused if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this process is the other one. If so, all its work is done.
pub fn was_run_as_one() -> bool {
    let argument = std::env::args().find_map(|arg| arg.strip_prefix(MARK).map(String::from));
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
            // Whose parent is gone has another one.
            let is_left = round.is_multiple_of(256) && parent_id() != parent;
            if talk.load_u32(STOP) != 0 || is_left {
                break;
            }
        }
        true
    })
}

/// Where to work.
fn place(talk: &MappedMemory) -> (usize, usize) {
    (talk.load_u32(START) as usize, talk.load_u32(LENGTH) as usize)
}

fn rewrite(talk: &MappedMemory, memory: &MappedMemory, round: u32) {
    let (start, length) = place(talk);
    let mut bytes = [0; 4 * 4096];
    // The sum is another one after each of 255 rounds, at every length.
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
