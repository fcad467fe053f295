//! Measures the speed of our queue beside that of `virtio-driver`.

use super::daemon::Scratch;
use super::disk::Disk;
use super::frontend::{EVENT_INDEX, Link};
use super::peer::Peer;
use super::workload::{BlockDriver, Workload};
use super::{Failure, NEAR_THE_WRAP, Options, WANTED};
use rustix::time::{ClockId, clock_gettime};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Turns of each subject at each depth.
const ROUNDS: usize = 9;
/// Requests of the trial that estimates how many requests fit into the time.
const TRIAL: u64 = 1000;

/// The driver under measurement.
#[derive(Debug, Clone, Copy)]
enum Driver {
    Peer,
    Ours,
}

/// Both drivers, with and without event indexes.
const SUBJECTS: [(Driver, u64); 4] = [
    (Driver::Peer, WANTED),
    (Driver::Ours, WANTED),
    (Driver::Peer, WANTED & !EVENT_INDEX),
    (Driver::Ours, WANTED & !EVENT_INDEX),
];

/// The result of a turn.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    /// Elapsed seconds.
    seconds: f64,
    /// Processor time in seconds of the thread that runs the driver. The device's time is not included.
    processor: f64,
    kicks: u64,
    calls: u64,
}

/// Measures at each depth, in turns on one daemon, and prints a table.
pub fn all(
    options: &Options,
    scratch: &Scratch,
    workload: &mut Workload,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let bytes = options.block_size;
    writeln!(
        out,
        "\nrequests of {bytes} bytes, half of them writes, all verified; medians of {ROUNDS} rounds, in turns\n\n\
         depth | event index |   IOPS |   MB/s | per kick | per call | processor/us | IOPS: ours/peer | processor: ours/peer\n\
         -----:|-------------|-------:|-------:|---------:|---------:|-------------:|----------------:|--------------------:"
    )?;
    for depth in &options.depths {
        let mut bench = Bench { options, socket: &scratch.socket(), workload, depth: *depth };
        let trial = bench.turn(Driver::Ours, WANTED, TRIAL, 0)?.seconds;
        let share = options.seconds as f64 / (ROUNDS * SUBJECTS.len()) as f64;
        let count = ((TRIAL as f64 * share / trial) as u64).max(TRIAL);
        let mut rounds = [[Turn::default(); SUBJECTS.len()]; ROUNDS];
        for (round, turns) in rounds.iter_mut().enumerate() {
            // Each round begins with another subject.
            for position in 0..SUBJECTS.len() {
                let subject = (position + round) % SUBJECTS.len();
                let (driver, features) = SUBJECTS[subject];
                turns[subject] = bench.turn(driver, features, count, round as u64)?;
            }
        }
        for (first, index) in [(0, "yes"), (2, "no")] {
            let pairs = rounds.map(|turns| [turns[first], turns[first + 1]]);
            let median = |of: fn([Turn; 2]) -> f64| median(pairs.map(of));
            let requests = count as f64;
            let speed = requests / median(|[_, ours]| ours.seconds);
            writeln!(
                out,
                "{depth:>5} | {index:<11} | {speed:>6.0} | {:>6.1} | {:>8.1} | {:>8.1} | {:>12.2} | {:>15.2} | {:>20.2}",
                speed * f64::from(bytes) / 1e6,
                requests / median(|[_, ours]| ours.kicks as f64),
                requests / median(|[_, ours]| ours.calls as f64),
                median(|[_, ours]| ours.processor) / requests * 1e6,
                median(|[peer, ours]| peer.seconds / ours.seconds),
                median(|[peer, ours]| ours.processor / peer.processor),
            )?;
        }
    }
    Ok(())
}

struct Bench<'a> {
    options: &'a Options,
    socket: &'a Path,
    workload: &'a mut Workload,
    depth: u16,
}

impl Bench<'_> {
    /// Connects and runs the requests of the seed.
    fn turn(&mut self, driver: Driver, features: u64, count: u64, seed: u64) -> Result<Turn, Failure> {
        let Options { block_size, patience, .. } = *self.options;
        match driver {
            Driver::Peer => {
                let mut peer = Peer::connect(self.socket, features, block_size, self.depth, patience)?;
                self.time(&mut peer, count, seed)
            }
            Driver::Ours => {
                let link = Link::connect(self.socket, features)?;
                let mut disk = Disk::new(link, block_size, NEAR_THE_WRAP, patience)?;
                let turn = self.time(&mut disk, count, seed)?;
                let turn = Turn { kicks: disk.link.kicks, calls: disk.link.calls, ..turn };
                disk.close(NEAR_THE_WRAP)?;
                Ok(turn)
            }
        }
    }

    fn time(&mut self, disk: &mut dyn BlockDriver, count: u64, seed: u64) -> Result<Turn, Failure> {
        let (begin, before) = (Instant::now(), processor());
        self.workload.mixed(disk, self.depth, count, seed)?;
        let seconds = begin.elapsed().as_secs_f64();
        Ok(Turn { seconds, processor: processor() - before, ..Turn::default() })
    }
}

/// Processor time of this thread in seconds.
fn processor() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(mut numbers: [f64; ROUNDS]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[ROUNDS / 2]
}
