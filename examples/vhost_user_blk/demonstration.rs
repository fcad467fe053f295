//! The parts of the demonstration, in order: verification, the wrap of the indexes, the death of the device, measurement.

mod daemon;
mod disk;
mod failure;
mod frontend;
mod measure;
pub mod options;
mod peer;
mod request;
mod workload;

pub use failure::Failure;

use daemon::{Daemon, Scratch};
use disk::Disk;
use frontend::{EVENT_INDEX, FLUSH, Link, VERSION_1};
use options::Options;
use request::{ID, SECTOR, kind, status};
use ringstorm_core::{DeviceStopped, RingIndex};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use workload::{BlockDriver, Workload};

/// The features that the driver supports.
const WANTED: u64 = VERSION_1 | EVENT_INDEX | FLUSH;
/// First ring index, shortly before the 16-bit wrap.
const NEAR_THE_WRAP: RingIndex = RingIndex::new(0xfffe);

/// Runs the demonstration with output to standard output, and prints a failure in one line. Ctrl-C ends it.
pub fn run_and_report(options: &Options) -> ExitCode {
    let result = options::listen_for_interrupts().and_then(|()| run(options, &mut io::stdout()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", failure.to_string().replace(['\n', '\r'], " "));
            failure.exit_status()
        }
    }
}

/// Runs the demonstration with output to `out`.
pub fn run(options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let deepest = options.depths.iter().copied().max().unwrap_or(1);
    let version = daemon::version(&options.daemon)?;
    let scratch = Scratch::new(options.bytes()?)?;
    let daemon = Daemon::start(&options.daemon, &scratch)?;
    let mut workload = Workload::new(options.blocks(), options.block_size);

    let link = Link::connect(&scratch.socket(), WANTED)?;
    writeln!(out, "{version}: a disk of {} sectors", link.sectors)?;
    writeln!(out, "negotiated  {}", link.features())?;
    let mut disk = Disk::new(link, options.block_size, NEAR_THE_WRAP, options.patience)?;
    answers(&mut disk, out)?;
    for depth in &options.depths {
        verify(&mut disk, &mut workload, &scratch, *depth, out)?;
    }
    wrap(disk, &mut workload, deepest, out)?;

    let link = Link::connect(&scratch.socket(), WANTED)?;
    let mut disk = Disk::new(link, options.block_size, NEAR_THE_WRAP, options.patience)?;
    let mut survival =
        Survival { options, scratch: &scratch, disk: &mut disk, workload: &mut workload, depth: deepest };
    let mut daemon = survival.killed_before_it_looks(daemon, out)?;
    for milliseconds in [5, 20, 50] {
        daemon = survival.killed_at_work(daemon, Duration::from_millis(milliseconds), out)?;
    }
    disk.close(NEAR_THE_WRAP)?;
    if options.seconds > 0 {
        measure::all(options, &scratch, &mut workload, out)?;
    }
    drop(daemon);
    Ok(())
}

/// Checks the answers to requests other than reads and writes, and to requests that must fail.
fn answers(disk: &mut Disk, out: &mut impl Write) -> Result<(), Failure> {
    let (answer, id) = disk.ask(kind::GET_ID, 0, ID)?;
    let id = String::from_utf8_lossy(id).trim_end_matches('\0').to_owned();
    expect(status::OK, answer, "its id")?;
    let beyond = disk.link.sectors;
    let (answer, _) = disk.ask(kind::IN, beyond, SECTOR as u32)?;
    expect(status::IO_ERROR, answer, "a read beyond the end")?;
    let (answer, _) = disk.ask(0x7fff, 0, 0)?;
    expect(status::UNSUPPORTED, answer, "a request of no kind")?;
    writeln!(out, "answered    id {id:?}; IOERR beyond the end; UNSUPP to a request of no kind")?;
    Ok(())
}

fn expect(expected: u8, answer: u8, what: &str) -> Result<(), Failure> {
    match answer == expected {
        true => Ok(()),
        false => {
            Err(Failure::Unexpected(format!("{what} was answered with status {answer}, not {expected}")))
        }
    }
}

