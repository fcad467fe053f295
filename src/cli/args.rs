//! The commands and their arguments. The help names the program as `{program}` and its default subject as `{default}`;
//! `help::Program` fills them in.

use crate::campaign::Shard;
use crate::scenario::{Draw, Profile};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ringstorm_core::QueueSize;
use std::path::PathBuf;
use std::time::Duration;

/// Find bugs in virtio queue drivers: a simulated device misbehaves, and a model checks the driver.
///
/// Without a command, `run`: a storm of about 40 seconds on two cores over {default}. Exit status: 0 nothing
/// found, 1 something found, 2 input or arguments refused, canary missed, or report incomplete.
#[derive(Debug, Parser)]
#[command(name = "ringstorm", version)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a storm: many scenarios over one subject, each made from a seed.
    Run(RunArgs),
    /// Run a scenario and print its annotated trace: what happens, step by step.
    Replay(ReplayArgs),
    /// Print a scenario as text or bytes.
    Show(ShowArgs),
    /// Make a failing scenario smaller, so that it fails in the same way.
    Shrink(ShrinkArgs),
    /// Run every scenario of a small scope, to find the shortest one that fails, or to show that none does.
    Explore(ExploreArgs),
    /// Run a storm over every specimen, a queue with a known defect, or over other subjects, and report whether each is caught.
    Calibrate(CalibrateArgs),
    /// Print the results of runs as text, HTML, JSON, JUnit or SARIF; merge the shards of a run; compare two runs.
    Report(ReportArgs),
    /// Print an example of a scenario's text form. `{program} help scenario` explains the form.
    Scenario,
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Run scenarios for another process, which starts this one.
    #[command(hide = true)]
    Isolated {
        /// The file that shows which call is in progress.
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

/// The options that select, together with a seed, a scenario.
#[derive(Debug, Args, Clone)]
pub(super) struct SeedArgs {
    /// The queue under test.
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// The kind of scenarios.
    #[arg(long, value_enum, default_value_t, value_name = "PROFILE")]
    pub(super) profile: Profile,
    /// Steps of each scenario.
    #[arg(long, default_value_t = DEFAULT_STEPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) steps: u32,
    /// The number of descriptors of every queue, a power of two up to 32768; by default each seed selects it.
    #[arg(long, value_name = "N", value_parser = queue_size)]
    pub(super) queue_size: Option<QueueSize>,
}

impl SeedArgs {
    /// The scenarios that these options select.
    pub(super) const fn draw(&self) -> Draw {
        Draw { profile: self.profile, steps: self.steps as usize, queue_size: self.queue_size }
    }
}

/// The process that runs the subject.
#[derive(Debug, Args, Clone)]
pub(super) struct IsolateArgs {
    /// Run the subject in child processes. If it aborts, exits, overflows its stack, is killed by a signal or does not return,
    /// that is a finding, and this command continues.
    #[arg(long)]
    pub(super) isolate: bool,
    /// The call timeout: a call of the subject that takes longer is stuck.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(super) patience: Duration,
}

/// A signature, of which each part may be `*`.
fn mask(text: &str) -> Result<String, String> {
    let parts = text.split('/');
    if parts.clone().count() >= 5 && parts.clone().all(|part| !part.is_empty()) {
        return Ok(text.to_owned());
    }
    Err("expected SUBJECT/OUTCOME/INVARIANT/CALL/FAULT, in which * matches any one part".to_owned())
}

/// Steps of a scenario by default.
pub(super) const DEFAULT_STEPS: u32 = 128;
/// Seeds of a run by default: about 40 seconds on two cores.
const DEFAULT_SEEDS: u64 = 600_000;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) seed: SeedArgs,
    /// The number of seeds.
    #[arg(long, default_value_t = DEFAULT_SEEDS, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=u64::MAX))]
    pub(super) seeds: u64,
    /// Run for this time instead of a number of seeds, for example 30s or 10min.
    #[arg(long, value_name = "DURATION", conflicts_with = "seeds", value_parser = duration)]
    pub(super) time: Option<Duration>,
    /// The first seed.
    #[arg(long, default_value_t = 0, value_name = "SEED", value_parser = seed)]
    pub(super) from: u64,
    /// The number of threads; by default the number of cores.
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Run the K-th of N equal parts of the seeds.
    #[arg(long, value_name = "K/N", conflicts_with = "time")]
    pub(super) shard: Option<Shard>,
    /// Stop after this number of groups of findings. A group is named by one signature and may list others.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=u32::MAX.into()))]
    pub(super) max_findings: u32,
    /// Count findings of this signature and do not report them. `*` matches any one part. Can be repeated.
    #[arg(long, value_name = "SIGNATURE", value_parser = mask)]
    pub(super) mask: Vec<String>,
    /// The folder for findings, report and progress. If the run is interrupted, the same command continues from the progress.
    /// Without this option the run writes only its findings, to `findings`.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) isolate: IsolateArgs,
    /// Print the coverage cells as a table: which faults the driver encountered in which states.
    #[arg(long, conflicts_with = "json")]
    pub(super) coverage: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Scenario files (.storm, or bytes of a fuzzer), or seeds.
    #[arg(required = true, value_name = "FILE|SEED")]
    pub(super) inputs: Vec<String>,
    /// Print ring indexes, free descriptors and live chains after each step; for a finding also the state before and after the
    /// failing step, and a test to paste.
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
    /// Print bytes, the input of a fuzzer, instead of text.
    #[arg(long)]
    pub(super) bytes: bool,
    /// The file to write; standard output by default.
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
    /// The file to write; standard output by default.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) seed: SeedArgs,
    #[command(flatten)]
    pub(super) isolate: IsolateArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExploreArgs {
    /// The number of descriptors, a power of two up to 64; by default 1, then 2, then 4.
    #[arg(long, value_name = "N", value_parser = small_queue_size)]
    pub(super) queue_size: Option<QueueSize>,
    /// The most steps of a scenario, without the drain at its end; by default 6, 5 and 3 for queue sizes 1, 2 and 4.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(0..=65_535))]
    pub(super) depth: Option<u32>,
    /// The most faults in one execution.
    #[arg(long, default_value_t = 2, value_name = "F", value_parser = clap::value_parser!(u32).range(0..=65_535))]
    pub(super) faults: u32,
    /// The queue under test.
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// The most states of one queue size. `explore` refuses a scope that it expects to have more.
    #[arg(long, default_value_t = 10_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=u32::MAX.into()))]
    pub(super) max_states: u64,
    /// Explore as deep as this time permits, for example 30s or 10min. The queue sizes share it.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) time: Option<Duration>,
    /// The number of threads; by default the number of cores.
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Return to a state by repeating all its steps, instead of copying the subject.
    #[arg(long)]
    pub(super) replay: bool,
    /// The file for the shortest failing scenario.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Print the actions that are tried from every state, and explore nothing.
    #[arg(long)]
    pub(super) alphabet: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// The queues to measure.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(super) subject: Vec<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
    /// Steps of each scenario.
    #[arg(long, default_value_t = DEFAULT_STEPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) steps: u32,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Reports of `run --json`: one, or all shards of a run.
    #[arg(required = true, value_name = "FILE.json")]
    pub(super) inputs: Vec<PathBuf>,
    /// Compare two runs: before and after. Exit status: 1 if the second run has a finding with a signature that the first run
    /// does not have; otherwise 2 if the second run is incomplete; otherwise 0.
    #[arg(long)]
    pub(super) compare: bool,
    /// The form of the report. By default the extension of the output file selects it (.html, .json, .xml, .sarif, .txt);
    /// without an output file it is text.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// The output of `calibrate --json`, to show on the page.
    #[arg(long, value_name = "FILE.json", conflicts_with = "compare")]
    pub(super) calibration: Option<PathBuf>,
    /// The file to write; standard output by default.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text.
    Text,
    /// One JSON object, as `run --json` prints it.
    Json,
    /// A page: one HTML file without other files.
    Html,
    /// JUnit XML for CI, with a test for each invariant.
    Junit,
    /// SARIF for code scanning, with the files of the findings as locations.
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
        Ok(Duration::ZERO) => Err("expected a duration above zero".to_owned()),
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
