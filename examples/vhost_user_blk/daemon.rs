//! QEMU's storage daemon on a scratch image: started, killed, and never left behind.
#![allow(unsafe_code)]

use super::Failure;
use super::options::interrupted;
use ringstorm_core::DeviceStopped;
use rustix::process::{Pid, Signal, getpid, getppid, kill_process, set_parent_process_death_signal};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// It starts in some hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for the socket, and a disk image that has no name: whatever becomes of this process, no image stays.
pub struct Scratch {
    folder: TempDir,
    image: File,
}

impl Scratch {
    /// An image of so many zeros.
    pub fn new(bytes: u64) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("vhost-user-blk-").tempdir()?;
        let image = tempfile::tempfile()?;
        image.set_len(bytes)?;
        Ok(Self { folder, image })
    }

    /// Where the daemon listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Reads what stands in the image, past the daemon.
    pub fn read_image(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.image.read_exact_at(out, at)
    }
}

/// The daemon, which ends with this value, and with the thread that started it.
pub struct Daemon {
    process: Child,
}

impl Daemon {
    /// Starts it, and waits until it listens.
    pub fn start(program: &Path, scratch: &Scratch) -> Result<Self, Failure> {
        let ready = scratch.folder.path().join("ready");
        let words = scratch.folder.path().join("words");
        if let Err(error) = std::fs::remove_file(&ready)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error.into());
        }
        let mut command = Command::new(program);
        // The image is its standard input, and it opens it once more by this name.
        command
            .args(["--blockdev", "driver=file,node-name=disk,filename=/proc/self/fd/0"])
            .arg("--export")
            .arg(format!(
                "type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path={}",
                // A comma is doubled, or it would end the path.
                scratch.socket().display().to_string().replace(',', ",,")
            ))
            .arg("--pidfile")
            .arg(&ready)
            .stdin(scratch.image.try_clone()?)
            .stdout(Stdio::null())
            .stderr(File::create(&words)?)
            // Ctrl-C is for us to hear.
            .process_group(0);
        die_with_the_parent(&mut command);
        let process = command.spawn().map_err(|error| no_daemon(program, &error))?;
        let mut daemon = Self { process };
        let begin = Instant::now();
        // The daemon writes its process id when all that it was asked for is there.
        while !ready.exists() {
            if let Some(status) = daemon.process.try_wait()? {
                let words = std::fs::read_to_string(&words).unwrap_or_default();
                return Err(Failure::Daemon(format!("ended with {status}: {}", words.trim())));
            }
            if interrupted() {
                return Err(Failure::Interrupted);
            }
            if begin.elapsed() > PATIENCE {
                return Err(Failure::Daemon(format!("does not listen after {PATIENCE:?}")));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(daemon)
    }

    /// Stops it where it is, so that nothing that it is given from now on is done.
    pub fn freeze(&self) -> Result<(), Failure> {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, Signal::STOP).map_err(|error| Failure::System(error.into()))
    }

    /// Kills it. When this returns it is no more, and touches nothing any more.
    pub fn kill(mut self) -> Result<DeviceStopped, Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(DeviceStopped::confirmed())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Nothing can be done about an error: it has ended, or will with us.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the daemon says of itself.
pub fn version(program: &Path) -> Result<String, Failure> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| no_daemon(program, &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(Failure::NoDaemon(format!("'{}' does not tell its version", program.display()))),
    }
}

fn no_daemon(program: &Path, error: &io::Error) -> Failure {
    let program = program.display();
    Failure::NoDaemon(format!(
        "'{program}' cannot be run ({error}): it is in Debian's package qemu-utils, and --daemon names another one"
    ))
}

/// The kernel kills the child when the thread that started it ends, in whatever way.
fn die_with_the_parent(command: &mut Command) {
    let parent = getpid();
    let tell_the_kernel = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before the kernel was told.
        match getppid() == Some(parent) {
            true => Ok(()),
            false => Err(io::Error::from(ErrorKind::BrokenPipe)),
        }
    };
    // SAFETY: the closure runs in the child between fork and exec, where only what is async-signal-safe may be done: two
    // system calls and no allocation.
    unsafe { command.pre_exec(tell_the_kernel) };
}
