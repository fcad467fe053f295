//! What can be asked for.

use super::help;
use crate::campaign::Shard;
use crate::scenario::{Draw, Profile};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ringstorm_core::QueueSize;
use std::path::PathBuf;
use std::time::Duration;

/// A storm for virtqueues: a simulated device that misbehaves, and a model that judges the driver.
///
/// Without a command, `run`: a storm of about 20 seconds over ringstorm's own queue. Exit status: 0 nothing found, 1
/// something found, 2 input or arguments refused.
#[derive(Debug, Parser)]
#[command(name = "ringstorm", version, after_long_help = help::FRONT)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a storm: many scenarios, each made from a seed.
    #[command(after_long_help = help::RUN)]
    Run(RunArgs),
    /// Tell what happens in a scenario, step by step.
    #[command(after_long_help = help::REPLAY)]
    Replay(ReplayArgs),
    /// Print a scenario as text, or as bytes.
    #[command(after_long_help = help::SHOW)]
    Show(ShowArgs),
    /// Find the smallest scenario that goes wrong in the same way.
    #[command(after_long_help = help::SHRINK)]
    Shrink(ShrinkArgs),
    /// Explore every scenario of a small scope, to find the shortest one that goes wrong, or that none does.
    #[command(after_long_help = help::EXPLORE)]
    Explore(ExploreArgs),
    /// Run every specimen, a queue with a known defect, to see that the storm catches it.
    #[command(after_long_help = help::CALIBRATE)]
    Calibrate(CalibrateArgs),
    /// Print what runs came to, or write it as a page, JSON, JUnit or SARIF; the shards of one run are merged.
    #[command(after_long_help = help::REPORT)]
    Report(ReportArgs),
    /// Print what a shell needs to complete this command.
    #[command(after_long_help = help::COMPLETIONS)]
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Run scenarios for another process, which starts this one.
    #[command(hide = true)]
    Isolated {
        /// Where to say which call goes on.
        pulse: PathBuf,
    },
}

impl Command {
    /// `run` with no argument.
    pub(super) fn default_run() -> Self {
        let cli = Cli::parse_from(["ringstorm", "run"]);
        cli.command.expect("`run` was given")
    }
}

/// What a seed needs to name a scenario.
#[derive(Debug, Args, Clone)]
pub(super) struct SeedArgs {
    /// The queue under test.
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// What kind of scenarios.
    #[arg(long, value_enum, default_value_t, value_name = "PROFILE")]
    pub(super) profile: Profile,
    /// Steps of each scenario.
    #[arg(long, default_value_t = DEFAULT_STEPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) steps: u32,
    /// Number of descriptors of every queue, a power of two up to 32768; drawn by each seed unless given.
    #[arg(long, value_name = "N", value_parser = queue_size)]
    pub(super) queue_size: Option<QueueSize>,
}

impl SeedArgs {
    /// The scenarios that are asked for.
    pub(super) const fn draw(&self) -> Draw {
        Draw { profile: self.profile, steps: self.steps as usize, queue_size: self.queue_size }
    }
}

/// Where the subject runs.
#[derive(Debug, Args, Clone)]
pub(super) struct IsolateArgs {
    /// Run the subject in child processes: one that aborts, overflows its stack, dies of a signal or never returns is
    /// a finding then, and the run goes on.
    #[arg(long)]
    pub(super) isolate: bool,
    /// How long a call of the subject may take before it counts as stuck.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(super) patience: Duration,
}

