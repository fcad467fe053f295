//! Starts and kills QEMU's storage daemon on a scratch image. The daemon never outlives this process.
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

/// Longest wait until the daemon listens. It usually takes some hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for the socket, and a disk image without a name, so that no image remains however this process ends.
pub struct Scratch {
    folder: TempDir,
    image: File,
}

impl Scratch {
    /// Makes an image of this many zero bytes.
    pub fn new(bytes: u64) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("vhost-user-blk-").tempdir()?;
        let image = tempfile::tempfile()?;
        image.set_len(bytes)?;
        Ok(Self { folder, image })
    }

    /// The path of the socket on which the daemon listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Reads from the image directly, without the daemon.
    pub fn read_image(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.image.read_exact_at(out, at)
    }
}

/// The daemon process. It is killed when this value is dropped, and when the thread that started it ends.
pub struct Daemon {
    process: Child,
}

impl Daemon {
    /// Starts the daemon and waits until it listens.
    pub fn start(program: &Path, scratch: &Scratch) -> Result<Self, Failure> {
        let ready = scratch.folder.path().join("ready");
        let words = scratch.folder.path().join("words");
        if let Err(error) = std::fs::remove_file(&ready)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error.into());
        }
        let mut command = Command::new(program);
        // The image is the daemon's standard input. The daemon opens it a second time by this name.
        command
            .args(["--blockdev", "driver=file,node-name=disk,filename=/proc/self/fd/0"])
            .arg("--export")
            .arg(format!(
                "type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path={}",
                // QEMU requires a comma in a value to be doubled.
                scratch.socket().display().to_string().replace(',', ",,")
            ))
            .arg("--pidfile")
            .arg(&ready)
            .stdin(scratch.image.try_clone()?)
            .stdout(Stdio::null())
            .stderr(File::create(&words)?)
            // A process group of its own, so that only this process receives Ctrl-C.
            .process_group(0);
        die_with_the_parent(&mut command);
        let process = command.spawn().map_err(|error| no_daemon(program, &error))?;
        let mut daemon = Self { process };
        let begin = Instant::now();
        // The daemon writes its process id when everything is set up.
        while !ready.exists() {
            if let Some(status) = daemon.process.try_wait()? {
                let words = std::fs::read_to_string(&words).unwrap_or_default();
                return Err(Failure::Daemon(format!("ended with {status}: {}", words.trim())));
            }
            if interrupted() {
                return Err(Failure::Interrupted);
            }
            if begin.elapsed() > PATIENCE {
                return Err(Failure::Daemon(format!("did not listen after {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(daemon)
    }

    /// Stops the process by SIGSTOP, so that it serves no further request.
    pub fn freeze(&self) -> Result<(), Failure> {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, Signal::STOP).map_err(|error| Failure::System(error.into()))
    }

    /// Kills the process. When this returns, the process has ended and accesses no memory any more.
    pub fn kill(mut self) -> Result<DeviceStopped, Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(DeviceStopped::confirmed())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Errors are ignored: the process has ended already, or ends with this one.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The version that the daemon reports.
pub fn version(program: &Path) -> Result<String, Failure> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| no_daemon(program, &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(Failure::NoDaemon(format!("'{}' reports no version", program.display()))),
    }
}

fn no_daemon(program: &Path, error: &io::Error) -> Failure {
    let program = program.display();
    Failure::NoDaemon(format!(
        "'{program}' cannot be run ({error}); install Debian's package qemu-utils, or give a path by --daemon"
    ))
}

/// Makes the kernel kill the child when the thread that started it ends.
fn die_with_the_parent(command: &mut Command) {
    let parent = getpid();
    let before_exec = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have ended before the call above.
        match getppid() == Some(parent) {
            true => Ok(()),
            false => Err(io::Error::from(ErrorKind::BrokenPipe)),
        }
    };
    // SAFETY: the closure runs in the child between fork and exec, where only async-signal-safe operations are allowed. It makes
    // two system calls and does not allocate.
    unsafe { command.pre_exec(before_exec) };
}
