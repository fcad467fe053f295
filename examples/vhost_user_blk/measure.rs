//! How fast, beside `virtio-driver`.

use super::daemon::Scratch;
use super::disk::Disk;
use super::frontend::{EVENT_INDEX, Link};
use super::peer::Peer;
use super::workload::{BlockDriver, Workload};
use super::{Failure, NEAR_THE_WRAP, Options, WANTED};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Each subject has so many turns at each depth.
const ROUNDS: usize = 5;
/// Requests by which it is found out how many fit the time.
const TRIAL: u64 = 1000;

/// Who drives the disk.
#[derive(Debug, Clone, Copy)]
enum Driver {
    Peer,
    Ours,
}

/// Each with event indexes, and each without.
const SUBJECTS: [(Driver, u64); 4] = [
    (Driver::Peer, WANTED),
    (Driver::Ours, WANTED),
    (Driver::Peer, WANTED & !EVENT_INDEX),
    (Driver::Ours, WANTED & !EVENT_INDEX),
];

/// What a turn came to.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    time: Duration,
    kicks: u64,
    calls: u64,
}

impl Turn {
    const fn seconds(&self) -> f64 {
        self.time.as_secs_f64()
    }
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
        "\nrequests of {bytes} bytes, half of them writes, all verified; medians of {ROUNDS} rounds, in turns\n"
    )?;
    writeln!(
        out,
        "depth |   IOPS |   MB/s | requests per kick | per call | peer's IOPS | ours/peer | both without event indexes"
    )?;
    writeln!(
        out,
        "-----:|-------:|-------:|------------------:|---------:|------------:|----------:|--------------------------:"
    )?;
    for depth in &options.depths {
        let mut bench = Bench { options, socket: &scratch.socket(), workload, depth: *depth };
        let trial = bench.turn(Driver::Ours, WANTED, TRIAL, 0)?.time.as_secs_f64();
        let share = options.seconds as f64 / (ROUNDS * SUBJECTS.len()) as f64;
        let count = ((TRIAL as f64 * share / trial) as u64).max(TRIAL);
        let mut rounds = [[Turn::default(); SUBJECTS.len()]; ROUNDS];
        for (round, turns) in rounds.iter_mut().enumerate() {
            // Nobody is always first.
            for position in 0..SUBJECTS.len() {
                let subject = (position + round) % SUBJECTS.len();
                let (driver, features) = SUBJECTS[subject];
                turns[subject] = bench.turn(driver, features, count, round as u64)?;
            }
        }
        let median = |of: fn(&[Turn; SUBJECTS.len()]) -> f64| median(rounds.each_ref().map(of));
        let seconds = [median(|turns| turns[0].seconds()), median(|turns| turns[1].seconds())];
        let [peer, ours] = seconds.map(|seconds| count as f64 / seconds);
        writeln!(
            out,
            "{depth:>5} | {ours:>6.0} | {:>6.1} | {:>17.1} | {:>8.1} | {peer:>11.0} | {:>9.2} | {:>26.2}",
            ours * f64::from(bytes) / 1e6,
            count as f64 / median(|turns| turns[1].kicks as f64),
            count as f64 / median(|turns| turns[1].calls as f64),
            median(|turns| turns[0].seconds() / turns[1].seconds()),
            median(|turns| turns[2].seconds() / turns[3].seconds()),
        )?;
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
    /// Connects, and does the requests that the seed makes.
    fn turn(&mut self, driver: Driver, features: u64, count: u64, seed: u64) -> Result<Turn, Failure> {
        let Options { block_size, patience, .. } = *self.options;
        match driver {
            Driver::Peer => {
                let mut peer = Peer::connect(self.socket, features, block_size, self.depth, patience)?;
                let time = self.time(&mut peer, count, seed)?;
                Ok(Turn { time, ..Turn::default() })
            }
            Driver::Ours => {
                let link = Link::connect(self.socket, features)?;
                let mut disk = Disk::new(link, block_size, NEAR_THE_WRAP, patience)?;
                let time = self.time(&mut disk, count, seed)?;
                let turn = Turn { time, kicks: disk.link.kicks, calls: disk.link.calls };
                disk.close(NEAR_THE_WRAP)?;
                Ok(turn)
            }
        }
    }

    fn time(&mut self, disk: &mut dyn BlockDriver, count: u64, seed: u64) -> Result<Duration, Failure> {
        let begin = Instant::now();
        self.workload.mixed(disk, self.depth, count, seed)?;
        Ok(begin.elapsed())
    }
}

fn median(mut numbers: [f64; ROUNDS]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[ROUNDS / 2]
}