/// Writes and reads all blocks, and compares them with the image file too.
fn verify(
    disk: &mut Disk,
    workload: &mut Workload,
    scratch: &Scratch,
    depth: u16,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let before = (disk.done, disk.link.kicks, disk.link.calls);
    workload.write_and_read_all(disk, depth)?;
    let mut data = vec![0; workload.block_size()];
    for block in 0..workload.blocks() {
        scratch.read_image(block * data.len() as u64, &mut data)?;
        workload.check(block, &data, "image")?;
    }
    let (blocks, requests) = (workload.blocks(), disk.done - before.0);
    let (kicks, calls) = (disk.link.kicks - before.1, disk.link.calls - before.2);
    writeln!(
        out,
        "verified    depth {depth}: {blocks} blocks written, flushed, read, and compared with the image; \
         {requests} requests, {kicks} kicks, {calls} calls"
    )?;
    Ok(())
}

/// Sends requests until more chains went through this queue than a 16-bit index has values.
fn wrap(mut disk: Disk, workload: &mut Workload, depth: u16, out: &mut impl Write) -> Result<(), Failure> {
    let left = (u64::from(u16::MAX) + 2).saturating_sub(disk.done);
    workload.mixed(&mut disk, depth, left, 0)?;
    workload.read_all(&mut disk, depth)?;
    let done = disk.done;
    disk.close(NEAR_THE_WRAP)?;
    let begin = NEAR_THE_WRAP.get();
    writeln!(
        out,
        "wrapped     {done} requests in one life of a queue from index {begin:#x}; the device agrees"
    )?;
    Ok(())
}

/// The tests in which the daemon is killed.
struct Survival<'a> {
    options: &'a Options,
    scratch: &'a Scratch,
    disk: &'a mut Disk,
    workload: &'a mut Workload,
    depth: u16,
}

impl Survival<'_> {
    /// Stops the device, sends requests that it never serves, waits for the timeout, and kills the device.
    fn killed_before_it_looks(&mut self, daemon: Daemon, out: &mut impl Write) -> Result<Daemon, Failure> {
        daemon.freeze()?;
        self.disk.patience = Duration::from_millis(100);
        let silent = self.workload.mixed(self.disk, self.depth, u64::MAX, 0);
        self.disk.patience = self.options.patience;
        match silent {
            Err(Failure::Silent { in_flight }) if in_flight == self.depth => {}
            other => return Err(unexpected("a stopped device", other)),
        }
        let stopped = daemon.kill()?;
        let gone = self.disk.wait(&mut |_, _| Ok(()));
        self.recover(gone, stopped, "frozen, then killed", out)
    }

    /// Kills the device after this time of work.
    fn killed_at_work(
        &mut self,
        daemon: Daemon,
        after: Duration,
        out: &mut impl Write,
    ) -> Result<Daemon, Failure> {
        let (gone, stopped) = std::thread::scope(|scope| {
            let killer = scope.spawn(move || {
                std::thread::sleep(after);
                daemon.kill()
            });
            let gone = self.workload.mixed(self.disk, self.depth, u64::MAX, 0);
            (gone, killer.join().expect("the killer does not panic"))
        });
        self.recover(gone, stopped?, "killed at work", out)
    }

    /// Resets the queue, checks that all descriptors are free, and continues with a new daemon on the same image.
    fn recover(
        &mut self,
        gone: Result<(), Failure>,
        stopped: DeviceStopped,
        how: &str,
        out: &mut impl Write,
    ) -> Result<Daemon, Failure> {
        let in_flight = match gone {
            Err(Failure::Gone { in_flight }) if in_flight > 0 => in_flight,
            other => return Err(unexpected("a killed device", other)),
        };
        let free = self.disk.queue().free_count();
        let daemon = Daemon::start(&self.options.daemon, self.scratch)?;
        let link = Link::connect(&self.scratch.socket(), WANTED)?;
        self.disk.restart(stopped, link, NEAR_THE_WRAP)?;
        let (all, now) = (self.disk.size(), self.disk.queue().free_count());
        if now != all {
            return Err(Failure::Unexpected(format!("{now} of {all} descriptors are free after a reset")));
        }
        self.workload.read_all(self.disk, self.depth)?;
        writeln!(
            out,
            "survived    {how} with {in_flight} in flight: an error; {free} of {all} descriptors free, \
             {now} after the reset; all data is there"
        )?;
        Ok(daemon)
    }
}

fn unexpected(what: &str, result: Result<(), Failure>) -> Failure {
    match result {
        Ok(()) => Failure::Unexpected(format!("{what} was not noticed")),
        // Another failure is reported unchanged.
        Err(failure) => failure,
    }
}
