//! The speed of the storm: steps per second that are drawn, run and checked.
//!
//! `cargo bench --bench storm`
//!
//! The compared methods take turns, round by round in one process, and each figure is the median over the rounds. So
//! disturbances of the machine affect all of them. Absolute speeds depend on the machine; the ratios are what to
//! compare.
//!
//! A step is effective if it changed a ring, the table, a buffer or the driver's answer. Cleaning the memory and
//! making the queue for each scenario (construction) is excluded where the output says so, and reported separately.
//!
//! Not measured here: the loop allocates nothing, which `tests/allocations.rs` checks. A scenario makes no system
//! call: `strace -f -c target/release/ringstorm run --jobs 1 --seeds N` shows the same count for every N, except for
//! the locks taken when a block of seeds is merged.

#[path = "../tests/support/queue_machine.rs"]
mod queue_machine;
#[path = "../tests/support/quiet.rs"]
mod quiet;
#[path = "../tests/support/step_strategy.rs"]
mod step_strategy;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::StateMachineTest;
use queue_machine::{CASE_STEPS, OnFailure, QueueReference, QueueTest, cases};
use ringstorm::execution::Rig;
use ringstorm::scenario::{Draw, GENERATOR, Profile, Scenario, Step};
use ringstorm::subject::SubjectKind;
use ringstorm_core::QueueSize;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

/// The number of steps of a scenario, for us and for proptest, as in `ringstorm run`.
const STEPS: usize = 128;
const PROFILE: Profile = Profile::Hostile;
/// The number of rounds over which medians are computed.
const ROUNDS: u64 = 15;
/// The number of scenarios in a round. Where proptest draws too, it is `CASES`.
const SCENARIOS: u64 = 1_000;
const CASES: u64 = 200;
/// The queue size of the main figure, and two others whose figures must not differ much.
const USUAL: u32 = 256;
const SMALL: u32 = 8;
const LARGE: u32 = 32_768;

fn main() {
    println!(
        "{GENERATOR}, profile hostile, {STEPS} steps and a drain in each scenario; medians of {ROUNDS} rounds\n"
    );
    sizes();
    threads();
    compare_with_proptest();
}

/// The generator of scenarios for a queue of this size, with this number of steps.
fn storm_of(queue_size: u32, steps: usize) -> Draw {
    Draw { profile: PROFILE, steps, queue_size: QueueSize::new(queue_size).ok() }
}

/// The measurements of a number of scenarios.
#[derive(Default, Clone, Copy)]
struct Measured {
    steps: u64,
    effective: u64,
    scenarios: u64,
    /// The total time.
    time: Duration,
    /// The part of the time for drawing scenarios.
    drawing: Duration,
    /// The part of the time for cleaning memory and making queues.
    construction: Duration,
}

impl Measured {
    /// The nanoseconds per effective step, without construction.
    fn nanoseconds(&self) -> f64 {
        (self.time - self.construction).as_nanos() as f64 / self.effective as f64
    }

    /// The percentage of effective steps.
    fn effective_share(&self) -> f64 {
        100.0 * self.effective as f64 / self.steps as f64
    }

    /// The steps per second, including construction.
    fn steps_per_second(&self) -> f64 {
        self.steps as f64 / self.time.as_secs_f64()
    }
}

/// Our own round: draws and runs scenarios as a campaign does.
fn storm(rig: &mut Rig, round: u64, queue_size: u32, scenarios: u64) -> Measured {
    let mut measured = Measured { scenarios, ..Measured::default() };
    let (draw, mut scenario) = (storm_of(queue_size, STEPS), Scenario::default());
    let begin = Instant::now();
    for seed in round * scenarios..(round + 1) * scenarios {
        let drawing = Instant::now();
        draw.scenario_into(seed, &mut scenario);
        measured.drawing += drawing.elapsed();
        run(rig, &scenario, &mut measured);
    }
    measured.time = begin.elapsed();
    measured
}

fn run(rig: &mut Rig, scenario: &Scenario, measured: &mut Measured) {
    let outcome = rig.run(SubjectKind::Core, scenario, &mut ()).expect("allocating memory");
    assert!(!outcome.is_finding(), "{}\n{scenario}", outcome.verdict);
    measured.steps += outcome.steps;
    measured.effective += outcome.effective_steps;
    measured.construction += rig.construction_time();
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The median of a figure over all rounds.
fn median_of(rounds: &[Measured], figure: impl Fn(&Measured) -> f64) -> f64 {
    median(rounds.iter().map(figure).collect())
}

/// The median of the ratios of a figure in one method to that in another, round by round.
fn ratio(rounds: &[Measured], to: &[Measured], figure: impl Fn(&Measured) -> f64) -> f64 {
    median(rounds.iter().zip(to).map(|(one, other)| figure(one) / figure(other)).collect())
}

fn sizes() {
    let sizes = [SMALL, USUAL, LARGE];
    let mut rig = Rig::new().expect("allocating memory");
    let mut rounds = sizes.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        for (size, measured) in sizes.iter().zip(&mut rounds) {
            let one = storm(&mut rig, round, *size, SCENARIOS);
            // In the first round, the memory grows to its final size.
            if round > 0 {
                measured.push(one);
            }
        }
    }
    println!("one core, ringstorm's own queue, with drawing, without construction");
    println!(
        "  queue size   effective steps/s   ns each   of it drawing   effective   construction, ns per scenario"
    );
    for (size, rounds) in sizes.iter().zip(&rounds) {
        let each = median_of(rounds, Measured::nanoseconds);
        println!(
            "  {size:>10} {:>19.0} {each:>9.1} {:>15.1} {:>9.0} % {:>31.0}",
            1e9 / each,
            median_of(rounds, |one| one.drawing.as_nanos() as f64 / one.effective as f64),
            median_of(rounds, Measured::effective_share),
            median_of(rounds, |one| one.construction.as_nanos() as f64 / one.scenarios as f64),
        );
    }
    println!(
        "  time per step, {LARGE} to {SMALL}: {:.2}\n",
        ratio(&rounds[2], &rounds[0], Measured::nanoseconds)
    );
}

