//! The time to find each specimen's defect: with the swarm, with proptest-state-machine and with libFuzzer, from
//! several starts each. Prints a table in Markdown.
//!
//! ```text
//! cargo +nightly fuzz build specimen
//! cargo bench --bench time_to_bug -- --fuzzer fuzz/target/x86_64-unknown-linux-gnu/release/specimen
//! ```
//!
//! The three methods take turns on one core, specimen by specimen, so that disturbances of the machine affect all of
//! them. Each clock runs from the first drawn input to the catch. It does not include starting processes, shrinking
//! and writing files. `.ci/reports time_to_bug` stores the table.

#[path = "../../tests/support/queue_machine.rs"]
mod queue_machine;
#[path = "../../tests/support/quiet.rs"]
mod quiet;
#[path = "../../tests/support/step_strategy.rs"]
mod step_strategy;

mod fuzzer;
mod proptest_cases;
mod starts;

use clap::Parser;
use fuzzer::Fuzzer;
use queue_machine::CASE_STEPS;
use ringstorm::calibrate::calibrate;
use ringstorm::execution::Rig;
use ringstorm::scenario::GENERATOR;
use ringstorm::subject::{Defect, SubjectKind};
use starts::{Catch, Starts};
use std::path::PathBuf;
use std::time::Duration;
use strum::VariantArray;

/// The steps of the swarm's scenarios, as in `ringstorm calibrate`.
const SWARM_STEPS: usize = 128;

/// Measures the time to find each specimen's defect.
#[derive(Parser)]
struct Args {
    /// The number of starts of proptest and of libFuzzer for each specimen. The swarm always has 20.
    #[arg(long, default_value_t = 20)]
    starts: u32,
    /// The time limit of a start in seconds.
    #[arg(long, default_value_t = 20)]
    patience: u64,
    /// The compiled fuzz target `specimen`. Without it, libFuzzer is not measured.
    #[arg(long)]
    fuzzer: Option<PathBuf>,
    /// The folder with the initial corpus of libFuzzer.
    #[arg(long, default_value = "corpus/storm")]
    corpus: PathBuf,
    /// Measure only specimens whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// Ignored. Cargo passes it to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let patience = Duration::from_secs(args.patience);
    let fuzzer = args.fuzzer.as_ref().map(|program| Fuzzer::new(program, &args.corpus, patience));
    print!("{}", header(&args));
    let mut rig = Rig::new().expect("allocating memory for small queues");
    let mut tally = Tally::default();
    for defect in Defect::VARIANTS {
        let kind = SubjectKind::Specimen(Some(*defect));
        if !kind.name().contains(&args.only) {
            continue;
        }
        let swarm = swarm(&mut rig, *defect);
        let proptest = Starts::of(args.starts, |start| proptest_cases::first_catch(kind, start, patience));
        let fuzzer = fuzzer
            .as_ref()
            .map(|fuzzer| Starts::of(args.starts, |start| fuzzer.first_catch(&kind.name(), start)));
        println!("{}", tally.row(&kind.name(), [Some(&swarm), Some(&proptest), fuzzer.as_ref()]));
    }
    print!("{}", tally.closing());
}

/// Runs the swarm, as `ringstorm calibrate` does.
fn swarm(rig: &mut Rig, defect: Defect) -> Starts {
    let caught = calibrate(rig, defect, SWARM_STEPS).expect("allocating memory for the scenarios");
    let catch = |runs: Option<u64>, seconds: Option<f64>| {
        runs.zip(seconds).filter(|_| caught.found).map(|(runs, seconds)| Catch { runs, seconds })
    };
    Starts {
        median: catch(caught.median_seeds, caught.median_seconds),
        worst: catch(caught.worst_seeds, caught.worst_seconds),
    }
}

/// The description of the measurement, with the command for each method.
fn header(args: &Args) -> String {
    let Args { starts, patience, corpus, .. } = args;
    let (corpus, seeds) = (corpus.display(), std::fs::read_dir(corpus).map_or(0, Iterator::count));
    let (least, most) = (CASE_STEPS.start(), CASE_STEPS.end());
    let fuzzer = match args.fuzzer {
        None => "not measured".to_owned(),
        Some(_) => format!(
            "built by `cargo +nightly fuzz build specimen`, with AddressSanitizer and debug assertions, from a copy of\n  \
             the {seeds} seeds of {corpus} for each start: \
             `specimen COPY -seed=1 -max_total_time={patience} -ignore_remaining_args=1 NAME`,\n  \
             and so on up to `-seed={starts}`. It first runs the seeds, smallest first, so a catch within the first\n  \
             {seeds} executions comes from the corpus"
        ),
    };
    format!(
        "Runs and seconds until the catch, the median and the worst of the starts: 20 of the swarm, {starts} of each other\n\
         method. The median is the upper one of an even number. `-` means that the start found nothing within {patience}\n\
         seconds. The clock runs from the first run to the catch, without starting processes, shrinking and writing files.\n\
         The last column is the method with the smallest median of seconds.\n\n\
         - **swarm**: seeds of {GENERATOR}, of {SWARM_STEPS} steps each: `ringstorm calibrate`\n\
         - **proptest**: cases of the state machine of `tests/state_machine_queue.rs`, of {least} to {most} steps each:\n  \
         `cargo bench --bench time_to_bug -- --starts {starts} --patience {patience}`\n\
         - **libFuzzer**: executions, {fuzzer}\n\n\
         | | swarm | | | | proptest | | | | libFuzzer | | | | |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n\
         | specimen | seeds | worst | s | worst | cases | worst | s | worst | executions | worst | s | worst | fastest |\n"
    )
}

const METHODS: [&str; 3] = ["swarm", "proptest", "libFuzzer"];

/// The number of times that each method was the fastest.
#[derive(Default)]
struct Tally {
    fastest: [u32; METHODS.len()],
    /// The specimens that a method caught from every start.
    always: [u32; METHODS.len()],
    specimens: u32,
}

impl Tally {
    /// A row of the table: the results of each method, by its position in [`METHODS`].
    fn row(&mut self, name: &str, methods: [Option<&Starts>; METHODS.len()]) -> String {
        let seconds = |starts: Option<&Starts>| starts?.median.map(|catch| catch.seconds);
        let fastest = (0..METHODS.len())
            .filter_map(|method| Some((method, seconds(methods[method])?)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(method, _)| method);
        self.specimens += 1;
        for (method, starts) in methods.iter().enumerate() {
            self.fastest[method] += u32::from(fastest == Some(method));
            self.always[method] += u32::from(starts.is_some_and(|starts| starts.worst.is_some()));
        }
        let cells: String = methods.map(|starts| starts.copied().unwrap_or_default().cells()).concat();
        format!("| {name} |{cells} {} |", fastest.map_or("none", |method| METHODS[method]))
    }

    fn closing(&self) -> String {
        let each = |counts: [u32; METHODS.len()]| {
            METHODS
                .iter()
                .zip(counts)
                .map(|(name, count)| format!("{name} {count}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        format!(
            "\nSpecimens: {}. Found from every start: {}. Fastest by the median: {}.\n",
            self.specimens,
            each(self.always),
            each(self.fastest)
        )
    }
}
