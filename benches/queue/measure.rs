//! Compares the speed of several subjects on a machine that also does other work.

use std::time::Instant;

/// The number of rounds of each subject, which run in turns.
const ROUNDS: usize = 1001;
/// The approximate duration of a round of one subject.
const ROUND_NANOSECONDS: f64 = 30_000.0;

/// A subject that repeats the same work.
pub trait Subject {
    /// Runs `rounds` times `batch` chains, and returns the total number of bytes that the device reported.
    fn run(&mut self, batch: usize, rounds: usize) -> u64;

    /// The number of times that the device had to be notified.
    fn notifications(&self) -> u64 {
        0
    }

    /// Whether every chain is returned and freed.
    fn is_idle(&self) -> bool;
}

/// Nanoseconds for each chain, by subject.
pub struct Times {
    /// The times of one subject, in the order of the rounds.
    rounds: Vec<Vec<f64>>,
}

impl Times {
    /// Runs the same work on all subjects in turns, so that other work of the machine affects all of them. Each
    /// subject has its own batch size.
    pub fn take(subjects: &mut [(&mut dyn Subject, usize)]) -> Self {
        let repeats: Vec<usize> =
            subjects.iter_mut().map(|(subject, batch)| repeats(*subject, *batch)).collect();
        let rounds = (0..ROUNDS)
            .map(|_| {
                let in_turn = subjects.iter_mut().zip(&repeats);
                in_turn.map(|((subject, batch), repeats)| once(*subject, *batch, *repeats)).collect()
            })
            .collect();
        Self { rounds }
    }

    /// The time of a subject on an undisturbed machine: nine of ten rounds took longer.
    pub fn of(&self, subject: usize) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(|round| round[subject]).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 10]
    }

    /// The ratio of the times of two subjects.
    pub fn ratio(&self, subject: usize, to: usize) -> f64 {
        self.of(subject) / self.of(to)
    }
}

fn once(subject: &mut dyn Subject, batch: usize, repeats: usize) -> f64 {
    let start = Instant::now();
    std::hint::black_box(subject.run(batch, repeats));
    start.elapsed().as_nanos() as f64 / (batch * repeats) as f64
}

/// The number of repetitions for one round. This also warms the subject up.
fn repeats(subject: &mut dyn Subject, batch: usize) -> usize {
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        subject.run(batch, repeats);
        let nanoseconds = start.elapsed().as_nanos() as f64;
        if nanoseconds > ROUND_NANOSECONDS / 2.0 {
            return ((repeats as f64 * ROUND_NANOSECONDS / nanoseconds) as usize).max(1);
        }
        repeats *= 2;
    }
}