/// Steps of a scenario unless asked for otherwise.
pub(super) const DEFAULT_STEPS: u32 = 128;
/// Seeds of a run unless asked for otherwise: about 20 seconds on two cores.
const DEFAULT_SEEDS: u64 = 600_000;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) seed: SeedArgs,
    /// How many seeds.
    #[arg(long, default_value_t = DEFAULT_SEEDS, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=u64::MAX))]
    pub(super) seeds: u64,
    /// Run for so long instead, for example 30s or 10min.
    #[arg(long, value_name = "DURATION", conflicts_with = "seeds", value_parser = duration)]
    pub(super) time: Option<Duration>,
    /// The first seed.
    #[arg(long, default_value_t = 0, value_name = "SEED", value_parser = seed)]
    pub(super) from: u64,
    /// Threads; as many as there are cores unless given.
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Run the K-th of N equal parts of the seeds.
    #[arg(long, value_name = "K/N", conflicts_with = "time")]
    pub(super) shard: Option<Shard>,
    /// Stop at so many groups of findings.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=u32::MAX.into()))]
    pub(super) max_findings: u32,
    /// Do not report findings of this signature, in which `*` stands for any one part; can be repeated.
    #[arg(long, value_name = "SIGNATURE")]
    pub(super) mask: Vec<String>,
    /// Folder for findings, for the report, and for the progress from which the same command goes on if it was ended
    /// before; without it, findings go to `findings`, and nothing else is kept.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) isolate: IsolateArgs,
    /// Print which faults met the driver in which states, as a table.
    #[arg(long, conflicts_with = "json")]
    pub(super) coverage: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Scenario files (.storm, or bytes as a fuzzer writes them), or seeds.
    #[arg(required = true, value_name = "FILE|SEED")]
    pub(super) inputs: Vec<String>,
    /// Tell the rings' indexes, the free descriptors and the live chains after each step, and the state before and after the
    /// step that went wrong.
    #[arg(short, long)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) seed: SeedArgs,
    #[command(flatten)]
    pub(super) isolate: IsolateArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A scenario file or a seed.
    #[arg(value_name = "FILE|SEED")]
    pub(super) input: String,
    /// Write bytes, as a fuzzer takes them, instead of text.
    #[arg(long)]
    pub(super) bytes: bool,
    /// Where to; standard output unless given.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) seed: SeedArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    /// A scenario file or a seed.
    #[arg(value_name = "FILE|SEED")]
    pub(super) input: String,
    /// Where to; standard output unless given.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) seed: SeedArgs,
    #[command(flatten)]
    pub(super) isolate: IsolateArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExploreArgs {
    /// Number of descriptors, a power of two up to 64; 1, 2 and 4 in turn unless given.
    #[arg(long, value_name = "N", value_parser = small_queue_size)]
    pub(super) queue_size: Option<QueueSize>,
    /// The most steps of a scenario, the settling at its end not counted; some seconds' worth unless given.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(0..=65_535))]
    pub(super) depth: Option<u32>,
    /// The most faults in one execution.
    #[arg(long, default_value_t = 2, value_name = "F", value_parser = clap::value_parser!(u32).range(0..=65_535))]
    pub(super) faults: u32,
    /// The queue under test.
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// The most states of one queue size. A scope that is expected to have more is refused.
    #[arg(long, default_value_t = 10_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=u32::MAX.into()))]
    pub(super) max_states: u64,
    /// Go as deep as there is time for with each queue size, for example 30s or 10min.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) time: Option<Duration>,
    /// Threads; as many as there are cores unless given.
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Come back to a state by doing everything again, not by a copy of the subject.
    #[arg(long)]
    pub(super) replay: bool,
    /// Where to write the shortest scenario that goes wrong.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Print the steps that executions are made of, and explore nothing.
    #[arg(long)]
    pub(super) alphabet: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    /// Steps of each scenario.
    #[arg(long, default_value_t = DEFAULT_STEPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) steps: u32,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Reports of `run --json`: one, or those of all shards of a run.
    #[arg(required = true, value_name = "FILE.json")]
    pub(super) inputs: Vec<PathBuf>,
    /// Hold two runs against each other: before, and after. Exit status 1 if the second one has a finding, by signature,
    /// that the first one has not; else 2 if a part of the second one is missing or ended early, and else 0.
    #[arg(long)]
    pub(super) compare: bool,
    /// In which form; what the name of the output ends in says so unless given (.html, .json, .xml, .sarif), and else it
    /// is text.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// What `calibrate --json` printed, to be shown on the page.
    #[arg(long, value_name = "FILE.json", conflicts_with = "compare")]
    pub(super) calibration: Option<PathBuf>,
    /// Where to; standard output unless given.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people.
    Text,
    /// One JSON object, as `run --json` prints it.
    Json,
    /// A page, one file that needs nothing else.
    Html,
    /// JUnit's XML, with a test for each invariant, for CI.
    Junit,
    /// SARIF, with the findings' files as places.
    Sarif,
}

fn queue_size(text: &str) -> Result<QueueSize, String> {
    let size = text.parse().ok().and_then(|size| QueueSize::new(size).ok());
    size.ok_or_else(|| "expected a power of two from 1 to 32768".to_owned())
}

fn small_queue_size(text: &str) -> Result<QueueSize, String> {
    let size = text.parse().ok().filter(|size| *size <= 64).and_then(|size| QueueSize::new(size).ok());
    size.ok_or_else(|| "expected a power of two from 1 to 64".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("expected more than no time at all".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("expected a duration like 30s or 10min: {error}")),
    }
}

/// A seed: decimal or hexadecimal.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("expected a seed from 0 to {}", u64::MAX))
}
