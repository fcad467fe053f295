//! How soon each specimen's defect is found: by the swarm, by proptest-state-machine and by libFuzzer, from a number of
//! starts each. Prints a table in Markdown.
//!
//! ```text
//! cargo +nightly fuzz build specimen
//! cargo bench --bench time_to_bug -- --fuzzer fuzz/target/x86_64-unknown-linux-gnu/release/specimen
//! ```
//!
//! The three take turns, specimen by specimen, on one core, so that what disturbs the machine disturbs all of them.
//! Each one's seconds are a clock's that begins with the first thing that is drawn and ends with the catch: processes
//! that start, shrinking and the writing of files are not in it. `.ci/reports time_to_bug` keeps the table.

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

/// Steps of the swarm's scenarios: what `ringstorm calibrate` takes.
const SWARM_STEPS: usize = 128;

/// Measures how soon each specimen's defect is found.
#[derive(Parser)]
struct Args {
    /// Starts of proptest and of libFuzzer for each specimen. The swarm has 20.
    #[arg(long, default_value_t = 20)]
    starts: u32,
    /// Seconds after which a start gives up.
    #[arg(long, default_value_t = 20)]
    patience: u64,
    /// The fuzz target `specimen`, built; without it libFuzzer is left out.
    #[arg(long)]
    fuzzer: Option<PathBuf>,
    /// The folder that libFuzzer starts from.
    #[arg(long, default_value = "corpus/storm")]
    corpus: PathBuf,
    /// Only specimens with this in their names.
    #[arg(long, default_value = "")]
    only: String,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let patience = Duration::from_secs(args.patience);
    let fuzzer = args.fuzzer.as_ref().map(|program| Fuzzer::new(program, &args.corpus, patience));
    print!("{}", header(&args));
    let mut rig = Rig::new().expect("memory for small queues");
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

/// The swarm, as `ringstorm calibrate` has it.
fn swarm(rig: &mut Rig, defect: Defect) -> Starts {
    let caught = calibrate(rig, defect, SWARM_STEPS).expect("memory for the scenarios");
    let catch = |runs: Option<u64>, seconds: Option<f64>| {
        runs.zip(seconds).filter(|_| caught.found).map(|(runs, seconds)| Catch { runs, seconds })
    };
    Starts {
        median: catch(caught.median_seeds, caught.median_seconds),
        worst: catch(caught.worst_seeds, caught.worst_seconds),
    }
}

/// What is measured, and the command for each method.
fn header(args: &Args) -> String {
    let Args { starts, patience, corpus, .. } = args;
    let (corpus, seeds) = (corpus.display(), std::fs::read_dir(corpus).map_or(0, Iterator::count));
    let (least, most) = (CASE_STEPS.start(), CASE_STEPS.end());
    let fuzzer = match args.fuzzer {
        None => "left out".to_owned(),
        Some(_) => format!(
            "built by `cargo +nightly fuzz build specimen`, with AddressSanitizer and debug assertions, from a copy of\n  \
             the {seeds} seeds of {corpus} for each start: \
             `specimen COPY -seed=1 -max_total_time={patience} -ignore_remaining_args=1 NAME`,\n  \
             and so on to `-seed={starts}`; first it runs the seeds, smallest first, so that a catch among the first\n  \
             {seeds} executions is the corpus's own"
        ),
    };
    format!(
        "Runs and seconds until the catch, the median and the worst of the starts: 20 of the swarm, {starts} of each other\n\
         method. The median is the upper one of an even number; `-` says that the start found nothing within {patience}\n\
         seconds. The clock goes from the first run to the catch: what starts a process, shrinks, or writes a file is left\n\
         out. The last column says which median of seconds is the least.\n\n\
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

/// How often each method was the fastest.
#[derive(Default)]
struct Tally {
    fastest: [u32; METHODS.len()],
    /// Specimens that a method found from every start.
    always: [u32; METHODS.len()],
    specimens: u32,
}

impl Tally {
    /// A row of the table: what a method needed, by its position in [`METHODS`].
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
            "\nOf {} specimens, found from every start: {}. Fastest at the median: {}.\n",
            self.specimens,
            each(self.always),
            each(self.fastest)
        )
    }
}