fn threads() {
    let alone = |round| storm_on_threads(1, round);
    let both = |round| storm_on_threads(2, round);
    alone(0);
    let (mut one, mut two, mut ceiling) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        one.push(alone(round));
        two.push(both(round));
        ceiling.push(arithmetic_on_threads(2) / arithmetic_on_threads(1));
    }
    let ratios = one.iter().zip(&two).map(|(one, two)| two / one).collect();
    println!("queue size {USUAL}, steps per second with construction, each thread with a rig of its own");
    println!("  one thread {:>12.0}", median(one));
    println!("  two        {:>12.0}", median(two));
    println!("  two to one: {:.2}", median(ratios));
    println!("  two to one, for a loop that uses registers only: {:.2}\n", median(ceiling));
}

/// The rounds per second of a loop on this number of threads that shares nothing and accesses no memory. No program
/// can scale better on the machine.
fn arithmetic_on_threads(threads: u64) -> f64 {
    const ROUNDS: u64 = 30_000_000;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                // Several independent chains of multiplications, so that the processor is fully used.
                let mut numbers = [thread + 1, thread + 3, thread + 5, thread + 7];
                for round in 0..ROUNDS {
                    for number in &mut numbers {
                        *number = (*number ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
                    }
                }
                std::hint::black_box(numbers);
            });
        }
    });
    (threads * ROUNDS) as f64 / begin.elapsed().as_secs_f64()
}

/// The steps per second on this number of threads, with a different round on each.
fn storm_on_threads(threads: u64, round: u64) -> f64 {
    let begin = Instant::now();
    let steps: u64 = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut rig = Rig::new().expect("allocating memory");
                    storm(&mut rig, round * threads + thread, USUAL, SCENARIOS).steps
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().expect("the thread does not panic")).sum()
    });
    steps as f64 / begin.elapsed().as_secs_f64()
}

/// A failure is a bug of ringstorm, and ends the benchmark.
struct Fatal;

impl OnFailure for Fatal {
    fn fail(_: SubjectKind, scenario: &Scenario, what: &str) -> ! {
        resume_unwind(Box::new(format!("{what}\n{scenario}")))
    }
}

/// What proptest draws in a round, with its own generator: cases for a queue of this size, with setups as we draw them.
/// The same round draws the same.
fn draw(round: u64, queue_size: u32, case: impl Fn(QueueReference, Vec<Step>)) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&round.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let begin = move || {
        let books = move |seed| {
            QueueReference::new(SubjectKind::Core, storm_of(queue_size, 0).scenario(seed).setup, true)
        };
        any::<u64>().prop_map(books).boxed()
    };
    let result = runner.run(&cases(STEPS..=STEPS, begin), |(books, steps, _)| {
        case(books, steps);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn config() -> Config {
    Config { cases: CASES as u32, max_shrink_iters: 0, failure_persistence: None, ..Config::default() }
}

/// One round of ours, one of proptest-state-machine, and one of the steps that proptest drew, run by our executor
/// without drawing.
fn compare_round(rig: &mut Rig, round: u64, queue_size: u32) -> [Measured; 3] {
    let ours = storm(rig, round, queue_size, CASES);

    let begin = Instant::now();
    draw(round, queue_size, |books, steps| {
        QueueTest::<Fatal>::test_sequential(config(), books, steps, None);
    });
    let time = begin.elapsed();

    let drawn = RefCell::new(Vec::new());
    draw(round, queue_size, |books, steps| drawn.borrow_mut().push(Scenario { setup: books.setup, steps }));
    let mut alone = Measured::default();
    let begin = Instant::now();
    drawn.borrow().iter().for_each(|scenario| run(rig, scenario, &mut alone));
    alone.time = begin.elapsed();
    // Both ran the same steps, so the numbers of steps and of effective steps are equal.
    [ours, Measured { time, ..alone }, alone]
}

fn compare_with_proptest() {
    println!(
        "side by side: {STEPS} steps are drawn and run (the state machine's tests draw {} to {}), steps per second with \
         construction, on a rig that is reused",
        CASE_STEPS.start(),
        CASE_STEPS.end()
    );
    println!(
        "  queue size         ours   effective   state machine   effective        ratio   its steps run alone"
    );
    let mut rig = Rig::new().expect("allocating memory");
    for queue_size in [SMALL, USUAL] {
        compare_round(&mut rig, 0, queue_size);
        let rounds: Vec<[Measured; 3]> =
            (1..=ROUNDS).map(|round| compare_round(&mut rig, round, queue_size)).collect();
        let [ours, machine, alone] =
            [0, 1, 2].map(|which| rounds.iter().map(|round| round[which]).collect::<Vec<_>>());
        println!(
            "  {queue_size:>10} {:>12.0} {:>9.0} % {:>15.0} {:>9.0} % {:>12.2} {:>21.0}",
            median_of(&ours, Measured::steps_per_second),
            median_of(&ours, Measured::effective_share),
            median_of(&machine, Measured::steps_per_second),
            median_of(&machine, Measured::effective_share),
            ratio(&ours, &machine, Measured::steps_per_second),
            median_of(&alone, Measured::steps_per_second),
        );
    }
}
